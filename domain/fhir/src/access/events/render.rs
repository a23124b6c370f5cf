//! A record as the AuditEvent that a client reads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::codes::{self, Coding, Kind};
use super::{Agent, AuditEntry, AuditedWhat, PRESCRIPTION};
use crate::access::{AuditAction, AuditOutcome};
use crate::json::{Json, JsonObject, object};
use crate::ports::Stored;
use crate::types::{ReferenceTarget, ResourceId, ResourceKey, ResourceType, VersionId, parse_reference};

/// How this server calls itself.
const PROGRAM: &str = "SEVA Arogya";
/// RFC 3986: the identifier is a URI, here `urn:uuid:`.
pub(super) const URI: &str = "urn:ietf:rfc:3986";
/// How an account stands in an identifier.
pub(super) const ACCOUNT: &str = "urn:uuid:";
/// Of <http://hl7.org/fhir/network-type>.
const IP_ADDRESS: &str = "2";

impl AuditEntry {
    /// Renders the AuditEvent. For a reader of one patient's record, other patients, the words of a
    /// search and addresses stay out.
    #[must_use]
    pub fn stored(&self, only: Option<&ResourceKey>) -> Stored {
        let kind = self.kind();
        let mut members = JsonObject::new();
        members.insert("resourceType", "AuditEvent");
        members.insert("id", self.id.to_string().as_str());
        members.insert(
            "meta",
            object([("versionId", VersionId::FIRST.to_string().into()), ("lastUpdated", self.at.to_string().into())]),
        );
        members.insert("type", json(kind.of_type));
        if let Some(subtype) = kind.subtype {
            members.insert("subtype", vec![json(subtype)]);
        }
        members.insert("action", kind.action);
        members.insert("recorded", self.at.to_string().as_str());
        members.insert("outcome", kind.outcome);
        if kind.outcome != "0" {
            members.insert("outcomeDesc", "refused");
        }
        members.insert("agent", self.agents(&kind, only));
        members.insert("source", self.source());
        let entities = self.entities(only);
        if !entities.is_empty() {
            members.insert("entity", entities);
        }
        let key = ResourceKey::new(ResourceType::audit_event(), self.resource_id());
        let body = Json::Object(members).to_bytes().into();
        Stored { key, version: VersionId::FIRST, updated: self.at, body }
    }

    fn resource_id(&self) -> ResourceId {
        // A letter, a hyphen and digits are a legal id; the nil id stands for what can't be.
        self.id.to_string().parse().unwrap_or_else(|_| ResourceId::from(uuid::Uuid::nil()))
    }

    fn kind(&self) -> Kind {
        match &self.what {
            AuditedWhat::Logged { action, outcome, .. } => codes::of_logged(*action, *outcome),
            AuditedWhat::Changed { method, .. } => codes::of_changed(*method),
        }
    }

    /// The user, and this server on the side where the data was or went.
    fn agents(&self, kind: &Kind, only: Option<&ResourceKey>) -> Vec<Json> {
        let writes = matches!(kind.action, "C" | "U" | "D");
        let (user, server) =
            if writes { (codes::AUTHOR, codes::DESTINATION) } else { (codes::RECIPIENT, codes::SOURCE) };
        let mut person = JsonObject::new();
        person.insert("type", concept(user));
        person.insert("who", who(&self.agent));
        if let Some(display) = &self.agent.display {
            person.insert("name", display.as_ref());
        }
        person.insert("requestor", true);
        // Where others work is no part of a patient's record.
        if let Some(address) = self.address.as_deref().filter(|_| only.is_none()) {
            person.insert("network", object([("address", address.into()), ("type", IP_ADDRESS.into())]));
        }
        let program = object([
            ("type", concept(server)),
            ("who", object([("type", "Device".into()), ("display", PROGRAM.into())])),
            ("requestor", false.into()),
        ]);
        vec![person.into(), program]
    }

    fn source(&self) -> Json {
        let mut source = JsonObject::new();
        if !self.hospital.is_empty() {
            source.insert("site", self.hospital.as_ref());
        }
        source.insert("observer", object([("type", "Device".into()), ("display", PROGRAM.into())]));
        source.insert("type", vec![json(codes::SERVER)]);
        source.into()
    }

    fn entities(&self, only: Option<&ResourceKey>) -> Vec<Json> {
        let mut entities = match &self.what {
            AuditedWhat::Changed { key, version, .. } => vec![resource(&format!("{key}/_history/{version}"), None)],
            AuditedWhat::Logged { action, target, query, outcome } => {
                subject(*action, *outcome, target, query.as_deref().filter(|_| only.is_none()))
            }
        };
        let shown = |id: &str| only.is_none_or(|patient| patient.id().as_str() == id);
        for patient in self.patients.iter().filter(|id| shown(id)) {
            entities.push(object([
                ("what", reference(&format!("Patient/{patient}"))),
                ("type", json(codes::PERSON)),
                ("role", json(codes::PATIENT)),
            ]));
        }
        if !self.request.is_empty() {
            let identifier = object([("value", Json::from(self.request.as_ref()))]);
            entities.push(object([("what", object([("identifier", identifier)])), ("type", json(codes::REQUEST))]));
        }
        entities
    }
}

/// What a line of the audit log is about: a resource, a search, or something with a name.
fn subject(action: AuditAction, outcome: AuditOutcome, target: &str, query: Option<&str>) -> Vec<Json> {
    let searches = matches!(action, AuditAction::Search | AuditAction::SystemSearch);
    if let Some(query) = query {
        return vec![object([
            ("type", json(codes::OBJECT)),
            ("role", json(codes::QUERY)),
            ("query", STANDARD.encode(query).into()),
        ])];
    }
    if let Some(encounter) = target.strip_prefix(PRESCRIPTION) {
        return vec![resource(encounter, Some("prescription"))];
    }
    let known = matches!(parse_reference(target, ""), Some(ReferenceTarget::Literal { .. }));
    match (known, action) {
        (true, _) => vec![resource(target, None)],
        (false, AuditAction::LogIn | AuditAction::LogOut) => Vec::new(),
        // The type stands for a search whose words are not shown, or that was refused before it was read.
        (false, _) => {
            let role = if searches && outcome == AuditOutcome::Success { codes::QUERY } else { codes::RESOURCE };
            vec![object([("type", json(codes::OBJECT)), ("role", json(role)), ("name", target.into())])]
        }
    }
}

fn resource(target: &str, name: Option<&str>) -> Json {
    let mut entity = JsonObject::new();
    entity.insert("what", reference(target));
    entity.insert("type", json(codes::OBJECT));
    entity.insert("role", json(codes::RESOURCE));
    if let Some(name) = name {
        entity.insert("name", name);
    }
    entity.into()
}

/// The Practitioner or Patient of the account, and the account itself.
fn who(agent: &Agent) -> Json {
    let mut who = JsonObject::new();
    let owner = match (&agent.practitioner, &agent.patient) {
        (Some(id), _) => Some(("Practitioner", id)),
        (None, Some(id)) => Some(("Patient", id)),
        (None, None) => None,
    };
    if let Some((kind, id)) = owner {
        who.insert("reference", format!("{kind}/{id}").as_str());
        who.insert("type", kind);
    }
    let identifier = match uuid::Uuid::try_parse(&agent.account) {
        Ok(_) => object([("system", URI.into()), ("value", format!("{ACCOUNT}{}", agent.account).into())]),
        Err(_) => object([("value", agent.account.clone().into())]),
    };
    who.insert("identifier", identifier);
    if let Some(display) = &agent.display {
        who.insert("display", display.as_ref());
    }
    who.into()
}

fn reference(target: &str) -> Json {
    object([("reference", target.into())])
}

fn concept(coding: Coding) -> Json {
    object([("coding", Json::Array(vec![json(coding)]))])
}

fn json(coding: Coding) -> Json {
    object([("system", coding.system.into()), ("code", coding.code.into()), ("display", coding.display.into())])
}
