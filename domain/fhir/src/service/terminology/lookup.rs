//! `$lookup` and `$subsumes` (R4 <https://hl7.org/fhir/R4/codesystem-operation-lookup.html>).

use super::{FhirError, FhirService, KnownSystem, Named, unknown};
use crate::access::Caller;
use crate::terminology::{CodeSystem, Concept, ConceptQuery, Detail, Filter, Operator, Relatives, Subsumption, Wanted};

/// So many codes directly below one are told.
const MOST_CHILDREN: u64 = 1_000;

/// Everything that is known of a code.
#[derive(Debug)]
pub struct Details {
    /// The code system's URL, name and version.
    pub system: KnownSystem,
    /// The concept.
    pub concept: Concept,
    /// The codes directly below it.
    pub children: Vec<String>,
}

impl FhirService {
    /// Looks a code up.
    pub async fn lookup(
        &self,
        caller: &Caller,
        (named, version): (&Named<'_>, Option<&str>),
        code: &str,
    ) -> Result<Details, FhirError> {
        let system = self.known_system(caller, named, version).await?;
        let absent = || unknown(&format!("the code {code:?} of {}", system.url()));
        let concept = self.concept_of(&system, code).await?.ok_or_else(absent)?;
        let children = match &system {
            KnownSystem::Resource(resource) => CodeSystem::of(resource).children(code),
            KnownSystem::Stored(stored) => {
                self.concepts.relatives(stored, &concept.code, Relatives::Children, MOST_CHILDREN).await?
            }
        };
        Ok(Details { system, concept, children })
    }

    /// How two codes of a system relate.
    pub async fn subsumption(
        &self,
        caller: &Caller,
        (named, version): (&Named<'_>, Option<&str>),
        (one, other): (&str, &str),
    ) -> Result<Subsumption, FhirError> {
        let system = self.known_system(caller, named, version).await?;
        for code in [one, other] {
            if self.concept_of(&system, code).await?.is_none() {
                return Err(unknown(&format!("the code {code:?} of {}", system.url())));
            }
        }
        Ok(match (self.is_a(&system, one, other).await?, self.is_a(&system, other, one).await?) {
            (true, true) => Subsumption::Equivalent,
            (true, false) => Subsumption::Subsumes,
            (false, true) => Subsumption::SubsumedBy,
            (false, false) => Subsumption::NotSubsumed,
        })
    }

    pub(super) async fn known_system(
        &self,
        caller: &Caller,
        named: &Named<'_>,
        version: Option<&str>,
    ) -> Result<KnownSystem, FhirError> {
        let found = self.code_system(caller, named, version).await?;
        found.ok_or_else(|| match (named, version) {
            (Named::Url(url), Some(version)) => unknown(&format!("the code system {url}|{version}")),
            (Named::Url(url), None) => unknown(&format!("the code system {url}")),
            (Named::Key(_) | Named::Given(_), _) => unknown("the code system"),
        })
    }

    /// A concept with all that is known of it; none when the system doesn't have it.
    pub(super) async fn concept_of(&self, system: &KnownSystem, code: &str) -> Result<Option<Concept>, FhirError> {
        match system {
            KnownSystem::Resource(resource) => {
                let system = CodeSystem::of(resource);
                Ok(system.find(code).map(|concept| system.concept(concept)))
            }
            KnownSystem::Stored(stored) => {
                let query = ConceptQuery { detail: Detail::Full, ..Wanted::about([code.to_owned()]).query(&[]) };
                Ok(self.concepts.select(stored, &query).await?.concepts.pop())
            }
        }
    }

    /// Whether the second code lies below the first one, or is it.
    pub(super) async fn is_a(&self, system: &KnownSystem, broad: &str, narrow: &str) -> Result<bool, FhirError> {
        match system {
            KnownSystem::Resource(resource) => {
                use crate::terminology::Hierarchy;
                Ok(CodeSystem::of(resource).is_a(broad, narrow))
            }
            KnownSystem::Stored(stored) => {
                let (property, value) = ("concept".to_owned(), broad.to_owned());
                let filter = Filter { property, operator: Operator::IsA, value };
                let query = Wanted::about([narrow.to_owned()]).query(&[filter]);
                Ok(!self.concepts.select(stored, &query).await?.concepts.is_empty())
            }
        }
    }
}
