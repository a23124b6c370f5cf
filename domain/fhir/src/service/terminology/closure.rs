//! `$closure` (R4 <https://hl7.org/fhir/R4/conceptmap-operation-closure.html>): a table of what is below what, which a
//! client keeps in step by asking for what is new.

use super::{FhirError, FhirService, KnownSystem, Named, invalid};
use crate::access::Caller;
use crate::json::{Json, JsonObject, array, object};
use crate::outcome::{Issue, IssueCode};
use crate::ports::StoreError;
use crate::terminology::{
    ClosureAdded, ClosureCode, ClosureLine, CodeSystem, ConceptQuery, Filter, Hierarchy, Operator, Wanted,
};

/// So many codes are added at once.
const MOST_ADDED: usize = 1_000;
/// So many codes a table has at most.
const MOST_CODES: usize = 20_000;
/// Longer names are refused.
const LONGEST_NAME: usize = 200;
/// How often codes are added again when somebody was faster.
const ATTEMPTS: usize = 5;

/// What a closure table is asked.
#[derive(Debug)]
pub struct ClosureAsked<'a> {
    /// Its name.
    pub name: &'a str,
    /// Codes to add; none and no version begins the table anew.
    pub codes: Vec<ClosureCode>,
    /// Everything after this version.
    pub version: Option<&'a str>,
}

impl FhirService {
    /// Begins a table, adds codes, or repeats what came after a version; answers with a ConceptMap.
    pub async fn closure(&self, caller: &Caller, asked: &ClosureAsked<'_>) -> Result<Json, FhirError> {
        if asked.name.is_empty() || asked.name.len() > LONGEST_NAME {
            return Err(invalid(format!("name: a closure table is named by 1 to {LONGEST_NAME} letters")));
        }
        if asked.codes.len() > MOST_ADDED {
            return Err(too_many(format!("concept: {MOST_ADDED} codes can be added at once")));
        }
        match (asked.version, asked.codes.as_slice()) {
            (Some(_), [_, ..]) => Err(invalid("a closure table is asked for a version or given concepts, not both")),
            (None, []) => {
                self.concepts.closure_begin(caller.tenant, asked.name).await?;
                Ok(self.closure_map(asked.name, 0, &[]))
            }
            (Some(version), []) => {
                let version: i32 =
                    version.parse().map_err(|_| invalid(format!("version: {version:?} is not one of ours")))?;
                let (current, _) = self.closure_table(caller, asked.name).await?;
                let lines = self.concepts.closure_lines(caller.tenant, asked.name, version).await?;
                Ok(self.closure_map(asked.name, current, &lines))
            }
            (None, codes) => self.add_to_closure(caller, asked.name, codes).await,
        }
    }

    async fn closure_table(&self, caller: &Caller, name: &str) -> Result<(i32, Vec<ClosureCode>), FhirError> {
        self.concepts.closure(caller.tenant, name).await?.ok_or_else(|| {
            let text = format!("the closure table {name:?} was never begun: call $closure with its name alone");
            FhirError::Invalid(vec![Issue::error(IssueCode::NotFound, text)])
        })
    }

    async fn add_to_closure(&self, caller: &Caller, name: &str, codes: &[ClosureCode]) -> Result<Json, FhirError> {
        for _ in 0..ATTEMPTS {
            let (version, known) = self.closure_table(caller, name).await?;
            let mut new: Vec<ClosureCode> = Vec::new();
            for code in codes {
                if !known.contains(code) && !new.contains(code) {
                    new.push(code.clone());
                }
            }
            if new.is_empty() {
                return Ok(self.closure_map(name, version, &[]));
            }
            if known.len() + new.len() > MOST_CODES {
                return Err(too_many(format!("concept: a closure table has at most {MOST_CODES} codes")));
            }
            let lines = self.closure_lines(caller, &known, &new).await?;
            match self.concepts.closure_add(caller.tenant, (name, version), &new, &lines).await? {
                ClosureAdded::As(version) => return Ok(self.closure_map(name, version, &lines)),
                ClosureAdded::Changed => {}
            }
        }
        Err(StoreError::Stale.into())
    }

    /// What the new codes have to do with each other and with the known ones, system by system.
    async fn closure_lines(
        &self,
        caller: &Caller,
        known: &[ClosureCode],
        new: &[ClosureCode],
    ) -> Result<Vec<ClosureLine>, FhirError> {
        let mut systems: Vec<&str> = new.iter().map(|code| code.system.as_str()).collect();
        systems.sort_unstable();
        systems.dedup();
        let mut lines = Vec::new();
        for url in systems {
            let of = |all: &[ClosureCode]| -> Vec<String> {
                all.iter().filter(|one| one.system == url).map(|one| one.code.clone()).collect()
            };
            let (known, new) = (of(known), of(new));
            let system = self.known_system(caller, &Named::Url(url), None).await?;
            for (narrow, broad) in self.pairs(&system, &known, &new).await? {
                lines.push(ClosureLine { version: 0, system: url.to_owned(), narrow, broad });
            }
        }
        Ok(lines)
    }

    /// Each new code with what is above it among all, and with what is below it among the known ones.
    async fn pairs(
        &self,
        system: &KnownSystem,
        known: &[String],
        new: &[String],
    ) -> Result<Vec<(String, String)>, FhirError> {
        let mut pairs = Vec::new();
        let all: Vec<&String> = known.iter().chain(new).collect();
        for code in new {
            if self.concept_of(system, code).await?.is_none() {
                let text = format!("concept: {} has no code {code:?}", system.url());
                return Err(FhirError::Invalid(vec![Issue::error(IssueCode::CodeInvalid, text)]));
            }
            match system {
                KnownSystem::Resource(resource) => {
                    let system = CodeSystem::of(resource);
                    let others = || all.iter().copied().filter(|other| *other != code);
                    let above = others().filter(|other| system.is_a(other, code));
                    pairs.extend(above.map(|broad| (code.clone(), broad.clone())));
                    let below = known.iter().filter(|other| *other != code && system.is_a(code, other));
                    pairs.extend(below.map(|narrow| (narrow.clone(), code.clone())));
                }
                KnownSystem::Stored(stored) => {
                    let related = async |operator: Operator, among: Vec<String>| {
                        let filter = Filter { property: "concept".to_owned(), operator, value: code.clone() };
                        let query = ConceptQuery { limit: MOST_CODES as u64, ..Wanted::about(among).query(&[filter]) };
                        self.concepts.select(stored, &query).await
                    };
                    let others = all.iter().copied().filter(|other| *other != code).cloned().collect();
                    let above = related(Operator::Generalizes, others).await?;
                    pairs.extend(above.concepts.into_iter().map(|broad| (code.clone(), broad.code)));
                    let below = related(Operator::DescendentOf, known.to_vec()).await?;
                    pairs.extend(below.concepts.into_iter().map(|narrow| (narrow.code, code.clone())));
                }
            }
        }
        Ok(pairs)
    }

    /// The lines as a ConceptMap: the source is the narrower code, the target subsumes it.
    fn closure_map(&self, name: &str, version: i32, lines: &[ClosureLine]) -> Json {
        let mut systems: Vec<&str> = lines.iter().map(|line| line.system.as_str()).collect();
        systems.sort_unstable();
        systems.dedup();
        let groups: Vec<Json> = systems.into_iter().map(|system| group(system, lines)).collect();
        let mut map: JsonObject = [
            ("resourceType", Json::from("ConceptMap")),
            ("id", self.ids.new_uuid().to_string().into()),
            ("version", version.to_string().into()),
            ("name", name.into()),
            ("status", "active".into()),
            ("experimental", true.into()),
            ("date", self.now().to_string().into()),
        ]
        .into_iter()
        .collect();
        if !groups.is_empty() {
            map.insert("group", groups);
        }
        map.into()
    }
}

fn group(system: &str, lines: &[ClosureLine]) -> Json {
    let mut elements: Vec<(&str, Vec<Json>)> = Vec::new();
    for line in lines.iter().filter(|line| line.system == system) {
        let target = object([("code", line.broad.as_str().into()), ("equivalence", "subsumes".into())]);
        match elements.iter_mut().find(|(code, _)| *code == line.narrow) {
            Some((_, targets)) => targets.push(target),
            None => elements.push((&line.narrow, vec![target])),
        }
    }
    let elements =
        elements.into_iter().map(|(code, targets)| object([("code", code.into()), ("target", targets.into())]));
    object([("source", system.into()), ("target", system.into()), ("element", array(elements))])
}

fn too_many(text: String) -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text)])
}
