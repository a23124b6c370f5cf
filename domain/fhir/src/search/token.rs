//! Codes, identifiers and booleans (R4 search.html#token).

use seva_fhir_profiles::definitions;

use super::query_string::{split_escaped, unescape};
use crate::index::LetterCase;

/// What a token is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenTest {
    /// `code`: in any system.
    Code(String),
    /// `system|code`.
    Exact {
        /// The system.
        system: String,
        /// The code.
        code: String,
    },
    /// `system|code` where the specification says that the code's system may be implied by its element.
    Implied {
        /// The system.
        system: String,
        /// The code.
        code: String,
    },
    /// `|code`: without a system.
    NoSystem(String),
    /// `system|`: any code of it.
    System(String),
}

impl TokenTest {
    /// The system of a plain `code` is implied (R4 search.html#token): one of the specification's own is left out. The
    /// code is one of the system's in the letter case that the parameter compares.
    #[must_use]
    pub fn or_implied(self, letter_case: LetterCase) -> Self {
        let is_implied = |system: &str, code: &str| match letter_case {
            LetterCase::Counts => definitions().implies(system, code),
            LetterCase::Folded => definitions().implies_in_any_case(system, code),
        };
        match self {
            Self::Exact { system, code } if is_implied(&system, &code) => Self::Implied { system, code },
            other => other,
        }
    }

    /// With the code as the parameter compares it; systems are compared as they are.
    #[must_use]
    pub fn comparable(self, letter_case: LetterCase) -> Self {
        let own = |code: String| letter_case.comparable(&code).into_owned();
        match self {
            Self::Code(code) => Self::Code(own(code)),
            Self::Exact { system, code } => Self::Exact { system, code: own(code) },
            Self::Implied { system, code } => Self::Implied { system, code: own(code) },
            Self::NoSystem(code) => Self::NoSystem(own(code)),
            Self::System(system) => Self::System(system),
        }
    }

    /// The code, when one is asked for.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Code(code) | Self::Exact { code, .. } | Self::Implied { code, .. } | Self::NoSystem(code) => {
                Some(code)
            }
            Self::System(_) => None,
        }
    }

    /// Reads `code`, `system|code`, `|code` or `system|`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<String> = split_escaped(text, '|').iter().map(|part| unescape(part)).collect();
        match parts.as_slice() {
            [code] if !code.is_empty() => Ok(Self::Code(code.clone())),
            [system, code] => match (system.is_empty(), code.is_empty()) {
                (false, false) => Ok(Self::Exact { system: system.clone(), code: code.clone() }),
                (true, false) => Ok(Self::NoSystem(code.clone())),
                (false, true) => Ok(Self::System(system.clone())),
                (true, true) => Err("a token needs a system or a code".to_owned()),
            },
            [_] => Err("the value is empty".to_owned()),
            _ => Err(format!("{text:?} has more than one `|`: write code, system|code, |code or system|")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_implied_in_the_letter_case_of_the_parameter() {
        let female = |code: &str| TokenTest::Exact {
            system: "http://hl7.org/fhir/administrative-gender".into(),
            code: code.into(),
        };
        let is_implied = |code, letter_case| matches!(female(code).or_implied(letter_case), TokenTest::Implied { .. });
        assert!(is_implied("female", LetterCase::Counts) && is_implied("FEMALE", LetterCase::Folded));
        assert!(!is_implied("FEMALE", LetterCase::Counts) && !is_implied("femme", LetterCase::Folded));
    }
}
