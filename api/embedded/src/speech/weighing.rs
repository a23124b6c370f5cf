//! Weighs names of medicines against what was heard, with the model's own judgement of the audio.
//!
//! Whisper writes common words for names that it has seldom read. Where it is unsure of a word, the names of the session's
//! vocabulary are tried: how much less likely would the model, with this audio and this text before, write the name than the
//! words it wrote? A name that is not much less likely and sounds like what was heard is proposed beside it, never in its
//! place. This is shallow fusion (<https://arxiv.org/abs/1807.10857>) of a list of names, on the alternatives of a finished
//! decoding instead of within the search: the encoder has run already, and only the unsure places cost time.

use std::ops::Range;

use seva_clinic::formulary::resemblance;
use whisper_rs::{WhisperContext, WhisperError, WhisperState};

use super::names::{Names, Place, Token};

/// A token that was heard, with times in hundredths of a second from the segment's start.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub id: Token,
    pub bytes: Vec<u8>,
    pub start: i64,
    pub end: i64,
    /// The logarithm of its probability.
    pub logarithm: f32,
}

impl Heard {
    /// Whether a word starts here: Whisper writes the space before a word into its first token.
    pub(super) fn starts_word(&self) -> bool {
        self.bytes.first() == Some(&b' ')
    }

    fn is_mark(&self) -> bool {
        self.bytes.first().is_some_and(u8::is_ascii_punctuation)
    }
}

/// What a name gains, as a logarithm, that sounds like what was heard: all of it where the sounds are the same. Measured on the
/// developing half of our dictations: names that were said lost up to 11 to what was heard, with a resemblance of 0.7 to 1.
const SOUNDS_ALIKE: f32 = 16.0;
/// Names that resemble less are none.
const RESEMBLANCE: f32 = 0.62;
/// Words whose probability is beyond this are left alone.
const SURE: f32 = 0.9;
/// A single token is too little work for more threads: they would wait for each other, and spin where cores are busy.
const THREADS: usize = 1;
/// Words for which a name may stand.
const SPAN: usize = 4;
/// Tokens that are followed at a place of the tree, how likely each has to be as a logarithm, and how many are tried at a
/// place of the text and in a whole segment.
const FOLLOWED: usize = 6;
const UNLIKELY: f32 = -10.0;
const TRIES: usize = 6;
const TRIES_A_SEGMENT: usize = 80;
/// Words of a segment at which names are tried, and the tokens of one that may be two run together.
const WORDS: usize = 16;
const LONG: usize = 4;

/// A name that may be what was said.
pub(super) struct Found {
    gain: f32,
    pub name: String,
    /// The tokens that it stands for.
    pub stands_for: Range<usize>,
}

/// A place where names are tried: what follows it in the tree, with the logarithm of its probability.
type Roots = Vec<(Token, Place, f32)>;

/// A token at which a name may start, and what the tree offers there.
type Slot = (usize, Roots);

/// One segment's weighing, over a state that has just decoded it.
pub(super) struct Weighing<'a> {
    context: &'a WhisperContext,
    state: &'a mut WhisperState,
    names: &'a Names,
    /// What the text begins with: language, task.
    preamble: Vec<Token>,
    tries: usize,
}

impl<'a> Weighing<'a> {
    pub(super) fn new(
        context: &'a WhisperContext,
        state: &'a mut WhisperState,
        names: &'a Names,
        language: i32,
    ) -> Self {
        let mut preamble = vec![context.token_sot()];
        if context.is_multilingual() {
            preamble.extend([context.token_lang(language), context.token_transcribe()]);
        }
        preamble.push(context.token_not());
        Self { context, state, names, preamble, tries: TRIES_A_SEGMENT }
    }

    /// Finds the names that fit what was heard; none overlap. It gives up when `is_over` says so.
    pub(super) fn weigh(mut self, heard: &[Heard], is_over: &dyn Fn() -> bool) -> Result<Vec<Found>, WhisperError> {
        let unsure = unsure(heard);
        let Some(last) = unsure.last().copied() else { return Ok(Vec::new()) };
        let limit = boundaries(heard, last).last().copied().unwrap_or(heard.len());
        let (own, roots) = self.read(heard, limit, &unsure)?;
        let mut found: Vec<Found> = Vec::new();
        // From the last place to the first: what is tried at a place overwrites only what comes after it.
        for (at, roots) in roots.iter().rev() {
            if is_over() {
                return Ok(Vec::new());
            }
            found.extend(self.best(heard, &own, *at, roots)?);
        }
        Ok(apart(found))
    }

    /// Reads the heard tokens up to each unsure place, and says what the tree offers there; with it the logarithm of each token's
    /// probability, that of the end behind them. What lies between two places is read at once, which is cheaper a token; only what
    /// is read singly tells what would come next.
    fn read(&mut self, heard: &[Heard], limit: usize, unsure: &[usize]) -> Result<(Vec<f32>, Vec<Slot>), WhisperError> {
        let mut tokens = self.preamble.clone();
        tokens.extend(heard.iter().map(|token| token.id));
        let mut own: Vec<f32> = heard.iter().map(|token| token.logarithm).chain([0.0]).collect();
        let (mut roots, mut done) = (Vec::new(), 0);
        let end = (limit == heard.len()).then_some(limit);
        for at in unsure.iter().copied().chain(end) {
            let until = self.preamble.len() + at;
            if let Some((last, between)) = tokens.get(done..until).and_then(<[Token]>::split_last) {
                if !between.is_empty() {
                    self.state.decode(between, done, THREADS)?;
                }
                self.state.decode(&[*last], until - 1, THREADS)?;
                done = until;
            }
            let logits = Logits::of(self.state)?;
            if let Some(place) = own.get_mut(at).filter(|_| at == heard.len()) {
                *place = logits.logarithm(self.context.token_eot());
            } else {
                roots.push((at, logits.likeliest(self.names.after(0))));
            }
        }
        Ok((own, roots))
    }

    /// Finds the name that fits best in a place, if one fits better than what was heard.
    fn best(&mut self, heard: &[Heard], own: &[f32], at: usize, roots: &Roots) -> Result<Option<Found>, WhisperError> {
        let ends = self.ends(heard, own, at);
        let floor = ends.iter().map(|end| end.own - SOUNDS_ALIKE).fold(f32::INFINITY, f32::min);
        let mut best: Option<Found> = None;
        let mut open: Vec<(Vec<Token>, Place, f32)> =
            roots.iter().rev().map(|(token, place, log)| (vec![*token], *place, *log)).collect();
        let mut tries = TRIES.min(self.tries);
        // Depth first, so that the cache always holds the tokens before the one that is tried.
        while let Some((tokens, place, sum)) = open.pop() {
            let worth = floor + best.as_ref().map_or(0.0, |best| best.gain);
            let Some(token) = tokens.last().copied().filter(|_| sum > worth && tries > 0) else { continue };
            tries -= 1;
            self.tries = self.tries.saturating_sub(1);
            self.state.decode(&[token], self.preamble.len() + at + tokens.len() - 1, THREADS)?;
            let logits = Logits::of(self.state)?;
            if self.names.ends(place) {
                let name = self.text(&tokens);
                for end in &ends {
                    let resemblance = resemblance(&end.text, &name);
                    let gain = sum + logits.logarithm(end.next) - end.own + SOUNDS_ALIKE * resemblance;
                    if resemblance >= RESEMBLANCE && gain > best.as_ref().map_or(0.0, |best| best.gain) {
                        best = Some(Found { gain, name: name.clone(), stands_for: at..end.at });
                    }
                }
            }
            for (next, place, log) in logits.likeliest(self.names.after(place)).into_iter().rev() {
                open.push((tokens.iter().copied().chain([next]).collect(), place, sum + log));
            }
        }
        Ok(best)
    }

    /// Where a name may end that starts at a token. A figure is never part of what was heard for a name.
    fn ends(&self, heard: &[Heard], own: &[f32], at: usize) -> Vec<End> {
        let end = |end| End {
            at: end,
            text: text(heard.get(at..end).unwrap_or_default().iter().map(|token| token.bytes.as_slice())),
            next: heard.get(end).map_or(self.context.token_eot(), |token| token.id),
            own: own.get(at..=end).map_or(0.0, |span| span.iter().sum()),
        };
        let is_words = |end: &End| !end.text.bytes().any(|byte| byte.is_ascii_digit());
        boundaries(heard, at).into_iter().map(end).filter(is_words).collect()
    }

    fn text(&self, tokens: &[Token]) -> String {
        text(tokens.iter().map(|token| self.context.token_to_bytes(*token).unwrap_or_default()))
    }
}

/// Where a name may end.
struct End {
    at: usize,
    /// What was heard until there.
    text: String,
    /// The token that follows.
    next: Token,
    /// The logarithm of the probability of what was heard, and of the token that follows.
    own: f32,
}

fn text<'a>(tokens: impl Iterator<Item = &'a [u8]>) -> String {
    let bytes: Vec<u8> = tokens.flatten().copied().collect();
    String::from_utf8_lossy(&bytes).trim().to_lowercase()
}

/// What the model would write next.
struct Logits<'a> {
    values: &'a [f32],
    /// The logarithm of the sum of their exponentials.
    whole: f32,
}

impl<'a> Logits<'a> {
    /// Those after the only token of the last decoding.
    fn of(state: &'a WhisperState) -> Result<Self, WhisperError> {
        let values = state.get_logits()?;
        let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let whole = most + values.iter().map(|value| (value - most).exp()).sum::<f32>().ln();
        Ok(Self { values, whole })
    }

    fn logarithm(&self, token: Token) -> f32 {
        let value = usize::try_from(token).ok().and_then(|token| self.values.get(token));
        value.map_or(f32::NEG_INFINITY, |value| value - self.whole)
    }

    /// The likeliest of a place's continuations, the likeliest first.
    fn likeliest(&self, after: &[(Token, Place)]) -> Roots {
        let mut all: Roots = after.iter().map(|(token, place)| (*token, *place, self.logarithm(*token))).collect();
        all.retain(|(_, _, log)| *log > UNLIKELY);
        all.sort_by(|left, right| right.2.total_cmp(&left.2));
        all.truncate(FOLLOWED);
        all
    }
}

/// Where a name may start: at the words of which the model was least sure, and within long ones, because it runs words
/// together. What is spoken unclearly throughout has too many such words to try them all before the draft.
fn unsure(heard: &[Heard]) -> Vec<usize> {
    let starts: Vec<usize> = (0..heard.len()).filter(|at| heard.get(*at).is_some_and(Heard::starts_word)).collect();
    let ends = starts.iter().copied().skip(1).chain([heard.len()]);
    let word = |(start, end): (usize, usize)| {
        let tokens = heard.get(start..end).unwrap_or_default();
        let sum: f32 = tokens.iter().map(|token| token.logarithm).sum();
        (sum / (tokens.len().max(1) as f32), start..end)
    };
    let mut words: Vec<(f32, Range<usize>)> = starts.iter().copied().zip(ends).map(word).collect();
    words.retain(|(mean, _)| *mean < SURE.ln());
    words.sort_by(|left, right| left.0.total_cmp(&right.0));
    words.truncate(WORDS);
    let is_letters = |at: &usize| {
        heard.get(*at).is_some_and(|token| token.bytes.iter().all(|byte| *byte == b' ' || byte.is_ascii_alphabetic()))
    };
    let places = |(_, word): (f32, Range<usize>)| if word.len() < LONG { word.start..word.start + 1 } else { word };
    let mut all: Vec<usize> = words.into_iter().flat_map(places).filter(is_letters).collect();
    all.sort_unstable();
    all
}

/// Where a name may end that starts at a token: before one of the next words or marks, or at the end.
fn boundaries(heard: &[Heard], start: usize) -> Vec<usize> {
    let (mut ends, mut words) = (Vec::new(), 0);
    for (at, token) in heard.iter().enumerate().skip(start + 1) {
        if words >= SPAN {
            return ends;
        }
        if token.starts_word() || token.is_mark() {
            ends.push(at);
            words += usize::from(token.starts_word());
        }
    }
    ends.push(heard.len());
    ends
}

/// Those names that lie apart, the best ones where they overlap, in order.
fn apart(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|left, right| right.gain.total_cmp(&left.gain));
    let mut chosen: Vec<Found> = Vec::new();
    for name in found {
        let (start, end) = (name.stands_for.start, name.stands_for.end);
        if chosen.iter().all(|other| other.stands_for.end <= start || end <= other.stands_for.start) {
            chosen.push(name);
        }
    }
    chosen.sort_by_key(|name| name.stands_for.start);
    chosen
}
