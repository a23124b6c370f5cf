//! From entries to writes: each entry gets its key, then its version (R4 <https://hl7.org/fhir/R4/http.html#trules>).

use std::collections::HashMap;

use super::entry::{Entry, Verb};
use super::{Planned, TransactionOutcome};
use crate::access::Caller;
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::{Guard, Lookup, Method, Stored, Write};
use crate::search::SearchQuery;
use crate::service::conditional::{MOST_DELETED, Target, type_of};
use crate::service::incoming::{Stamp, check_structure, stamp};
use crate::service::update::{check_id, stored_json};
use crate::service::{FhirError, FhirService};
use crate::types::{ResourceId, ResourceKey, VersionId};

/// Matches by criteria, so that equal criteria are searched once.
type Searched = HashMap<String, Vec<Stored>>;

/// What entries make of criteria that find nothing: an equal condition behind them would find it.
#[derive(Default)]
struct Made(HashMap<String, (usize, ResourceKey)>);

impl Made {
    /// The entry that makes what the criteria would find, which is the one at `place` if there was none before.
    fn once(
        &mut self,
        criteria: &SearchQuery,
        place: usize,
        key: impl FnOnce() -> Result<ResourceKey, FhirError>,
    ) -> Result<(usize, ResourceKey), FhirError> {
        let name = name_of(criteria)?;
        if let Some(before) = self.0.get(&name) {
            return Ok(before.clone());
        }
        let made = (place, key()?);
        self.0.insert(name, made.clone());
        Ok(made)
    }
}

impl FhirService {
    /// Gives each entry its keys; what criteria found is guarded.
    pub(super) async fn assign(
        &self,
        caller: &Caller,
        entries: Vec<Entry>,
        guards: &mut Vec<Guard>,
    ) -> Result<Vec<Planned>, FhirError> {
        let mut searched = Searched::new();
        let mut planned = Vec::with_capacity(entries.len());
        let mut made = Made::default();
        for mut entry in entries {
            let (mut keys, mut existing, mut same_as) = (Vec::new(), None, None);
            match &entry.verb {
                Verb::Get(_) => {}
                Verb::Post(kind, None) => keys.push(ResourceKey::new(*kind, self.ids.new_resource_id())),
                Verb::Post(kind, Some(criteria)) => {
                    let found = self.find(caller, criteria, (2, &mut searched), guards).await?;
                    match found.as_slice() {
                        [] => {
                            let new = || Ok(ResourceKey::new(*kind, self.ids.new_resource_id()));
                            let (place, key) = made.once(criteria, planned.len(), new)?;
                            same_as = Some(place).filter(|place| *place < planned.len());
                            keys.push(key);
                        }
                        [one] => {
                            keys.push(one.key.clone());
                            existing = Some(one.clone());
                        }
                        _ => return Err(ambiguous(criteria)),
                    }
                }
                Verb::Put(Target::Key(key)) | Verb::Patch(Target::Key(key), _) | Verb::Delete(Target::Key(key)) => {
                    keys.push(key.clone());
                }
                Verb::Put(Target::Criteria(criteria)) => {
                    let found = self.find(caller, criteria, (2, &mut searched), guards).await?;
                    let own = || self.updated_key(criteria, &found, entry.resource.as_ref());
                    let key = if found.is_empty() {
                        entry.existing = entry.existing.of_another();
                        made.once(criteria, planned.len(), own)?.1
                    } else {
                        own()?
                    };
                    if let Some(members) = entry.resource.as_mut().and_then(Json::as_object_mut) {
                        members.insert("id", key.id().as_str());
                    }
                    keys.push(key);
                }
                Verb::Patch(Target::Criteria(criteria), _) => {
                    let found = self.find(caller, criteria, (2, &mut searched), guards).await?;
                    keys.push(patched_key(criteria, &found)?);
                }
                Verb::Delete(Target::Criteria(criteria)) => {
                    let found = self.find(caller, criteria, (MOST_DELETED + 1, &mut searched), guards).await?;
                    keys.extend(deleted_keys(found)?);
                }
            }
            planned.push(Planned { entry, keys, existing, same_as });
        }
        Ok(planned)
    }

    /// R4 http.html#cond-update: the match, or the body's own id, or a new one.
    fn updated_key(
        &self,
        criteria: &SearchQuery,
        found: &[Stored],
        resource: Option<&Json>,
    ) -> Result<ResourceKey, FhirError> {
        let kind = type_of(criteria)?;
        let own = resource.and_then(|resource| resource.get_str("id"));
        match (found, own) {
            ([], Some(id)) => {
                let id: ResourceId = id.parse().map_err(|error| {
                    FhirError::Invalid(vec![
                        Issue::error(IssueCode::Invalid, format!("{id:?}: {error}")).at(format!("{kind}.id")),
                    ])
                })?;
                Ok(ResourceKey::new(kind, id))
            }
            ([], None) => Ok(ResourceKey::new(kind, self.ids.new_resource_id())),
            ([one], None) => Ok(one.key.clone()),
            ([one], Some(id)) if one.key.id().as_str() == id => Ok(one.key.clone()),
            ([one], Some(id)) => {
                let text = format!("the body's id is {id:?}, the condition finds {}", one.key);
                Err(FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text).at(format!("{kind}.id"))]))
            }
            _ => Err(ambiguous(criteria)),
        }
    }

    async fn find(
        &self,
        caller: &Caller,
        criteria: &SearchQuery,
        (most, searched): (u32, &mut Searched),
        guards: &mut Vec<Guard>,
    ) -> Result<Vec<Stored>, FhirError> {
        let name = name_of(criteria)?;
        if let Some(found) = searched.get(&name) {
            return Ok(found.clone());
        }
        let mut criteria = criteria.clone();
        self.find_codes(caller, &mut criteria).await?;
        let found = self.matches(caller, &criteria, most).await?;
        let mut expected: Vec<ResourceKey> = found.iter().map(|stored| stored.key.clone()).collect();
        expected.sort();
        guards.push(Guard { query: SearchQuery { count: most, ..criteria }, expected });
        searched.insert(name, found.clone());
        Ok(found)
    }

    /// Reads what exists in one statement and makes the writes.
    pub(super) async fn plan(
        &self,
        caller: &Caller,
        planned: &mut [Planned],
    ) -> Result<(Vec<Write>, Vec<Option<TransactionOutcome>>), FhirError> {
        let writes_known = |plan: &&Planned| !matches!(plan.entry.verb, Verb::Post(..) | Verb::Get(_));
        let existing: Vec<ResourceKey> =
            planned.iter().filter(writes_known).flat_map(|plan| plan.keys.iter().cloned()).collect();
        let mut current: HashMap<ResourceKey, Stored> = HashMap::new();
        if !existing.is_empty() {
            let found = self.store.read_many(caller.tenant, &existing).await?;
            current.extend(found.into_iter().map(|stored| (stored.key.clone(), stored)));
        }
        let mut writes = Vec::with_capacity(planned.len());
        let mut outcomes: Vec<Option<TransactionOutcome>> = Vec::with_capacity(planned.len());
        for plan in planned {
            let before = plan.same_as.and_then(|place| outcomes.get(place)?.as_ref());
            if let Some(TransactionOutcome::Created(made) | TransactionOutcome::Updated(made)) = before {
                outcomes.push(Some(TransactionOutcome::Existing(made.clone())));
                continue;
            }
            let outcome = self.plan_entry(caller, plan, &mut current, &mut writes).await;
            outcomes.push(outcome.map_err(|error| within(&plan.entry, error))?);
        }
        Ok((writes, outcomes))
    }

    async fn plan_entry(
        &self,
        caller: &Caller,
        plan: &mut Planned,
        current: &mut HashMap<ResourceKey, Stored>,
        writes: &mut Vec<Write>,
    ) -> Result<Option<TransactionOutcome>, FhirError> {
        let if_match = plan.entry.if_match.clone();
        let key = plan.keys.first().cloned();
        match (&plan.entry.verb, &key) {
            (Verb::Get(_), _) => Ok(None),
            (Verb::Delete(_), _) => {
                let mut deleted = 0;
                for read in plan.keys.iter().filter_map(|key| current.remove(key)) {
                    writes.push(self.plan_delete(caller, read, if_match.as_ref()).await?.0);
                    deleted += 1;
                }
                Ok(Some(TransactionOutcome::Deleted(deleted)))
            }
            (Verb::Post(..), Some(key)) => {
                if let Some(existing) = &plan.existing {
                    return Ok(Some(TransactionOutcome::Existing(existing.clone())));
                }
                let resource = resource_of(plan)?;
                self.accept(caller, &resource).await?;
                let (version, updated) = (VersionId::FIRST, self.clock.now().to_milliseconds());
                let stamped = Stamp { key: key.clone(), version, updated };
                let draft = stamp(resource, stamped, &self.parameters(caller))?;
                Ok(Some(written(writes, Write::Insert { draft, method: Method::Create })))
            }
            (Verb::Put(_), Some(key)) => {
                let resource = resource_of(plan)?;
                check_id(&resource, key)?;
                let found = match current.remove(key) {
                    Some(stored) => Lookup::Found(stored),
                    // Perhaps deleted: its version goes on counting.
                    None => self.store.read(caller.tenant, key).await?,
                };
                plan.entry.existing.check(key, &found)?;
                let write = self.plan_update(caller, key, if_match.as_ref(), found, resource).await?;
                Ok(Some(written(writes, write)))
            }
            (Verb::Patch(_, patch), Some(key)) => {
                let read = match current.remove(key) {
                    Some(read) => read,
                    None => match self.store.read(caller.tenant, key).await? {
                        Lookup::Found(stored) => stored,
                        Lookup::Gone { version, .. } => return Err(FhirError::Gone { key: key.clone(), version }),
                        Lookup::Absent => return Err(FhirError::NotFound(key.clone())),
                    },
                };
                let changed = patch.apply(stored_json(&read)?)?;
                check_structure(&changed)?;
                check_id(&changed, key)?;
                let write = self.plan_update(caller, key, if_match.as_ref(), Lookup::Found(read), changed).await?;
                Ok(Some(written(writes, write)))
            }
            (_, None) => Ok(None),
        }
    }
}

fn patched_key(criteria: &SearchQuery, found: &[Stored]) -> Result<ResourceKey, FhirError> {
    match found {
        [one] => Ok(one.key.clone()),
        // R4 http.html#patch: not found, where an update would create.
        [] => {
            let text = "the condition finds no resource to change";
            Err(FhirError::Invalid(vec![Issue::error(IssueCode::NotFound, text)]))
        }
        _ => Err(ambiguous(criteria)),
    }
}

fn deleted_keys(found: Vec<Stored>) -> Result<impl Iterator<Item = ResourceKey>, FhirError> {
    if found.len() > MOST_DELETED as usize {
        let text = format!("the condition finds more than {MOST_DELETED} resources to delete");
        return Err(FhirError::Condition(text));
    }
    Ok(found.into_iter().map(|stored| stored.key))
}

/// What equal criteria have in common: what they mean, however it is written.
fn name_of(criteria: &SearchQuery) -> Result<String, FhirError> {
    let mut clauses: Vec<String> = criteria.clauses.iter().map(|clause| format!("{clause:?}")).collect();
    clauses.sort_unstable();
    Ok(format!("{}?{}", type_of(criteria)?, clauses.join("&")))
}

fn written(writes: &mut Vec<Write>, write: Write) -> TransactionOutcome {
    let outcome = match &write {
        Write::Replace { draft, .. } => TransactionOutcome::Updated(draft.stored.clone()),
        Write::Insert { draft, .. } => TransactionOutcome::Created(draft.stored.clone()),
        Write::Remove { .. } => TransactionOutcome::Deleted(1),
    };
    writes.push(write);
    outcome
}

/// Names the entry whose resource is refused.
fn within(entry: &Entry, error: FhirError) -> FhirError {
    let located = |issues: Vec<Issue>| issues.into_iter().map(|issue| entry.locate(issue)).collect();
    match error {
        FhirError::Invalid(issues) => FhirError::Invalid(located(issues)),
        FhirError::Unprocessable(issues) => FhirError::Unprocessable(located(issues)),
        other => other,
    }
}

/// Takes the resource out: a large Bundle is not copied to be written.
fn resource_of(plan: &mut Planned) -> Result<Json, FhirError> {
    plan.entry.resource.take().ok_or_else(|| {
        let text = "an entry with POST or PUT needs a resource";
        FhirError::Invalid(vec![Issue::error(IssueCode::Required, text)])
    })
}

fn ambiguous(criteria: &SearchQuery) -> FhirError {
    let kind = type_of(criteria).map(|kind| kind.to_string()).unwrap_or_default();
    FhirError::Condition(format!("the condition finds more than one {kind}: it must find one at most"))
}
