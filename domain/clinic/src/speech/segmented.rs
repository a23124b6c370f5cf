//! A session over an engine that recognises a whole segment at a time: pauses cut the audio, the open segment is looked at
//! again about each second, and what two looks agree on is shown (Whisper, <https://arxiv.org/abs/2212.04356>). Until
//! something is shown the looks follow each other sooner, because who dictates waits for a sign that it is heard.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::mpsc;

use super::agreement::Agreement;
use super::segments::{AudioSegment, Segmenter, text_of};
use super::{SAMPLE_RATE, SpeechEvent, SpeechSession, Word};

/// Blocks that may wait for a session.
const BLOCKS: usize = 64;
const EVENTS: usize = 64;
/// Samples of ended segments that may wait for the engine; past them the sender is held back.
const WAITING: usize = SAMPLE_RATE as usize * 300;

/// How much effort a segment deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// A glance at an open segment, left out when the engine is busy.
    Glance,
    /// The text that stays.
    Full,
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
    /// The segment's words, with times from its first sample; none when it holds no speech. A dropped call is given up.
    async fn decode(&self, samples: Vec<i16>, effort: Effort) -> Result<Vec<Word>, SegmentFailure>;
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
        glance: None,
        current: None,
        segment: 0,
        failed: false,
    };
    // Gone means that there is nobody to tell.
    let task = async move { drop(listener.listen(blocks).await) };
    (SpeechSession { audio, events }, task)
}

/// Nobody reads the events any more.
struct Gone;

type Answer = Result<Vec<Word>, SegmentFailure>;
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
    glance: Option<Decoding>,
    current: Option<(AudioSegment, Decoding)>,
    segment: u32,
    failed: bool,
}

enum Happening {
    Block(Option<Vec<i16>>),
    Glanced(Answer),
    Decoded(Answer),
    Gone,
}

impl Listener {
    async fn listen(mut self, mut blocks: mpsc::Receiver<Vec<i16>>) -> Result<(), Gone> {
        self.report(SpeechEvent::Started).await?;
        let mut hearing = true;
        while hearing || self.current.is_some() {
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
                Happening::Glanced(answer) => self.show(answer).await?,
                Happening::Decoded(answer) => self.finish(answer).await?,
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
        tokio::select! {
            biased;
            () = self.reports.closed() => Happening::Gone,
            answer = decoded => Happening::Decoded(answer),
            answer = glanced => Happening::Glanced(answer),
            block = blocks.recv(), if hears => Happening::Block(block),
        }
    }

    /// Queues what has ended; a glance at it is of no use any more.
    fn close(&mut self, ended: impl IntoIterator<Item = AudioSegment>) {
        for segment in ended {
            self.ended.push_back(segment);
            self.glance = None;
            self.agreement.reset();
            self.glanced = 0;
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
        // At a lull the engine is kept free for the text that stays.
        let is_free = self.current.is_none() && self.glance.is_none() && !self.segmenter.is_lulled();
        if is_free && length >= self.glanced + self.glance_after() {
            self.glance = Some(self.decoding(self.segmenter.open().samples, Effort::Glance));
            self.glanced = length;
        }
    }

    /// New audio that is worth a look.
    fn glance_after(&self) -> usize {
        match (self.agreement.is_shown(), self.glanced) {
            (true, _) => self.glance_after,
            // A word needs its time, and the lead before it.
            (false, 0) => self.glance_after / 10 * 7,
            (false, _) => self.glance_after / 10 * 4,
        }
    }

    fn decoding(&self, samples: Vec<i16>, effort: Effort) -> Decoding {
        let decoder = Arc::clone(&self.decoder);
        Box::pin(async move { decoder.decode(samples, effort).await })
    }

    async fn show(&mut self, answer: Answer) -> Result<(), Gone> {
        self.glance = None;
        // A glance that failed or was refused is left out; the segment's full decoding tells what is wrong.
        let words = self.segmenter.open().place(answer.unwrap_or_default());
        let Some(words) = self.agreement.next(words) else { return Ok(()) };
        self.report(SpeechEvent::Partial { segment: self.segment, text: text_of(&words), words }).await
    }

    async fn finish(&mut self, answer: Answer) -> Result<(), Gone> {
        let Some((ended, _)) = self.current.take() else { return Ok(()) };
        let words = match answer {
            Ok(words) => ended.place(words),
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
        let (segment, start_ms, end_ms) = (self.segment, ended.start_ms, ended.end_ms());
        self.segment += 1;
        let text = text_of(&words);
        self.report(SpeechEvent::Final { segment, start_ms, end_ms, speaker: None, words, text }).await
    }

    async fn report(&mut self, event: SpeechEvent) -> Result<(), Gone> {
        self.reports.send(event).await.map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests;
