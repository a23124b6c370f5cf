//! Codes of bindings, judged by an expansion (R4 <https://hl7.org/fhir/R4/terminologies.html#strength>).

use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::terminology::Expansion;

/// How much a binding binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// A code of the value set must be there.
    Required,
    /// A code of the value set should be there, if one fits.
    Extensible,
}

impl Strength {
    /// Preferred and example bindings are advice for people.
    pub(super) fn of(code: &str) -> Option<Self> {
        match code {
            "required" => Some(Self::Required),
            "extensible" => Some(Self::Extensible),
            _ => None,
        }
    }
}

/// A value that is bound to a value set.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeQuestion {
    /// How much it is bound.
    pub strength: Strength,
    /// The value set.
    pub value_set: String,
    /// A code, Coding, CodeableConcept or Quantity.
    pub value: Json,
    /// Where it is.
    pub path: String,
}

impl CodeQuestion {
    /// The codes that are asked about.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        let codings = self.value.get("coding").map_or(std::slice::from_ref(&self.value), Json::items);
        codings.iter().filter_map(|one| one.as_str().or_else(|| one.get_str("code"))).map(str::to_owned).collect()
    }

    /// Judges the value by the codes of the value set.
    #[must_use]
    pub fn judge(&self, expansion: &Expansion) -> Option<Issue> {
        let codings = match self.value.get("coding") {
            Some(codings) => codings.items(),
            None => std::slice::from_ref(&self.value),
        };
        let code = |coding: &'_ Json| coding.as_str().or_else(|| coding.get_str("code")).map(str::to_owned);
        let holds =
            |coding: &Json| code(coding).is_some_and(|code| expansion.find(coding.get_str("system"), &code).is_some());
        if codings.iter().any(holds) {
            return None;
        }
        let has_code = codings.iter().any(|coding| code(coding).is_some());
        let Self { strength, value_set, path, .. } = self;
        let issue = match (strength, has_code) {
            (Strength::Extensible, false) => return None,
            _ if !expansion.incomplete.is_empty() => {
                let text = format!("the code couldn't be checked: {value_set} is known here in part only");
                Issue::information(text)
            }
            (Strength::Required, true) => {
                Issue::error(IssueCode::CodeInvalid, format!("the code isn't in {value_set}; choose one of its codes"))
            }
            (Strength::Required, false) => {
                Issue::error(IssueCode::CodeInvalid, format!("a code of {value_set} is required here; add one"))
            }
            (Strength::Extensible, true) => {
                let text = format!("the code isn't in {value_set}; use one of its codes if any has this meaning");
                Issue::warning(IssueCode::CodeInvalid, text)
            }
        };
        Some(issue.at(path.as_str()))
    }
}
