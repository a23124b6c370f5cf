//! A search of AuditEvents in terms of the log's records (R4 <https://hl7.org/fhir/R4/auditevent.html#search>).

use seva_fhir_profiles::SearchParameter;

use super::codes::{self, Coding, Kind};
use super::render::{ACCOUNT, URI};
use super::{AuditSource, EntryId};
use crate::access::{AuditAction, AuditOutcome};
use crate::index::LetterCase;
use crate::outcome::{Issue, IssueCode};
use crate::ports::Method;
use crate::search::{Clause, DateTest, Presence, ReferenceTest, SearchQuery, SortBy, SortKey, Test, TokenTest};
use crate::types::{ResourceId, ResourceKey, ResourceType};

/// The parameters that both logs can answer; the others of R4 are refused by name.
const OFFERED: &[&str] =
    &["_id", "_lastUpdated", "_filter", "action", "agent", "date", "entity", "outcome", "patient", "subtype", "type"];

/// Whether searches of AuditEvents take a parameter, with or without a modifier.
#[must_use]
pub fn is_audit_parameter(name: &str) -> bool {
    let plain = name.split_once(':').map_or(name, |(plain, _)| plain);
    OFFERED.contains(&plain)
}

/// Which kinds of records: each log has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// Lines of the audit log.
    pub logged: Vec<(AuditAction, AuditOutcome)>,
    /// Writes.
    pub changed: Vec<Method>,
}

/// A condition on records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditCondition {
    /// One of these records.
    Id(Vec<EntryId>),
    /// At one of these times.
    At(Vec<DateTest>),
    /// Of one of these kinds.
    Kinds(Kinds),
    /// It names one of these patients.
    Patient(Vec<ResourceId>),
    /// It names no patient.
    NoPatient,
    /// Done by one of these accounts, or by one that acts as one of these people.
    Agent {
        /// Ids of accounts.
        accounts: Vec<String>,
        /// Practitioners.
        practitioners: Vec<ResourceId>,
        /// Patients.
        patients: Vec<ResourceId>,
    },
    /// About one of these resources.
    Entity(Vec<ResourceKey>),
    /// One of these holds; none at all never holds.
    Any(Vec<AuditCondition>),
    /// All of these hold.
    All(Vec<AuditCondition>),
    /// This does not hold.
    Not(Box<AuditCondition>),
}

/// Which way the records are ordered by their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOrder {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

/// A search of the log.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// What must hold.
    pub condition: AuditCondition,
    /// The order.
    pub order: AuditOrder,
    /// Only this patient's part of each record is shown.
    pub only: Option<ResourceKey>,
}

impl AuditQuery {
    /// Reads the clauses and the order of a search; what no record can answer is named.
    pub fn of(query: &SearchQuery) -> Result<Self, Vec<Issue>> {
        let mut conditions = query.clauses.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
        if let Some(patient) = &query.compartment {
            conditions.iter_mut().for_each(|each| each.forget_others(patient));
            conditions.push(of_patients(vec![patient.id().clone()]));
        }
        let order = match query.sort.as_slice() {
            [] => AuditOrder::Newest,
            [SortKey { by, descending }] if is_time(*by) => {
                if *descending {
                    AuditOrder::Newest
                } else {
                    AuditOrder::Oldest
                }
            }
            _ => return Err(refused("_sort", "are sorted by date or _lastUpdated")),
        };
        Ok(Self { condition: AuditCondition::All(conditions), order, only: query.compartment.clone() })
    }
}

fn is_time(by: SortBy) -> bool {
    match by {
        SortBy::LastUpdated => true,
        SortBy::Parameter(parameter) => parameter.code == "date",
        SortBy::Id => false,
    }
}

fn refused(name: &str, text: &str) -> Vec<Issue> {
    vec![Issue::error(IssueCode::NotSupported, format!("AuditEvents {text}")).at(format!("http.{name}"))]
}

fn condition(clause: &Clause) -> Result<AuditCondition, Vec<Issue>> {
    let all = |clauses: &[Clause]| clauses.iter().map(condition).collect::<Result<Vec<_>, _>>();
    Ok(match clause {
        Clause::Types(types) => {
            let held = types.contains(&ResourceType::audit_event());
            if held { AuditCondition::All(Vec::new()) } else { AuditCondition::Any(Vec::new()) }
        }
        Clause::Id(ids) => AuditCondition::Id(ids.iter().filter_map(EntryId::read).collect()),
        Clause::LastUpdated(tests) => AuditCondition::At(tests.clone()),
        Clause::Parameter { parameter, test } => parameterised(parameter, test)?,
        Clause::Any(clauses) => AuditCondition::Any(all(clauses)?),
        Clause::All(clauses) => AuditCondition::All(all(clauses)?),
        Clause::Not(clause) => AuditCondition::Not(Box::new(condition(clause)?)),
        Clause::Chain(_) => return Err(refused("chain", "are not searched by what they refer to")),
        Clause::Has(_) => return Err(refused("_has", "are not searched by what refers to them")),
        Clause::List(_) => return Err(refused("_list", "are not searched by lists")),
        Clause::Recheck(_) => return Err(refused("modifier", "have no such modifier")),
    })
}

fn parameterised(parameter: &SearchParameter, test: &Test) -> Result<AuditCondition, Vec<Issue>> {
    let (code, letter_case) = (parameter.code, LetterCase::of(parameter));
    let not_offered = || refused(code, &format!("are not searched by {code:?} like this"));
    match (code, test) {
        ("date", Test::Date(tests)) => Ok(AuditCondition::At(tests.clone())),
        ("date" | "agent", Test::Presence(presence)) => Ok(always(*presence == Presence::Present)),
        ("patient", Test::Presence(presence)) => Ok(match presence {
            Presence::Missing => AuditCondition::NoPatient,
            Presence::Present => AuditCondition::Not(Box::new(AuditCondition::NoPatient)),
        }),
        ("patient", Test::Reference(tests)) => Ok(of_patients(patients(&local(tests)))),
        ("agent", Test::Reference(tests)) => Ok(agent(tests)),
        ("entity", Test::Reference(tests)) => {
            let keys = local(tests);
            let patients = patients(&keys);
            Ok(AuditCondition::Any(vec![AuditCondition::Entity(keys), AuditCondition::Patient(patients)]))
        }
        ("action" | "outcome" | "type" | "subtype", _) => {
            let holds = |kind: &Kind| {
                let value = value_of(code, kind);
                let fits = |test: &TokenTest| value.is_some_and(|own| fits(test, own, letter_case));
                match test {
                    Test::Token(tests) => Some(tests.iter().any(fits)),
                    Test::NotToken(tests) => Some(!tests.iter().any(fits)),
                    Test::Presence(presence) => Some(value.is_some() == (*presence == Presence::Present)),
                    _ => None,
                }
            };
            kinds(holds).map(AuditCondition::Kinds).ok_or_else(not_offered)
        }
        _ => Err(not_offered()),
    }
}

fn always(held: bool) -> AuditCondition {
    if held { AuditCondition::All(Vec::new()) } else { AuditCondition::Any(Vec::new()) }
}

/// Concerned as a patient, or acting with a patient's own account.
fn of_patients(patients: Vec<ResourceId>) -> AuditCondition {
    let acting = AuditCondition::Agent { accounts: Vec::new(), practitioners: Vec::new(), patients: patients.clone() };
    AuditCondition::Any(vec![AuditCondition::Patient(patients), acting])
}

fn agent(tests: &[ReferenceTest]) -> AuditCondition {
    let keys = local(tests);
    let of_type = |name: &str| {
        let own = keys.iter().filter(|key| key.resource_type().as_str() == name);
        own.map(|key| key.id().clone()).collect::<Vec<ResourceId>>()
    };
    let accounts = tests.iter().filter_map(|test| match test {
        ReferenceTest::Identifier { system, value } if system.as_deref().is_none_or(|system| system == URI) => {
            Some(value.strip_prefix(ACCOUNT).unwrap_or(value).to_owned())
        }
        _ => None,
    });
    AuditCondition::Agent {
        accounts: accounts.collect(),
        practitioners: of_type("Practitioner"),
        patients: of_type("Patient"),
    }
}

fn local(tests: &[ReferenceTest]) -> Vec<ResourceKey> {
    let keys = tests.iter().filter_map(|test| match test {
        ReferenceTest::Local(keys) => Some(keys),
        ReferenceTest::Url(_) | ReferenceTest::Identifier { .. } => None,
    });
    keys.flatten().cloned().collect()
}

fn patients(keys: &[ResourceKey]) -> Vec<ResourceId> {
    let own = keys.iter().filter(|key| key.resource_type() == ResourceType::patient());
    own.map(|key| key.id().clone()).collect()
}

fn value_of(code: &str, kind: &Kind) -> Option<Coding> {
    let plain = |system, code| Some(Coding { system, code, display: "" });
    match code {
        "action" => plain(codes::ACTIONS, kind.action),
        "outcome" => plain(codes::OUTCOMES, kind.outcome),
        "type" => Some(kind.of_type),
        _ => kind.subtype,
    }
}

fn fits(test: &TokenTest, value: Coding, letter_case: LetterCase) -> bool {
    let is = |code: &str| letter_case.comparable(value.code) == code;
    match test {
        TokenTest::Code(code) => is(code),
        TokenTest::Exact { system, code } | TokenTest::Implied { system, code } => system == value.system && is(code),
        // Plain codes are without a system where they stand.
        TokenTest::NoSystem(code) => value.display.is_empty() && is(code),
        TokenTest::System(system) => system == value.system,
    }
}

/// Every kind of record that fits; none when the test is not one of tokens.
fn kinds(holds: impl Fn(&Kind) -> Option<bool>) -> Option<Kinds> {
    let mut found = Kinds { logged: Vec::new(), changed: Vec::new() };
    for action in AuditAction::all() {
        for outcome in [AuditOutcome::Success, AuditOutcome::Refused] {
            if holds(&codes::of_logged(action, outcome))? {
                found.logged.push((action, outcome));
            }
        }
    }
    for method in [Method::Create, Method::Update, Method::Delete] {
        if holds(&codes::of_changed(method))? {
            found.changed.push(method);
        }
    }
    Some(found)
}

impl AuditCondition {
    /// Whoever reads one patient's part must not learn from a condition who else a record names.
    fn forget_others(&mut self, patient: &ResourceKey) {
        match self {
            Self::Patient(ids) | Self::Agent { patients: ids, .. } => ids.retain(|id| id == patient.id()),
            Self::Entity(keys) => {
                keys.retain(|key| key.resource_type() != ResourceType::patient() || key == patient);
            }
            Self::Any(conditions) | Self::All(conditions) => {
                conditions.iter_mut().for_each(|each| each.forget_others(patient));
            }
            Self::Not(condition) => condition.forget_others(patient),
            Self::Id(_) | Self::At(_) | Self::Kinds(_) | Self::NoPatient => {}
        }
    }

    /// Whether no record of a log can fit, whatever it holds: then the log need not be asked.
    #[must_use]
    pub fn is_void(&self, source: AuditSource) -> bool {
        match self {
            Self::Id(ids) => !ids.iter().any(|id| id.source == source),
            Self::Kinds(kinds) => match source {
                AuditSource::Audit => kinds.logged.is_empty(),
                AuditSource::Change => kinds.changed.is_empty(),
            },
            Self::Any(conditions) => conditions.iter().all(|each| each.is_void(source)),
            Self::All(conditions) => conditions.iter().any(|each| each.is_void(source)),
            Self::Patient(ids) => ids.is_empty(),
            Self::Entity(keys) => keys.is_empty(),
            Self::At(_) | Self::NoPatient | Self::Agent { .. } | Self::Not(_) => false,
        }
    }
}
