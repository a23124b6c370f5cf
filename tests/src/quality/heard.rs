//! Two engines that hear the same audio: the product's own, and plain Whisper with a long prompt, to compare with.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use seva_clinic::dictation::{COMMON_MEDICINES, vocabulary};
use seva_clinic::formulary::Formulary;
use seva_clinic::speech::{SpeechEngine as _, SpeechEvent, SpeechRequest};
use seva_embedded::model::ModelChoice;
use seva_embedded::speech::{EmbeddedSpeech, SpeechSettings};
use tokio::time::timeout;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

use super::lab::{Ear, digest};
use super::waits::Waits;

/// What a dictation may take at the most; longer is a fault that is named.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long the room is listened to after the last word.
const PAUSE: usize = 50;
/// Samples of a tenth of a second.
const BLOCK: usize = 1_600;
/// What decides what our own engine hears, beside weights and prompt.
const SOURCES: [&str; 4] = [
    "api/embedded/src/speech.rs",
    "api/embedded/src/speech",
    "domain/clinic/src/speech.rs",
    "domain/clinic/src/speech",
];

/// The engine as the product runs it.
pub struct Own {
    engine: EmbeddedSpeech,
    edition: String,
}

impl Own {
    /// Makes the engine for a model, whose weights lie in a file.
    pub fn new(folder: PathBuf, choice: ModelChoice, model: &Path) -> anyhow::Result<Self> {
        let engine = EmbeddedSpeech::new(SpeechSettings::new(folder, choice))?;
        let mut source = String::new();
        for place in SOURCES {
            add_source(&crate::project().join(place), &mut source)?;
        }
        let names = [COMMON_MEDICINES.join(","), vocabulary([]).join(",")].join(";");
        let edition = digest(&[weights(model)?.as_bytes(), names.as_bytes(), source.as_bytes()]);
        Ok(Self { engine, edition })
    }

    fn request() -> SpeechRequest {
        let prompt_terms = COMMON_MEDICINES.iter().map(|name| (*name).to_owned()).collect();
        let vocabulary = vocabulary([]);
        SpeechRequest { language: "en-IN".to_owned(), prompt_terms, vocabulary, ..SpeechRequest::default() }
    }

    /// The text, and below it a line for each name that is proposed beside what was heard.
    async fn texts(&self, samples: Vec<i16>) -> anyhow::Result<String> {
        let mut session = self.engine.open(Self::request()).await?;
        session.audio.send(samples).await?;
        drop(session.audio);
        let (mut texts, mut proposals) = (Vec::new(), String::new());
        while let Some(event) = session.events.recv().await {
            match event {
                SpeechEvent::Final { text, .. } => texts.push(text),
                SpeechEvent::Weighed { words, .. } => {
                    for (heard, meant) in words.iter().filter_map(|word| Some((&word.text, word.suggested.as_ref()?))) {
                        proposals.push_str(&format!("\n{heard}\t{meant}"));
                    }
                }
                SpeechEvent::Error { message, .. } => anyhow::bail!("a segment was not recognised: {message}"),
                _ => {}
            }
        }
        Ok(texts.join(" ") + &proposals)
    }

    /// Hears a recording as fast as it is spoken, then the room, and measures how long the words take. The recording ends with
    /// a second of the room; it is quiet, so that its loud samples are speech.
    pub async fn wait(&self, samples: &[i16]) -> anyhow::Result<Waits> {
        let begun = Instant::now();
        let session = self.engine.open(Self::request()).await?;
        let (audio, mut events) = (session.audio, session.events);
        let room: Vec<i16> = samples.iter().rev().take(BLOCK).copied().collect();
        let blocks: Vec<Vec<i16>> =
            samples.chunks(BLOCK).map(<[i16]>::to_vec).chain(std::iter::repeat_n(room, PAUSE)).collect();
        let feeder = async move {
            let mut tick = tokio::time::interval(Duration::from_millis(100));
            for block in blocks {
                tick.tick().await;
                audio.send(block).await?;
            }
            anyhow::Ok(())
        };
        let listener = async {
            let (mut partial, mut last) = (None, None);
            while let Some(event) = events.recv().await {
                match event {
                    SpeechEvent::Partial { .. } => partial = partial.or(Some(begun.elapsed())),
                    SpeechEvent::Final { .. } => last = Some(begun.elapsed()),
                    SpeechEvent::Error { message, .. } => anyhow::bail!("a segment was not recognised: {message}"),
                    _ => {}
                }
            }
            last.map(|last| (partial, last)).context("nothing was heard")
        };
        let (fed, heard) = timeout(PATIENCE, async { tokio::join!(feeder, listener) }).await?;
        fed?;
        let (partial, last) = heard?;
        let loud = |sample: &i16| sample.unsigned_abs() > 1_000;
        let at = |place: usize| Duration::from_micros(place as u64 * 1_000_000 / 16_000);
        let first = at(samples.iter().position(loud).unwrap_or(0));
        let end = at(samples.iter().rposition(loud).unwrap_or(0));
        Ok(Waits { partial: partial.map(|time| time.saturating_sub(first)), last: last.saturating_sub(end) })
    }
}

#[async_trait]
impl Ear for Own {
    fn name(&self) -> &str {
        "seva with this model"
    }

    fn edition(&self) -> &str {
        &self.edition
    }

    async fn hear(&self, samples: &[i16]) -> anyhow::Result<String> {
        timeout(PATIENCE, self.texts(samples.to_vec())).await.context("it took more than ten minutes")?
    }
}

/// The hash of a model's file.
fn weights(model: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(model).with_context(|| model.display().to_string())?;
    Ok(digest(&[&bytes]))
}

/// Adds a file, or the files of a folder in the order of their names.
fn add_source(place: &Path, all: &mut String) -> anyhow::Result<()> {
    if place.is_dir() {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        files.sort();
        return files.iter().try_for_each(|file| add_source(file, all));
    }
    all.push_str(&std::fs::read_to_string(place).with_context(|| place.display().to_string())?);
    Ok(())
}

/// Whisper as its own command line runs it: beam search with five beams, thirty seconds at a time, no voice gate.
pub struct Plain {
    context: WhisperContext,
    prompt: String,
    edition: String,
}

impl Plain {
    /// Loads a model.
    pub fn new(model: &Path) -> anyhow::Result<Self> {
        whisper_rs::install_logging_hooks();
        let context = WhisperContext::new_with_params(model, WhisperContextParameters::default())?;
        let names: Vec<&str> = Formulary::seed().medicines().iter().map(|medicine| medicine.generic).collect();
        anyhow::ensure!(names.len() >= 200, "the prompt holds at least 200 names");
        let prompt = format!("{}.", names.join(", "));
        let edition = digest(&[weights(model)?.as_bytes(), prompt.as_bytes(), b"beam 5"]);
        Ok(Self { context, prompt, edition })
    }

    fn text(&self, samples: &[i16]) -> anyhow::Result<String> {
        let samples: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        let mut state = self.context.create_state()?;
        let mut parameters = FullParams::new(SamplingStrategy::BeamSearch { beam_size: 5, patience: -1.0 });
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        parameters.set_n_threads(i32::try_from(cores)?);
        parameters.set_language(Some("en"));
        parameters.set_initial_prompt(&self.prompt);
        parameters.set_print_progress(false);
        parameters.set_print_realtime(false);
        parameters.set_print_timestamps(false);
        state.full(parameters, &samples)?;
        let texts: Vec<String> = state
            .as_iter()
            .map(|segment| segment.to_str_lossy().map(|text| text.trim().to_owned()))
            .collect::<Result<_, _>>()?;
        Ok(texts.join(" "))
    }
}

#[async_trait]
impl Ear for Plain {
    fn name(&self) -> &str {
        "plain Whisper"
    }

    fn edition(&self) -> &str {
        &self.edition
    }

    async fn hear(&self, samples: &[i16]) -> anyhow::Result<String> {
        tokio::task::block_in_place(|| self.text(samples))
    }
}
