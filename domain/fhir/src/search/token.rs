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
    /// The system of a plain `code` is implied (R4 search.html#token): one of the specification's own is left out.
    #[must_use]
    pub fn or_implied(self) -> Self {
        match self {
            Self::Exact { system, code } if definitions().implies(&system, &code) => Self::Implied { system, code },
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
