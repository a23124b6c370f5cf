//! One decoding with whisper.cpp: the settings that keep it fast and honest, and words out of tokens.
//!
//! Parameters: <https://github.com/ggml-org/whisper.cpp/blob/master/include/whisper.h>.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use seva_clinic::speech::repetition::repeats;
use seva_clinic::speech::segmented::Effort;
use seva_clinic::speech::{SAMPLE_RATE, Word};
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError, WhisperSegment, WhisperState,
};

use super::names::Vocabulary;
use super::pool::{DecodeError, Task};
use super::weighing::{Found, Heard, Weighing};

/// Encoder positions a second of audio.
const POSITIONS: usize = 50;
/// Positions past the audio's end: with less the decoder tends to repeat itself. Measured on the developing half: with 256 no more
/// words are wrong than with 384, with 192 half of them.
const MARGIN: usize = 256;
/// Those of a glance, whose text only counts where another glance agrees: measured, they halve its time.
const GLANCE_MARGIN: usize = 128;
/// Beams of the text that stays: five take half as long again, and hear nothing better.
const BEAMS: i32 = 3;
/// Tokens that a second of speech has at most, and those of the shortest: a decoder that repeats itself ends there.
const TOKENS_A_SECOND: usize = 12;
const FEWEST_TOKENS: usize = 16;
/// Whisper takes half its text context as a prompt, less one.
const PROMPT_TOKENS: usize = 223;
/// Room for tokenising a prompt before it is cut.
const TOKENIZED: usize = 1024;
/// Whisper refuses less than a second.
const SHORTEST: usize = SAMPLE_RATE as usize * 11 / 10;
/// OpenAI's own gate: both have to hold before a segment counts as no speech.
const NO_SPEECH: f32 = 0.6;
const UNSURE: f32 = -1.0;

/// The weights, loaded once for all workers.
#[derive(Default)]
pub(super) struct Weights(Mutex<Option<(PathBuf, Arc<Loaded>)>>);

/// A model in memory.
struct Loaded {
    context: WhisperContext,
    vocabulary: Vocabulary,
}

impl Weights {
    fn load(&self, path: &Path) -> Result<Arc<Loaded>, DecodeError> {
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, model)) = loaded.as_ref()
            && known == path
        {
            return Ok(model.clone());
        }
        let began = std::time::Instant::now();
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default()).map_err(engine)?;
        let model = Arc::new(Loaded { vocabulary: Vocabulary::of(&context), context });
        *loaded = Some((path.to_owned(), model.clone()));
        let took_ms = began.elapsed().as_millis();
        tracing::info!(model = ?path.file_name(), took_ms, "loaded the speech model");
        Ok(model)
    }
}

/// A worker's own decoder state over the shared weights.
pub(super) struct Recogniser {
    weights: Arc<Weights>,
    threads: usize,
    last: Option<Last>,
}

/// A decoder state, and what was heard in the segment whose encoding it holds.
struct Last {
    model: Arc<Loaded>,
    state: WhisperState,
    heard: Vec<Heard>,
}

impl Recogniser {
    /// Makes a recogniser that loads nothing yet.
    pub(super) fn new(weights: Arc<Weights>, threads: usize) -> Self {
        Self { weights, threads, last: None }
    }

    /// Decodes one segment; its words' times count from its start.
    pub(super) fn decode(&mut self, task: &Task, audio: &[i16], effort: Effort) -> Result<Vec<Word>, DecodeError> {
        let model = self.weights.load(&task.model)?;
        let mut state = match self.last.take() {
            Some(Last { model: known, state, .. }) if Arc::ptr_eq(&known, &model) => state,
            _ => model.context.create_state().map_err(engine)?,
        };
        let context = &model.context;
        // A glance goes without the prompt: reading it takes as long as hearing a second.
        let (prompt, margin) = match effort {
            Effort::Glance => (Vec::new(), GLANCE_MARGIN),
            Effort::Ahead | Effort::Full => (prompt_of(context, &task.prompt), MARGIN),
        };
        let mut samples: Vec<f32> = audio.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        samples.resize(samples.len().max(SHORTEST), 0.0);
        let whole = usize::try_from(context.n_audio_ctx()).unwrap_or(1500);
        let positions = samples.len() * POSITIONS / SAMPLE_RATE as usize + margin;
        let attempt = Attempt {
            effort,
            threads: self.threads,
            language: &task.language,
            prompt: &prompt,
            positions: positions.next_multiple_of(64).min(whole),
        };
        let mut heard = attempt.run(context, &mut state, &samples)?;
        if effort != Effort::Glance && repeats(&words(&heard, &[])) {
            // Whisper sometimes reads its prompt out or repeats itself. A drug that nobody said is the worst error, so
            // the prompt goes and the encoder gets its full length.
            let again = Attempt { prompt: &[], positions: whole, ..attempt };
            heard = again.run(context, &mut state, &samples)?;
        }
        let words = words(&heard, &[]);
        self.last = Some(Last { model, state, heard });
        Ok(words)
    }

    /// Weighs the names that may have been said in the segment that was decoded last; the words with those that are proposed,
    /// if there are any. It ends early where nobody wants them any more.
    pub(super) fn weigh(&mut self, task: &Task, is_over: &dyn Fn() -> bool) -> Option<Vec<Word>> {
        let Last { model, state, heard } = self.last.as_mut()?;
        let names = task.names(&model.vocabulary)?;
        let language = whisper_rs::get_lang_id(&task.language).unwrap_or_default();
        let weighing = Weighing::new(&model.context, state, names, language);
        let found = weighing.weigh(heard, is_over).unwrap_or_else(|error| {
            // What was heard is told; only proposals are missing.
            tracing::warn!(%error, "names could not be weighed");
            Vec::new()
        });
        (!found.is_empty()).then(|| words(heard, &found))
    }
}

/// The tokens of a prompt, as many as Whisper takes.
fn prompt_of(context: &WhisperContext, text: &str) -> Vec<i32> {
    let mut prompt = context.tokenize(text, TOKENIZED).unwrap_or_default();
    prompt.truncate(PROMPT_TOKENS);
    prompt
}

/// The settings of one run.
struct Attempt<'a> {
    effort: Effort,
    threads: usize,
    language: &'a str,
    prompt: &'a [i32],
    positions: usize,
}

impl Attempt<'_> {
    fn run(
        &self,
        context: &WhisperContext,
        state: &mut WhisperState,
        samples: &[f32],
    ) -> Result<Vec<Heard>, DecodeError> {
        let mut parameters = parameters(self.effort);
        parameters.set_n_threads(i32::try_from(self.threads).unwrap_or(1));
        parameters.set_language(Some(self.language));
        parameters.set_tokens(self.prompt);
        let most = FEWEST_TOKENS + samples.len() * TOKENS_A_SECOND / SAMPLE_RATE as usize;
        parameters.set_max_tokens(i32::try_from(most).unwrap_or(0));
        parameters.set_audio_ctx(i32::try_from(self.positions).unwrap_or(0));
        state.full(parameters, samples).map_err(engine)?;
        Ok(state.as_iter().flat_map(|segment| heard(&segment, context.token_eot())).collect())
    }
}

fn parameters<'a, 'b>(effort: Effort) -> FullParams<'a, 'b> {
    let mut parameters = FullParams::new(match effort {
        Effort::Glance => SamplingStrategy::Greedy { best_of: 1 },
        Effort::Ahead | Effort::Full => SamplingStrategy::BeamSearch { beam_size: BEAMS, patience: -1.0 },
    });
    if effort == Effort::Glance {
        parameters.set_temperature_inc(0.0);
    }
    parameters.set_no_context(true);
    parameters.set_single_segment(true);
    parameters.set_token_timestamps(true);
    parameters.set_suppress_blank(true);
    parameters.set_suppress_nst(true);
    parameters.set_print_special(false);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    parameters
}

/// A word as it grows token by token; a character may be split between two tokens.
#[derive(Default)]
struct Growing {
    bytes: Vec<u8>,
    start: i64,
    end: i64,
    logarithms: f32,
    tokens: f32,
    suggested: Option<String>,
}

impl Growing {
    fn finish(&mut self, list: &mut Vec<Word>) {
        let grown = std::mem::take(self);
        let text = String::from_utf8_lossy(&grown.bytes).trim().to_owned();
        if !text.is_empty() {
            list.push(Word {
                text,
                start_ms: milliseconds(grown.start),
                end_ms: milliseconds(grown.end.max(grown.start)),
                // The geometric mean of the tokens' probabilities.
                confidence: Some((grown.logarithms / grown.tokens).exp().clamp(0.0, 1.0)),
                suggested: grown.suggested,
            });
        }
    }
}

/// The text tokens of a segment; none where it holds no speech.
fn heard(segment: &WhisperSegment<'_>, first_special: i32) -> Vec<Heard> {
    let text = |index| {
        let token = segment.get_token(index)?;
        let (data, bytes) = (token.token_data(), token.to_bytes().ok()?.to_vec());
        let heard = Heard { id: data.id, bytes, start: data.t0, end: data.t1, logarithm: data.plog };
        (data.id < first_special).then_some(heard)
    };
    let list: Vec<Heard> = (0..segment.n_tokens()).filter_map(text).collect();
    let logarithms: f32 = list.iter().map(|token| token.logarithm).sum();
    let is_unsure = list.is_empty() || logarithms / (list.len() as f32) < UNSURE;
    if is_unsure && segment.no_speech_probability() > NO_SPEECH { Vec::new() } else { list }
}

/// Makes words of tokens; what a name was found for is one word.
fn words(heard: &[Heard], found: &[Found]) -> Vec<Word> {
    let (mut list, mut growing) = (Vec::new(), Growing::default());
    for (at, token) in heard.iter().enumerate() {
        let within = |name: &&Found| name.stands_for.start < at && at < name.stands_for.end;
        if token.starts_word() && !found.iter().any(|name| within(&name)) {
            growing.finish(&mut list);
        }
        if growing.bytes.is_empty() {
            growing.start = token.start;
        }
        if let Some(name) = found.iter().find(|name| name.stands_for.start == at) {
            growing.suggested = Some(name.name.clone());
        }
        growing.bytes.extend_from_slice(&token.bytes);
        growing.end = token.end;
        growing.logarithms += token.logarithm;
        growing.tokens += 1.0;
    }
    growing.finish(&mut list);
    list
}

/// Whisper counts in hundredths of a second.
fn milliseconds(hundredths: i64) -> u64 {
    u64::try_from(hundredths).unwrap_or(0) * 10
}

fn engine(error: WhisperError) -> DecodeError {
    DecodeError::Engine(error.to_string())
}
