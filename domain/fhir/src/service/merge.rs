//! `Patient/$merge` (R5's definition for R4, <https://hl7.org/fhir/R5/patient-operation-merge.html>): what refers to the
//! source refers to the target afterwards, the source stays as an inactive record that says so; one transaction.

mod record;

use std::collections::HashSet;

use seva_fhir_profiles::{SearchParameterType, definitions};

use super::matching::escaped;
use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::json::{Json, array, object};
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;
use crate::search::{Clause, ReferenceTest, Test, empty_query};
use crate::types::{ResourceKey, ResourceType};

/// The largest page.
const PAGE: u32 = 1000;
/// As many resources as one transaction rewrites.
const MOST: usize = 10_000;
/// What the server itself has written down stays as it was.
const UNTOUCHED: &[&str] = &["AuditEvent", "Patient"];

/// A patient, named in one of two ways.
#[derive(Clone, Debug, Default)]
pub struct MergeSide {
    /// The reference.
    pub reference: Option<String>,
    /// Identifiers, all of which must be the patient's.
    pub identifiers: Vec<Json>,
}

/// What is to be merged.
pub struct Merge<'a> {
    /// Which record ends.
    pub source: MergeSide,
    /// Which one goes on.
    pub target: MergeSide,
    /// What it looks like afterwards; made from both when it is not given.
    pub result: Option<&'a Json>,
    /// Whether it is done.
    pub mode: MergeMode,
}

/// Whether a merge is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMode {
    /// It is shown only.
    Preview,
    /// It is done.
    Commit,
}

/// What a merge makes.
pub struct Merged {
    /// The patient that goes on.
    pub result: Json,
    /// How many other resources refer to it now.
    pub rewritten: usize,
}

impl FhirService {
    /// Merges two records of one person.
    pub async fn merge_patients(&self, caller: &Caller, merge: Merge<'_>) -> Result<Merged, FhirError> {
        self.authorise_bulk(caller, "$merge").await?;
        let source = self.side(caller, &merge.source, "source-patient").await?;
        let target = self.side(caller, &merge.target, "target-patient").await?;
        let (from, to) = (stored_json(&source)?, stored_json(&target)?);
        check(&source.key, &target.key, (&from, &to))?;
        let result = match merge.result {
            Some(given) => accepted(given, (&source.key, &target.key), &to)?,
            None => united(&from, &to, &source.key),
        };
        let referring = self.referring(caller, &source.key).await?;
        let rewritten = referring.len();
        if merge.mode == MergeMode::Commit {
            let mut entries = vec![put(&source, ended(from, &target.key)), put(&target, result.clone())];
            for stored in &referring {
                let mut resource = stored_json(stored)?;
                self.redirect(&mut resource, &source.key, &target.key);
                entries.push(put(stored, resource));
            }
            let request = object([("method", "POST".into()), ("url", "Provenance".into())]);
            let record = record::provenance(caller, self.now(), (&source, &target), &referring);
            entries.push(object([("resource", record), ("request", request)]));
            let bundle =
                object([("resourceType", "Bundle".into()), ("type", "transaction".into()), ("entry", entries.into())]);
            self.transaction(caller, bundle).await?;
        }
        let result = match merge.mode {
            MergeMode::Preview => result,
            MergeMode::Commit => stored_json(&self.read(caller, &target.key).await?)?,
        };
        Ok(Merged { result, rewritten })
    }

    async fn side(&self, caller: &Caller, side: &MergeSide, name: &'static str) -> Result<Stored, FhirError> {
        let rule = |text: String| invalid(text, name);
        if let Some(reference) = &side.reference {
            let local =
                reference.strip_prefix(self.base_url()).map_or(reference.as_str(), |rest| rest.trim_matches('/'));
            let key = local.parse::<ResourceKey>().ok().filter(|key| key.resource_type() == ResourceType::patient());
            let key = key.ok_or_else(|| rule(format!("{name}: {reference:?} is not a reference to a Patient")))?;
            return self.read(caller, &key).await;
        }
        let mut pairs = Vec::new();
        for identifier in &side.identifiers {
            let value = identifier.get_str("value").ok_or_else(|| rule(format!("{name}-identifier has no value")))?;
            let system = identifier.get_str("system").map(|system| format!("{}|", escaped(system))).unwrap_or_default();
            pairs.push(("identifier".to_owned(), format!("{system}{}", escaped(value))));
        }
        if pairs.is_empty() {
            return Err(FhirError::Invalid(vec![Issue::error(
                IssueCode::Required,
                format!("$merge needs {name} or {name}-identifier"),
            )]));
        }
        let query = self.strict_search(caller, ResourceType::patient(), &pairs)?;
        let mut found = self.search(caller, query).await?.matches.into_iter();
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(rule(format!("{name}-identifier finds no patient"))),
            (Some(_), Some(_)) => Err(rule(format!("{name}-identifier finds more than one patient"))),
        }
    }

    /// Everything that refers to a patient through a reference that can be searched by.
    async fn referring(&self, caller: &Caller, patient: &ResourceKey) -> Result<Vec<Stored>, FhirError> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for resource_type in ResourceType::all().filter(|own| !UNTOUCHED.contains(&own.as_str())) {
            let Some(clause) = refers(resource_type, patient) else { continue };
            let mut query = empty_query(vec![resource_type]);
            query.count = PAGE;
            query.clauses.push(clause);
            loop {
                let page = self.search(caller, query.clone()).await?;
                found.extend(page.matches.into_iter().filter(|stored| seen.insert(stored.key.clone())));
                if found.len() > MOST {
                    let text =
                        format!("more than {MOST} resources refer to {patient}: merge it in a quiet hour by import");
                    return Err(FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text)]));
                }
                query.cursor = page.next;
                if query.cursor.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// References to one version of the source stay: that version is still there.
    fn redirect(&self, value: &mut Json, from: &ResourceKey, to: &ResourceKey) {
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| self.redirect(item, from, to)),
            Json::Object(members) => {
                for (name, member) in members.iter_mut() {
                    let here = match member.as_str() {
                        Some(text) if name == "reference" => {
                            let local = text.strip_prefix(self.base_url()).map_or(text, |rest| rest.trim_matches('/'));
                            local.parse::<ResourceKey>().is_ok_and(|key| key == *from)
                        }
                        _ => false,
                    };
                    if here {
                        *member = to.to_string().into();
                    } else {
                        self.redirect(member, from, to);
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
}

fn refers(resource_type: ResourceType, patient: &ResourceKey) -> Option<Clause> {
    let parameters = definitions().search_parameters(resource_type.as_str()).iter();
    let fitting = parameters.filter(|parameter| {
        let any = parameter.targets.is_empty() || parameter.targets.contains(&"Patient");
        parameter.kind == SearchParameterType::Reference && any
    });
    let clauses: Vec<Clause> = fitting
        .map(|parameter| {
            let test = Test::Reference(vec![ReferenceTest::Local(vec![patient.clone()])]);
            Clause::Parameter { parameter, test }
        })
        .collect();
    (!clauses.is_empty()).then_some(Clause::Any(clauses))
}

fn invalid(text: String, place: &str) -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::BusinessRule, text).at(place)])
}

/// The patient that a link of this type names.
pub(super) fn linked<'j>(patient: &'j Json, kind: &str) -> Option<&'j str> {
    let links = patient.get("link").map_or(&[][..], Json::items).iter();
    links.filter(|link| link.get_str("type") == Some(kind)).find_map(|link| link.get("other")?.get_str("reference"))
}

fn check(source: &ResourceKey, target: &ResourceKey, (from, to): (&Json, &Json)) -> Result<(), FhirError> {
    if source == target {
        return Err(invalid("source and target are the same patient".to_owned(), "target-patient"));
    }
    for (patient, key) in [(from, source), (to, target)] {
        if let Some(other) = linked(patient, "replaced-by") {
            return Err(invalid(format!("{key} was merged into {other} already"), "source-patient"));
        }
    }
    if to.get("active").and_then(Json::as_bool) == Some(false) {
        return Err(invalid(format!("{target} is not active: nothing is merged into it"), "target-patient"));
    }
    Ok(())
}

/// A given result must be the target, keep its identifiers and say what it replaces.
fn accepted(given: &Json, (source, target): (&ResourceKey, &ResourceKey), to: &Json) -> Result<Json, FhirError> {
    let place = "result-patient";
    if given.get_str("resourceType") != Some("Patient") || given.get_str("id") != Some(target.id().as_str()) {
        return Err(invalid(format!("result-patient must be {target}"), place));
    }
    let (ours, theirs) = (given.get("identifier").map_or(&[][..], Json::items), to.get("identifier"));
    let known = |wanted: &Json| {
        let same = |name: &str, one: &Json| one.get_str(name) == wanted.get_str(name);
        ours.iter().any(|one| same("system", one) && same("value", one))
    };
    if !theirs.map_or(&[][..], Json::items).iter().all(known) {
        return Err(invalid("result-patient must keep the identifiers of the target".to_owned(), place));
    }
    if linked(given, "replaces") != Some(source.to_string().as_str()) {
        return Err(invalid(format!("result-patient must have a link of type replaces to {source}"), place));
    }
    Ok(given.clone())
}

/// The target with the numbers of both; the source's are old ones.
fn united(from: &Json, to: &Json, source: &ResourceKey) -> Json {
    let mut result = to.clone();
    let Some(members) = result.as_object_mut() else { return result };
    let mut identifiers = to.get("identifier").map_or(&[][..], Json::items).to_vec();
    for one in from.get("identifier").map_or(&[][..], Json::items) {
        let same = |other: &Json, name: &str| other.get_str(name) == one.get_str(name);
        if !identifiers.iter().any(|other| same(other, "system") && same(other, "value")) {
            let mut old = one.clone();
            if let Some(members) = old.as_object_mut() {
                members.insert("use", "old");
            }
            identifiers.push(old);
        }
    }
    if !identifiers.is_empty() {
        members.insert("identifier", identifiers);
    }
    add_link(&mut result, source, "replaces");
    result
}

fn ended(mut from: Json, target: &ResourceKey) -> Json {
    if let Some(members) = from.as_object_mut() {
        members.insert("active", false);
    }
    add_link(&mut from, target, "replaced-by");
    from
}

fn add_link(patient: &mut Json, other: &ResourceKey, kind: &str) {
    let Some(members) = patient.as_object_mut() else { return };
    let mut links = members.remove("link").map(|links| links.items().to_vec()).unwrap_or_default();
    links.push(object([("other", object([("reference", other.to_string().into())])), ("type", kind.into())]));
    members.insert("link", array(links));
}

fn put(stored: &Stored, resource: Json) -> Json {
    let request = object([
        ("method", "PUT".into()),
        ("url", stored.key.to_string().into()),
        ("ifMatch", format!("W/\"{}\"", stored.version).into()),
    ]);
    object([("resource", resource), ("request", request)])
}
