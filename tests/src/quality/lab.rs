//! A run of the listening half: each engine hears each dictation once, and what it heard is kept, so that a run that was
//! broken off goes on where it stood.
//!
//! A kept hearing counts for the same engine, weights, source and audio only: any other one has another name.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::corpus::Item;
use super::listening::Hearing;

/// The rate of all audio here, a second.
const RATE: f64 = 16_000.0;

/// An engine that hears a whole recording.
#[async_trait]
pub trait Ear: Sync {
    /// Its name in the scorecard.
    fn name(&self) -> &str;

    /// What else decides what it hears: weights, source, prompt.
    fn edition(&self) -> &str;

    /// Hears 16 kHz mono.
    async fn hear(&self, samples: &[i16]) -> anyhow::Result<String>;
}

/// How far a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most dictations.
    pub dictations: usize,
    /// The time after which no further dictation is begun.
    pub time: Duration,
}

/// What was heard, by engine, always of the same dictations.
pub struct Run<'a> {
    /// The engines' names and hearings, in the engines' order.
    pub heard: Vec<(String, Vec<Hearing<'a>>)>,
    /// How many dictations the run was to hear.
    pub wanted: usize,
    /// How many seconds of audio were heard.
    pub seconds: f64,
    /// How many hearings were kept from an earlier run.
    pub kept: usize,
    /// Dictations that an engine failed on, and why; they count for no engine.
    pub failures: Vec<String>,
}

impl Run<'_> {
    /// Returns how many dictations every engine heard.
    #[must_use]
    pub fn count(&self) -> usize {
        self.heard.first().map_or(0, |(_, hearings)| hearings.len())
    }

    /// Says how much of the run is done.
    #[must_use]
    pub fn standing(&self) -> String {
        let (count, failed) = (self.count(), self.failures.len());
        let left = self.wanted.saturating_sub(count + failed);
        let rest = if left == 0 { String::new() } else { format!(", {left} are left for the next run") };
        format!(
            "{count} of {} dictations were heard ({:.1} minutes of audio, {} hearings kept from before); {failed} failed{rest}.",
            self.wanted,
            self.seconds / 60.0,
            self.kept,
        )
    }
}

/// Orders dictations by chance that is always the same, so that the beginning of the order is a sample of the whole.
#[must_use]
pub fn shuffled(items: &[Item]) -> Vec<&Item> {
    let mut items: Vec<&Item> = items.iter().collect();
    items.sort_by_key(|item| digest(&[b"order", item.id.as_bytes()]));
    items
}

/// Hashes parts, each apart from the next.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Where hearings are kept, and what speaks the dictations.
pub struct Lab<'l> {
    /// The folder of hearings.
    pub folder: PathBuf,
    /// The engines.
    pub ears: Vec<&'l dyn Ear>,
    /// Speaks a dictation: 16 kHz mono.
    pub speak: &'l (dyn Fn(&Item) -> anyhow::Result<Vec<i16>> + Sync),
}

/// How fast the run is.
struct Pace {
    begun: Instant,
    spent: Duration,
    heard: f64,
}

impl Lab<'_> {
    /// Hears dictations in their order, as far as the limits let it; `say` gets a line after each.
    pub async fn run<'a>(
        &self,
        items: &[&'a Item],
        limits: Limits,
        say: &mut (dyn FnMut(String) + Send),
    ) -> anyhow::Result<Run<'a>> {
        std::fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        let wanted = items.len().min(limits.dictations);
        let heard = self.ears.iter().map(|ear| (ear.name().to_owned(), Vec::new())).collect();
        let mut run = Run { heard, wanted, seconds: 0.0, kept: 0, failures: Vec::new() };
        let mut pace = Pace { begun: Instant::now(), spent: Duration::ZERO, heard: 0.0 };
        for (place, item) in items.iter().take(wanted).enumerate() {
            if pace.begun.elapsed() >= limits.time {
                say(format!("the time is over after {place} of {wanted}: what was heard is kept"));
                break;
            }
            let samples = (self.speak)(item)?;
            match self.hear_all(&samples, (&mut run, &mut pace)).await {
                Ok(texts) => {
                    run.seconds += samples.len() as f64 / RATE;
                    for ((_, hearings), text) in run.heard.iter_mut().zip(texts) {
                        hearings.push(Hearing { item, heard: text });
                    }
                }
                Err(error) => run.failures.push(format!("{}: {error:#}", item.id)),
            }
            say(progress((place + 1, wanted), &run, &pace));
        }
        Ok(run)
    }

    /// What each engine hears; one that fails leaves the dictation out for all, so that they stay comparable.
    async fn hear_all(&self, samples: &[i16], (run, pace): (&mut Run<'_>, &mut Pace)) -> anyhow::Result<Vec<String>> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut texts = Vec::new();
        for ear in &self.ears {
            let name = digest(&[ear.name().as_bytes(), ear.edition().as_bytes(), &bytes]);
            let place = self.folder.join(format!("{name}.json"));
            if let Some(text) = kept(&place) {
                run.kept += 1;
                texts.push(text);
                continue;
            }
            let begun = Instant::now();
            let text = ear.hear(samples).await.with_context(|| ear.name().to_owned())?;
            pace.spent += begun.elapsed();
            pace.heard += samples.len() as f64 / RATE;
            keep(&place, &json!({ "engine": ear.name(), "text": text, "seconds": begun.elapsed().as_secs_f64() }))?;
            texts.push(text);
        }
        Ok(texts)
    }
}

/// A hearing of an earlier run; one that can't be read is heard again.
fn kept(place: &std::path::Path) -> Option<String> {
    let read: Value = serde_json::from_slice(&std::fs::read(place).ok()?).ok()?;
    read.get("text")?.as_str().map(str::to_owned)
}

/// Writes a hearing whole or not at all.
fn keep(place: &std::path::Path, hearing: &Value) -> anyhow::Result<()> {
    let part = place.with_extension("part");
    std::fs::write(&part, hearing.to_string())?;
    std::fs::rename(&part, place)?;
    Ok(())
}

fn progress((done, wanted): (usize, usize), run: &Run<'_>, pace: &Pace) -> String {
    let speed = pace.spent.as_secs_f64() / pace.heard.max(f64::EPSILON);
    let average = run.seconds / run.count().max(1) as f64;
    let left = (wanted - done) as f64 * average * run.heard.len() as f64 * speed / 60.0;
    let left = if pace.heard > 0.0 { format!(", at most {left:.0} min left") } else { String::new() };
    format!("{done} of {wanted}: {:.0} s of audio, {speed:.2} s a second of it and engine{left}", run.seconds)
}

#[cfg(test)]
#[path = "lab_tests.rs"]
mod tests;
