//! The transcript: segments as text with the places of the words in it, so that characters lead to milliseconds.

use serde::{Deserialize, Serialize};

use crate::commands::CommandKind;
use crate::speech::Word;

/// One recognised word.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentWord {
    /// The word.
    pub text: String,
    /// Where it starts, in milliseconds of the recording.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The engine's probability; absent where it gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// A name that the engine proposes beside what it heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested: Option<String>,
}

impl From<Word> for SegmentWord {
    fn from(word: Word) -> Self {
        let Word { text, start_ms, end_ms, confidence, suggested } = word;
        Self { text, start_ms, end_ms, confidence, suggested }
    }
}

/// A stretch of speech between pauses.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Its number.
    pub id: u32,
    /// Where it starts, in milliseconds of the recording.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The text.
    pub text: String,
    /// Who spoke, where the engine tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// The words.
    pub words: Vec<SegmentWord>,
    /// Which command it is, in a dictation that takes commands; it is no part of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandKind>,
    /// Whether it was taken back; it is no part of the text either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub struck: bool,
}

/// A word with its place in the whole text, in code points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedWord {
    /// The first code point.
    pub begin: usize,
    /// The code point after the last.
    pub end: usize,
    /// Where it starts in the recording.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The engine's probability; absent where it gives none.
    pub confidence: Option<f32>,
}

/// The whole text of a dictation.
#[derive(Clone, PartialEq)]
pub struct Transcript {
    /// The segments' texts, a space between them; commands and what was struck are none of it.
    pub text: String,
    /// Where its words lie.
    pub words: Vec<PlacedWord>,
}

impl Transcript {
    /// Joins segments.
    #[must_use]
    pub fn of(segments: &[Segment]) -> Self {
        let mut text = String::new();
        let mut length = 0;
        let mut words = Vec::new();
        for segment in segments {
            let spoken = segment.text.trim();
            if spoken.is_empty() || segment.command.is_some() || segment.struck {
                continue;
            }
            if !text.is_empty() {
                text.push(' ');
                length += 1;
            }
            place(segment, spoken, length, &mut words);
            text.push_str(spoken);
            length += spoken.chars().count();
        }
        Self { text, words }
    }

    /// Finds when the characters of a span were spoken.
    #[must_use]
    pub fn times(&self, begin: usize, end: usize) -> Option<(u64, u64)> {
        let spoken: Vec<&PlacedWord> = self.words.iter().filter(|word| word.begin < end && word.end > begin).collect();
        Some((spoken.first()?.start_ms, spoken.last()?.end_ms))
    }

    /// Finds how sure the engine was of the least certain word of a span; nothing where it does not say so of every word.
    #[must_use]
    pub fn confidence(&self, begin: usize, end: usize) -> Option<f32> {
        let mut spoken = self.words.iter().filter(|word| word.begin < end && word.end > begin);
        let first = spoken.next()?.confidence?;
        spoken.try_fold(first, |least, word| Some(word.confidence?.min(least)))
    }
}

fn place(segment: &Segment, spoken: &str, offset: usize, words: &mut Vec<PlacedWord>) {
    let known = words.len();
    let mut rest = spoken;
    let mut at = offset;
    for word in &segment.words {
        let wanted = word.text.trim();
        let Some(found) = rest.find(wanted).filter(|_| !wanted.is_empty()) else { continue };
        let (before, from) = rest.split_at(found);
        let begin = at + before.chars().count();
        let end = begin + wanted.chars().count();
        let confidence = word.confidence;
        words.push(PlacedWord { begin, end, start_ms: word.start_ms, end_ms: word.end_ms, confidence });
        rest = from.get(wanted.len()..).unwrap_or_default();
        at = end;
    }
    if words.len() == known {
        // An engine without word times: the segment as a whole is the evidence.
        let end = offset + spoken.chars().count();
        let (start_ms, end_ms) = (segment.start_ms, segment.end_ms);
        words.push(PlacedWord { begin: offset, end, start_ms, end_ms, confidence: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_lead_to_milliseconds() {
        let word = |text: &str, start_ms, end_ms| SegmentWord {
            text: text.into(),
            start_ms,
            end_ms,
            confidence: None,
            suggested: None,
        };
        let segment =
            |id, text: &str, words| Segment { id, end_ms: 900, text: text.into(), words, ..Segment::default() };
        let transcript = Transcript::of(&[
            segment(0, " बुखार fever.", vec![word("बुखार", 0, 300), word(" fever.", 300, 600)]),
            segment(1, "three days", vec![]),
        ]);
        assert_eq!(transcript.text, "बुखार fever. three days");
        assert_eq!(transcript.times(6, 11), Some((300, 600)));
        assert_eq!(transcript.times(13, 18), Some((0, 900)));
        assert_eq!(transcript.times(100, 101), None);
    }

    #[test]
    fn the_least_certain_word_speaks_for_a_span_and_one_without_confidence_makes_it_unknown() {
        let word = |text: &str, confidence| SegmentWord {
            text: text.into(),
            start_ms: 0,
            end_ms: 1,
            confidence,
            suggested: None,
        };
        let words = vec![word("fifty", Some(0.5)), word("milligram", Some(0.75)), word("daily", None)];
        let text = "fifty milligram daily".into();
        let transcript = Transcript::of(&[Segment { end_ms: 9, text, words, ..Segment::default() }]);
        assert_eq!(transcript.confidence(0, 15), Some(0.5));
        assert_eq!(transcript.confidence(6, 15), Some(0.75));
        assert_eq!(transcript.confidence(6, 21), None);
        assert_eq!(transcript.confidence(40, 41), None);
    }
}
