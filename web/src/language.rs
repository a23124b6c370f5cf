//! The languages of the pages (BCP 47, <https://www.rfc-editor.org/info/bcp47>) and their texts by key.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A language of the doctor's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    English,
    /// Hindi.
    Hindi,
    /// Marathi.
    Marathi,
}

/// All languages, in the order in which they are offered.
pub(crate) const LANGUAGES: [Language; 3] = [Language::English, Language::Hindi, Language::Marathi];

type Texts = HashMap<String, String>;

impl Language {
    /// Reads a tag.
    pub(crate) fn of(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', ';']).next().unwrap_or_default().trim();
        LANGUAGES.into_iter().find(|language| language.code() == primary)
    }

    /// The first language of an `Accept-Language` header that we have; English when there is none.
    pub(crate) fn accepted(header: Option<&str>) -> Self {
        header.unwrap_or_default().split(',').find_map(Self::of).unwrap_or(Self::English)
    }

    /// The language of the handout: as asked for, else the patient's own, else Hindi.
    pub(crate) fn handout(asked: &str, spoken: &str) -> Self {
        Self::of(asked).or_else(|| Self::of(spoken)).unwrap_or(Self::Hindi)
    }

    /// The tag.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
            Self::Marathi => "mr",
        }
    }

    /// The language's name for itself.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Hindi => "हिन्दी",
            Self::Marathi => "मराठी",
        }
    }

    /// The text of a key.
    pub(crate) fn text(self, key: &str) -> Option<&'static str> {
        self.texts().get(key).map(String::as_str)
    }

    pub(crate) fn texts(self) -> &'static Texts {
        static TEXTS: OnceLock<[Texts; 3]> = OnceLock::new();
        let [english, hindi, marathi] = TEXTS.get_or_init(|| {
            [include_str!("../locales/en.toml"), include_str!("../locales/hi.toml"), include_str!("../locales/mr.toml")]
                .map(|source| toml::from_str(source).expect("a test reads the texts, which are compiled in"))
        });
        match self {
            Self::English => english,
            Self::Hindi => hindi,
            Self::Marathi => marathi,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{LANGUAGES, Language};

    #[test]
    fn every_key_has_a_text_in_every_language_with_the_same_places() {
        let places = |text: &str| -> BTreeSet<String> {
            text.split('{').skip(1).filter_map(|part| part.split('}').next()).map(str::to_owned).collect()
        };
        for language in LANGUAGES {
            for (key, english) in Language::English.texts() {
                let text = language.text(key).unwrap_or_else(|| panic!("{} lacks {key}", language.code()));
                assert!(!text.trim().is_empty(), "{} of {key} is empty", language.code());
                assert_eq!(places(text), places(english), "{} of {key}", language.code());
            }
            assert_eq!(language.texts().len(), Language::English.texts().len());
        }
    }

    #[test]
    fn hindi_and_marathi_are_written_in_devanagari() {
        for language in [Language::Hindi, Language::Marathi] {
            for (key, text) in language.texts() {
                // The hint for a typed line shows what the grammar reads; it is the same in every language.
                let plain: String =
                    text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect();
                let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
                let latin: Vec<&str> = words.filter(|word| word.chars().all(|c| c.is_ascii_alphabetic())).collect();
                let known = ["API", "PIN", "PDF", "WAV", "FLAC", "OGG", "eGFR", "JavaScript"];
                if key == "medicine-add-how" {
                    continue;
                }
                let unknown: Vec<&&str> = latin.iter().filter(|word| !known.contains(word)).collect();
                assert!(unknown.is_empty(), "{} of {key}: {unknown:?}", language.code());
            }
        }
    }

    #[test]
    fn the_handout_follows_the_doctor_then_the_patient() {
        assert_eq!(Language::handout("en", "mr-IN"), Language::English);
        assert_eq!(Language::handout("", "mr-IN"), Language::Marathi);
        assert_eq!(Language::handout("ta", ""), Language::Hindi);
    }

    #[test]
    fn the_header_chooses_what_we_have() {
        assert_eq!(Language::accepted(Some("ta-IN, mr;q=0.8")), Language::Marathi);
        assert_eq!(Language::accepted(None), Language::English);
    }
}
