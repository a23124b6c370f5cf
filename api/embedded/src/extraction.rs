//! Local entity extraction: phrase lists, a dosage grammar and context rules, with exact offsets and no network.
//!
//! The output has the shape of Comprehend Medical
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/dev/textanalysis-entitiesv2.html>); context follows the ideas of
//! NegEx and ConText (<https://doi.org/10.1006/jbin.2001.1029>, <https://doi.org/10.1016/j.jbi.2009.05.002>).

use async_trait::async_trait;
use seva_clinic::{
    entities::{Category, Entity, EntityExtractor, ExtractionError, Trait},
    formulary::Formulary,
    lexicon::Span,
};

mod allergies;
mod conditions;
mod context;
mod document;
mod durations;
mod instructions;
mod laboratory;
mod matcher;
mod medications;
mod plans;
mod qualitative;
mod regions;
pub mod scores;
mod sharing;
mod stopped;
mod vitals;

#[cfg(test)]
mod tests;

use document::Document;
use matcher::Matcher;
use scores::{Evidence, Found};

/// The longest text that is read, in bytes.
pub const TEXT_LIMIT: usize = 1 << 20;

/// Extracts entities with the lists that ship with the program.
pub struct LexiconExtractor {
    formulary: &'static Formulary,
    matcher: Matcher,
}

impl Default for LexiconExtractor {
    fn default() -> Self {
        Self::new(Formulary::seed())
    }
}

impl LexiconExtractor {
    /// Builds the extractor for a formulary.
    #[must_use]
    pub fn new(formulary: &'static Formulary) -> Self {
        Self { formulary, matcher: Matcher::new(formulary) }
    }

    /// Finds the entities of an English text, ordered by their place.
    #[must_use]
    pub fn entities(&self, text: &str) -> Vec<Entity> {
        self.found(text).into_iter().map(Found::scored).collect()
    }

    /// Finds the entities of an English text with the evidence for each, ordered by their place.
    #[must_use]
    pub fn readings(&self, text: &str) -> Vec<(Entity, Evidence)> {
        let scored = |each: Found| {
            let evidence = each.evidence;
            (each.scored(), evidence)
        };
        self.found(text).into_iter().map(scored).collect()
    }

    fn found(&self, text: &str) -> Vec<Found> {
        let document = Document::new(text);
        let hits = self.matcher.hits(text);
        let mut found = allergies::find(&document, &hits);
        found.extend(laboratory::find(&document, &spans(&found)));
        found.extend(vitals::find(&document, &spans(&found)));
        found.extend(conditions::ages(&document));
        let orders = medications::find(self.formulary, &document, &hits, &spans(&found));
        let ends: Vec<(Span, usize)> = orders.iter().map(|(each, end)| (each.entity.span(), *end)).collect();
        let medications: Vec<Found> = orders.into_iter().map(|(each, _)| each).collect();
        let mut claimed = spans(&found);
        claimed.extend(medications.iter().flat_map(|medication| {
            let attributes = medication.entity.attributes.iter();
            attributes.map(|attribute| Span::new(attribute.begin, attribute.end)).chain([medication.entity.span()])
        }));
        let results = qualitative::find(&document, &hits, &claimed);
        claimed.extend(results.iter().flat_map(|each| {
            let words = each.entity.attributes.iter().map(|word| Span::new(word.begin, word.end));
            words.chain([each.entity.span()])
        }));
        found.extend(results);
        // What is named in advice is no finding: "do not squeeze pimples".
        let plans = plans::find(&document, &claimed, medications.first().map(|first| first.entity.end));
        claimed.extend(spans(&plans));
        let mut conditions = conditions::find(&document, &hits, &claimed);
        durations::attach(&document, &mut conditions, &claimed);
        found.extend(plans);
        found.extend(medications);
        found.extend(conditions);
        instructions::attach(&document, &mut found, &ends);
        for each in &mut found {
            context::add_traits(&document, &mut each.entity);
            qualitative::settle(each);
        }
        found.sort_by_key(|each| (each.entity.begin, each.entity.end));
        stopped::share(&document, &mut found);
        context::share_denial(&document, &mut found);
        for (index, each) in found.iter_mut().enumerate() {
            each.entity.id = u32::try_from(index).unwrap_or(u32::MAX);
        }
        found
    }
}

fn spans(found: &[Found]) -> Vec<Span> {
    found.iter().map(|each| vitals::claimed(&each.entity)).collect()
}

#[async_trait]
impl EntityExtractor for LexiconExtractor {
    fn name(&self) -> &str {
        "seva-lexicon"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    async fn extract(&self, text: &str, language: &str) -> Result<Vec<Entity>, ExtractionError> {
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        if !primary.eq_ignore_ascii_case("en") {
            return Err(ExtractionError::UnsupportedLanguage { language: language.to_owned() });
        }
        if text.len() > TEXT_LIMIT {
            return Err(ExtractionError::TooLong { length: text.len(), limit: TEXT_LIMIT });
        }
        Ok(self.entities(text))
    }
}

/// Tells whether an entity asserts that something is so for this patient now.
#[must_use]
pub fn is_asserted(entity: &Entity) -> bool {
    let denied = [Trait::Negation, Trait::FamilyHistory, Trait::Hypothetical];
    entity.category != Category::ProtectedHealthInformation && !denied.iter().any(|each| entity.has(*each))
}
