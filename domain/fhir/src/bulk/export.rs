//! Bulk export (<https://hl7.org/fhir/uv/bulkdata/STU2/export.html>): one snapshot, one file or more a type.

use async_trait::async_trait;

use super::parts::{Output, Parts};
use crate::access::{Caller, Interaction, Permit, Refusal, decide};
use crate::index;
use crate::interactions::is_served;
use crate::jobs::{FilePurpose, JobKind, JobRunner, Work};
use crate::json::{Json, Limits, array, object, parse};
use crate::outcome::{Issue, IssueCode, OperationOutcome};
use crate::ports::{Scan, ScanOf, ScanSink, StoreError, Stored};
use crate::search::{Clause, Presentation, SearchQuery, compartment_types, empty_query};
use crate::service::{FhirError, FhirService, refuse_contained};
use crate::types::{Instant, ResourceKey, ResourceType};

/// Whose records are exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportLevel {
    /// All resources.
    System,
    /// What lies in patients' compartments.
    Patients,
    /// What lies in the compartments of a Group's members.
    Group(ResourceKey),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// Whose records.
    pub level: ExportLevel,
    /// Only these types; none means all.
    pub types: Vec<ResourceType>,
    /// Written at or after this.
    pub since: Option<Instant>,
    /// Written before this.
    pub until: Option<Instant>,
    /// Searches, `Observation?code=x`: a resource of the type is exported if one of them finds it.
    pub filters: Vec<String>,
    /// `_elements`: `name` or `Patient.name`.
    pub elements: Vec<String>,
    /// Only these patients.
    pub patients: Vec<ResourceKey>,
    /// The request's URL, for the manifest.
    pub url: String,
}

impl ExportRequest {
    fn to_json(&self) -> Json {
        let level = match &self.level {
            ExportLevel::System => "system".to_owned(),
            ExportLevel::Patients => "patients".to_owned(),
            ExportLevel::Group(key) => key.to_string(),
        };
        let time = |time: Option<Instant>| time.map_or(Json::Null, |time| time.micros().into());
        object([
            ("level", level.into()),
            ("types", array(self.types.iter().map(|own| own.as_str()))),
            ("since", time(self.since)),
            ("until", time(self.until)),
            ("filters", array(self.filters.iter().map(String::as_str))),
            ("elements", array(self.elements.iter().map(String::as_str))),
            ("patients", array(self.patients.iter().map(ToString::to_string))),
            ("url", self.url.as_str().into()),
        ])
    }

    fn from_json(json: &Json) -> Option<Self> {
        let texts = |name: &str| {
            let items = json.get(name).map_or(&[][..], Json::items);
            items.iter().filter_map(Json::as_str).map(str::to_owned).collect::<Vec<String>>()
        };
        let time = |name: &str| json.get(name).and_then(Json::as_i64).map(Instant::from_micros);
        let level = match json.get_str("level")? {
            "system" => ExportLevel::System,
            "patients" => ExportLevel::Patients,
            group => ExportLevel::Group(group.parse().ok()?),
        };
        Some(Self {
            level,
            types: texts("types").iter().filter_map(|name| name.parse().ok()).collect(),
            since: time("since"),
            until: time("until"),
            filters: texts("filters"),
            elements: texts("elements"),
            patients: texts("patients").iter().filter_map(|key| key.parse().ok()).collect(),
            url: json.get_str("url")?.to_owned(),
        })
    }
}

impl FhirService {
    /// Checks a request for an export, and writes it down for a worker.
    pub async fn export_request(&self, caller: &Caller, request: &ExportRequest) -> Result<Json, FhirError> {
        self.authorise_bulk(caller, "$export").await?;
        self.export_queries(caller, request).await?;
        if let ExportLevel::Group(key) = &request.level {
            self.read(caller, key).await?;
        }
        Ok(request.to_json())
    }

    /// One query a type, with the conditions of its filters.
    async fn export_queries(&self, caller: &Caller, request: &ExportRequest) -> Result<Vec<SearchQuery>, FhirError> {
        let inside = compartment_types(ResourceType::patient());
        let all = || match request.level {
            ExportLevel::System => ResourceType::all().filter(|own| own.as_str() != "Binary").collect(),
            ExportLevel::Patients | ExportLevel::Group(_) => inside.clone(),
        };
        let types = if request.types.is_empty() { all() } else { request.types.clone() };
        let mut queries = Vec::new();
        for resource_type in types.into_iter().filter(|own| is_served(*own)) {
            let prefix = format!("{resource_type}?");
            let of_type = request.filters.iter().filter_map(|filter| filter.strip_prefix(&prefix));
            let found =
                of_type.map(|raw| self.search_from(caller, resource_type, raw)).collect::<Result<Vec<_>, _>>()?;
            found.iter().try_for_each(refuse_contained)?;
            let mut query = empty_query(vec![resource_type]);
            match found.as_slice() {
                [] => {}
                [one] => query.clauses.clone_from(&one.clauses),
                several => query.clauses.push(either(several)?),
            }
            queries.push(query);
        }
        for query in &mut queries {
            self.find_codes(caller, query).await?;
            self.follow_all(caller, query).await?;
        }
        if let Some(filter) = request.filters.iter().find(|own| !names_a_type(own, &queries)) {
            let text = format!(
                "_typeFilter: {filter:?} is not a search of a type that is exported, such as Patient?active=true"
            );
            return Err(invalid(text));
        }
        Ok(queries)
    }

    /// The members of a Group and the patients that were named, if only some are asked for.
    async fn export_patients(&self, caller: &Caller, request: &ExportRequest) -> Result<ScanOf, FhirError> {
        let members = match &request.level {
            ExportLevel::System if request.patients.is_empty() => return Ok(ScanOf::Everything),
            ExportLevel::System | ExportLevel::Patients if request.patients.is_empty() => {
                return Ok(ScanOf::AnyPatient);
            }
            ExportLevel::System | ExportLevel::Patients => request.patients.clone(),
            ExportLevel::Group(key) => {
                let stored = self.read(caller, key).await?;
                let group = parse(&stored.body, &Limits::default()).map_err(|error| invalid(error.to_string()))?;
                let mut members = members_of(&group);
                members.retain(|member| request.patients.is_empty() || request.patients.contains(member));
                members
            }
        };
        Ok(ScanOf::Patients(members))
    }
}

/// A condition that one of several searches fits; what only the resource decides can't be an alternative.
fn either(queries: &[SearchQuery]) -> Result<Clause, FhirError> {
    if queries.iter().any(|query| query.rechecks().next().is_some()) {
        return Err(invalid(
            "_typeFilter: several searches of one type can't use :text, :of-type, near, _text or _content".to_owned(),
        ));
    }
    Ok(Clause::Any(queries.iter().map(|query| Clause::All(query.clauses.clone())).collect()))
}

fn names_a_type(filter: &str, queries: &[SearchQuery]) -> bool {
    let name = filter.split_once('?').map(|(name, _)| name);
    queries.iter().any(|query| query.resource_types.first().map(|own| own.as_str()) == name)
}

fn invalid(text: String) -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text)])
}

/// The patients of a Group that are its members still.
fn members_of(group: &Json) -> Vec<ResourceKey> {
    let members = group.get("member").map_or(&[][..], Json::items);
    let active = members.iter().filter(|member| member.get("inactive").and_then(Json::as_bool) != Some(true));
    let keys = active.filter_map(|member| member.get("entity")?.get_str("reference")?.parse::<ResourceKey>().ok());
    let mut keys: Vec<ResourceKey> = keys.filter(|key| key.resource_type() == ResourceType::patient()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Writes exports.
pub struct ExportRunner {
    service: FhirService,
}

impl ExportRunner {
    /// Over a service.
    #[must_use]
    pub fn new(service: FhirService) -> Self {
        Self { service }
    }
}

#[async_trait]
impl JobRunner for ExportRunner {
    fn kind(&self) -> JobKind {
        JobKind::Export
    }

    async fn run(&self, work: &Work<'_>) -> Result<Json, FhirError> {
        let caller = &work.job.caller;
        let request =
            ExportRequest::from_json(&work.job.request).ok_or_else(|| invalid("the request is lost".to_owned()))?;
        let (mut queries, mut refused) = (Vec::new(), Vec::new());
        for query in self.service.export_queries(caller, &request).await? {
            for own in &query.resource_types {
                match decide(caller, Interaction::Search, *own) {
                    Ok(Permit::Whole) => queries.push(query.clone()),
                    Ok(Permit::Compartment(_)) => refused.push(Refusal::Bulk { action: "$export" }),
                    Err(refusal) => refused.push(refusal),
                }
            }
        }
        let of = self.service.export_patients(caller, &request).await?;
        let scan = Scan { queries, since: request.since, until: request.until, of };
        let mut sink = Sink::new(&request, &scan, Output::after(work, 0));
        self.service.store.scan(caller.tenant, &scan, &mut sink).await?;
        let Sink { mut output, mut parts, moment, .. } = sink;
        parts.close(&mut output).await?;
        self.deletions(&scan, &mut output).await?;
        let mut errors = Parts::new(FilePurpose::Error, "OperationOutcome");
        for refusal in refused {
            let outcome = OperationOutcome::new(vec![Issue::error(IssueCode::Forbidden, refusal.to_string())]);
            errors.add(&outcome.to_json().to_bytes(), &mut output).await?;
        }
        errors.close(&mut output).await?;
        Ok(object([("transactionTime", moment.to_string().into()), ("request", request.url.as_str().into())]))
    }
}

impl ExportRunner {
    /// What is gone since the last time, as Bundles of deletions; of everything only, because a deleted resource lies in
    /// nobody's compartment any more.
    async fn deletions(&self, scan: &Scan, output: &mut Output<'_>) -> Result<(), FhirError> {
        let (Some(since), ScanOf::Everything) = (scan.since, &scan.of) else { return Ok(()) };
        let tenant = output.work.job.caller.tenant;
        let mut parts = Parts::new(FilePurpose::Deleted, "Bundle");
        for own in scan.queries.iter().filter(|query| query.clauses.is_empty()).flat_map(|query| &query.resource_types)
        {
            let mut after = None;
            loop {
                let deleted = self.service.store.deletions(tenant, (*own, since), after.as_ref()).await?;
                let Some(last) = deleted.last() else { break };
                after = Some(last.key.clone());
                let entries = deleted.iter().map(|deletion| {
                    let url = deletion.key.to_string().into();
                    object([("request", object([("method", "DELETE".into()), ("url", url)]))])
                });
                let bundle = object([
                    ("resourceType", "Bundle".into()),
                    ("type", "transaction".into()),
                    ("entry", array(entries)),
                ]);
                parts.add(&bundle.to_bytes(), output).await?;
            }
        }
        Ok(parts.close(output).await?)
    }
}

/// Writes what the scan reads.
struct Sink<'a> {
    scan: &'a Scan,
    elements: Vec<Option<Presentation>>,
    output: Output<'a>,
    parts: Parts,
    place: Option<usize>,
    moment: Instant,
    written: u64,
}

impl<'a> Sink<'a> {
    fn new(request: &ExportRequest, scan: &'a Scan, output: Output<'a>) -> Self {
        let elements = scan.queries.iter().map(|query| presentation(request, query)).collect();
        let parts = Parts::new(FilePurpose::Output, "");
        Self { scan, elements, output, parts, place: None, moment: Instant::from_micros(0), written: 0 }
    }

    /// A hash of a compartment may be another one's: the resource itself decides.
    fn belongs(&self, stored: &Stored) -> Result<bool, StoreError> {
        let ScanOf::Patients(patients) = &self.scan.of else { return Ok(true) };
        let kind = stored.key.resource_type();
        let own = index::compartments_of(&read(stored)?, kind);
        Ok(own.iter().any(|patient| patients.contains(patient)))
    }
}

#[async_trait]
impl ScanSink for Sink<'_> {
    async fn begin(&mut self, moment: Instant) -> Result<(), StoreError> {
        self.moment = moment;
        Ok(())
    }

    async fn take(&mut self, place: usize, batch: Vec<Stored>) -> Result<(), StoreError> {
        let name =
            self.scan.queries.get(place).and_then(|query| query.resource_types.first()).map_or("", |own| own.as_str());
        if self.place != Some(place) {
            self.parts.close(&mut self.output).await?;
            self.parts = Parts::new(FilePurpose::Output, name);
            self.place = Some(place);
        }
        for stored in batch {
            if !self.belongs(&stored)? {
                continue;
            }
            self.written += 1;
            match self.elements.get(place).and_then(Option::as_ref) {
                Some(presentation) => {
                    let cut = presentation.apply(read(&stored)?).to_bytes();
                    self.parts.add(&cut, &mut self.output).await?;
                }
                None => self.parts.add(&stored.body, &mut self.output).await?,
            }
        }
        self.output.work.progress.tell(format!("{} resources written, now {name}", self.written));
        Ok(())
    }
}

fn read(stored: &Stored) -> Result<Json, StoreError> {
    parse(&stored.body, &Limits::default())
        .map_err(|error| StoreError::Unavailable(format!("{} does not parse: {error}", stored.key)))
}

/// The elements that are asked for of a type.
fn presentation(request: &ExportRequest, query: &SearchQuery) -> Option<Presentation> {
    let name = query.resource_types.first()?.as_str();
    let of_type = request.elements.iter().filter_map(|element| match element.split_once('.') {
        Some((kind, element)) => (kind == name).then(|| element.to_owned()),
        None => Some(element.clone()),
    });
    let elements: Vec<String> = of_type.collect();
    (!elements.is_empty()).then(|| Presentation { elements, ..Presentation::default() })
}
