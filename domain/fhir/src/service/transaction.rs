//! transaction (R4: <https://hl7.org/fhir/R4/http.html#transaction>): every entry or none, in one unit of work.

mod entry;
mod resolve;

use std::collections::{HashMap, HashSet};

use super::incoming::{Stamp, check_structure, check_type, read_any, stamp};
use super::update::check_id;
use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction};
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::{Lookup, Method, StoreError, Stored, Write};
use crate::types::{ResourceKey, VersionId};

use entry::{Entry, Verb};

const ATTEMPTS: u32 = 5;

/// What became of one entry, in the order of the request.
pub enum TransactionOutcome {
    /// A resource that was not there.
    Created(Stored),
    /// A new version.
    Updated(Stored),
    /// Deleted, or there was nothing to delete.
    Deleted,
}

/// An entry whose target is known.
struct Planned {
    key: ResourceKey,
    entry: Entry,
}

impl FhirService {
    /// Reads a transaction Bundle from bytes and carries it out.
    pub async fn transaction_bytes(&self, caller: &Caller, body: &[u8]) -> Result<Vec<TransactionOutcome>, FhirError> {
        let bundle = read_any(body, &self.limits)?;
        self.transaction(caller, bundle).await
    }

    /// Carries out a transaction Bundle; this is also how drafts and signatures are written.
    pub async fn transaction(&self, caller: &Caller, bundle: Json) -> Result<Vec<TransactionOutcome>, FhirError> {
        check_type(&bundle, "Bundle".parse().map_err(|_| bundle_missing())?)?;
        check_structure(&bundle)?;
        let entries = entry::read(bundle, &self.base_url)?;
        for entry in &entries {
            self.authorise(caller, entry.interaction(), entry.resource_type()).await?;
        }
        let mut planned = self.assign(entries)?;
        resolve::references(&mut planned);
        let mut attempt = 1;
        loop {
            let (writes, outcomes) = self.plan(caller, &planned).await?;
            match self.store.commit(&Self::context(caller), writes).await {
                Ok(()) => return Ok(outcomes),
                Err(StoreError::Conflict { .. } | StoreError::Exists { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives each entry its key; R4 refuses two entries for one resource.
    fn assign(&self, entries: Vec<Entry>) -> Result<Vec<Planned>, FhirError> {
        let mut seen = HashSet::new();
        let mut planned = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = match &entry.verb {
                Verb::Post(resource_type) => ResourceKey::new(*resource_type, self.ids.new_resource_id()),
                Verb::Put(key) | Verb::Delete(key) => key.clone(),
            };
            if !seen.insert(key.clone()) {
                let text = format!("{key} is the target of two entries");
                return Err(FhirError::Invalid(vec![Issue::error(IssueCode::Duplicate, text).at(entry.place())]));
            }
            planned.push(Planned { key, entry });
        }
        Ok(planned)
    }

    /// Reads what exists in one statement and makes the writes.
    async fn plan(
        &self,
        caller: &Caller,
        planned: &[Planned],
    ) -> Result<(Vec<Write>, Vec<TransactionOutcome>), FhirError> {
        let existing: Vec<ResourceKey> = planned
            .iter()
            .filter(|plan| !matches!(plan.entry.verb, Verb::Post(_)))
            .map(|plan| plan.key.clone())
            .collect();
        let mut current: HashMap<ResourceKey, Stored> = HashMap::new();
        if !existing.is_empty() {
            let found = self.store.read_many(caller.tenant, &existing).await?;
            current.extend(found.into_iter().map(|stored| (stored.key.clone(), stored)));
        }
        let mut writes = Vec::with_capacity(planned.len());
        let mut outcomes = Vec::with_capacity(planned.len());
        for plan in planned {
            let read = current.remove(&plan.key);
            let (write, outcome) = self.plan_entry(caller, plan, read).await?;
            writes.extend(write);
            outcomes.push(outcome);
        }
        Ok((writes, outcomes))
    }

    async fn plan_entry(
        &self,
        caller: &Caller,
        plan: &Planned,
        read: Option<Stored>,
    ) -> Result<(Option<Write>, TransactionOutcome), FhirError> {
        let if_match = plan.entry.if_match;
        let resource = plan.entry.resource.clone();
        match (&plan.entry.verb, resource) {
            (Verb::Post(_), Some(resource)) => {
                let updated = self.clock.now().to_milliseconds();
                let stamped = Stamp { key: plan.key.clone(), version: VersionId::FIRST, updated };
                let draft = stamp(resource, stamped)?;
                let outcome = TransactionOutcome::Created(draft.stored.clone());
                Ok((Some(Write::Insert { draft, method: Method::Create }), outcome))
            }
            (Verb::Put(key), Some(resource)) => {
                check_id(&resource, key)?;
                let found = match read {
                    Some(stored) => Lookup::Found(stored),
                    // Perhaps deleted: its version goes on counting.
                    None => self.store.read(caller.tenant, key).await?,
                };
                let write = self.plan_update(caller, key, if_match, found, resource).await?;
                let outcome = match &write {
                    Write::Replace { draft, .. } => TransactionOutcome::Updated(draft.stored.clone()),
                    Write::Insert { draft, .. } => TransactionOutcome::Created(draft.stored.clone()),
                    Write::Remove { .. } => TransactionOutcome::Deleted,
                };
                Ok((Some(write), outcome))
            }
            (Verb::Delete(_), _) => match read {
                Some(read) => {
                    let (write, _) = self.plan_delete(caller, read, if_match).await?;
                    Ok((Some(write), TransactionOutcome::Deleted))
                }
                None => Ok((None, TransactionOutcome::Deleted)),
            },
            (Verb::Post(_) | Verb::Put(_), None) => {
                let text = "an entry with POST or PUT needs a resource";
                Err(FhirError::Invalid(vec![Issue::error(IssueCode::Required, text).at(plan.entry.place())]))
            }
        }
    }
}

fn bundle_missing() -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::Exception, "the definitions know no Bundle")])
}

impl Entry {
    fn interaction(&self) -> Interaction {
        match self.verb {
            Verb::Post(_) => Interaction::Create,
            Verb::Put(_) => Interaction::Update,
            Verb::Delete(_) => Interaction::Delete,
        }
    }
}
