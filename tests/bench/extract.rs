//! Times what `$extract` does with a text: finding its entities, drafting the Bundle, writing it. Nothing of HTTP or the database.
//!
//! `bench-extract [WORDS] [ROUNDS]`: so many words of the dictations that were written by hand, one after the other; prints the
//! median and the least time of each step.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use seva_clinic::dictation::Transcript;
use seva_clinic::drafting::{Draft, collection};
use seva_embedded::extraction::LexiconExtractor;
use seva_fhir::clock::RandomIds;

const DICTATIONS: &str = include_str!("../data/quality/hand.jsonl");

fn main() -> anyhow::Result<()> {
    let number = |place: usize, usual: usize| std::env::args().nth(place).map_or(Ok(usual), |text| text.parse());
    let (words, rounds) = (number(1, 2_000)?, number(2, 51)?);
    let text = text_of(words)?;
    let extractor = LexiconExtractor::default();
    let transcript = Transcript { text: text.clone(), words: Vec::new() };
    let draft = Draft {
        transcript: &transcript,
        language: "en",
        dictation: None,
        author: Some("Practitioner/bench".to_owned()),
        subject: "Patient/bench".to_owned(),
        encounter: None,
        now: seva_fhir::types::Instant::from_micros(0),
        ids: &RandomIds,
    };
    let mut times: [Vec<Duration>; 3] = Default::default();
    let (mut entities, mut bytes) = (0, 0);
    for _ in 0..rounds {
        let begun = Instant::now();
        let found = extractor.entities(&text);
        let extracted = Instant::now();
        let bundle = collection(&draft, &found, ("bench", "1"));
        let drafted = Instant::now();
        let written = bundle.to_bytes();
        let [extraction, drafting, writing] = &mut times;
        extraction.push(extracted - begun);
        drafting.push(drafted - extracted);
        writing.push(drafted.elapsed());
        (entities, bytes) = (found.len(), written.len());
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{words} words, {entities} entities, a Bundle of {bytes} bytes, {rounds} rounds")?;
    for (name, times) in ["extraction", "drafting", "writing"].iter().zip(&mut times) {
        times.sort_unstable();
        let milliseconds = |time: Option<&Duration>| time.copied().unwrap_or_default().as_secs_f64() * 1e3;
        let (median, least) = (milliseconds(times.get(rounds / 2)), milliseconds(times.first()));
        writeln!(out, "{name}: median {median:.2} ms, least {least:.2} ms")?;
    }
    Ok(())
}

/// So many words of the dictations, which begin again when they are over.
fn text_of(words: usize) -> anyhow::Result<String> {
    let mut texts = Vec::new();
    for line in DICTATIONS.lines() {
        let dictation: Value = serde_json::from_str(line)?;
        texts.push(dictation.get("text").and_then(Value::as_str).context("a dictation without text")?.to_owned());
    }
    let taken: Vec<&str> = texts.iter().flat_map(|text| text.split(' ')).cycle().take(words).collect();
    Ok(taken.join(" "))
}
