//! The compact record of each interaction (decision D19); AuditEvent is rendered from it when somebody reads it.

use async_trait::async_trait;

use super::Caller;
use crate::ports::StoreError;
use crate::types::{Instant, TenantId};

/// What was done, beyond the writes that the change feed already names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    /// A resource was read.
    Read,
    /// A history was read.
    History,
    /// A search was answered.
    Search,
    /// A write was asked for.
    Write,
    /// Someone logged in, or tried to.
    LogIn,
    /// Someone logged out.
    LogOut,
    /// A prescription was signed or amended, or a wrong PIN was given for it.
    Sign,
    /// An account's password or signing PIN was changed, or should have been.
    Secret,
    /// Audio was recorded or read.
    Dictation,
    /// A document was printed.
    Print,
    /// Records were exported in bulk, or an exported file was fetched.
    Export,
    /// Clinical text left for another service.
    Disclose,
}

impl AuditAction {
    /// The stored word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::History => "history",
            Self::Search => "search",
            Self::Write => "write",
            Self::LogIn => "log-in",
            Self::LogOut => "log-out",
            Self::Sign => "sign",
            Self::Secret => "secret",
            Self::Dictation => "dictation",
            Self::Print => "print",
            Self::Export => "export",
            Self::Disclose => "disclose",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done.
    Success,
    /// It was refused.
    Refused,
}

impl AuditOutcome {
    /// The stored word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
        }
    }
}

/// One line of the audit log.
#[derive(Clone)]
pub struct AuditRecord {
    /// When, UTC.
    pub at: Instant,
    /// In which tenant.
    pub tenant: TenantId,
    /// Which account.
    pub who: Box<str>,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// On what: `Patient/x`, or a type.
    pub target: Box<str>,
    /// The patients whose data was disclosed.
    pub patients: Vec<Box<str>>,
    /// The request's id.
    pub request: Box<str>,
}

impl AuditRecord {
    /// A record of what this caller did to a target now.
    pub fn of(caller: &Caller, action: AuditAction, target: impl Into<Box<str>>, at: Instant) -> Self {
        Self {
            at,
            tenant: caller.tenant,
            who: caller.account.clone(),
            action,
            outcome: AuditOutcome::Success,
            target: target.into(),
            patients: Vec::new(),
            request: caller.request.clone(),
        }
    }

    /// The same, refused.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.outcome = AuditOutcome::Refused;
        self
    }

    /// Names the patients whose data was disclosed.
    #[must_use]
    pub fn naming(mut self, patients: Vec<Box<str>>) -> Self {
        self.patients = patients;
        self
    }
}

/// Where audit records go.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Queues a record; it is committed within 100 ms. Waits while the queue is full: nothing is dropped.
    async fn record(&self, record: AuditRecord);

    /// Commits a record before returning: refusals, log-ins, signatures, disclosures.
    async fn record_now(&self, record: AuditRecord) -> Result<(), StoreError>;
}
