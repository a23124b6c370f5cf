//! Local agreement: of an open segment only what two successive decodings agree on is shown, and at once what was decoded with
//! the effort of the text that stays.
//!
//! Liu, Spanakis and Niehues, <https://arxiv.org/abs/2005.11185>, `LocalAgreement-2`.

use super::Word;

/// Remembers the last decoding of the open segment.
#[derive(Default)]
pub(super) struct Agreement {
    last: Vec<Word>,
    shown: usize,
}

impl Agreement {
    /// Takes a decoding and returns the agreed words if there are more of them than before.
    pub(super) fn next(&mut self, words: Vec<Word>) -> Option<Vec<Word>> {
        let agreed =
            words.iter().zip(&self.last).take_while(|(now, before)| plain(&now.text) == plain(&before.text)).count();
        let more = agreed > self.shown;
        let prefix = words.iter().take(agreed).cloned().collect();
        self.last = words;
        self.shown = self.shown.max(agreed);
        more.then_some(prefix)
    }

    /// Takes a decoding that needs no second one, and returns its words if there are more of them than before. What follows has
    /// to agree on more than these, so that what is shown gets no shorter before the segment's end.
    pub(super) fn at_once(&mut self, words: Vec<Word>) -> Option<Vec<Word>> {
        let more = words.len() > self.shown;
        self.shown = self.shown.max(words.len());
        self.last.clone_from(&words);
        more.then_some(words)
    }

    /// Whether anything of the segment is shown.
    pub(super) fn is_shown(&self) -> bool {
        self.shown > 0
    }

    /// Begins the next segment.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Punctuation and case depend on what follows; they don't count.
fn plain(word: &str) -> String {
    word.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let word =
            |word: &str| Word { text: word.to_owned(), start_ms: 0, end_ms: 0, confidence: None, suggested: None };
        text.split(' ').map(word).collect()
    }

    #[test]
    fn only_what_two_decodings_share_is_shown() {
        let mut agreement = Agreement::default();
        assert_eq!(agreement.next(words("no analogy")), None);
        assert_eq!(agreement.next(words("no allergies known")), Some(words("no")));
        assert_eq!(agreement.next(words("no allergies")), Some(words("no allergies")));
    }

    #[test]
    fn what_needs_no_second_decoding_is_shown_at_once_and_gets_no_shorter() {
        let mut agreement = Agreement::default();
        assert_eq!(agreement.next(words("no")), None);
        assert_eq!(agreement.at_once(words("no known allergies")), Some(words("no known allergies")));
        assert!(agreement.is_shown());
        assert_eq!(agreement.next(words("no known energies then")), None, "less than is shown");
        assert_eq!(agreement.next(words("no known allergies then")), None, "they agree on two words");
        let all = words("no known allergies then fever");
        assert_eq!(agreement.next(all), Some(words("no known allergies then")));
        assert_eq!(agreement.at_once(words("no known allergies")), None);
    }
}
