//! update and update-as-create (R4: <https://hl7.org/fhir/R4/http.html#update>): one read and one statement.

use super::incoming::{Stamp, read_resource, stamp};
use super::{ATTEMPTS, FhirError, FhirService};
use crate::access::{Caller, Interaction, decide_change};
use crate::index;
use crate::json::{Json, Limits, parse};
use crate::outcome::{Issue, IssueCode};
use crate::ports::{Lookup, Method, StoreError, Stored, Write};
use crate::preconditions::IfMatch;
use crate::types::{ResourceKey, VersionId};

/// What a caller wants to write under a known id.
pub struct Change<'a> {
    /// The resource.
    pub key: &'a ResourceKey,
    /// The version that must be the current one.
    pub if_match: Option<IfMatch>,
    /// What becomes of a resource that exists.
    pub existing: Existing,
    /// The resource as JSON.
    pub body: &'a [u8],
}

/// What an update does to a resource that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It gets a new version.
    #[default]
    Replaced,
    /// It stays, and the update is refused (`If-None-Match: *`).
    Kept,
    /// It is another one than the condition asked for, which found none: R4 has such an update create, and R5 says that it
    /// does not replace.
    Another,
}

impl Existing {
    /// The same of a resource that a condition did not find.
    pub(super) fn of_another(self) -> Self {
        match self {
            Self::Replaced => Self::Another,
            Self::Kept | Self::Another => self,
        }
    }

    /// Refuses what would replace a resource that stays.
    pub(super) fn check(self, key: &ResourceKey, found: &Lookup) -> Result<(), FhirError> {
        match (self, found) {
            (Self::Kept, Lookup::Found(_)) => {
                Err(FhirError::Condition(format!("{key} exists, and If-None-Match: * asks that it does not")))
            }
            (Self::Another, Lookup::Found(_)) => Err(StoreError::Exists { key: key.clone() }.into()),
            _ => Ok(()),
        }
    }
}

/// What an update did.
pub enum Updated {
    /// The resource was not there before.
    Created(Stored),
    /// A new version.
    Replaced(Stored),
}

impl FhirService {
    /// Writes a version under a known id.
    pub async fn update(&self, caller: &Caller, change: Change<'_>) -> Result<Updated, FhirError> {
        let Change { key, if_match, existing, body } = change;
        self.authorise(caller, Interaction::Update, key.resource_type()).await?;
        let resource = read_resource(body, key.resource_type(), &self.limits)?;
        check_id(&resource, key)?;
        let mut attempt = 1;
        loop {
            let found = self.store.read(caller.tenant, key).await?;
            existing.check(key, &found)?;
            let write = self.plan_update(caller, key, if_match.as_ref(), found, resource.clone()).await?;
            let updated = outcome_of(&write);
            match self.store.commit(&Self::context(caller), vec![write], Vec::new()).await {
                Ok(()) => return Ok(updated),
                Err(StoreError::Conflict { .. } | StoreError::Exists { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) async fn plan_update(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        if_match: Option<&IfMatch>,
        found: Lookup,
        resource: Json,
    ) -> Result<Write, FhirError> {
        self.accept(caller, &resource).await?;
        let now = self.clock.now().to_milliseconds();
        let parameters = self.parameters(caller);
        match found {
            Lookup::Found(read) => {
                if let Some(wanted) = if_match.filter(|wanted| !wanted.holds(read.version)) {
                    let wanted = wanted.clone();
                    return Err(FhirError::Precondition { key: key.clone(), current: read.version, wanted });
                }
                let current = stored_json(&read)?;
                if let Err(refusal) = decide_change(caller, key, &current) {
                    return Err(self.refuse(caller, Interaction::Update, &key.to_string(), refusal).await?);
                }
                let read_entries = index::extract(&current, key.resource_type(), &parameters);
                // A clock that stepped back must not order versions backwards.
                let updated = now.max(read.updated);
                let stamped = Stamp { key: key.clone(), version: read.version.next(), updated };
                let draft = stamp(resource, stamped, &parameters)?;
                Ok(Write::Replace { read, read_entries, draft })
            }
            Lookup::Gone { .. } | Lookup::Absent if if_match.is_some() => {
                Err(FhirError::Condition(format!("{key} does not exist, and If-Match asks that it does")))
            }
            Lookup::Gone { version, at } => {
                let stamped = Stamp { key: key.clone(), version: version.next(), updated: now.max(at) };
                Ok(Write::Insert { draft: stamp(resource, stamped, &parameters)?, method: Method::Update })
            }
            Lookup::Absent => {
                let stamped = Stamp { key: key.clone(), version: VersionId::FIRST, updated: now };
                Ok(Write::Insert { draft: stamp(resource, stamped, &parameters)?, method: Method::Update })
            }
        }
    }
}

fn outcome_of(write: &Write) -> Updated {
    match write {
        Write::Insert { draft, .. } => Updated::Created(draft.stored.clone()),
        Write::Replace { draft, .. } => Updated::Replaced(draft.stored.clone()),
        Write::Remove { read, .. } => Updated::Replaced(read.clone()),
    }
}

pub(super) fn stored_json(stored: &Stored) -> Result<Json, FhirError> {
    parse(&stored.body, &Limits::default())
        .map_err(|error| FhirError::Store(StoreError::Unavailable(format!("{} does not parse: {error}", stored.key))))
}

/// R4 http.html#update: the body's id must be the URL's.
pub(super) fn check_id(resource: &Json, key: &ResourceKey) -> Result<(), FhirError> {
    let text = match resource.get("id").and_then(Json::as_str) {
        Some(id) if id == key.id().as_str() => return Ok(()),
        Some(id) => format!("the body's id is {id:?}, the URL names {key}: they must be the same"),
        None => format!("the body has no id: it must be {:?}, as in the URL", key.id().as_str()),
    };
    let place = format!("{}.id", key.resource_type());
    Err(FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text).at(place)]))
}
