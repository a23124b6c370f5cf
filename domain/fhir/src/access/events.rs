//! AuditEvents made from the audit log and the change feed when somebody reads them (decision D19): the patterns of IHE's
//! Basic Audit Log Patterns (<https://profiles.ihe.net/ITI/BALP/>) on R4's AuditEvent
//! (<https://hl7.org/fhir/R4/auditevent.html>). None of them is stored; what connected systems deliver is.

mod codes;
mod condition;
mod render;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

pub use condition::{AuditCondition, AuditOrder, AuditQuery, Kinds, is_audit_parameter};

use super::{AuditAction, AuditOutcome};
use crate::ports::{Method, SearchPage, StoreError};
use crate::search::SearchQuery;
use crate::types::{Instant, ResourceId, ResourceKey, ResourceType, TenantId, VersionId};

/// Which of the two logs a record stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditSource {
    /// Reads, searches, log-ins, refusals: everything but writes.
    Audit,
    /// Writes: a row a version.
    Change,
}

impl AuditSource {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Audit, Self::Change];

    /// The letter that ids begin with.
    fn letter(self) -> char {
        match self {
            Self::Audit => 'a',
            Self::Change => 'c',
        }
    }
}

/// The number of a record in its log; as the id of an AuditEvent it is written `a-17` or `c-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryId {
    /// The log.
    pub source: AuditSource,
    /// The number, from one.
    pub number: i64,
}

impl EntryId {
    /// Reads the id of an AuditEvent; none for those that were delivered by others.
    #[must_use]
    pub fn read(id: &ResourceId) -> Option<Self> {
        let (letter, number) = id.as_str().split_once('-')?;
        let source = AuditSource::ALL.into_iter().find(|source| letter.chars().eq([source.letter()]))?;
        if number.starts_with('0') || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { source, number: number.parse().ok()? })
    }

    /// The record that a key means, when it is an AuditEvent of the log.
    #[must_use]
    pub fn of(key: &ResourceKey) -> Option<Self> {
        if key.resource_type() == ResourceType::audit_event() { Self::read(key.id()) } else { None }
    }
}

impl std::fmt::Display for EntryId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.source.letter(), self.number)
    }
}

/// A record with what is known of it when it is read.
pub struct AuditEntry {
    /// Its place.
    pub id: EntryId,
    /// When, UTC.
    pub at: Instant,
    /// What happened.
    pub what: AuditedWhat,
    /// Who did it.
    pub agent: Agent,
    /// The hospital's name.
    pub hospital: Box<str>,
    /// The ids of the patients who are concerned.
    pub patients: Vec<Box<str>>,
    /// The request's id.
    pub request: Box<str>,
    /// The address of the client's machine, where it is known.
    pub address: Option<Box<str>>,
}

/// What happened.
pub enum AuditedWhat {
    /// A line of the audit log.
    Logged {
        /// What was done.
        action: AuditAction,
        /// How it ended.
        outcome: AuditOutcome,
        /// On what.
        target: Box<str>,
        /// What was searched for.
        query: Option<Box<str>>,
    },
    /// A write.
    Changed {
        /// How.
        method: Method,
        /// What was written.
        key: ResourceKey,
        /// Which version that made.
        version: VersionId,
    },
}

/// Who did it, as far as the accounts know.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// The account's id, or the name of the program's own task.
    pub account: Box<str>,
    /// The name to show.
    pub display: Option<Box<str>>,
    /// The Practitioner that the account acts as in the tenant.
    pub practitioner: Option<Box<str>>,
    /// The Patient that the account belongs to in the tenant.
    pub patient: Option<Box<str>>,
}

/// How the log names the prescription of a visit.
#[must_use]
pub fn prescription_of(encounter: &str) -> String {
    format!("{PRESCRIPTION}{encounter}")
}

const PRESCRIPTION: &str = "prescription of ";

/// Reads both logs as AuditEvents, and with them those that connected systems delivered.
#[async_trait]
pub trait AuditEvents: Send + Sync {
    /// Finds a record.
    async fn entry(&self, tenant: TenantId, id: EntryId) -> Result<Option<AuditEntry>, StoreError>;

    /// Answers a search of AuditEvents: records of both logs and stored resources in one order.
    async fn search(&self, tenant: TenantId, query: &SearchQuery, asked: &AuditQuery)
    -> Result<SearchPage, StoreError>;
}
