//! Whether a resource keeps the rules of FHIR beyond its structure (R4 <https://hl7.org/fhir/R4/validation.html>).

mod invariants;
mod level;

#[cfg(test)]
mod tests;

use crate::json::Json;
use crate::outcome::Issue;
use crate::structure;
use crate::types::Instant;

pub use level::ValidationLevel;

/// Returns the rules of its type that a resource of sound structure breaks.
#[must_use]
pub(crate) fn check_rules(resource: &Json, now: Instant) -> Vec<Issue> {
    invariants::check(resource, now)
}

/// Returns what is wrong with the structure of a resource, and if nothing is, what breaks a rule of its type.
#[must_use]
pub fn check(resource: &Json, now: Instant) -> Vec<Issue> {
    let issues = structure::check(resource);
    if issues.iter().any(Issue::is_error) {
        return issues;
    }
    invariants::check(resource, now)
}
