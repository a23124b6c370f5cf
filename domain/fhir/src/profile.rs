//! Resources against profiles (R4 <https://hl7.org/fhir/R4/profiling.html>): a StructureDefinition becomes a tree of
//! elements, and a resource is walked beside it.

mod build;
mod cache;
mod check;
mod codes;
mod element;
mod extensions;
mod slicing;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::json::Json;
use crate::outcome::Issue;
use crate::path::EvaluationContext;
use crate::types::Instant;
use element::Element;

pub use build::{ProfileError, base_of};
pub use cache::{Compiled, ProfileCache, Source};
pub use codes::{CodeQuestion, Strength};

/// A StructureDefinition that resources are checked against.
#[derive(Debug)]
pub struct Profile {
    /// Its canonical URL.
    pub url: String,
    /// The type that it constrains.
    pub kind: String,
    /// Where an extension may stand, as paths of elements; empty where that isn't stated or not by elements alone.
    contexts: Vec<String>,
    root: Element,
}

/// The profiles that are known while a resource is checked; one that was looked for in vain is known to be missing.
#[derive(Debug, Default)]
pub struct Profiles {
    known: HashMap<String, Option<Arc<Profile>>>,
}

impl Profiles {
    /// Remembers a profile under the URL that names it, or that there is none.
    pub fn insert(&mut self, url: &str, profile: Option<Arc<Profile>>) {
        self.known.insert(url.to_owned(), profile);
    }

    /// Counts the URLs that were looked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Tells whether nothing was looked for yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Tells whether a profile was looked for in vain.
    #[must_use]
    pub fn is_missing(&self, url: &str) -> bool {
        self.known.get(url).is_some_and(Option::is_none)
    }

    fn get(&self, url: &str) -> Option<&Arc<Profile>> {
        self.known.get(url)?.as_ref()
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong.
    pub issues: Vec<Issue>,
    /// Codes that a terminology service must judge.
    pub codes: Vec<CodeQuestion>,
    /// Profiles that were met and were not looked for yet; the check is whole when there are none.
    pub unknown: BTreeSet<String>,
}

/// Checks a resource against the profiles that it is asked to keep, and its extensions against their definitions.
#[must_use]
pub fn check(resource: &Json, urls: &[String], profiles: &Profiles, now: Instant) -> Report {
    let context = EvaluationContext { now: Some(now.micros()), ..EvaluationContext::of_resource(resource) };
    let mut checker = check::Checker::new(profiles);
    let path = resource.get_str("resourceType").unwrap_or("Resource");
    for url in urls {
        checker.conform(url, &check::Found::root(context, path));
    }
    extensions::check(&mut checker, &context, path);
    checker.into_report()
}

/// The type of R4 that a URL defines, where it defines one.
#[must_use]
pub fn base_type(url: &str) -> Option<&'static str> {
    let name = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/")?;
    let name = name.split('|').next().unwrap_or(name);
    seva_fhir_profiles::definitions().type_named(name).map(|definition| definition.name)
}
