//! Codes that a request names by a value set or by their place in a hierarchy: `:in`, `:not-in`, `:below`, `:above`
//! (R4 <https://hl7.org/fhir/R4/search.html#token>). The parser can't know them; the service finds them, and then the
//! condition is one on tokens like any other.

use super::query_string::unescape;
use super::{Clause, SearchQuery, Test, TokenTest};
use crate::index::LetterCase;

/// Codes that aren't known yet.
#[derive(Clone, Debug)]
pub struct CodesTest {
    /// The parameter as it was written, for messages.
    pub name: String,
    /// Where the codes come from: one of them must have the resource's code, or none may.
    pub sources: Vec<CodeSource>,
    /// Whether the code must be among them.
    pub membership: Membership,
    /// How the parameter compares them.
    pub letter_case: LetterCase,
}

/// Whether a code must be among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It must be.
    Among,
    /// It must not be.
    NotAmong,
}

/// Where codes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeSource {
    /// A value set by its URL or by a reference to it.
    ValueSet(String),
    /// A code and everything below it.
    Below(String, String),
    /// A code and everything above it.
    Above(String, String),
}

impl CodeSource {
    /// Reads the value of `:in` and `:not-in`.
    pub(super) fn value_set(text: &str) -> Result<Self, String> {
        let url = unescape(text);
        if url.is_empty() {
            return Err("the value is empty: write the URL of a value set, or ValueSet/id".to_owned());
        }
        Ok(Self::ValueSet(url))
    }

    /// Reads the value of `:below` and `:above`.
    pub(super) fn relative(text: &str, of: fn(String, String) -> Self) -> Result<Self, String> {
        match TokenTest::parse(text)? {
            TokenTest::Exact { system, code } | TokenTest::Implied { system, code } => Ok(of(system, code)),
            TokenTest::Code(_) | TokenTest::NoSystem(_) | TokenTest::System(_) => {
                Err(format!("{text:?} needs a system: a hierarchy is one of a code system, write system|code"))
            }
        }
    }
}

impl SearchQuery {
    /// Whether codes or parts have to be found before a store can answer.
    #[must_use]
    pub fn has_unknown_codes(&self) -> bool {
        self.clauses.iter().any(Clause::has_unknown_codes)
    }
}

impl Clause {
    /// Whether codes have to be found before a store can answer.
    #[must_use]
    pub fn has_unknown_codes(&self) -> bool {
        match self {
            Self::Parameter { test, .. } => matches!(test, Test::Codes(_) | Test::Parts(_)),
            Self::Chain(links) => links.iter().any(|link| link.clause.has_unknown_codes()),
            Self::Has(link) => link.clause.has_unknown_codes(),
            Self::Any(clauses) | Self::All(clauses) => clauses.iter().any(Self::has_unknown_codes),
            Self::Not(clause) => clause.has_unknown_codes(),
            Self::Types(_) | Self::Id(_) | Self::LastUpdated(_) | Self::List(_) | Self::Recheck(_) => false,
        }
    }

    /// The conditions on codes that have to be found.
    pub(crate) fn unknown_codes(&mut self) -> Vec<&mut Test> {
        match self {
            Self::Parameter { test, .. } if matches!(test, Test::Codes(_) | Test::Parts(_)) => vec![test],
            Self::Chain(links) => links.iter_mut().flat_map(|link| link.clause.unknown_codes()).collect(),
            Self::Has(link) => link.clause.unknown_codes(),
            Self::Any(clauses) | Self::All(clauses) => clauses.iter_mut().flat_map(Self::unknown_codes).collect(),
            Self::Not(clause) => clause.unknown_codes(),
            _ => Vec::new(),
        }
    }
}
