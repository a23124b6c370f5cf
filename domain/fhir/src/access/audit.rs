//! The compact record of each interaction (decision D19); AuditEvent is rendered from it when somebody reads it.

use async_trait::async_trait;

use super::{Caller, Interaction, RequestOrigin};
use crate::ports::StoreError;
use crate::types::{Instant, TenantId};

/// What was done, beyond the writes that the change feed already names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditAction {
    /// A resource was read.
    Read,
    /// One version was read.
    Vread,
    /// The history of a resource was read.
    History,
    /// The history of a type was read.
    TypeHistory,
    /// The history of everything was read.
    SystemHistory,
    /// A search of a type was answered.
    Search,
    /// A search of several types was answered.
    SystemSearch,
    /// A create was refused.
    Create,
    /// An update was refused.
    Update,
    /// A patch was refused.
    Patch,
    /// A deletion was refused.
    Delete,
    /// Work that changes the record later was asked for.
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

/// The stored words; `read`, `history`, `search` and `write` are older than the finer ones beside them.
const WORDS: &[(AuditAction, &str)] = &[
    (AuditAction::Read, "read"),
    (AuditAction::Vread, "vread"),
    (AuditAction::History, "history"),
    (AuditAction::TypeHistory, "history-type"),
    (AuditAction::SystemHistory, "history-system"),
    (AuditAction::Search, "search"),
    (AuditAction::SystemSearch, "search-system"),
    (AuditAction::Create, "create"),
    (AuditAction::Update, "update"),
    (AuditAction::Patch, "patch"),
    (AuditAction::Delete, "delete"),
    (AuditAction::Write, "write"),
    (AuditAction::LogIn, "log-in"),
    (AuditAction::LogOut, "log-out"),
    (AuditAction::Sign, "sign"),
    (AuditAction::Secret, "secret"),
    (AuditAction::Dictation, "dictation"),
    (AuditAction::Print, "print"),
    (AuditAction::Export, "export"),
    (AuditAction::Disclose, "disclose"),
];

impl AuditAction {
    /// Every action.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(action, _)| *action)
    }

    /// The stored word.
    pub fn code(self) -> &'static str {
        WORDS.iter().find(|(action, _)| *action == self).map_or("", |(_, word)| word)
    }

    /// Reads the stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        WORDS.iter().find(|(_, word)| *word == code).map(|(action, _)| *action)
    }
}

impl From<Interaction> for AuditAction {
    fn from(interaction: Interaction) -> Self {
        match interaction {
            Interaction::Read => Self::Read,
            Interaction::Vread => Self::Vread,
            Interaction::History => Self::History,
            Interaction::TypeHistory => Self::TypeHistory,
            Interaction::Search => Self::Search,
            Interaction::Create => Self::Create,
            Interaction::Update => Self::Update,
            Interaction::Patch => Self::Patch,
            Interaction::Delete => Self::Delete,
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// Reads the stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Success, Self::Refused].into_iter().find(|outcome| outcome.code() == code)
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
    /// Where the request came from.
    pub request: RequestOrigin,
    /// The search as it was asked: type and parameters.
    pub query: Option<Box<str>>,
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
            query: None,
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

    /// Keeps what was searched for.
    #[must_use]
    pub fn asking(mut self, query: impl Into<Box<str>>) -> Self {
        self.query = Some(query.into());
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
