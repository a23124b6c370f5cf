//! What the reviewing doctor's help keeps: marks of the walk, and the doctor's own lexicon.

use async_trait::async_trait;
use seva_fhir::types::{Instant, ResourceKey, TenantId};
use uuid::Uuid;

use super::reconciliation::Proposal;
use crate::dictation::StoreResult;

/// What was done at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkAct {
    /// The words were heard and are right.
    Heard,
    /// Other words were meant.
    Corrected,
}

impl MarkAct {
    /// Returns the stored word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Corrected => "corrected",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Heard, Self::Corrected].into_iter().find(|act| act.code() == code)
    }
}

/// The mark at a stop of a walk.
#[derive(Clone, PartialEq)]
pub struct Mark {
    /// The stop.
    pub stop: String,
    /// What was done.
    pub act: MarkAct,
    /// What was meant, where it was corrected.
    pub meant: Option<String>,
    /// Whether the draft has the correction.
    pub applied: bool,
    /// Whether the doctor's lexicon learnt it.
    pub learnt: bool,
    /// The account.
    pub account: String,
    /// When.
    pub at: Instant,
}

/// Keeps the marks of walks.
#[async_trait]
pub trait WalkMarks: Send + Sync {
    /// Lists those of a dictation.
    async fn marks(&self, tenant: TenantId, dictation: Uuid) -> StoreResult<Vec<Mark>>;

    /// Keeps a mark; the last one at a stop counts.
    async fn mark(&self, tenant: TenantId, dictation: Uuid, mark: &Mark) -> StoreResult<()>;
}

/// A name that a practitioner's speech is misheard as, and what is meant by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearntName {
    /// What the engine hears, in lower case.
    pub heard: String,
    /// The medicine's name.
    pub meant: String,
    /// How often it was corrected so.
    pub times: u32,
    /// When last.
    pub updated: Instant,
}

/// Keeps each practitioner's own lexicon.
#[async_trait]
pub trait LearntNames: Send + Sync {
    /// Lists what was learnt of a practitioner, what was corrected most often first.
    async fn learnt(&self, tenant: TenantId, practitioner: &str) -> StoreResult<Vec<LearntName>>;

    /// Learns a name, or counts that it was corrected once more; what is meant last counts.
    async fn learn(&self, tenant: TenantId, practitioner: &str, name: (&str, &str)) -> StoreResult<()>;

    /// Forgets a name; false where it was not known.
    async fn forget(&self, tenant: TenantId, practitioner: &str, heard: &str) -> StoreResult<bool>;
}

/// Keeps what further recordings propose.
#[async_trait]
pub trait Proposals: Send + Sync {
    /// Keeps the proposals of a dictation; those that are there already stay as they are.
    async fn propose(&self, tenant: TenantId, proposals: &[Proposal]) -> StoreResult<()>;

    /// Lists those of some dictations, in the order in which they were said.
    async fn of(&self, tenant: TenantId, dictations: &[Uuid]) -> StoreResult<Vec<Proposal>>;

    /// Lists those of an encounter that wait for a decision.
    async fn waiting(&self, tenant: TenantId, encounter: &ResourceKey) -> StoreResult<Vec<Proposal>>;

    /// Decides a pending proposal; false where it is not pending any more.
    async fn decide(&self, tenant: TenantId, decided: &Proposal) -> StoreResult<bool>;
}
