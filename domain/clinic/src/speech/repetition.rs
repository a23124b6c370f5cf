//! Whisper's habit of repeating itself or reading its prompt out (<https://arxiv.org/abs/2402.08021>).

use super::Word;

/// Whether a word comes four times in a row, or a phrase of three to eight words twice.
#[must_use]
pub fn repeats(words: &[Word]) -> bool {
    let plain: Vec<String> =
        words.iter().map(|word| word.text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).collect();
    let word = plain.windows(4).any(|run| run.iter().all(|word| run.first() == Some(word)));
    let phrase = (3..=8).any(|length| {
        plain.windows(2 * length).any(|run| {
            let (left, right) = run.split_at(length);
            left == right
        })
    });
    word || phrase
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(text: &str) -> Vec<Word> {
        let word =
            |word: &str| Word { text: word.to_owned(), start_ms: 0, end_ms: 0, confidence: None, suggested: None };
        text.split(' ').map(word).collect()
    }

    #[test]
    fn repetition_is_noticed_and_ordinary_speech_is_not() {
        assert!(repeats(&spoken("Amoxicillin, Amoxicillin, Amoxicillin, Amoxicillin")));
        assert!(repeats(&spoken("No known allergies. No known allergies.")));
        assert!(!repeats(&spoken("three times a day for three days, no no allergies")));
    }
}
