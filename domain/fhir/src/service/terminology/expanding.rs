//! `$expand` (R4 <https://hl7.org/fhir/R4/valueset-operation-expand.html>): a value set with everything that it names.

use super::{FhirError, FhirService, KnownSystem, Named, not_expanded, unknown};
use crate::access::Caller;
use crate::json::Json;
use crate::terminology::{
    ConceptQuery, Detail, Expansion, ExpansionError, Filter, Hierarchy, LARGEST, Operator, Page, Sources, StoredPart,
    StoredSystem, Wanted, expand, implicit, imports, parts, specified_value_set,
};

/// Value sets are followed to this depth.
const ROUNDS: usize = 10;

/// A pattern looks at properties only; what is above what was decided by the store.
struct NoHierarchy;

impl Hierarchy for NoHierarchy {
    fn is_a(&self, _broad: &str, _narrow: &str) -> bool {
        false
    }
}

impl FhirService {
    /// Expands a value set with everything that it names.
    pub async fn expand_value_set(
        &self,
        caller: &Caller,
        named: &Named<'_>,
        wanted: &Wanted,
    ) -> Result<(Json, Expansion), FhirError> {
        let value_set = match (self.value_set(caller, named).await?, named) {
            (Some(value_set), _) => value_set,
            (None, Named::Url(url)) => specified_value_set(url).ok_or_else(|| unknown(url))?,
            (None, _) => return Err(unknown("the value set")),
        };
        if let Some(page) = wanted.page
            && let Some(expansion) = self.page_of_stored(caller, &value_set, (wanted, page)).await?
        {
            return Ok((value_set, expansion));
        }
        let sources = self.sources(caller, &value_set, wanted).await?;
        let mut expansion = expand(&value_set, &sources, wanted).map_err(|error| not_expanded(&error))?;
        if let Some(page) = wanted.page {
            expansion.cut(page);
        }
        Ok((value_set, expansion))
    }

    async fn value_set(&self, caller: &Caller, named: &Named<'_>) -> Result<Option<Json>, FhirError> {
        let found = self.terminology(caller, "ValueSet", named).await?;
        Ok(found.or_else(|| match named {
            Named::Url(url) => implicit(url),
            Named::Key(_) | Named::Given(_) => None,
        }))
    }

    /// A value set that is a part of one stored system is read page by page.
    async fn page_of_stored(
        &self,
        caller: &Caller,
        value_set: &Json,
        (wanted, page): (&Wanted, Page),
    ) -> Result<Option<Expansion>, FhirError> {
        let mut all = parts(value_set);
        let (Some(part), None) = (all.next(), all.next()) else { return Ok(None) };
        let plain = part.get("valueSet").is_none() && part.get("concept").is_none();
        let inactive = value_set.get("compose").and_then(|compose| compose.get("inactive")).and_then(Json::as_bool);
        let filters = Filter::all(part).map_err(|error| not_expanded(&error))?;
        let patterns = filters.iter().any(|one| matches!(one.operator, Operator::Regex(_)));
        let canonical = wanted.canonical(part).map_err(|error| not_expanded(&error))?;
        let Some(canonical) = canonical.filter(|own| plain && !patterns && !wanted.leaves_out(own)) else {
            return Ok(None);
        };
        let Some(KnownSystem::Stored(system)) = self.system_of_part(caller, part, &canonical).await? else {
            return Ok(None);
        };
        let mut query = wanted.query(&filters);
        query.active_only |= inactive == Some(false);
        (query.offset, query.limit) = (page.offset as u64, page.count as u64);
        let found = self.concepts.select(&system, &query).await?;
        let incomplete = if system.is_complete { Vec::new() } else { vec![system.url.clone()] };
        let used = vec![format!("{}|{}", system.url, system.version)];
        Ok(Some(Expansion { concepts: found.concepts, total: found.total, incomplete, used }))
    }

    /// The version that applies; another one only where the value set itself named one that isn't here.
    async fn system_of_part(
        &self,
        caller: &Caller,
        part: &Json,
        canonical: &str,
    ) -> Result<Option<KnownSystem>, FhirError> {
        let found = self.code_system(caller, &Named::Url(canonical), None).await?;
        let url = part.get_str("system").unwrap_or_default();
        let own = part.get_str("version").is_some_and(|version| canonical.ends_with(&format!("|{version}")));
        if found.is_none() && own {
            return self.code_system(caller, &Named::Url(url), None).await;
        }
        Ok(found)
    }

    async fn sources(&self, caller: &Caller, value_set: &Json, wanted: &Wanted) -> Result<Sources, FhirError> {
        let mut sources = Sources::default();
        let (mut sets, mut asked) = (vec![value_set.clone()], Vec::new());
        for _ in 0..ROUNDS {
            let mut next = Vec::new();
            for set in std::mem::take(&mut sets) {
                for part in parts(&set) {
                    self.source(caller, (part, wanted), &mut asked, &mut sources).await?;
                }
                for url in imports(&set) {
                    if asked.contains(&url) {
                        continue;
                    }
                    if let Some(found) = self.value_set(caller, &Named::Url(&url)).await? {
                        next.push(found.clone());
                        sources.value_sets.push(found);
                    }
                    asked.push(url);
                }
            }
            if next.is_empty() {
                break;
            }
            sets = next;
        }
        Ok(sources)
    }

    /// Finds the code system of an include or exclude; of one in tables, what the part takes from it.
    async fn source(
        &self,
        caller: &Caller,
        (part, wanted): (&Json, &Wanted),
        asked: &mut Vec<String>,
        sources: &mut Sources,
    ) -> Result<(), FhirError> {
        let canonical = wanted.canonical(part).map_err(|error| not_expanded(&error))?;
        let Some(canonical) = canonical.filter(|own| !wanted.leaves_out(own)) else { return Ok(()) };
        if asked.contains(&canonical) {
            return Ok(());
        }
        match self.system_of_part(caller, part, &canonical).await? {
            Some(KnownSystem::Stored(system)) => {
                let concepts = self.stored_part(&system, part, wanted).await?;
                sources.stored.push(StoredPart { part: part.clone(), system, concepts });
            }
            Some(KnownSystem::Resource(resource)) => {
                sources.code_systems.push(resource);
                asked.push(canonical);
            }
            None => asked.push(canonical),
        }
        Ok(())
    }

    async fn stored_part(
        &self,
        system: &StoredSystem,
        part: &Json,
        wanted: &Wanted,
    ) -> Result<Vec<crate::terminology::Concept>, FhirError> {
        let filters = Filter::all(part).map_err(|error| not_expanded(&error))?;
        let named = part.get("concept").map_or(&[][..], Json::items);
        let query = if named.is_empty() {
            wanted.query(&filters)
        } else {
            // Names of the value set's own count too, so the words are looked for when they are known.
            let codes = named.iter().filter_map(|one| one.get_str("code")).map(str::to_owned);
            let codes = codes.filter(|code| wanted.codes.as_ref().is_none_or(|asked| asked.contains(code)));
            ConceptQuery { detail: Detail::Full, ..Wanted::about(codes).query(&[]) }
        };
        let patterns: Vec<&Filter> =
            filters.iter().filter(|one| matches!(one.operator, Operator::Regex(_)) && named.is_empty()).collect();
        let query = ConceptQuery { detail: if patterns.is_empty() { query.detail } else { Detail::Full }, ..query };
        let mut concepts = self.concepts.select(system, &query).await?.concepts;
        if concepts.len() > LARGEST {
            return Err(not_expanded(&ExpansionError::TooLarge));
        }
        concepts.retain(|concept| patterns.iter().all(|filter| filter.holds(concept, &NoHierarchy)));
        Ok(concepts)
    }
}
