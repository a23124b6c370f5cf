//! What Transcribe says, with punctuation at its words and a segment for each speaker
//! (<https://docs.aws.amazon.com/transcribe/latest/APIReference/API_streaming_Result.html>).

use aws_sdk_transcribestreaming::types::{
    Item, ItemType, MedicalItem, MedicalResult, MedicalTranscriptResultStream, Result as StandardResult,
    TranscriptResultStream,
};
use seva_clinic::speech::Word;
use seva_clinic::speech::segments::text_of;
use seva_clinic::speech::stream::Heard;

/// An event of either service.
pub(super) struct Told(Vec<Line>);

/// A result: one stretch of speech.
struct Line {
    partial: bool,
    end: f64,
    text: String,
    items: Vec<Piece>,
}

/// A word or a mark.
struct Piece {
    start: f64,
    end: f64,
    mark: bool,
    text: String,
    confidence: Option<f64>,
    speaker: Option<String>,
}

/// The two services answer with the same members under different types.
macro_rules! told {
    ($stream:ident, $result:ident, $item:ident) => {
        impl From<$stream> for Told {
            fn from(event: $stream) -> Self {
                let $stream::TranscriptEvent(event) = event else { return Self(Vec::new()) };
                let results = event.transcript.and_then(|transcript| transcript.results).unwrap_or_default();
                let line = |result: $result| {
                    // The first alternative is the likeliest.
                    let best = result.alternatives.unwrap_or_default().into_iter().next()?;
                    let items = best.items.unwrap_or_default().into_iter().map(Piece::from).collect();
                    let text = best.transcript.unwrap_or_default();
                    Some(Line { partial: result.is_partial, end: result.end_time, text, items })
                };
                Self(results.into_iter().filter_map(line).collect())
            }
        }

        impl From<$item> for Piece {
            fn from(item: $item) -> Self {
                Self {
                    start: item.start_time,
                    end: item.end_time,
                    mark: item.r#type == Some(ItemType::Punctuation),
                    text: item.content.unwrap_or_default(),
                    confidence: item.confidence,
                    speaker: item.speaker,
                }
            }
        }
    };
}

told!(TranscriptResultStream, StandardResult, Item);
told!(MedicalTranscriptResultStream, MedicalResult, MedicalItem);

impl Told {
    /// What the session takes; an event without words is a sign of life.
    pub(super) fn heard(self) -> Vec<Heard> {
        let heard: Vec<Heard> = self.0.into_iter().flat_map(Line::heard).collect();
        if heard.is_empty() { vec![Heard::Nothing] } else { heard }
    }
}

impl Line {
    fn heard(self) -> Vec<Heard> {
        let spoken = by_speaker(self.items);
        if self.partial {
            let words = spoken.into_iter().flat_map(|(_, words)| words).collect();
            return vec![Heard::Partial { text: self.text, words }];
        }
        let (count, end) = (spoken.len(), milliseconds(self.end));
        let last = |(index, (speaker, words)): (usize, (Option<String>, Vec<Word>))| {
            // What is between speakers belongs to none; what follows the last one's words is the segment's.
            let spoken_until = words.last().map_or(0, |word| word.end_ms);
            let end_ms = if index + 1 == count { end.max(spoken_until) } else { spoken_until };
            Heard::Final { speaker, text: text_of(&words), words, end_ms }
        };
        spoken.into_iter().enumerate().map(last).collect()
    }
}

/// The words of each speaker in turn.
fn by_speaker(items: Vec<Piece>) -> Vec<(Option<String>, Vec<Word>)> {
    let mut spoken: Vec<(Option<String>, Vec<Word>)> = Vec::new();
    for piece in items.into_iter().filter(|piece| !piece.text.trim().is_empty()) {
        if piece.mark {
            // A mark before any word belongs to nothing.
            if let Some(word) = spoken.last_mut().and_then(|(_, words)| words.last_mut()) {
                word.text.push_str(piece.text.trim());
            }
            continue;
        }
        let word = Word {
            text: piece.text.trim().to_owned(),
            start_ms: milliseconds(piece.start),
            end_ms: milliseconds(piece.end),
            confidence: piece.confidence.filter(|value| (0.0..=1.0).contains(value)).map(|value| value as f32),
            suggested: None,
        };
        match spoken.last_mut().filter(|(speaker, _)| *speaker == piece.speaker) {
            Some((_, words)) => words.push(word),
            None => spoken.push((piece.speaker, vec![word])),
        }
    }
    spoken
}

/// A float becomes an integer by saturation: below zero is zero.
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}
