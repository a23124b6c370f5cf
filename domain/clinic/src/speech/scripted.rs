//! A speech engine that says what it was told to say: for tests of everything behind the port.

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{SAMPLE_RATE, SpeechEngine, SpeechError, SpeechEvent, SpeechHealth, SpeechRequest, SpeechSession, Word};

const CHANNEL: usize = 64;
/// Anything softer is a quiet room.
const SOUND: u16 = 100;

/// Reports one final for each line of its script once it has heard a sound, and `NoSpeech` for silence.
#[derive(Clone, Debug, Default)]
pub struct ScriptedSpeech {
    lines: Vec<String>,
    proposal: Option<(String, String)>,
}

impl ScriptedSpeech {
    /// Makes an engine that will report these lines, one segment each.
    pub fn new<Line: Into<String>>(lines: impl IntoIterator<Item = Line>) -> Self {
        Self { lines: lines.into_iter().map(Into::into).collect(), proposal: None }
    }

    /// Makes it propose a name for some words wherever they are said, once the segment has been told.
    #[must_use]
    pub fn proposing(self, heard: &str, meant: &str) -> Self {
        Self { proposal: Some((heard.to_owned(), meant.to_owned())), ..self }
    }
}

#[async_trait]
impl SpeechEngine for ScriptedSpeech {
    fn name(&self) -> &str {
        "scripted"
    }

    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    async fn health(&self) -> SpeechHealth {
        SpeechHealth::Ready { waiting: 0 }
    }

    async fn open(&self, _request: SpeechRequest) -> Result<SpeechSession, SpeechError> {
        let (audio, blocks) = mpsc::channel(CHANNEL);
        let (reports, events) = mpsc::channel(CHANNEL);
        let script = self.clone();
        // The task ends with its session: when the audio ends or nobody reads the events.
        tokio::spawn(async move {
            // A receiver that has gone needs no events.
            let _ = perform(script, blocks, reports).await;
        });
        Ok(SpeechSession { audio, events })
    }
}

async fn perform(
    ScriptedSpeech { lines, proposal }: ScriptedSpeech,
    mut blocks: mpsc::Receiver<Vec<i16>>,
    reports: mpsc::Sender<SpeechEvent>,
) -> Result<(), mpsc::error::SendError<SpeechEvent>> {
    reports.send(SpeechEvent::Started).await?;
    let (mut samples, mut heard) = (0_u64, false);
    loop {
        let block = tokio::select! {
            () = reports.closed() => return Ok(()),
            block = blocks.recv() => block,
        };
        let Some(block) = block else { break };
        samples += block.len() as u64;
        heard |= block.iter().any(|sample| sample.unsigned_abs() > SOUND);
    }
    if !heard || lines.is_empty() {
        reports.send(SpeechEvent::NoSpeech).await?;
        return reports.send(SpeechEvent::Ended).await;
    }
    let length_ms = samples * 1000 / u64::from(SAMPLE_RATE);
    let share_ms = length_ms / lines.len() as u64;
    for (segment, text) in (0_u32..).zip(lines) {
        let start_ms = u64::from(segment) * share_ms;
        let words = spread(&text, start_ms, share_ms);
        let partial = SpeechEvent::Partial { segment, text: text.clone(), words: words.clone() };
        reports.send(partial).await?;
        let proposed = proposal.as_ref().and_then(|(heard, meant)| proposed(&words, heard, meant));
        let last = SpeechEvent::Final { segment, start_ms, end_ms: start_ms + share_ms, speaker: None, words, text };
        reports.send(last).await?;
        if let Some(words) = proposed {
            reports.send(SpeechEvent::Weighed { segment, words }).await?;
        }
    }
    reports.send(SpeechEvent::Ended).await
}

/// Spreads the words evenly; a script has no confidence, so there is none.
fn spread(text: &str, start_ms: u64, length_ms: u64) -> Vec<Word> {
    let count = text.split_whitespace().count().max(1) as u64;
    (0_u64..)
        .zip(text.split_whitespace())
        .map(|(index, word)| Word {
            text: word.to_owned(),
            start_ms: start_ms + index * length_ms / count,
            end_ms: start_ms + (index + 1) * length_ms / count,
            confidence: None,
            suggested: None,
        })
        .collect()
}

/// The words with a name proposed for some of them, if those were said.
fn proposed(words: &[Word], heard: &str, meant: &str) -> Option<Vec<Word>> {
    let count = heard.split_whitespace().count();
    let is_it = |span: &[Word]| span.iter().map(|word| word.text.as_str()).eq(heard.split_whitespace());
    let at = words.windows(count.max(1)).position(is_it)?;
    let (before, rest) = words.split_at_checked(at)?;
    let (span, after) = rest.split_at_checked(count)?;
    let (first, last) = (span.first()?, span.last()?);
    let (text, suggested) = (heard.to_owned(), Some(meant.to_owned()));
    let one = Word { text, start_ms: first.start_ms, end_ms: last.end_ms, confidence: None, suggested };
    Some([before, &[one], after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Confidence, SpeechContract, speech_engine_contract};

    #[tokio::test]
    async fn the_scripted_engine_keeps_the_contract() {
        let engine = ScriptedSpeech::new(["Fever for three days.", "Tab met for men daily."]);
        let engine = engine.proposing("met for men", "metformin");
        let speech = vec![1000_i16; 32_000];
        let confidence = Confidence::Absent;
        let contract = SpeechContract { engine: &engine, speech: &speech, confidence, trouble: None };
        speech_engine_contract(contract).await;
    }
}
