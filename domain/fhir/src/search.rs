//! A search, parsed once from the raw query string into typed clauses.
//!
//! R4: <https://hl7.org/fhir/R4/search.html>. One file per parameter type; repeated parameters mean AND, commas mean OR. An
//! unknown parameter is an error unless the caller asked for lenient handling, and then it is named in the answer (D7).

mod cursor;
mod date;
mod number;
mod parse;
mod query_string;
mod reference;
mod string;
mod token;
mod uri;

use seva_fhir_profiles::SearchParameter;

use crate::outcome::Issue;
use crate::types::{ResourceId, ResourceKey, ResourceType};

pub use cursor::{Cursor, CursorKey, InvalidCursor};
pub use date::{DateTest, Prefix};
pub use number::{NumberTest, QuantityTest};
pub use parse::{Handling, SearchOptions, parse_search};
pub use query_string::{QueryPairs, parse_query_string};
pub use reference::ReferenceTest;
pub use string::StringMatch;
pub use token::TokenTest;

/// The page size when none is asked for.
pub const DEFAULT_COUNT: u32 = 50;

/// The largest page; more is cut down to it, as R4 allows.
pub const LARGEST_COUNT: u32 = 1000;

/// A parsed search of one type.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// The type that is searched.
    pub resource_type: ResourceType,
    /// What must hold, all of it.
    pub clauses: Vec<Clause>,
    /// In which order.
    pub sort: Sort,
    /// How many matches a page has; zero asks for the total only.
    pub count: u32,
    /// What comes along with the matches.
    pub includes: Vec<Include>,
    /// Whether the matches are counted.
    pub total: Total,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
    /// Only what lies in this compartment: set by the access rules, never by the caller.
    pub compartment: Option<ResourceKey>,
    /// The parameters as used, for the self link: without the cursor.
    pub used: Vec<(String, String)>,
    /// What lenient handling left out.
    pub warnings: Vec<Issue>,
}

/// One condition.
#[derive(Clone, Debug)]
pub enum Clause {
    /// The id is one of these.
    Id(Vec<ResourceId>),
    /// Written at a time.
    LastUpdated(Vec<DateTest>),
    /// A search parameter fits.
    Parameter {
        /// Which one.
        parameter: &'static SearchParameter,
        /// What must fit.
        test: Test,
    },
}

/// What the values of a parameter are compared with: one of the alternatives must fit.
#[derive(Clone, Debug)]
pub enum Test {
    /// Codes, identifiers, booleans.
    Token(Vec<TokenTest>),
    /// None of these codes.
    NotToken(Vec<TokenTest>),
    /// Text.
    String(StringMatch, Vec<String>),
    /// Other resources.
    Reference(Vec<ReferenceTest>),
    /// Times.
    Date(Vec<DateTest>),
    /// Numbers.
    Number(Vec<NumberTest>),
    /// Numbers with a unit.
    Quantity(Vec<QuantityTest>),
    /// URIs, compared whole.
    Uri(Vec<String>),
    /// The element is there, or isn't.
    Presence(Presence),
}

/// The modifier `:missing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// `:missing=true`.
    Missing,
    /// `:missing=false`.
    Present,
}

/// The order of the matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The order of the index that drives the search.
    Natural,
    /// Oldest first.
    LastUpdated,
    /// Newest first.
    LastUpdatedDescending,
}

/// Whether the matches are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Not counted.
    None,
    /// Counted.
    Accurate,
}

/// One `_include` or `_revinclude`.
#[derive(Clone, Debug)]
pub struct Include {
    /// The reference parameter that is followed.
    pub parameter: &'static SearchParameter,
    /// Only targets of this type.
    pub target: Option<ResourceType>,
    /// Which way.
    pub direction: Direction,
}

/// Which way a reference is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the matches to what they refer to.
    Forward,
    /// From other resources to the matches.
    Reverse,
}
