//! transaction (R4: <https://hl7.org/fhir/R4/http.html#transaction>): every entry or none, in one unit of work.
//!
//! Conditions are resolved in one read each, equal ones once; the writes are one commit under their guards; reads and
//! searches of the Bundle are answered from what was written, before it is committed: one that fails undoes everything.

pub(super) mod entry;
mod plan;
mod resolve;

use std::collections::HashSet;

use super::incoming::{check_structure, check_type, read_any};
use super::source::Source;
use super::{ATTEMPTS, FhirError, FhirService};
use crate::access::Caller;
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::{Guard, SearchPage, StoreError, Stored, Write, Written};
use crate::preconditions::Known;
use crate::search::SearchQuery;
use crate::types::ResourceKey;

use entry::{Entry, Query, Verb};

/// What became of one entry, in the order of the request.
pub enum TransactionOutcome {
    /// A resource that was not there.
    Created(Stored),
    /// A new version.
    Updated(Stored),
    /// The condition found a resource, and nothing was written.
    Existing(Stored),
    /// So many were deleted; there may have been nothing to delete.
    Deleted(usize),
    /// What a read found.
    Found(Stored),
    /// What a read found and the client has already.
    Known(Stored),
    /// What a search found.
    Page(Box<(SearchQuery, SearchPage)>),
}

impl TransactionOutcome {
    /// Leaves out what the client has.
    fn unless(self, known: &Known) -> Self {
        match self {
            Self::Found(stored) if known.has(stored.version, stored.updated) => Self::Known(stored),
            other => other,
        }
    }
}

/// More entries than a Bundle of a whole patient has, by far.
const MOST_ENTRIES: usize = 20_000;

/// An entry whose target is known.
struct Planned {
    entry: Entry,
    /// What it writes or reads; several for a conditional delete, none for a search.
    keys: Vec<ResourceKey>,
    /// What a conditional create found.
    existing: Option<Stored>,
    /// The entry before that creates what the same condition would find.
    same_as: Option<usize>,
}

impl FhirService {
    /// Reads a Bundle from bytes; its structure is checked by what carries it out.
    pub fn read_bundle(&self, body: &[u8]) -> Result<Json, FhirError> {
        let bundle = read_any(body, &self.limits)?;
        check_type(&bundle, "Bundle".parse().map_err(|_| bundle_missing())?)?;
        Ok(bundle)
    }

    /// Carries out a transaction Bundle; this is also how drafts and signatures are written.
    pub async fn transaction(&self, caller: &Caller, bundle: Json) -> Result<Vec<TransactionOutcome>, FhirError> {
        self.carry_out(caller, read_transaction(bundle, self, caller)?).await
    }

    /// Carries out a transaction Bundle unless the criteria find a resource; nothing when they do.
    pub async fn transaction_unless(
        &self,
        caller: &Caller,
        bundle: Json,
        mut criteria: SearchQuery,
    ) -> Result<Option<Vec<TransactionOutcome>>, FhirError> {
        self.find_codes(caller, &mut criteria).await?;
        if !self.matches(caller, &criteria, 1).await?.is_empty() {
            return Ok(None);
        }
        let guard = Guard { query: SearchQuery { count: 1, ..criteria.clone() }, expected: Vec::new() };
        match self.carry_out_under(caller, read_transaction(bundle, self, caller)?, vec![guard]).await {
            Err(FhirError::Store(StoreError::Stale)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Decides, plans and writes; plans again when somebody was faster.
    pub(super) async fn carry_out(
        &self,
        caller: &Caller,
        entries: Vec<Entry>,
    ) -> Result<Vec<TransactionOutcome>, FhirError> {
        self.carry_out_under(caller, entries, Vec::new()).await
    }

    async fn carry_out_under(
        &self,
        caller: &Caller,
        mut entries: Vec<Entry>,
        conditions: Vec<Guard>,
    ) -> Result<Vec<TransactionOutcome>, FhirError> {
        for entry in &mut entries {
            for resource_type in entry.resource_types() {
                self.authorise(caller, entry.verb.interaction(), resource_type).await?;
            }
            // Value sets are read before the transaction takes its connection: it never takes a second one.
            if let Verb::Get(Query::Search(search)) = &mut entry.verb {
                self.find_codes(caller, search).await?;
            }
        }
        let mut attempt = 1;
        loop {
            let mut guards = conditions.clone();
            let mut planned = self.assign(caller, entries.clone(), &mut guards).await?;
            check_identities(&planned)?;
            resolve::conditional_references(self, caller, &mut planned).await?;
            let versions = resolve::versions(self, caller, &planned).await?;
            resolve::references(&mut planned, &versions);
            let (writes, outcomes) = self.plan(caller, &mut planned).await?;
            if !resolve::hold(&versions, &planned, &outcomes) {
                if attempt == ATTEMPTS {
                    return Err(StoreError::Stale.into());
                }
                attempt += 1;
                continue;
            }
            let reads = planned.iter().any(|plan| matches!(plan.entry.verb, Verb::Get(_)));
            match self.write(caller, (writes, guards), reads).await {
                Ok(written) => return self.answer(caller, (planned, outcomes), written).await,
                // A condition from outside that no longer holds is not a matter of planning again.
                Err(StoreError::Stale) if conditions.is_empty() && attempt < ATTEMPTS => attempt += 1,
                Err(StoreError::Conflict { .. } | StoreError::Exists { .. }) if attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes, and commits unless there is something to read before.
    async fn write(
        &self,
        caller: &Caller,
        (writes, guards): (Vec<Write>, Vec<Guard>),
        reads: bool,
    ) -> Result<Option<Box<dyn Written>>, StoreError> {
        let context = Self::context(caller);
        if reads && !writes.is_empty() {
            return self.store.write(&context, writes, guards).await.map(Some);
        }
        self.store.commit(&context, writes, guards).await.map(|()| None)
    }

    /// R4: what is read in a transaction is read after everything was written.
    async fn answer(
        &self,
        caller: &Caller,
        (planned, outcomes): (Vec<Planned>, Vec<Option<TransactionOutcome>>),
        mut written: Option<Box<dyn Written>>,
    ) -> Result<Vec<TransactionOutcome>, FhirError> {
        let mut answers = Vec::with_capacity(outcomes.len());
        for (plan, outcome) in planned.into_iter().zip(outcomes) {
            answers.push(match (outcome, plan.entry.verb) {
                (Some(outcome), _) => outcome,
                (None, Verb::Get(query)) => {
                    let source = match &mut written {
                        Some(written) => Source::Written(&mut **written),
                        None => Source::Committed(&*self.store),
                    };
                    self.get(caller, query, source).await?.unless(&plan.entry.known)
                }
                (None, _) => TransactionOutcome::Deleted(0),
            });
        }
        if let Some(written) = written {
            written.commit().await?;
        }
        Ok(answers)
    }

    async fn get(&self, caller: &Caller, query: Query, source: Source<'_>) -> Result<TransactionOutcome, FhirError> {
        match query {
            Query::Read(key, wanted) => {
                let stored = self.read_from(source, caller, &key).await?;
                Ok(TransactionOutcome::Found(wanted.shown(stored)))
            }
            Query::Version(key, version, wanted) => {
                let stored = self.vread_from(source, caller, &key, version).await?;
                Ok(TransactionOutcome::Found(wanted.shown(stored)))
            }
            Query::Search(search) => {
                let page = self.find_from(source, caller, (*search).clone()).await?;
                Ok(TransactionOutcome::Page(Box::new((*search, page))))
            }
        }
    }
}

/// Refuses a Bundle that would hold a unit of work open for too long.
pub(super) fn check_size(bundle: &Json) -> Result<(), FhirError> {
    let entries = bundle.get("entry").map_or(&[][..], Json::items).len();
    if entries <= MOST_ENTRIES {
        return Ok(());
    }
    let text = format!(
        "the Bundle has {entries} entries, {MOST_ENTRIES} at most are carried out at once; use $import for more"
    );
    Err(FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text).at("Bundle.entry")]))
}

/// Reads a transaction whose every entry must be legible.
fn read_transaction(bundle: Json, service: &FhirService, caller: &Caller) -> Result<Vec<Entry>, FhirError> {
    check_type(&bundle, "Bundle".parse().map_err(|_| bundle_missing())?)?;
    check_size(&bundle)?;
    check_structure(&bundle)?;
    if bundle.get_str("type") != Some("transaction") {
        let text = "only a Bundle of type transaction is carried out as one";
        return Err(FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text).at("Bundle.type")]));
    }
    let (mut entries, mut issues) = (Vec::new(), Vec::new());
    for entry in entry::read(bundle, (service, caller)) {
        match entry {
            Ok(entry) => entries.push(entry),
            // The address of the Bundle is there: what an entry names in vain is a fault of the Bundle.
            Err(issue) if issue.code == IssueCode::NotFound => issues.push(Issue { code: IssueCode::Invalid, ..issue }),
            Err(issue) => issues.push(issue),
        }
    }
    if issues.is_empty() { Ok(entries) } else { Err(FhirError::Invalid(issues)) }
}

/// R4 refuses two entries that write one resource.
fn check_identities(planned: &[Planned]) -> Result<(), FhirError> {
    let mut seen = HashSet::new();
    let writes =
        |plan: &&Planned| !matches!(plan.entry.verb, Verb::Get(_)) && plan.existing.is_none() && plan.same_as.is_none();
    for plan in planned.iter().filter(writes) {
        for key in &plan.keys {
            if !seen.insert(key) {
                let text = format!("{key} is the target of two entries");
                return Err(FhirError::Invalid(vec![plan.entry.locate(Issue::error(IssueCode::Duplicate, text))]));
            }
        }
    }
    Ok(())
}

fn bundle_missing() -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::Exception, "the definitions know no Bundle")])
}
