//! A session over an engine that recognises a whole segment at a time: pauses cut the audio, the open segment is looked at
//! again about each second, and what two looks agree on is shown (Whisper, <https://arxiv.org/abs/2212.04356>). Until
//! something is shown the looks follow each other sooner, because who dictates waits for a sign that it is heard.
//!
//! At a lull, which may become the pause that ends a segment, the engine begins with the text that stays: if nothing more is
//! said it is there sooner, and otherwise it was a look.

mod ahead;
mod weighed;

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use self::ahead::Ahead;
use self::weighed::Weighed;
use super::agreement::Agreement;
use super::segments::{AudioSegment, Segmenter, text_of};
use super::{SAMPLE_RATE, SpeechEvent, SpeechSession, Word};

/// Blocks that may wait for a session.
const BLOCKS: usize = 64;
const EVENTS: usize = 64;
/// Samples of ended segments that may wait for the engine; past them the sender is held back.
const WAITING: usize = SAMPLE_RATE as usize * 300;

/// What has to be new of an open segment before it is worth another look, as a part of what was looked at.
const GLANCE_SHARE: usize = 4;

/// How much effort a segment deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// A glance at an open segment, left out when the engine is busy.
    Glance,
    /// The text that stays if nothing more is said, left out when the engine is busy.
    Ahead,
    /// The text that stays.
    Full,
}

/// What was recognised in a segment.
#[derive(Debug)]
pub struct Recognised {
    /// The words, with times from the segment's first sample; none when it holds no speech.
    pub words: Vec<Word>,
    /// Names that may have been said, where the engine goes on to weigh them: the same text, in which the words that a name is
    /// proposed for are one. It closes where there are none; dropping it gives them up.
    pub proposals: Option<oneshot::Receiver<Vec<Word>>>,
}

impl From<Vec<Word>> for Recognised {
    fn from(words: Vec<Word>) -> Self {
        Self { words, proposals: None }
    }
}

/// Why a segment was not recognised.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct SegmentFailure {
    /// Whether the same audio may be sent again.
    pub retryable: bool,
    /// What failed, without any clinical text.
    pub reason: String,
}

/// Recognises one segment at a time.
#[async_trait]
pub trait SegmentDecoder: Send + Sync + 'static {
    /// Recognises a segment. A dropped call is given up.
    async fn decode(&self, samples: Vec<i16>, effort: Effort) -> Result<Recognised, SegmentFailure>;
}

/// Makes a session and the task that listens; run it under an owner.
pub fn session(
    decoder: Arc<dyn SegmentDecoder>,
    glance_after: usize,
) -> (SpeechSession, impl Future<Output = ()> + Send + 'static) {
    let (audio, blocks) = mpsc::channel(BLOCKS);
    let (reports, events) = mpsc::channel(EVENTS);
    let listener = Listener {
        decoder,
        reports,
        glance_after,
        segmenter: Segmenter::default(),
        agreement: Agreement::default(),
        ended: VecDeque::new(),
        glanced: 0,
        tried: 0,
        glance: None,
        ahead: None,
        current: None,
        weighed: Weighed::default(),
        segment: 0,
        failed: false,
    };
    // Gone means that there is nobody to tell.
    let task = async move { drop(listener.listen(blocks).await) };
    (SpeechSession { audio, events }, task)
}

/// Nobody reads the events any more.
struct Gone;

type Answer = Result<Recognised, SegmentFailure>;
type Decoding = Pin<Box<dyn Future<Output = Answer> + Send>>;

struct Listener {
    decoder: Arc<dyn SegmentDecoder>,
    reports: mpsc::Sender<SpeechEvent>,
    /// Samples after which the open segment is looked at again.
    glance_after: usize,
    segmenter: Segmenter,
    agreement: Agreement,
    /// Segments that wait for the engine.
    ended: VecDeque<AudioSegment>,
    /// Length of the open segment at the last glance.
    glanced: usize,
    /// Where it ended when it was last decoded ahead.
    tried: usize,
    glance: Option<Decoding>,
    /// The open segment, should it end now.
    ahead: Option<Ahead>,
    current: Option<(AudioSegment, Decoding)>,
    /// Segments whose names are being weighed.
    weighed: Weighed,
    segment: u32,
    failed: bool,
}

enum Happening {
    Block(Option<Vec<i16>>),
    Glanced(Answer),
    Ahead(Answer),
    Decoded(Answer),
    Weighed(Option<SpeechEvent>),
    Gone,
}

impl Listener {
    async fn listen(mut self, mut blocks: mpsc::Receiver<Vec<i16>>) -> Result<(), Gone> {
        self.report(SpeechEvent::Started).await?;
        let mut hearing = true;
        while hearing || self.current.is_some() || !self.weighed.is_empty() {
            let waiting: usize = self.ended.iter().map(|segment| segment.samples.len()).sum();
            match self.next(&mut blocks, hearing && waiting < WAITING).await {
                Happening::Gone => return Err(Gone),
                Happening::Block(Some(block)) => {
                    let ended = self.segmenter.hear(&block);
                    self.close(ended);
                }
                Happening::Block(None) => {
                    hearing = false;
                    let last = self.segmenter.finish();
                    self.close(last);
                }
                Happening::Glanced(answer) => {
                    self.glance = None;
                    // A glance that failed or was refused is left out; the segment's full decoding tells what is wrong.
                    self.show(answer.map_or(Vec::new(), |recognised| recognised.words)).await?;
                }
                Happening::Ahead(answer) => self.keep(answer).await?,
                Happening::Decoded(answer) => self.finish(answer).await?,
                Happening::Weighed(Some(event)) => self.report(event).await?,
                Happening::Weighed(None) => {}
            }
            self.begin();
        }
        if self.segment == 0 && !self.failed {
            self.report(SpeechEvent::NoSpeech).await?;
        }
        self.report(SpeechEvent::Ended).await
    }

    async fn next(&mut self, blocks: &mut mpsc::Receiver<Vec<i16>>, hears: bool) -> Happening {
        let decoded = async {
            match self.current.as_mut() {
                Some((_, decoding)) => decoding.await,
                None => pending().await,
            }
        };
        let glanced = async {
            match self.glance.as_mut() {
                Some(decoding) => decoding.await,
                None => pending().await,
            }
        };
        let ahead = async {
            match self.ahead.as_mut() {
                Some(ahead) => ahead.answer().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.reports.closed() => Happening::Gone,
            answer = decoded => Happening::Decoded(answer),
            event = self.weighed.next() => Happening::Weighed(event),
            answer = ahead => Happening::Ahead(answer),
            answer = glanced => Happening::Glanced(answer),
            block = blocks.recv(), if hears => Happening::Block(block),
        }
    }

    /// Queues what has ended; a glance at it is of no use any more.
    fn close(&mut self, ended: impl IntoIterator<Item = AudioSegment>) {
        for segment in ended {
            // Only the first of them was open before. Nothing waits where one was decoded ahead.
            let again = self.decoding(segment.samples.clone(), Effort::Full);
            match self.ahead.take().and_then(|ahead| ahead.decoding_of(&segment, again)) {
                Some(decoding) => self.current = Some((segment, decoding)),
                None => self.ended.push_back(segment),
            }
            self.glance = None;
            self.agreement.reset();
            (self.glanced, self.tried) = (0, 0);
        }
    }

    /// Begins the next segment, or looks at the open one when nothing waits before it: partials come in order.
    fn begin(&mut self) {
        if self.current.is_none()
            && let Some(segment) = self.ended.pop_front()
        {
            let decoding = self.decoding(segment.samples.clone(), Effort::Full);
            self.current = Some((segment, decoding));
        }
        let length = self.segmenter.open_samples();
        // An answer about less than is open now has had its use.
        self.ahead.take_if(|ahead| ahead.is_answered() && ahead.samples != self.segmenter.ends_at());
        if self.current.is_some() || self.glance.is_some() || self.ahead.is_some() {
            return;
        }
        let ends = self.segmenter.ends_at();
        if self.segmenter.is_lulled() && ends > self.tried {
            self.tried = ends;
            let segment = self.segmenter.open();
            let samples = segment.samples.len();
            self.ahead = Some(Ahead::new(samples, self.decoding(segment.samples, Effort::Ahead)));
        } else if !self.segmenter.is_hushed() && length >= self.glanced + self.glance_after() {
            // Once it is quiet the engine is kept free for the text that stays.
            self.glance = Some(self.decoding(self.segmenter.open().samples, Effort::Glance));
            self.glanced = length;
        }
    }

    /// New audio that is worth a look. A look at much takes long, and would still be under way when it gets quiet: they become
    /// rarer as the segment grows.
    fn glance_after(&self) -> usize {
        match (self.agreement.is_shown(), self.glanced) {
            (true, looked_at) => self.glance_after.max(looked_at / GLANCE_SHARE),
            // A word needs its time, and the lead before it.
            (false, 0) => self.glance_after / 10 * 7,
            (false, _) => self.glance_after / 10 * 4,
        }
    }

    fn decoding(&self, samples: Vec<i16>, effort: Effort) -> Decoding {
        let decoder = Arc::clone(&self.decoder);
        Box::pin(async move { decoder.decode(samples, effort).await })
    }

    async fn show(&mut self, words: Vec<Word>) -> Result<(), Gone> {
        let words = self.segmenter.open().place(words);
        let agreed = self.agreement.next(words);
        self.tell(agreed).await
    }

    async fn tell(&mut self, words: Option<Vec<Word>>) -> Result<(), Gone> {
        let Some(words) = words else { return Ok(()) };
        self.report(SpeechEvent::Partial { segment: self.segment, text: text_of(&words), words }).await
    }

    /// Keeps what was decoded ahead, and shows it: it was decoded like the text that stays.
    async fn keep(&mut self, answer: Answer) -> Result<(), Gone> {
        let Some(ahead) = self.ahead.take() else { return Ok(()) };
        let words = match &answer {
            Ok(recognised) => recognised.words.clone(),
            // What may pass is decoded at the segment's end; a refusal stays one.
            Err(failure) if failure.retryable => return Ok(()),
            Err(_) => Vec::new(),
        };
        self.glanced = ahead.samples;
        self.ahead = Some(ahead.answered(answer));
        let words = self.segmenter.open().place(words);
        let more = self.agreement.at_once(words);
        self.tell(more).await
    }

    async fn finish(&mut self, answer: Answer) -> Result<(), Gone> {
        let Some((ended, _)) = self.current.take() else { return Ok(()) };
        let Recognised { words, proposals } = match answer {
            Ok(recognised) => recognised,
            Err(failure) => {
                tracing::warn!(reason = %failure.reason, "a speech segment was not recognised");
                self.failed = true;
                let SegmentFailure { retryable, reason } = failure;
                return self.report(SpeechEvent::Error { retryable, message: reason }).await;
            }
        };
        if words.is_empty() {
            return Ok(());
        }
        let words = ended.place(words);
        let (segment, start_ms, end_ms) = (self.segment, ended.start_ms, ended.end_ms());
        self.segment += 1;
        if let Some(proposals) = proposals {
            self.weighed.push(segment, ended, proposals);
        }
        let text = text_of(&words);
        self.report(SpeechEvent::Final { segment, start_ms, end_ms, speaker: None, words, text }).await
    }

    async fn report(&mut self, event: SpeechEvent) -> Result<(), Gone> {
        self.reports.send(event).await.map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests;
