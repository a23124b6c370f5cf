//! The codes of a value set (R4 <https://hl7.org/fhir/R4/valueset.html#expansion>).

use std::collections::HashSet;

use super::specified::of_specification;
use super::wanted::is_named;
use super::{CodeSystem, Concept, Filter, Page, StoredSystem, Wanted, list, listed, text};
use crate::json::Json;

/// Larger expansions are refused: whoever wants them filters, or asks whether a code is in.
pub const LARGEST: usize = 50_000;
/// Value sets that import each other end somewhere.
const DEEPEST: usize = 10;

/// What an expansion is made of: what was found by the URLs.
#[derive(Default)]
pub struct Sources {
    /// CodeSystem resources.
    pub code_systems: Vec<Json>,
    /// ValueSet resources.
    pub value_sets: Vec<Json>,
    /// What parts of value sets take from systems that lie in tables.
    pub stored: Vec<StoredPart>,
}

/// The concepts of an include or exclude, of a system that lies in tables.
pub struct StoredPart {
    /// The include or exclude.
    pub part: Json,
    /// The system.
    pub system: StoredSystem,
    /// Those that its filters and its list leave.
    pub concepts: Vec<Concept>,
}

/// The codes of a value set.
#[derive(Debug, Default)]
pub struct Expansion {
    /// In the order of the definition, once each; or a page of them.
    pub concepts: Vec<Concept>,
    /// How many there are on all pages.
    pub total: u64,
    /// Code systems of which not every code is known here.
    pub incomplete: Vec<String>,
    /// The versions of the code systems that were used.
    pub used: Vec<String>,
}

/// Why a value set is not expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpansionError {
    /// A code system that is named is not on this server.
    #[error("the code system {0} is not on this server")]
    UnknownSystem(String),
    /// A value set that is named is not on this server.
    #[error("the value set {0} is not on this server")]
    UnknownValueSet(String),
    /// A filter can't be evaluated.
    #[error("the filter {0} is not offered")]
    Filter(String),
    /// The value set names another version than the one that is to be checked.
    #[error("the value set uses version {named} of {system}, check-system-version asks for another one")]
    Version {
        /// The code system.
        system: String,
        /// The version that the value set names.
        named: String,
    },
    /// Too many codes.
    #[error("the value set has more than {LARGEST} codes: filter it, or ask for a page of a simpler one")]
    TooLarge,
    /// Value sets import each other without end.
    #[error("value sets import each other more than {DEEPEST} times")]
    TooDeep,
}

impl Sources {
    fn code_system(&self, canonical: &str) -> Option<CodeSystem<'_>> {
        self.code_systems.iter().find(|one| is_named(one, canonical)).map(CodeSystem::of)
    }

    fn value_set(&self, canonical: &str) -> Option<&Json> {
        self.value_sets.iter().find(|one| is_named(one, canonical))
    }

    fn stored(&self, part: &Json) -> Option<&StoredPart> {
        self.stored.iter().find(|one| one.part == *part)
    }
}

/// The includes and excludes of a value set.
pub fn parts(value_set: &Json) -> impl Iterator<Item = &Json> {
    let compose = value_set.get("compose");
    ["include", "exclude"].into_iter().flat_map(move |name| compose.map_or(&[][..], |compose| list(compose, name)))
}

/// The URLs of the value sets that a value set is built from.
#[must_use]
pub fn imports(value_set: &Json) -> Vec<String> {
    parts(value_set).flat_map(|part| list(part, "valueSet")).filter_map(Json::as_str).map(str::to_owned).collect()
}

/// Expands a value set, without regard to pages.
pub fn expand(value_set: &Json, sources: &Sources, wanted: &Wanted) -> Result<Expansion, ExpansionError> {
    let mut work = Work { sources, wanted, expansion: Expansion::default() };
    work.expansion.concepts = work.collect(value_set, 0)?;
    work.expansion.total = work.expansion.concepts.len() as u64;
    for list in [&mut work.expansion.incomplete, &mut work.expansion.used] {
        list.sort();
        list.dedup();
    }
    Ok(work.expansion)
}

struct Work<'w> {
    sources: &'w Sources,
    wanted: &'w Wanted,
    expansion: Expansion,
}

impl Work<'_> {
    fn collect(&mut self, value_set: &Json, depth: usize) -> Result<Vec<Concept>, ExpansionError> {
        if depth > DEEPEST {
            return Err(ExpansionError::TooDeep);
        }
        let mut concepts = Vec::new();
        let Some(compose) = value_set.get("compose") else {
            // An expansion that came with the resource is all that is known of it.
            let given = value_set.get("expansion").map_or(&[][..], |given| list(given, "contains"));
            contained(given, &mut concepts);
            concepts.retain(|one| self.wanted.admits(one));
            return Ok(concepts);
        };
        let active_only = compose.get("inactive").and_then(Json::as_bool) == Some(false);
        let mut seen = HashSet::new();
        for part in list(compose, "exclude") {
            seen.extend(self.part_of(part, depth)?.into_iter().map(|one| (one.system, one.code)));
        }
        for part in list(compose, "include") {
            for concept in self.part_of(part, depth)? {
                let fits = !(active_only && concept.inactive);
                if fits && seen.insert((concept.system.clone(), concept.code.clone())) {
                    concepts.push(concept);
                }
                if concepts.len() > LARGEST {
                    return Err(ExpansionError::TooLarge);
                }
            }
        }
        Ok(concepts)
    }

    /// One include or exclude: its system narrowed by its value sets, which must all hold.
    fn part_of(&mut self, part: &Json, depth: usize) -> Result<Vec<Concept>, ExpansionError> {
        let mut concepts = match self.wanted.canonical(part)? {
            Some(canonical) => Some(self.of_system(part, &canonical)?),
            None => None,
        };
        for url in list(part, "valueSet").iter().filter_map(Json::as_str) {
            let imported = match (self.sources.value_set(url), listed(url)) {
                (Some(value_set), _) => self.collect(value_set, depth + 1)?,
                (None, Some(known)) => known.into_iter().filter(|one| self.wanted.admits(one)).collect(),
                (None, None) => return Err(ExpansionError::UnknownValueSet(url.to_owned())),
            };
            concepts = Some(match concepts {
                Some(mut own) => {
                    let also: HashSet<(String, String)> =
                        imported.into_iter().map(|one| (one.system, one.code)).collect();
                    own.retain(|one| also.contains(&(one.system.clone(), one.code.clone())));
                    own
                }
                None => imported,
            });
        }
        Ok(concepts.unwrap_or_default())
    }

    fn of_system(&mut self, part: &Json, canonical: &str) -> Result<Vec<Concept>, ExpansionError> {
        if self.wanted.leaves_out(canonical) {
            return Ok(Vec::new());
        }
        let url = text(part, "system");
        let found = Found::of(self.sources, part, (url, canonical));
        if let Some(used) = found.canonical() {
            // The version that is left out may be the one that counts where the value set names none.
            if self.wanted.leaves_out(&used) {
                return Ok(Vec::new());
            }
            self.expansion.used.push(used);
        }
        if !found.is_complete() {
            self.expansion.incomplete.push(url.to_owned());
        }
        let named = list(part, "concept");
        let mut kept = Vec::new();
        if !named.is_empty() {
            let all = named.iter().map(|one| {
                let code = text(one, "code");
                found.concept(code).unwrap_or_else(|| of_specification(url, code)).renamed(one)
            });
            kept.extend(all.filter(|one| self.wanted.admits(one)));
            return Ok(kept);
        }
        let filters = Filter::all(part)?;
        match &found {
            Found::Stored(stored) => {
                // The store left what isn't wanted out: by its names it knows more than it tells.
                kept.extend(stored.concepts.iter().cloned());
            }
            Found::Resource(system) => {
                let fits = |one: &Concept| filters.iter().all(|filter| filter.holds(one, system));
                let all = system.concepts().map(|json| system.concept(json));
                kept.extend(all.filter(|one| self.wanted.admits(one) && fits(one)).take(LARGEST + 1));
            }
            Found::Nowhere => {
                // A required binding may name a part of its system only.
                let of_pack = filters.is_empty().then(|| of_pack(url)).flatten();
                let known = of_pack.ok_or_else(|| ExpansionError::UnknownSystem(canonical.to_owned()))?;
                self.expansion.incomplete.push(url.to_owned());
                kept.extend(known.into_iter().filter(|one| self.wanted.admits(one)));
            }
        }
        if kept.len() > LARGEST { Err(ExpansionError::TooLarge) } else { Ok(kept) }
    }
}

/// Where the concepts of a system are.
enum Found<'s> {
    Stored(&'s StoredPart),
    Resource(CodeSystem<'s>),
    Nowhere,
}

impl<'s> Found<'s> {
    /// Another version than the one that is named is better than none: the expansion says which one was used.
    fn of(sources: &'s Sources, part: &Json, (url, canonical): (&str, &str)) -> Self {
        if let Some(stored) = sources.stored(part) {
            return Self::Stored(stored);
        }
        let own = part.get_str("version").is_some_and(|version| canonical.ends_with(&format!("|{version}")));
        let system = sources.code_system(canonical).or_else(|| sources.code_system(url).filter(|_| own));
        system.map_or(Self::Nowhere, Self::Resource)
    }

    fn canonical(&self) -> Option<String> {
        match self {
            Self::Stored(stored) => Some(format!("{}|{}", stored.system.url, stored.system.version)),
            Self::Resource(system) => system.version.map(|version| format!("{}|{version}", system.url)),
            Self::Nowhere => None,
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Stored(stored) => stored.system.is_complete,
            Self::Resource(system) => system.is_complete,
            Self::Nowhere => true,
        }
    }

    fn concept(&self, code: &str) -> Option<Concept> {
        match self {
            Self::Stored(stored) => stored.concepts.iter().find(|one| one.code == code).cloned(),
            Self::Resource(system) => Some(system.concept(system.find(code)?)),
            Self::Nowhere => None,
        }
    }
}

/// The codes of a system that the code lists of the specification name.
fn of_pack(system: &str) -> Option<Vec<Concept>> {
    let found = seva_fhir_profiles::definitions().codes_of(system)?;
    Some(found.iter().map(|code| of_specification(system, code)).collect())
}

fn contained(contains: &[Json], concepts: &mut Vec<Concept>) {
    for one in contains {
        if one.get_str("code").is_some() {
            let flag = |name: &str| one.get(name).and_then(Json::as_bool).unwrap_or_default();
            let (not_selectable, inactive) = (flag("abstract"), flag("inactive"));
            let concept = Concept::of(text(one, "system"), one);
            concepts.push(Concept { not_selectable, inactive, ..concept });
        }
        contained(list(one, "contains"), concepts);
    }
}

impl Expansion {
    /// Finds a code, in any system when none is given.
    #[must_use]
    pub fn find(&self, system: Option<&str>, code: &str) -> Option<&Concept> {
        self.concepts.iter().find(|one| one.code == code && system.is_none_or(|wanted| one.system == wanted))
    }

    /// Keeps a page.
    pub fn cut(&mut self, page: Page) {
        self.concepts.drain(..page.offset.min(self.concepts.len()));
        self.concepts.truncate(page.count);
    }
}
