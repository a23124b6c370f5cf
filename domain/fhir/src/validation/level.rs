//! How much is checked before a resource is stored.

use std::str::FromStr;

/// What a write must keep; `$validate` always checks everything
/// (R4 <https://hl7.org/fhir/R4/validation.html>: a server decides what it enforces).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValidationLevel {
    /// Elements, types, cardinality, formats, required bindings of R4's own types.
    #[default]
    Structure,
    /// Structure, and the rules (invariants) of R4's types.
    Rules,
    /// Rules, and the profiles that the resource claims in `meta.profile`, its extensions and their bindings.
    Profiles,
}

impl FromStr for ValidationLevel {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "structure" => Ok(Self::Structure),
            "rules" => Ok(Self::Rules),
            "profiles" => Ok(Self::Profiles),
            other => Err(format!("there is no level {other:?}: name structure, rules or profiles")),
        }
    }
}
