//! A search, parsed once from the raw query string into typed clauses.
//!
//! R4: <https://hl7.org/fhir/R4/search.html>. One file per parameter type; repeated parameters mean AND, commas mean OR. An
//! unknown parameter is an error unless the caller asked for lenient handling, and then it is named in the answer (D7).

mod codes;
mod compartment;
mod contained;
mod cursor;
mod date;
mod fits;
mod lists;
mod number;
mod parse;
mod parts;
mod presentation;
mod query_string;
mod recheck;
mod reference;
mod string;
mod token;
mod uri;

use seva_fhir_profiles::SearchParameter;

use crate::outcome::Issue;
use crate::types::{ResourceId, ResourceKey, ResourceType};

pub use codes::{CodeSource, CodesTest, Membership};
pub use compartment::compartment_types;
pub(crate) use contained::leads_elsewhere;
pub use contained::{ContainedSearch, Returned, Searched};
pub use cursor::{Cursor, CursorKey, InvalidCursor, SortValue};
pub use date::{DateTest, Prefix};
pub use lists::{FunctionalList, ListName, UnknownList};
pub use number::{CanonicalUnit, NumberTest, QuantityTest};
pub use parse::{Handling, SearchOptions, empty_query, parse_search, parse_system_search};
pub use parts::{PartsOf, PartsTest, part_of};
pub use presentation::{Presentation, Summary};
pub use query_string::{QueryPairs, parse_query_string, write_query_string};
pub use recheck::{PartTest, Recheck};
pub use reference::ReferenceTest;
pub use string::StringMatch;
pub use token::TokenTest;

/// The page size when none is asked for.
pub const DEFAULT_COUNT: u32 = 50;

/// The largest page; more is cut down to it, as R4 allows.
pub const LARGEST_COUNT: u32 = 1000;

/// A parsed search.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// The types that are searched: one, or several in a search of the whole system.
    pub resource_types: Vec<ResourceType>,
    /// What must hold, all of it.
    pub clauses: Vec<Clause>,
    /// In which order: the first key first; none leaves it to the store.
    pub sort: Vec<SortKey>,
    /// How many matches a page has; zero asks for the total only.
    pub count: u32,
    /// What comes along with the matches.
    pub includes: Vec<Include>,
    /// Whether the matches are counted.
    pub total: Total,
    /// How much of each resource is answered.
    pub presentation: Presentation,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
    /// Only what lies in this compartment: set by the access rules, never by the caller.
    pub compartment: Option<ResourceKey>,
    /// The parameters as used, for the self link: without the cursor.
    pub used: Vec<(String, String)>,
    /// What becomes of conditions on codes that can't be found.
    pub handling: Handling,
    /// What lenient handling left out.
    pub warnings: Vec<Issue>,
    /// Whether contained resources are searched.
    pub contained: ContainedSearch,
}

impl SearchQuery {
    /// Every type that an answer depends on: those searched, and those that chains and `_has` look into.
    #[must_use]
    pub fn types_touched(&self) -> Vec<ResourceType> {
        let mut types = self.resource_types.clone();
        for clause in &self.clauses {
            clause.add_types(&mut types);
        }
        types.sort_unstable();
        types.dedup();
        types
    }

    /// Whether an index is asked, and not the rows of resources alone.
    #[must_use]
    pub fn needs_index(&self) -> bool {
        self.clauses.iter().any(Clause::needs_index)
            || self.sort.iter().any(|key| matches!(key.by, SortBy::Parameter(_)))
            || self.compartment.is_some()
            || !self.includes.is_empty()
            || self.contained.searched != Searched::Outside
    }

    /// The parameters as used, written for a URL: without the cursor.
    #[must_use]
    pub fn query_string(&self) -> String {
        let pairs = self.used.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        write_query_string(pairs)
    }

    /// The one patient whom the parameter `patient` names, when it names one.
    #[must_use]
    pub fn patient(&self) -> Option<&ResourceKey> {
        self.clauses.iter().find_map(|clause| match clause {
            Clause::Parameter { parameter, test: Test::Reference(tests) } if parameter.code == "patient" => {
                match tests.as_slice() {
                    [ReferenceTest::Local(keys)] => keys.first().filter(|_| keys.len() == 1),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// The conditions that only the resource itself can decide.
    pub fn rechecks(&self) -> impl Iterator<Item = &Recheck> {
        self.clauses.iter().filter_map(|clause| match clause {
            Clause::Recheck(recheck) => Some(recheck),
            _ => None,
        })
    }
}

/// One condition.
#[derive(Clone, Debug)]
pub enum Clause {
    /// The type is one of these.
    Types(Vec<ResourceType>),
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
    /// What a reference leads to fits: one of the alternatives, which differ in the type that is looked into.
    Chain(Vec<Link>),
    /// Another resource that refers to this one fits.
    Has(Box<Link>),
    /// One of these holds.
    Any(Vec<Clause>),
    /// All of these hold.
    All(Vec<Clause>),
    /// This does not hold.
    Not(Box<Clause>),
    /// It is an entry of the List with this id (`_list`).
    List(ResourceId),
    /// The resource itself decides, after the index found it.
    Recheck(Recheck),
}

/// A condition on the other end of a reference.
#[derive(Clone, Debug)]
pub struct Link {
    /// The reference parameter.
    pub reference: &'static SearchParameter,
    /// The type at the other end.
    pub other: ResourceType,
    /// What must hold there.
    pub clause: Clause,
}

impl Clause {
    /// Whether an index answers it, at least in part.
    fn needs_index(&self) -> bool {
        match self {
            Self::Parameter { .. } | Self::Chain(_) | Self::Has(_) | Self::List(_) => true,
            Self::Any(clauses) | Self::All(clauses) => clauses.iter().any(Self::needs_index),
            Self::Not(clause) => clause.needs_index(),
            Self::Types(_) | Self::Id(_) | Self::LastUpdated(_) | Self::Recheck(_) => false,
        }
    }

    /// How many conditions are combined in it: alternatives are looked at one by one.
    fn conditions(&self) -> usize {
        match self {
            Self::All(clauses) => clauses.iter().map(Self::conditions).sum(),
            Self::Any(clauses) => clauses.iter().map(Self::conditions).max().unwrap_or_default(),
            Self::Not(clause) => clause.conditions(),
            Self::Chain(links) => links.iter().map(|link| link.clause.conditions()).max().unwrap_or_default(),
            Self::Has(link) => link.clause.conditions(),
            _ => 1,
        }
    }

    fn add_types(&self, types: &mut Vec<ResourceType>) {
        match self {
            Self::Chain(links) => links.iter().for_each(|link| link.add_types(types)),
            Self::Has(link) => link.add_types(types),
            Self::Any(clauses) | Self::All(clauses) => clauses.iter().for_each(|clause| clause.add_types(types)),
            Self::Not(clause) => clause.add_types(types),
            Self::List(_) => types.extend("List".parse::<ResourceType>()),
            Self::Types(_) | Self::Id(_) | Self::LastUpdated(_) | Self::Parameter { .. } | Self::Recheck(_) => {}
        }
    }
}

impl Link {
    fn add_types(&self, types: &mut Vec<ResourceType>) {
        types.push(self.other);
        self.clause.add_types(types);
    }
}

/// What the values of a parameter are compared with: one of the alternatives must fit.
#[derive(Clone, Debug)]
pub enum Test {
    /// Codes, identifiers, booleans.
    Token(Vec<TokenTest>),
    /// None of these codes.
    NotToken(Vec<TokenTest>),
    /// Codes that the service finds before a store is asked: they become one of the two above.
    Codes(CodesTest),
    /// Parts of resources that the service finds before a store is asked: it becomes a test of references.
    Parts(PartsTest),
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
    /// Values that stand together in one place.
    Composite(Vec<CompositeTest>),
    /// The element is there, or isn't.
    Presence(Presence),
}

/// Two values that must stand together.
#[derive(Clone, Debug, PartialEq)]
pub struct CompositeTest {
    /// The first value.
    pub first: CompositeKey,
    /// The second one.
    pub second: CompositeValue,
}

/// The first part of a composite: a hashed value.
#[derive(Clone, Debug, PartialEq)]
pub enum CompositeKey {
    /// A code.
    Token(TokenTest),
    /// Another resource.
    Reference(ReferenceTest),
}

/// The second part of a composite.
#[derive(Clone, Debug, PartialEq)]
pub enum CompositeValue {
    /// A code.
    Token(TokenTest),
    /// A number with a unit.
    Quantity(QuantityTest),
    /// A time.
    Date(DateTest),
    /// Text that starts so.
    String(String),
}

/// The modifier `:missing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// `:missing=true`.
    Missing,
    /// `:missing=false`.
    Present,
}

/// One key of the order of the matches.
#[derive(Clone, Copy, Debug)]
pub struct SortKey {
    /// What is compared.
    pub by: SortBy,
    /// Which way.
    pub descending: bool,
}

/// What matches are ordered by.
#[derive(Clone, Copy, Debug)]
pub enum SortBy {
    /// When the version was written.
    LastUpdated,
    /// The id.
    Id,
    /// The lowest value of a parameter, or the highest one when descending; what has none comes last.
    Parameter(&'static SearchParameter),
}

/// Whether the matches are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Not counted.
    None,
    /// The planner's guess suffices.
    Estimate,
    /// Counted.
    Accurate,
}

/// One `_include` or `_revinclude`.
#[derive(Clone, Debug)]
pub struct Include {
    /// The reference parameters that are followed; several for the wildcard.
    pub parameters: Vec<&'static SearchParameter>,
    /// Only targets of these types; none means of any.
    pub targets: Vec<ResourceType>,
    /// Which way.
    pub direction: Direction,
    /// Whether what comes along is followed too (`:iterate`).
    pub depth: Depth,
}

/// How far an include goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// From the matches only.
    Once,
    /// From what was included too, until nothing new comes.
    Iterate,
}

/// Which way a reference is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the matches to what they refer to.
    Forward,
    /// From other resources to the matches.
    Reverse,
}
