//! Dosages in the patient's language from a catalogue of phrases: no machine translation, the same words every time, and reversible.
//!
//! Plural categories follow Unicode CLDR (<https://cldr.unicode.org/index/cldr-spec/plural-rules>). A line is only given out
//! when parsing it gives the same dosage back, so an ambiguous phrase is an error and never a wrong dose.

use std::{collections::HashMap, sync::LazyLock};

use crate::{dosage::Dosage, lexicon::concepts::rows};

mod parse;
mod render;

#[cfg(test)]
mod tests;

pub use parse::parse;

/// Tells whether somebody has approved a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewStatus {
    /// Nobody has approved it yet; the page must say so.
    Draft,
    /// A clinician or translator at home in the language has approved it.
    Reviewed,
}

/// Is a dosage in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhraseLine {
    /// The BCP 47 tag of the language.
    pub language: &'static str,
    /// The words.
    pub text: String,
    /// The lowest status of the phrases that were used.
    pub status: ReviewStatus,
}

/// Explains why a dosage cannot be said in a language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MissingPhrase {
    /// There is no catalogue for the language.
    #[error("no phrase catalogue for language {language}")]
    Language {
        /// The tag that was asked for.
        language: String,
    },
    /// The catalogue lacks a phrase.
    #[error("the {language} phrase catalogue has no phrase for {key}")]
    Phrase {
        /// The language.
        language: &'static str,
        /// The key of the phrase.
        key: String,
    },
    /// The words would not give the same dosage back.
    #[error("the {language} phrases for this dosage are ambiguous")]
    Ambiguous {
        /// The language.
        language: &'static str,
    },
}

struct Phrase {
    text: &'static str,
    status: ReviewStatus,
}

/// Is the catalogue of one language.
pub struct Catalogue {
    language: &'static str,
    phrases: HashMap<&'static str, Phrase>,
}

static CATALOGUES: LazyLock<Vec<Catalogue>> = LazyLock::new(|| {
    [
        ("en", include_str!("../data/phrases/en.tsv")),
        ("hi", include_str!("../data/phrases/hi.tsv")),
        ("mr", include_str!("../data/phrases/mr.tsv")),
    ]
    .into_iter()
    .map(|(language, text)| Catalogue::read(language, text))
    .collect()
});

/// Lists the languages that have a catalogue.
pub fn languages() -> impl Iterator<Item = &'static str> {
    CATALOGUES.iter().map(|catalogue| catalogue.language)
}

/// Says one dosage in a language; the words that were dictated are not repeated.
pub fn render(dosage: &Dosage, language: &str) -> Result<PhraseLine, MissingPhrase> {
    let catalogue = Catalogue::find(language)?;
    let line = render::render(dosage, catalogue)?;
    let said = Dosage { text: None, ..dosage.clone() };
    if parse::parse_with(&line.text, catalogue).as_ref() != Some(&said) {
        return Err(MissingPhrase::Ambiguous { language: catalogue.language });
    }
    Ok(line)
}

impl Catalogue {
    /// Finds the catalogue of a language by its primary tag.
    pub fn find(language: &str) -> Result<&'static Self, MissingPhrase> {
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        CATALOGUES
            .iter()
            .find(|catalogue| catalogue.language.eq_ignore_ascii_case(primary))
            .ok_or_else(|| MissingPhrase::Language { language: language.to_owned() })
    }

    fn read(language: &'static str, text: &'static str) -> Self {
        let mut phrases = HashMap::new();
        for row in rows(text) {
            let [key, text, status] = row.as_slice() else {
                continue;
            };
            let status = if *status == "reviewed" { ReviewStatus::Reviewed } else { ReviewStatus::Draft };
            phrases.insert(*key, Phrase { text, status });
        }
        Self { language, phrases }
    }

    fn phrase(&self, key: &str) -> Result<&Phrase, MissingPhrase> {
        self.phrases.get(key).ok_or_else(|| MissingPhrase::Phrase { language: self.language, key: key.to_owned() })
    }
}
