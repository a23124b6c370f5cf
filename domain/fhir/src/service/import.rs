//! Lines of an import: many resources are planned together and written in one unit of work, each under its id.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::incoming::{check_structure, check_type, read_any};
use super::update::{Change, Existing};
use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction, decide, decide_bulk};
use crate::interactions::is_served;
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::{Lookup, StoreError};
use crate::types::{ResourceKey, ResourceType};

/// A line of an import.
#[derive(Clone)]
pub struct ImportLine {
    /// Its number, from 1.
    pub number: u64,
    /// A resource as JSON.
    pub bytes: Bytes,
    /// The type that it must be of, where the file says so.
    pub expected: Option<ResourceType>,
}

/// A line that was not written.
pub struct Refused {
    /// The line's number.
    pub number: u64,
    /// Why.
    pub issues: Vec<Issue>,
}

/// A line that was read.
struct Incoming<'a> {
    line: &'a ImportLine,
    key: ResourceKey,
    resource: Json,
}

impl FhirService {
    /// Refuses whoever may not move records in bulk, and records the refusal.
    pub async fn authorise_bulk(&self, caller: &Caller, action: &'static str) -> Result<(), FhirError> {
        match decide_bulk(caller, action) {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.refuse(caller, Interaction::Update, action, refusal).await?),
        }
    }

    /// Writes lines; what is wrong with a line is told and does not stop the others. The same lines written again come to
    /// the same: a resource without an id gets one that `job` and line decide.
    pub async fn import(&self, caller: &Caller, job: Uuid, lines: &[ImportLine]) -> Result<Vec<Refused>, FhirError> {
        self.authorise_bulk(caller, "$import").await?;
        let mut refused = Vec::new();
        let mut batch: Vec<Incoming<'_>> = Vec::with_capacity(lines.len());
        let mut seen = HashSet::new();
        for line in lines {
            match self.incoming(caller, job, line) {
                Ok(incoming) => {
                    if !seen.insert(incoming.key.clone()) {
                        // A later line on the same resource is a later version.
                        self.write_together(caller, std::mem::take(&mut batch), &mut refused).await?;
                        seen = HashSet::from([incoming.key.clone()]);
                    }
                    batch.push(incoming);
                }
                Err(error) => refused.push(refusal(line, error)?),
            }
        }
        self.write_together(caller, batch, &mut refused).await?;
        refused.sort_by_key(|line| line.number);
        Ok(refused)
    }

    fn incoming<'a>(&self, caller: &Caller, job: Uuid, line: &'a ImportLine) -> Result<Incoming<'a>, FhirError> {
        let mut resource = read_any(&line.bytes, &self.limits)?;
        let named = resource.get_str("resourceType").unwrap_or_default();
        let kind = named.parse::<ResourceType>().ok().filter(|kind| is_served(*kind)).ok_or_else(|| {
            let text = format!("{named:?} is not a type of resource that is stored");
            FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text).at("resourceType")])
        })?;
        if let Some(expected) = line.expected {
            check_type(&resource, expected)?;
        }
        decide(caller, Interaction::Update, kind)?;
        check_structure(&resource)?;
        let id = match resource.get_str("id") {
            Some(id) => id.parse().map_err(|error| {
                let text = format!("{id:?}: {error}");
                FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text).at(format!("{kind}.id"))])
            })?,
            None => derived(job, line.number).into(),
        };
        let key = ResourceKey::new(kind, id);
        if let Some(members) = resource.as_object_mut() {
            members.insert("id", key.id().as_str());
        }
        Ok(Incoming { line, key, resource })
    }

    /// One read and one unit of work; line by line when somebody else was at one of them, or had deleted one.
    async fn write_together(
        &self,
        caller: &Caller,
        batch: Vec<Incoming<'_>>,
        refused: &mut Vec<Refused>,
    ) -> Result<(), FhirError> {
        let keys: Vec<ResourceKey> = batch.iter().map(|incoming| incoming.key.clone()).collect();
        let found = self.store.read_many(caller.tenant, &keys).await?;
        let mut current: HashMap<ResourceKey, _> =
            found.into_iter().map(|stored| (stored.key.clone(), stored)).collect();
        let (mut writes, mut lines) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for Incoming { line, key, resource } in batch {
            let found = current.remove(&key).map_or(Lookup::Absent, Lookup::Found);
            match self.plan_update(caller, &key, None, found, resource).await {
                Ok(write) => {
                    writes.push(write);
                    lines.push((line, key));
                }
                Err(error) => refused.push(refusal(line, error)?),
            }
        }
        match self.store.commit(&Self::context(caller), writes, Vec::new()).await {
            Ok(()) => Ok(()),
            Err(StoreError::Conflict { .. } | StoreError::Exists { .. }) => {
                self.write_singly(caller, lines, refused).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn write_singly(
        &self,
        caller: &Caller,
        lines: Vec<(&ImportLine, ResourceKey)>,
        refused: &mut Vec<Refused>,
    ) -> Result<(), FhirError> {
        for (line, key) in lines {
            let mut resource = read_any(&line.bytes, &self.limits)?;
            if let Some(members) = resource.as_object_mut() {
                members.insert("id", key.id().as_str());
            }
            let body = resource.to_bytes();
            let change = Change { key: &key, if_match: None, existing: Existing::Replaced, body: &body };
            if let Err(error) = self.update(caller, change).await {
                refused.push(refusal(line, error)?);
            }
        }
        Ok(())
    }
}

/// The same line of the same job has the same id, whenever it is read.
fn derived(job: Uuid, number: u64) -> Uuid {
    let digest = Sha256::new().chain_update(job.as_bytes()).chain_update(number.to_be_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(own, byte)| *own = byte);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What is wrong with a line stands in the answer; that the store is away ends the work.
fn refusal(line: &ImportLine, error: FhirError) -> Result<Refused, FhirError> {
    let issues = match error {
        FhirError::Store(error) => return Err(error.into()),
        FhirError::Invalid(issues) | FhirError::Unprocessable(issues) => issues,
        other => vec![Issue::error(IssueCode::Processing, other.to_string())],
    };
    Ok(Refused { number: line.number, issues })
}
