//! The interactions of FHIR's REST interface, without HTTP (R4: <https://hl7.org/fhir/R4/http.html>).
//!
//! One file an interaction. Each one decides access first, does its work, and leaves its audit record.

mod batch;
mod conditional;
mod contained;
mod create;
mod delete;
mod document;
mod everything;
mod explain;
mod graphql;
mod hierarchy;
mod history;
mod import;
mod incoming;
mod lastn;
mod matching;
mod member;
mod merge;
mod meta;
mod own_definitions;
mod patch;
mod read;
mod replay;
mod search;
mod source;
mod summary;
mod terminology;
mod transaction;
mod update;
mod validate;

use std::sync::Arc;

use crate::access::AuditRecord;
use crate::access::{AuditEvents, AuditLog, Caller, Interaction, Permit, Refusal, decide};
use crate::clock::{Clock, IdSource};
use crate::json::Limits;
use crate::outcome::Issue;
use crate::parameters::Parameters;
use crate::ports::{ResourceStore, StoreError, WriteContext};
use crate::preconditions::IfMatch;
use crate::profile::ProfileCache;
use crate::terminology::ConceptStore;
use crate::types::{Instant, ResourceKey, ResourceType, VersionId};
use crate::validation::ValidationLevel;

pub(crate) use conditional::refuse_contained;
pub use conditional::{ConditionalDelete, Created, Target};
pub use contained::{follow_contained, has_chains};
pub use everything::Everything;
pub use graphql::GraphFailure;
pub use history::{HistoryPage, HistoryRange};
pub use import::{ImportLine, Refused};
pub use incoming::read_resource;
pub use matching::Match;
pub use member::{Member, MemberQuestion};
pub use merge::{Merge, MergeMode, MergeSide, Merged};
pub use meta::MetaChange;
pub use patch::Patch;
pub use terminology::{
    AskedCode, ClosureAsked, Details, KnownSystem, Mapping, Named, TranslationAsked, ValidationAsked, ValidationPlace,
    Verdict,
};
pub use transaction::TransactionOutcome;
pub use update::{Change, Existing, Updated};

/// How often a write is planned again when somebody was faster.
const ATTEMPTS: u32 = 5;

/// Why an interaction was not done.
#[derive(Debug, thiserror::Error)]
pub enum FhirError {
    /// The request or its resource is wrong.
    #[error("the request is not valid")]
    Invalid(Vec<Issue>),
    /// The resource is sound and breaks a rule that writes must keep.
    #[error("the resource breaks a rule")]
    Unprocessable(Vec<Issue>),
    /// The caller may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such resource.
    #[error("{0} does not exist")]
    NotFound(ResourceKey),
    /// There is such a resource, and no such version of it.
    #[error("{key} has no version {version}")]
    NoVersion {
        /// The resource.
        key: ResourceKey,
        /// The version that was asked for.
        version: VersionId,
    },
    /// There was one.
    #[error("{key} was deleted")]
    Gone {
        /// The resource.
        key: ResourceKey,
        /// The version that records the deletion.
        version: VersionId,
    },
    /// `If-Match` names another version than the current one.
    #[error("{key} is at version {current}, If-Match names {wanted}")]
    Precondition {
        /// The resource.
        key: ResourceKey,
        /// The current version.
        current: VersionId,
        /// The versions in the request.
        wanted: IfMatch,
    },
    /// A condition of the request does not hold.
    #[error("{0}")]
    Condition(String),
    /// Too much is being done for the caller already.
    #[error("{0}")]
    Busy(String),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does the interactions on behalf of checked callers.
#[derive(Clone)]
pub struct FhirService {
    pub(crate) store: Arc<dyn ResourceStore>,
    pub(crate) concepts: Arc<dyn ConceptStore>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) events: Arc<dyn AuditEvents>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    base_url: Arc<str>,
    limits: Limits,
    level: ValidationLevel,
    profiles: Arc<ProfileCache>,
}

/// What the service works with.
pub struct FhirServiceParts {
    /// The store.
    pub store: Arc<dyn ResourceStore>,
    /// Code systems in tables.
    pub concepts: Arc<dyn ConceptStore>,
    /// The audit log, for writing.
    pub audit: Arc<dyn AuditLog>,
    /// The audit log, for reading.
    pub events: Arc<dyn AuditEvents>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// The public base, such as `http://localhost:8080/fhir`.
    pub base_url: String,
    /// What is checked before a resource is stored.
    pub level: ValidationLevel,
}

impl FhirService {
    /// Wires the service.
    pub fn new(parts: FhirServiceParts) -> Self {
        let FhirServiceParts { store, concepts, audit, events, clock, ids, base_url, level } = parts;
        let (base_url, limits) = (base_url.trim_end_matches('/').into(), Limits::default());
        Self { store, concepts, audit, events, clock, ids, base_url, limits, level, profiles: Arc::default() }
    }

    /// The public base URL, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The time, as the service tells it.
    pub fn now(&self) -> Instant {
        self.clock.now().to_milliseconds()
    }

    /// A new id for something that is not a resource.
    pub fn new_uuid(&self) -> uuid::Uuid {
        self.ids.new_uuid()
    }

    /// The search parameters in force for a caller.
    pub fn parameters(&self, caller: &Caller) -> Parameters {
        self.store.parameters(caller.tenant)
    }

    fn context(caller: &Caller) -> WriteContext {
        WriteContext { tenant: caller.tenant, who: caller.account.clone(), request: caller.request.clone() }
    }

    /// Decides, and leaves a record of a refusal before it is answered.
    async fn authorise(&self, caller: &Caller, what: Interaction, on: ResourceType) -> Result<Permit, FhirError> {
        match decide(caller, what, on) {
            Ok(permit) => Ok(permit),
            Err(refusal) => Err(self.refuse(caller, what, on.as_str(), refusal).await?),
        }
    }

    async fn refuse(
        &self,
        caller: &Caller,
        what: Interaction,
        target: &str,
        refusal: Refusal,
    ) -> Result<FhirError, StoreError> {
        self.audit.record_now(AuditRecord::of(caller, what.into(), target, self.clock.now()).refused()).await?;
        Ok(FhirError::Refused(refusal))
    }
}
