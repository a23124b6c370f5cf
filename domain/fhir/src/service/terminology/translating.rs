//! `$translate` (R4 <https://hl7.org/fhir/R4/conceptmap-operation-translate.html>): by the map that is named, or by those
//! that fit.

use super::super::update::stored_json;
use super::{FhirError, FhirService, Named, unknown};
use crate::access::Caller;
use crate::json::Json;
use crate::terminology::{Direction, ToTranslate, Translation, Wanted, translate};

/// So many maps are looked through when none is named.
const MOST_MAPS: u32 = 50;
/// Maps that name others for what they don't have are followed so far.
const MOST_OTHERS: usize = 8;

/// What is translated.
#[derive(Debug)]
pub struct TranslationAsked<'a> {
    /// The map; without one those are used that fit the system and the value sets.
    pub map: Option<Named<'a>>,
    /// The codes.
    pub codes: Vec<ToTranslate>,
    /// The value set that the code was chosen from.
    pub source: Option<&'a str>,
    /// The value set that the translation is to be in.
    pub target: Option<&'a str>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Mapping {
    /// Whether a code was found that has something to do with the one that was asked for.
    pub result: bool,
    /// What is to be known.
    pub message: Option<String>,
    /// The codes.
    pub translations: Vec<Translation>,
}

impl FhirService {
    /// Translates codes.
    pub async fn translate(&self, caller: &Caller, asked: &TranslationAsked<'_>) -> Result<Mapping, FhirError> {
        let maps = match &asked.map {
            Some(named) => {
                let found = self.terminology(caller, "ConceptMap", named).await?;
                vec![found.ok_or_else(|| match named {
                    Named::Url(url) => unknown(&format!("the concept map {url}")),
                    Named::Key(_) | Named::Given(_) => unknown("the concept map"),
                })?]
            }
            None => self.fitting_maps(caller, asked).await?,
        };
        let mut mapping = Mapping::default();
        for map in &maps {
            if [("source", asked.source), ("target", asked.target)]
                .iter()
                .any(|(end, wanted)| contradicts(map, end, *wanted))
            {
                continue;
            }
            for code in &asked.codes {
                mapping.translations.extend(self.by_map(caller, map, code).await?);
            }
        }
        if let Some(target) = asked.target {
            self.keep_within(caller, target, &maps, &mut mapping.translations).await?;
        }
        mapping.result =
            mapping.translations.iter().any(|one| !matches!(one.equivalence.as_str(), "unmatched" | "disjoint"));
        if maps.is_empty() {
            mapping.message =
                Some("no concept map on this server fits the code's system and the value sets".to_owned());
        } else if !mapping.result {
            let codes: Vec<&str> = asked.codes.iter().map(|one| one.code.as_str()).collect();
            mapping.message = Some(format!("no translation of {} was found", codes.join(", ")));
        }
        Ok(mapping)
    }

    /// One map, and those that it names for codes that it doesn't have.
    async fn by_map(&self, caller: &Caller, map: &Json, code: &ToTranslate) -> Result<Vec<Translation>, FhirError> {
        let first = translate(map, code);
        let (mut found, mut waiting, mut asked) = (first.translations, first.other_maps, Vec::new());
        while let Some(url) = waiting.pop() {
            if asked.contains(&url) || asked.len() >= MOST_OTHERS {
                continue;
            }
            let other = self.by_url(caller, "ConceptMap", &url).await?;
            let other = other.ok_or_else(|| unknown(&format!("the concept map {url}")))?;
            let more = translate(&other, code);
            found.extend(more.translations);
            waiting.extend(more.other_maps);
            asked.push(url);
        }
        Ok(found)
    }

    async fn fitting_maps(&self, caller: &Caller, asked: &TranslationAsked<'_>) -> Result<Vec<Json>, FhirError> {
        let reverse = asked.codes.iter().any(|one| one.direction == Direction::Reverse);
        let (from, to) = if reverse { ("target-system", "source-system") } else { ("source-system", "target-system") };
        let mut pairs = Vec::new();
        let system = asked.codes.iter().find_map(|one| one.system.as_deref());
        let target = asked.codes.iter().find_map(|one| one.target_system.as_deref());
        for (name, value) in [(from, system), (to, target)] {
            pairs.extend(value.map(|value| (name.to_owned(), value.replace('\\', "\\\\").replace(',', "\\,"))));
        }
        let mut query = self.strict_search(caller, "ConceptMap".parse().map_err(|_| unknown("ConceptMap"))?, &pairs)?;
        query.count = MOST_MAPS;
        self.search(caller, query).await?.matches.iter().map(stored_json).collect()
    }

    /// A map whose target is another value set may still lead into the one that is wanted.
    async fn keep_within(
        &self,
        caller: &Caller,
        target: &str,
        maps: &[Json],
        translations: &mut Vec<Translation>,
    ) -> Result<(), FhirError> {
        if translations.is_empty() || maps.iter().all(|map| end_of(map, "target") == Some(target)) {
            return Ok(());
        }
        let codes = translations.iter().filter_map(|one| Some(one.concept.as_ref()?.code.clone()));
        let (_, expansion) = self.expand_value_set(caller, &Named::Url(target), &Wanted::about(codes)).await?;
        translations.retain(|one| {
            one.concept.as_ref().is_none_or(|own| expansion.find(Some(&own.system), &own.code).is_some())
        });
        Ok(())
    }
}

/// The value set at an end of a map.
fn end_of<'j>(map: &'j Json, end: &str) -> Option<&'j str> {
    ["Uri", "Canonical"].iter().find_map(|kind| map.get_str(&format!("{end}{kind}")))
}

/// A map from another value set isn't safe to use; one that names none is the caller's choice.
fn contradicts(map: &Json, end: &str, wanted: Option<&str>) -> bool {
    match (end_of(map, end), wanted) {
        (Some(own), Some(wanted)) => end == "source" && own != wanted,
        _ => false,
    }
}
