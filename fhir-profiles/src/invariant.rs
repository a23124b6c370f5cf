//! Constraints that FHIR states as FHIRPath (R4 <https://hl7.org/fhir/R4/conformance-rules.html#constraints>).

use std::sync::OnceLock;

const INVARIANTS: &str = include_str!("../data/invariants.tsv");

/// A constraint of a type or an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invariant {
    /// The type or element that it is stated at, such as `Patient.contact`.
    pub path: &'static str,
    /// The key, such as `pat-1`.
    pub key: &'static str,
    /// Whether breaking it is no more than a warning.
    pub is_warning: bool,
    /// What must be true.
    pub expression: &'static str,
    /// What it says in words.
    pub human: &'static str,
}

/// Returns the constraints in the order of the specification, which are read at the first call.
pub fn invariants() -> &'static [Invariant] {
    static ALL: OnceLock<Vec<Invariant>> = OnceLock::new();
    ALL.get_or_init(|| crate::lines(INVARIANTS).filter_map(parse).collect())
}

fn parse(line: &'static str) -> Option<Invariant> {
    let mut fields = line.split('\t');
    Some(Invariant {
        path: fields.next()?,
        key: fields.next()?,
        is_warning: fields.next()? == "warning",
        expression: fields.next()?,
        human: fields.next()?,
    })
}
