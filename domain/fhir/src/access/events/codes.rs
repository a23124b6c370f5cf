//! What each kind of record is called: type, subtype, action and outcome of AuditEvent
//! (<https://hl7.org/fhir/R4/valueset-audit-event-type.html>, <https://hl7.org/fhir/R4/valueset-audit-event-sub-type.html>).

use crate::access::{AuditAction, AuditOutcome};
use crate::ports::Method;

/// A code with its system and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) system: &'static str,
    pub(super) code: &'static str,
    pub(super) display: &'static str,
}

const fn coding(system: &'static str, code: &'static str, display: &'static str) -> Coding {
    Coding { system, code, display }
}

const RESTFUL: &str = "http://hl7.org/fhir/restful-interaction";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ENTITY_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";

/// The systems of AuditEvent's plain codes.
pub(super) const ACTIONS: &str = "http://hl7.org/fhir/audit-event-action";
pub(super) const OUTCOMES: &str = "http://hl7.org/fhir/audit-event-outcome";

const REST: Coding = coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation");
const AUTHENTICATION: Coding = coding(DCM, "110114", "User Authentication");

pub(super) const AUTHOR: Coding = coding(PARTICIPATION, "AUT", "author (originator)");
pub(super) const RECIPIENT: Coding = coding(PARTICIPATION, "IRCP", "information recipient");
pub(super) const SOURCE: Coding = coding(DCM, "110153", "Source Role ID");
pub(super) const DESTINATION: Coding = coding(DCM, "110152", "Destination Role ID");
pub(super) const SERVER: Coding =
    coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");
pub(super) const PERSON: Coding = coding(ENTITY_TYPE, "1", "Person");
pub(super) const OBJECT: Coding = coding(ENTITY_TYPE, "2", "System Object");
pub(super) const PATIENT: Coding = coding(ENTITY_ROLE, "1", "Patient");
pub(super) const RESOURCE: Coding = coding(ENTITY_ROLE, "4", "Domain Resource");
pub(super) const QUERY: Coding = coding(ENTITY_ROLE, "24", "Query");
pub(super) const REQUEST: Coding =
    coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id");

/// What a record is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) of_type: Coding,
    pub(super) subtype: Option<Coding>,
    /// `C`, `R`, `U`, `D` or `E`.
    pub(super) action: &'static str,
    /// `0`, `4` or `8`.
    pub(super) outcome: &'static str,
}

/// What a line of the audit log is called.
pub(super) fn of_logged(action: AuditAction, outcome: AuditOutcome) -> Kind {
    let (of_type, subtype, letter) = named(action);
    // R4 audit-event-outcome: a wrong secret is a minor failure, what somebody may not do is a serious one.
    let outcome = match (outcome, action) {
        (AuditOutcome::Success, _) => "0",
        (AuditOutcome::Refused, AuditAction::LogIn | AuditAction::Sign | AuditAction::Secret) => "4",
        (AuditOutcome::Refused, _) => "8",
    };
    Kind { of_type, subtype, action: letter, outcome }
}

/// What a write is called.
pub(super) fn of_changed(method: Method) -> Kind {
    let action = match method {
        Method::Create => AuditAction::Create,
        Method::Update => AuditAction::Update,
        Method::Delete => AuditAction::Delete,
    };
    of_logged(action, AuditOutcome::Success)
}

fn named(action: AuditAction) -> (Coding, Option<Coding>, &'static str) {
    let rest = |code, display, letter| (REST, Some(coding(RESTFUL, code, display)), letter);
    match action {
        AuditAction::Read => rest("read", "read", "R"),
        AuditAction::Vread => rest("vread", "vread", "R"),
        AuditAction::History => rest("history-instance", "history-instance", "R"),
        AuditAction::TypeHistory => rest("history-type", "history-type", "R"),
        AuditAction::SystemHistory => rest("history-system", "history-system", "R"),
        AuditAction::Search => rest("search-type", "search-type", "E"),
        AuditAction::SystemSearch => rest("search-system", "search-system", "E"),
        AuditAction::Create => rest("create", "create", "C"),
        AuditAction::Update => rest("update", "update", "U"),
        AuditAction::Patch => rest("patch", "patch", "U"),
        AuditAction::Delete => rest("delete", "delete", "D"),
        AuditAction::Write => rest("operation", "operation", "E"),
        AuditAction::LogIn => (AUTHENTICATION, Some(coding(DCM, "110122", "Login")), "E"),
        AuditAction::LogOut => (AUTHENTICATION, Some(coding(DCM, "110123", "Logout")), "E"),
        AuditAction::Sign => (coding(LIFECYCLE, "attest", "Attest Record Lifecycle Event"), None, "E"),
        AuditAction::Secret => (
            coding(DCM, "110113", "Security Alert"),
            Some(coding(DCM, "110137", "User Security Attributes Changed")),
            "U",
        ),
        AuditAction::Dictation => (coding(LIFECYCLE, "access", "Access/View Record Lifecycle Event"), None, "E"),
        AuditAction::Print => (coding(LIFECYCLE, "report", "Report (Output) Record Lifecycle Event"), None, "R"),
        AuditAction::Export => (coding(DCM, "110106", "Export"), None, "R"),
        AuditAction::Disclose => (coding(LIFECYCLE, "disclose", "Disclose Record Lifecycle Event"), None, "R"),
    }
}
