//! What is wanted of an expansion (R4 <https://hl7.org/fhir/R4/valueset-operation-expand.html>).

use super::{Concept, ConceptQuery, Detail, ExpansionError, Filter, LARGEST, Operator, text};
use crate::json::Json;

/// What an expansion is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// All of these folded words stand in the code or one of the names.
    pub words: Vec<String>,
    /// Only these codes: whoever asks whether a code is in doesn't need the others.
    pub codes: Option<Vec<String>>,
    /// Only what is in use.
    pub active_only: bool,
    /// Only what may be chosen.
    pub selectable_only: bool,
    /// How much is read of each.
    pub detail: Detail,
    /// Which part of the whole.
    pub page: Option<Page>,
    /// Canonicals of the versions to use where the value set names none.
    pub system_versions: Vec<String>,
    /// The same; a value set that names another version is refused.
    pub checked_versions: Vec<String>,
    /// Canonicals of the versions to use whatever the value set names.
    pub forced_versions: Vec<String>,
    /// Canonicals of code systems that are left out.
    pub excluded_systems: Vec<String>,
}

/// A part of an expansion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// So many codes are left out at the beginning.
    pub offset: usize,
    /// So many come at most.
    pub count: usize,
}

impl Wanted {
    /// Whether a code is in: only the codes that are asked about matter.
    #[must_use]
    pub fn about(codes: impl IntoIterator<Item = String>) -> Self {
        Self { codes: Some(codes.into_iter().collect()), ..Self::default() }
    }

    /// Whether a concept is wanted.
    pub(super) fn admits(&self, concept: &Concept) -> bool {
        let left_out = self.active_only && concept.inactive || self.selectable_only && concept.not_selectable;
        !left_out
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&concept.code))
            && concept.matches(&self.words)
    }

    /// The query for a part of a system that lies in tables; a pattern stays with the caller.
    #[must_use]
    pub fn query(&self, filters: &[Filter]) -> ConceptQuery {
        ConceptQuery {
            filters: filters.iter().filter(|one| !matches!(one.operator, Operator::Regex(_))).cloned().collect(),
            codes: self.codes.clone(),
            words: self.words.clone(),
            active_only: self.active_only,
            selectable_only: self.selectable_only,
            offset: 0,
            limit: LARGEST as u64 + 1,
            detail: self.detail,
        }
    }

    /// The system of an include or exclude with the version that applies.
    ///
    /// # Errors
    /// A version that contradicts the one that is to be checked.
    pub fn canonical(&self, part: &Json) -> Result<Option<String>, ExpansionError> {
        let Some(system) = part.get_str("system") else { return Ok(None) };
        let own = part.get_str("version");
        let named =
            |list: &[String]| list.iter().find_map(|canonical| version_of(canonical, system).map(str::to_owned));
        let checked = named(&self.checked_versions);
        if let (Some(wanted), Some(own)) = (&checked, own)
            && wanted != own
        {
            return Err(ExpansionError::Version { system: system.to_owned(), named: own.to_owned() });
        }
        let version = named(&self.forced_versions)
            .or_else(|| own.map(str::to_owned))
            .or(checked)
            .or_else(|| named(&self.system_versions));
        Ok(Some(version.map_or_else(|| system.to_owned(), |version| format!("{system}|{version}"))))
    }

    /// Whether a system is left out.
    #[must_use]
    pub fn leaves_out(&self, canonical: &str) -> bool {
        let plain = canonical.split('|').next().unwrap_or(canonical);
        self.excluded_systems.iter().any(|own| own == canonical || own == plain)
    }
}

/// The version that a canonical names, when it is one of the system.
fn version_of<'c>(canonical: &'c str, system: &str) -> Option<&'c str> {
    let (url, version) = canonical.split_once('|')?;
    (url == system).then_some(version)
}

/// The value sets that code systems themselves define: all of SNOMED CT, a part of its hierarchy, all of LOINC
/// (R4 <https://hl7.org/fhir/R4/snomedct.html>, <https://hl7.org/fhir/R4/loinc.html>).
#[must_use]
pub fn implicit(url: &str) -> Option<Json> {
    const SNOMED: &str = "http://snomed.info/sct";
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (system, code) = match query.strip_prefix("fhir_vs") {
        Some("") => (base, None),
        Some(rest) => (base, Some(rest.strip_prefix("=isa/")?)),
        None if base == "http://loinc.org/vs" && query.is_empty() => ("http://loinc.org", None),
        None => return None,
    };
    if query.starts_with("fhir_vs") && !base.starts_with(SNOMED) {
        return None;
    }
    let mut include = vec![("system", Json::from(if base.starts_with(SNOMED) { SNOMED } else { system }))];
    if base.starts_with(SNOMED) && base != SNOMED {
        include.push(("version", base.into()));
    }
    if let Some(code) = code {
        let filter =
            crate::json::object([("property", "concept".into()), ("op", "is-a".into()), ("value", code.into())]);
        include.push(("filter", crate::json::array([filter])));
    }
    let include: Json = include.into_iter().collect::<crate::json::JsonObject>().into();
    Some(crate::json::object([
        ("resourceType", "ValueSet".into()),
        ("url", url.into()),
        ("status", "active".into()),
        ("compose", crate::json::object([("include", crate::json::array([include]))])),
    ]))
}

/// Whether a resource has the canonical URL.
pub(super) fn is_named(resource: &Json, canonical: &str) -> bool {
    let (url, version) = canonical.split_once('|').map_or((canonical, None), |(url, version)| (url, Some(version)));
    text(resource, "url") == url && version.is_none_or(|wanted| text(resource, "version") == wanted)
}
