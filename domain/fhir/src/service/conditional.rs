//! Conditional interactions (R4: <https://hl7.org/fhir/R4/http.html#ccreate>): the resource is named by what is known of it.
//!
//! Each is planned on the matches of its criteria and written under a guard: two callers with the same criteria are put in
//! a row by the store, and the second one is planned again on what the first one left.

use super::contained::follow_contained;
use super::source::{Asked, Source};
use super::transaction::entry::{Entry, Verb};
use super::update::Updated;
use super::{FhirError, FhirService, Patch, TransactionOutcome};
use crate::access::{Caller, Interaction};
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;
use crate::preconditions::IfMatch;
use crate::search::{SearchQuery, Searched};
use crate::types::{ResourceKey, ResourceType};

/// How many matches a conditional delete removes at most: more is an export's or an administrator's business.
pub(super) const MOST_DELETED: u32 = 1000;

/// What a write addresses.
#[derive(Clone)]
pub enum Target {
    /// A known id.
    Key(ResourceKey),
    /// What criteria find.
    Criteria(Box<SearchQuery>),
}

impl Target {
    /// The type that is addressed.
    #[must_use]
    pub fn resource_type(&self) -> Option<ResourceType> {
        match self {
            Self::Key(key) => Some(key.resource_type()),
            Self::Criteria(query) => query.resource_types.first().copied(),
        }
    }
}

/// What a conditional create did.
pub enum Created {
    /// A new resource.
    New(Stored),
    /// There was one already, and nothing was written.
    Existing(Stored),
}

/// Contained resources are not addressed: they have no life of their own.
pub(crate) fn refuse_contained(query: &SearchQuery) -> Result<(), FhirError> {
    if query.contained.searched == Searched::Outside {
        return Ok(());
    }
    let text = "contained resources are searched only, not addressed or exported by themselves: leave _contained out";
    Err(FhirError::Invalid(vec![Issue::error(IssueCode::NotSupported, text).at("http._contained")]))
}

/// What a conditional delete did.
pub struct ConditionalDelete {
    /// How many resources were deleted.
    pub deleted: usize,
}

impl FhirService {
    /// Parses criteria; they are strict, because an ignored parameter would address the wrong resource. R4 writes what
    /// follows the `?` of a search; many clients send the whole search, `Patient?…` or with the address of this server.
    pub fn criteria(&self, caller: &Caller, resource_type: ResourceType, raw: &str) -> Result<SearchQuery, FhirError> {
        let raw = raw.trim();
        let local = raw.strip_prefix(self.base_url()).unwrap_or(raw).trim_start_matches('/');
        let local = local.strip_prefix(resource_type.as_str()).filter(|rest| rest.starts_with('?')).unwrap_or(local);
        let query = self.search_from(caller, resource_type, local.trim_start_matches('?'))?;
        if query.clauses.is_empty() {
            let text = "a condition without criteria would address every resource of the type";
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text)]));
        }
        refuse_contained(&query)?;
        Ok(query)
    }

    /// Creates unless the criteria find a resource.
    pub async fn create_unless(
        &self,
        caller: &Caller,
        criteria: SearchQuery,
        body: Json,
    ) -> Result<Created, FhirError> {
        let kind = type_of(&criteria)?;
        let entry = Entry::alone(Verb::Post(kind, Some(Box::new(criteria))), Some(body));
        match self.one(caller, entry).await? {
            TransactionOutcome::Existing(stored) => Ok(Created::Existing(stored)),
            TransactionOutcome::Created(stored) | TransactionOutcome::Updated(stored) => Ok(Created::New(stored)),
            _ => Err(unexpected()),
        }
    }

    /// Updates the one resource that the criteria find, or creates it.
    pub async fn update_where(
        &self,
        caller: &Caller,
        criteria: SearchQuery,
        if_match: Option<IfMatch>,
        body: Json,
    ) -> Result<Updated, FhirError> {
        let mut entry = Entry::alone(Verb::Put(Target::Criteria(Box::new(criteria))), Some(body));
        entry.if_match = if_match;
        updated(self.one(caller, entry).await?)
    }

    /// Changes a part of a resource.
    pub async fn patch(
        &self,
        caller: &Caller,
        target: Target,
        if_match: Option<IfMatch>,
        patch: Patch,
    ) -> Result<Updated, FhirError> {
        let mut entry = Entry::alone(Verb::Patch(target, patch), None);
        entry.if_match = if_match;
        updated(self.one(caller, entry).await?)
    }

    /// Deletes what the criteria find, all of it at the version that is expected if one is.
    pub async fn delete_where(
        &self,
        caller: &Caller,
        criteria: SearchQuery,
        if_match: Option<IfMatch>,
    ) -> Result<ConditionalDelete, FhirError> {
        let mut entry = Entry::alone(Verb::Delete(Target::Criteria(Box::new(criteria))), None);
        entry.if_match = if_match;
        match self.one(caller, entry).await? {
            TransactionOutcome::Deleted(deleted) => Ok(ConditionalDelete { deleted }),
            _ => Err(unexpected()),
        }
    }

    /// Adds to each chain all resources that fulfil it within themselves: what is left out would be missed by a write.
    pub(crate) async fn follow_all(&self, caller: &Caller, query: &mut SearchQuery) -> Result<(), FhirError> {
        let mut source = Source::Committed(&*self.store);
        if follow_contained(&mut Asked { source: &mut source, caller }, query).await? {
            let text = "more resources than are looked through contain what a chain leads to: narrow the condition";
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text)]));
        }
        Ok(())
    }

    /// Carries out one entry as a transaction of its own.
    pub(super) async fn one(&self, caller: &Caller, entry: Entry) -> Result<TransactionOutcome, FhirError> {
        self.carry_out(caller, vec![entry]).await?.pop().ok_or_else(unexpected)
    }

    /// The matches of criteria, as the caller sees them.
    pub(super) async fn matches(
        &self,
        caller: &Caller,
        criteria: &SearchQuery,
        most: u32,
    ) -> Result<Vec<Stored>, FhirError> {
        let mut query = criteria.clone();
        query.count = most;
        self.find_codes(caller, &mut query).await?;
        self.restrict(caller, &mut query).await?;
        self.follow_all(caller, &mut query).await?;
        Ok(self.store.search(caller.tenant, &query).await?.matches)
    }
}

pub(super) fn type_of(criteria: &SearchQuery) -> Result<ResourceType, FhirError> {
    criteria.resource_types.first().copied().ok_or_else(unexpected)
}

fn updated(outcome: TransactionOutcome) -> Result<Updated, FhirError> {
    match outcome {
        TransactionOutcome::Created(stored) => Ok(Updated::Created(stored)),
        TransactionOutcome::Updated(stored) | TransactionOutcome::Existing(stored) => Ok(Updated::Replaced(stored)),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::Exception, "a write had the outcome of another one")])
}

impl Verb {
    /// What a caller must be allowed.
    pub(super) fn interaction(&self) -> Interaction {
        match self {
            Self::Get(_) => Interaction::Read,
            Self::Post(..) => Interaction::Create,
            Self::Put(_) => Interaction::Update,
            Self::Patch(..) => Interaction::Patch,
            Self::Delete(_) => Interaction::Delete,
        }
    }
}
