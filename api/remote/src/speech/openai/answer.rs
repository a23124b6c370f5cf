//! The answer: words with their times where the service tells them, segments with Whisper's own doubts
//! (<https://platform.openai.com/docs/api-reference/audio/verbose-json-object>).

use serde::Deserialize;
use seva_clinic::speech::Word;

/// OpenAI's own gate: both have to hold before a segment counts as no speech.
const NO_SPEECH: f64 = 0.6;
const UNSURE: f64 = -1.0;

#[derive(Deserialize)]
pub(super) struct Answer {
    text: String,
    words: Option<Vec<Timed>>,
    segments: Option<Vec<Segment>>,
}

#[derive(Deserialize)]
struct Timed {
    word: String,
    start: f64,
    end: f64,
    /// Servers over faster-whisper tell it; OpenAI's doesn't.
    #[serde(alias = "confidence")]
    probability: Option<f32>,
}

#[derive(Deserialize)]
struct Segment {
    start: f64,
    end: f64,
    text: String,
    avg_logprob: Option<f64>,
    no_speech_prob: Option<f64>,
}

pub(super) fn read(body: &[u8]) -> Option<Answer> {
    serde_json::from_slice(body).ok()
}

impl Answer {
    /// The words of what counts as speech, in a segment of this length.
    pub(super) fn words(self, length_ms: u64) -> Vec<Word> {
        let segments = self.segments.unwrap_or_default();
        let silent: Vec<(f64, f64)> = segments
            .iter()
            .filter(|segment| segment.is_silence())
            .map(|segment| (segment.start, segment.end))
            .collect();
        let spoken = |start: f64| !silent.iter().any(|(begin, end)| (*begin..*end).contains(&start));
        if let Some(words) = self.words.filter(|words| !words.is_empty()) {
            return words
                .into_iter()
                .filter(|word| spoken(word.start))
                .filter_map(|word| word.place(length_ms))
                .collect();
        }
        if !segments.is_empty() {
            let spoken = segments.iter().filter(|segment| !segment.is_silence());
            return spoken
                .flat_map(|segment| {
                    let bounds = (milliseconds(segment.start, length_ms), milliseconds(segment.end, length_ms));
                    within(&segment.text, bounds)
                })
                .collect();
        }
        within(&self.text, (0, length_ms))
    }
}

impl Segment {
    fn is_silence(&self) -> bool {
        self.no_speech_prob.is_some_and(|silence| silence > NO_SPEECH)
            && self.avg_logprob.is_some_and(|sure| sure < UNSURE)
    }
}

impl Timed {
    fn place(self, length_ms: u64) -> Option<Word> {
        let text = self.word.trim().to_owned();
        let start_ms = milliseconds(self.start, length_ms);
        let end_ms = milliseconds(self.end, length_ms).max(start_ms);
        let confidence = self.probability.filter(|probability| (0.0..=1.0).contains(probability));
        (!text.is_empty()).then_some(Word { text, start_ms, end_ms, confidence, suggested: None })
    }
}

/// Words whose own times nobody told: each lies somewhere between these bounds, and nothing closer is claimed.
fn within(text: &str, (start_ms, end_ms): (u64, u64)) -> Vec<Word> {
    let end_ms = end_ms.max(start_ms);
    let word = |word: &str| Word { text: word.to_owned(), start_ms, end_ms, confidence: None, suggested: None };
    text.split_whitespace().map(word).collect()
}

fn milliseconds(seconds: f64, most: u64) -> u64 {
    // A float becomes an integer by saturation: below zero is zero, and not a number is zero too.
    ((seconds * 1000.0).round() as u64).min(most)
}
