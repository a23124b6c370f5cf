use super::*;
use crate::json::{Json, Limits, parse};
use crate::outcome::Issue;
use crate::parameters::Parameters;
use crate::search::{Handling, SearchOptions, parse_query_string, parse_search};
use crate::{structure, validation};

fn entry(what: AuditedWhat) -> AuditEntry {
    AuditEntry {
        id: EntryId { source: AuditSource::Audit, number: 17 },
        at: Instant::from_micros(1_790_000_000_123_456),
        what,
        agent: Agent {
            account: "6d1d1b1c-0000-4000-8000-000000000001".into(),
            display: Some("Dr Anil Kelkar".into()),
            practitioner: Some("kelkar".into()),
            patient: None,
        },
        hospital: "Sahyadri".into(),
        patients: vec!["naik".into(), "rane".into()],
        request: "request-1".into(),
        address: Some("192.0.2.7".into()),
    }
}

fn logged(action: AuditAction, outcome: AuditOutcome, target: &str) -> AuditEntry {
    let query = (action == AuditAction::Search && outcome == AuditOutcome::Success).then(|| "Patient?name=ra".into());
    entry(AuditedWhat::Logged { action, outcome, target: target.into(), query })
}

fn rendered(entry: &AuditEntry, only: Option<&ResourceKey>) -> Json {
    parse(&entry.stored(only).body, &Limits::default()).expect("valid JSON")
}

#[test]
fn every_kind_of_record_is_a_valid_audit_event() {
    let targets =
        ["Patient/rane", "Patient/rane/_history/2", "Patient", "system", "session", "prescription of Encounter/v"];
    for action in AuditAction::all() {
        for outcome in [AuditOutcome::Success, AuditOutcome::Refused] {
            for target in targets {
                check(&rendered(&logged(action, outcome, target), None));
            }
        }
    }
    for method in [Method::Create, Method::Update, Method::Delete] {
        let key = "Observation/x".parse().expect("a key");
        check(&rendered(&entry(AuditedWhat::Changed { method, key, version: VersionId::FIRST }), None));
    }
}

fn check(resource: &Json) {
    let issues = structure::check(resource);
    assert!(!issues.iter().any(Issue::is_error), "{resource}: {issues:?}");
    let issues = validation::check(resource, Instant::from_micros(1_790_000_000_123_456));
    assert!(!issues.iter().any(Issue::is_error), "{resource}: {issues:?}");
}

#[test]
fn a_search_shows_its_words_to_those_who_may_read_them_all() {
    let search = logged(AuditAction::Search, AuditOutcome::Success, "Patient");
    let whole = rendered(&search, None).to_string();
    assert!(whole.contains("UGF0aWVudD9uYW1lPXJh") && whole.contains("Patient/naik"), "{whole}");
    let rane: ResourceKey = "Patient/rane".parse().expect("a key");
    let own = rendered(&search, Some(&rane)).to_string();
    assert!(own.contains("Patient/rane") && !own.contains("UGF0aWVudD9uYW1lPXJh") && !own.contains("naik"), "{own}");
}

#[test]
fn ids_name_a_record_of_one_log() {
    let read = |text: &str| EntryId::read(&text.parse().expect("an id"));
    assert_eq!(read("a-17"), Some(EntryId { source: AuditSource::Audit, number: 17 }));
    assert_eq!(read("c-1"), Some(EntryId { source: AuditSource::Change, number: 1 }));
    for other in ["example", "a-", "a-017", "b-1", "aa-1", "a-1x", "c-99999999999999999999"] {
        assert_eq!(read(other), None, "{other}");
    }
}

fn asked(query: &str) -> Result<AuditQuery, Vec<Issue>> {
    let pairs = parse_query_string(query).expect("a query");
    let parameters = &Parameters::of_pack(1);
    let options = SearchOptions { handling: Handling::Strict, base_url: "http://localhost/fhir", parameters };
    AuditQuery::of(&parse_search(ResourceType::audit_event(), &pairs, options)?)
}

#[test]
fn codes_choose_kinds_of_records() {
    let kinds = |query: &str| {
        let AuditCondition::All(conditions) = asked(query).expect("offered").condition else { unreachable!() };
        let kinds = conditions.into_iter().find_map(|condition| match condition {
            AuditCondition::Kinds(kinds) => Some(kinds),
            _ => None,
        });
        kinds.expect("a condition on kinds")
    };
    assert_eq!(kinds("action=C").changed, [Method::Create]);
    assert_eq!(kinds("action=C").logged.len(), 2, "a create that was refused is a line of the log");
    assert_eq!(kinds("subtype=http://dicom.nema.org/resources/ontology/DCM|110122").changed, []);
    assert_eq!(
        kinds("subtype=110122").logged,
        [(AuditAction::LogIn, AuditOutcome::Success), (AuditAction::LogIn, AuditOutcome::Refused)]
    );
    assert!(kinds("outcome=8").logged.iter().all(|(_, outcome)| *outcome == AuditOutcome::Refused));
    assert!(kinds("outcome=0").changed.len() == 3);
    assert_eq!(kinds("type:not=rest").changed, []);
}

#[test]
fn what_no_record_can_answer_is_refused_by_name() {
    for query in
        ["site=x", "agent.name=x", "type:text=x", "_sort=_id", "_sort=type", "_has:Provenance:target:_id=x", "_text=x"]
    {
        let issues = asked(query).expect_err(query);
        assert!(issues.iter().all(|issue| issue.diagnostics.contains("AuditEvents")), "{query}: {issues:?}");
    }
    assert!(asked("patient=rane&date=ge2026&_sort=-date").is_ok());
}
