//! Who asks, what may be done, what is remembered of it: the one place where access is decided.
//!
//! Every path (REST, pages, sockets, jobs) builds a [`Caller`] and asks [`decide`]; nothing else in the program knows
//! which role may do what. Types and interactions are R4's (<https://hl7.org/fhir/R4/http.html>); the patient's own view is
//! the Patient compartment (<https://hl7.org/fhir/R4/compartmentdefinition-patient.html>).

mod accounts;
mod audit;
mod disclosure;
mod events;
mod idempotency;
mod policy;
mod role;
mod seal;
mod secrets;

use std::fmt;
use std::net::IpAddr;

pub use accounts::{
    Account, AccountStore, ExternalIdentity, HasherError, Membership, SecretHasher, Session, Ticket, TokenError,
    TokenHash, TokenVerifier,
};
pub use audit::{AuditAction, AuditLog, AuditOutcome, AuditRecord};
pub use disclosure::patients_in;
pub use events::{
    Agent, AuditCondition, AuditEntry, AuditEvents, AuditOrder, AuditQuery, AuditSource, AuditedWhat, EntryId, Kinds,
    is_audit_parameter, prescription_of,
};
pub use idempotency::{Begun, IdempotencyKey, IdempotencyStore, KeptAnswer};
pub use role::{Role, UnknownRole};
pub use seal::{Broken, Chain, Digest, SealKey, SealedBatch, Stream, record_digest};
pub use secrets::{NewSecret, WeakSecret, check_password, check_pin};

use crate::json::Json;
use crate::types::{ResourceId, ResourceKey, ResourceType, TenantId};

/// What a request does to resources, in FHIR's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interaction {
    /// Reads the current version.
    Read,
    /// Reads one version.
    Vread,
    /// Creates with an id that the server chooses.
    Create,
    /// Writes a version under a known id.
    Update,
    /// Deletes.
    Delete,
    /// Changes a part of a resource.
    Patch,
    /// Lists the versions of one resource.
    History,
    /// Lists the versions of all resources of a type.
    TypeHistory,
    /// Searches one type.
    Search,
}

impl Interaction {
    /// The code of `http://hl7.org/fhir/restful-interaction`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Patch => "patch",
            Self::History => "history-instance",
            Self::TypeHistory => "history-type",
            Self::Search => "search-type",
        }
    }

    /// Whether the interaction changes the record.
    pub fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Patch | Self::Delete)
    }
}

/// Someone whose credentials were checked, in one tenant, for one request.
#[derive(Clone)]
pub struct Caller {
    /// The hospital whose records are meant.
    pub tenant: TenantId,
    /// The account's stable identifier.
    pub account: Box<str>,
    /// The name to show.
    pub display: Box<str>,
    /// What the account is in this tenant; none means no access.
    pub roles: Vec<Role>,
    /// The Practitioner that the account acts as.
    pub practitioner: Option<ResourceId>,
    /// The Patient that the account belongs to.
    pub patient: Option<ResourceId>,
    /// Where the request came from, for the audit log and for error reports.
    pub request: RequestOrigin,
}

/// A request as the audit log names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOrigin {
    /// The request's id.
    pub id: Box<str>,
    /// The address of the client's machine, where it is known.
    pub address: Option<IpAddr>,
}

impl<T: Into<Box<str>>> From<T> for RequestOrigin {
    /// A request that no other machine made.
    fn from(id: T) -> Self {
        Self { id: id.into(), address: None }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Caller")
            .field("tenant", &self.tenant)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// Whether the account has a role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The reference to the caller's Practitioner, `Practitioner/x`.
    pub fn practitioner_reference(&self) -> Option<String> {
        self.practitioner.as_ref().map(|id| format!("Practitioner/{id}"))
    }
}

/// What a permitted caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Everything of the type in the tenant.
    Whole,
    /// Only what lies in this patient's compartment.
    Compartment(ResourceKey),
}

/// Why a caller is turned away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No role of the caller allows the interaction on the type.
    #[error("your role does not allow {} on {resource_type}", interaction.code())]
    Role {
        /// What was asked.
        interaction: Interaction,
        /// On which type.
        resource_type: ResourceType,
    },
    /// The resource belongs to another clinician.
    #[error("{key} was written by another practitioner: only its author may change it")]
    Author {
        /// The resource.
        key: ResourceKey,
    },
    /// The resource is a record of the server's own log.
    #[error("{key} is a record of this server's own audit log: nobody writes it")]
    Logged {
        /// The resource.
        key: ResourceKey,
    },
    /// The resource is a definition of the server's own.
    #[error("{key} is a definition of this server's own: nobody writes it")]
    Defined {
        /// The resource.
        key: ResourceKey,
    },
    /// The caller's roles are not those that move records in bulk.
    #[error("{action} needs the role hospital-admin, platform-admin or system")]
    Bulk {
        /// What was asked.
        action: &'static str,
    },
    /// The caller does not act as a practitioner.
    #[error("{action} needs an account that is linked to a Practitioner")]
    NoPractitioner {
        /// What was asked.
        action: &'static str,
    },
}

/// Whether resources of a type can belong to a patient's compartment.
pub fn in_patient_compartment(resource_type: ResourceType) -> bool {
    policy::in_patient_compartment(resource_type)
}

/// Decides whether a caller may do something to resources of a type, and how much of them it sees.
pub fn decide(caller: &Caller, interaction: Interaction, resource_type: ResourceType) -> Result<Permit, Refusal> {
    if caller.roles.iter().any(|role| policy::allows(*role, interaction, resource_type)) {
        return Ok(Permit::Whole);
    }
    if let (true, Some(patient)) = (caller.is(Role::Patient), &caller.patient)
        && !interaction.writes()
        && policy::in_patient_compartment(resource_type)
    {
        let patient = ResourceKey::new(ResourceType::patient(), patient.clone());
        return Ok(Permit::Compartment(patient));
    }
    Err(Refusal::Role { interaction, resource_type })
}

/// Refuses a change of a prescription or note that another practitioner wrote.
///
/// Administrators and connected systems pass: they correct what the tenant imported, and the audit log names them.
pub fn decide_change(caller: &Caller, key: &ResourceKey, current: &Json) -> Result<(), Refusal> {
    if caller.is(Role::HospitalAdmin) || caller.is(Role::PlatformAdmin) || caller.is(Role::System) {
        return Ok(());
    }
    let authors = policy::authors(key.resource_type(), current);
    if authors.is_empty() {
        return Ok(());
    }
    let own = caller.practitioner_reference();
    if authors.iter().any(|author| Some(*author) == own.as_deref()) {
        return Ok(());
    }
    Err(Refusal::Author { key: key.clone() })
}

/// Decides how much of the audit log a searcher sees. Who may not read all of it may see who looked at the record of one
/// patient: a doctor, of a patient in whose visits the doctor takes part (`in_care`), and that patient's part only.
pub fn decide_looks(caller: &Caller, in_care: Option<ResourceKey>) -> Result<Permit, Refusal> {
    match (decide(caller, Interaction::Search, ResourceType::audit_event()), in_care) {
        (Err(_), Some(patient)) if caller.is(Role::Doctor) => Ok(Permit::Compartment(patient)),
        (decided, _) => decided,
    }
}

/// Refuses to move whole records in or out: not everybody who may look at many may take them all.
pub fn decide_bulk(caller: &Caller, action: &'static str) -> Result<(), Refusal> {
    let may = [Role::HospitalAdmin, Role::PlatformAdmin, Role::System].into_iter().any(|role| caller.is(role));
    if may { Ok(()) } else { Err(Refusal::Bulk { action }) }
}

#[cfg(test)]
mod tests;
