//! One session: audio in, segments cut at pauses, partials while a segment is open, finals when it has ended.

use std::collections::VecDeque;
use std::sync::Arc;

use seva_clinic::speech::{SAMPLE_RATE, SpeechEvent, Word};
use tokio::sync::mpsc;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::agreement::Agreement;
use super::pool::{DecodeError, Effort, Job, Pool, Task};
use super::recogniser::Decoded;
use super::voice::{Change, FRAME, Voice};

/// Audio kept from before speech was noticed: a soft first consonant lies there.
const LEAD: usize = SAMPLE_RATE as usize * 3 / 10;
/// New audio after which the open segment is decoded again.
const PARTIAL_AFTER: usize = SAMPLE_RATE as usize;

/// Nobody reads the events any more.
struct Gone;

type Reply = oneshot::Receiver<Result<Decoded, DecodeError>>;

/// The state of one session.
pub(super) struct Session {
    task: Arc<Task>,
    pool: Arc<Pool>,
    reports: mpsc::Sender<SpeechEvent>,
    voice: Voice,
    agreement: Agreement,
    /// The open segment's audio; before speech, only its lead.
    open: VecDeque<i16>,
    speaking: bool,
    /// Samples heard in all.
    heard: u64,
    /// Length of the open segment at the last partial decoding.
    glanced: usize,
    partial: Option<Reply>,
    segment: u32,
    last_end_ms: u64,
    failed: bool,
}

impl Session {
    /// Makes a session that has heard nothing.
    pub(super) fn new(task: Task, pool: Arc<Pool>, reports: mpsc::Sender<SpeechEvent>) -> Self {
        Self {
            task: Arc::new(task),
            pool,
            reports,
            voice: Voice::default(),
            agreement: Agreement::default(),
            open: VecDeque::new(),
            speaking: false,
            heard: 0,
            glanced: 0,
            partial: None,
            segment: 0,
            last_end_ms: 0,
            failed: false,
        }
    }

    /// Listens until the audio ends or nobody reads the events.
    pub(super) async fn run(mut self, blocks: mpsc::Receiver<Vec<i16>>) {
        // Gone means that there is nobody to tell.
        let _ = self.listen(blocks).await;
    }

    async fn listen(&mut self, mut blocks: mpsc::Receiver<Vec<i16>>) -> Result<(), Gone> {
        self.report(SpeechEvent::Started).await?;
        let mut rest: Vec<i16> = Vec::new();
        while let Some(block) = blocks.recv().await {
            rest.extend(block);
            let whole = rest.len() / FRAME * FRAME;
            for frame in rest.drain(..whole).collect::<Vec<_>>().chunks(FRAME) {
                self.hear(frame).await?;
            }
            self.glance().await?;
        }
        if self.speaking {
            self.open.extend(rest);
            self.finish().await?;
        }
        if self.segment == 0 && !self.failed {
            self.report(SpeechEvent::NoSpeech).await?;
        }
        self.report(SpeechEvent::Ended).await
    }

    async fn hear(&mut self, frame: &[i16]) -> Result<(), Gone> {
        self.heard += frame.len() as u64;
        self.open.extend(frame);
        match self.voice.hear(frame) {
            Change::Begun => self.speaking = true,
            Change::Ended => self.finish().await?,
            Change::None if !self.speaking => {
                let surplus = self.open.len().saturating_sub(LEAD);
                self.open.drain(..surplus);
            }
            Change::None => {}
        }
        Ok(())
    }

    /// Looks for a partial that is done, and asks for the next one when a second has passed and a worker is free.
    async fn glance(&mut self) -> Result<(), Gone> {
        let arrived = match self.partial.as_mut().map(Reply::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => None,
            Some(Err(TryRecvError::Closed)) => Some(None),
            Some(Ok(answer)) => Some(answer.ok()),
        };
        if let Some(answer) = arrived {
            self.partial = None;
            let words = self.placed(answer.map(|decoded| decoded.words).unwrap_or_default());
            if let Some(words) = self.agreement.next(words) {
                let event = SpeechEvent::Partial { segment: self.segment, text: text(&words), words };
                self.report(event).await?;
            }
        }
        let due = self.speaking && self.open.len() >= self.glanced + PARTIAL_AFTER;
        if due && self.partial.is_none() {
            // A busy pool means no partial this time.
            self.partial = self.submit(Effort::Partial).ok();
            self.glanced = self.open.len();
        }
        Ok(())
    }

    /// Decodes the segment that has ended and reports it.
    async fn finish(&mut self) -> Result<(), Gone> {
        self.partial = None; // closes the reply, so that the worker skips the job
        let decoded = match self.submit(Effort::Final) {
            Ok(reply) => reply.await.unwrap_or(Err(DecodeError::Stopping)),
            Err(error) => Err(error),
        };
        match decoded {
            Ok(decoded) => self.report_final(decoded).await?,
            Err(error) => {
                tracing::warn!(%error, "a speech segment was not decoded");
                self.failed = true;
                let event = SpeechEvent::Error {
                    retryable: !matches!(error, DecodeError::Engine(_)),
                    message: error.to_string(),
                };
                self.report(event).await?;
            }
        }
        self.open.clear();
        self.agreement.reset();
        (self.speaking, self.glanced) = (false, 0);
        Ok(())
    }

    async fn report_final(&mut self, decoded: Decoded) -> Result<(), Gone> {
        let words = self.placed(decoded.words);
        if words.is_empty() {
            return Ok(());
        }
        let start_ms = self.start_ms();
        let end_ms = start_ms + milliseconds(self.open.len() as u64);
        let event =
            SpeechEvent::Final { segment: self.segment, start_ms, end_ms, speaker: None, text: text(&words), words };
        self.segment += 1;
        self.last_end_ms = end_ms;
        self.report(event).await
    }

    fn submit(&self, effort: Effort) -> Result<Reply, DecodeError> {
        let (reply, answer) = oneshot::channel();
        self.pool.submit(Job {
            task: self.task.clone(),
            audio: self.open.iter().copied().collect(),
            effort,
            deadline: self.pool.deadline(),
            reply,
        })?;
        Ok(answer)
    }

    fn start_ms(&self) -> u64 {
        let start = milliseconds(self.heard.saturating_sub(self.open.len() as u64));
        start.max(self.last_end_ms)
    }

    /// Moves words from segment time to session time, in order and inside the segment.
    fn placed(&self, mut words: Vec<Word>) -> Vec<Word> {
        let start = self.start_ms();
        let end = start + milliseconds(self.open.len() as u64);
        let mut clock = start;
        for word in &mut words {
            word.start_ms = (word.start_ms + start).clamp(clock, end);
            word.end_ms = (word.end_ms + start).clamp(word.start_ms, end);
            clock = word.start_ms;
        }
        words
    }

    async fn report(&self, event: SpeechEvent) -> Result<(), Gone> {
        self.reports.send(event).await.map_err(|_| Gone)
    }
}

fn text(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}

fn milliseconds(samples: u64) -> u64 {
    samples * 1000 / u64::from(SAMPLE_RATE)
}
