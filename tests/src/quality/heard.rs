//! Two engines that hear the same audio: the product's own, and plain Whisper with a long prompt, to compare with.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use seva_clinic::dictation::COMMON_MEDICINES;
use seva_clinic::formulary::Formulary;
use seva_clinic::speech::{SpeechEngine as _, SpeechEvent, SpeechRequest};
use seva_embedded::model::ModelChoice;
use seva_embedded::speech::{EmbeddedSpeech, SpeechSettings};
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

/// The engine as the product runs it.
pub struct Own(EmbeddedSpeech);

/// How long a clinician waits.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// From the first sound to the first words shown.
    pub partial: Option<Duration>,
    /// From the end of speech to the text that stays.
    pub last: Duration,
}

impl Own {
    /// Makes the engine for a model.
    pub fn new(folder: PathBuf, choice: ModelChoice) -> anyhow::Result<Self> {
        Ok(Self(EmbeddedSpeech::new(SpeechSettings::new(folder, choice))?))
    }

    fn request() -> SpeechRequest {
        let prompt_terms = COMMON_MEDICINES.iter().map(|name| (*name).to_owned()).collect();
        SpeechRequest { language: "en-IN".to_owned(), prompt_terms, ..SpeechRequest::default() }
    }

    /// Hears a whole recording.
    pub async fn hear(&self, samples: Vec<i16>) -> anyhow::Result<String> {
        let mut session = self.0.open(Self::request()).await?;
        session.audio.send(samples).await?;
        drop(session.audio);
        let mut texts = Vec::new();
        while let Some(event) = session.events.recv().await {
            match event {
                SpeechEvent::Final { text, .. } => texts.push(text),
                SpeechEvent::Error { message, .. } => anyhow::bail!("a segment was not recognised: {message}"),
                _ => {}
            }
        }
        Ok(texts.join(" "))
    }

    /// Hears a recording as fast as it is spoken, and measures how long the words take.
    pub async fn wait(&self, samples: &[i16]) -> anyhow::Result<Waits> {
        let begun = Instant::now();
        let session = self.0.open(Self::request()).await?;
        let (audio, mut events) = (session.audio, session.events);
        let blocks: Vec<Vec<i16>> = samples.chunks(1_600).map(<[i16]>::to_vec).collect();
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
                    _ => {}
                }
            }
            last.map(|last| (partial, last)).context("nothing was heard")
        };
        let (fed, heard) = tokio::join!(feeder, listener);
        fed?;
        let (partial, last) = heard?;
        let loud = |sample: &i16| sample.unsigned_abs() > 1_000;
        let at = |place: usize| Duration::from_micros(place as u64 * 1_000_000 / 16_000);
        let first = at(samples.iter().position(loud).unwrap_or(0));
        let end = at(samples.iter().rposition(loud).unwrap_or(0));
        Ok(Waits { partial: partial.map(|time| time.saturating_sub(first)), last: last.saturating_sub(end) })
    }
}

/// Whisper as its own command line runs it: beam search with five beams, thirty seconds at a time, no voice gate.
pub struct Plain {
    context: WhisperContext,
    prompt: String,
}

impl Plain {
    /// Loads a model.
    pub fn new(model: &Path) -> anyhow::Result<Self> {
        whisper_rs::install_logging_hooks();
        let context = WhisperContext::new_with_params(model, WhisperContextParameters::default())?;
        let names: Vec<&str> = Formulary::seed().medicines().iter().map(|medicine| medicine.generic).collect();
        anyhow::ensure!(names.len() >= 200, "the prompt holds at least 200 names");
        Ok(Self { context, prompt: format!("{}.", names.join(", ")) })
    }

    /// Hears a whole recording.
    pub fn hear(&self, samples: &[i16]) -> anyhow::Result<String> {
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
