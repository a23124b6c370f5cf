//! One session: audio in, segments cut at pauses, partials while a segment is open, finals when it has ended.

use std::sync::Arc;

use seva_clinic::speech::segments::{AudioSegment, Segmenter, text_of};
use seva_clinic::speech::{SAMPLE_RATE, SpeechEvent};
use tokio::sync::mpsc;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::agreement::Agreement;
use super::pool::{DecodeError, Effort, Job, Pool, Task};
use super::recogniser::Decoded;

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
    segmenter: Segmenter,
    agreement: Agreement,
    /// Length of the open segment at the last partial decoding.
    glanced: usize,
    partial: Option<Reply>,
    segment: u32,
    failed: bool,
}

impl Session {
    /// Makes a session that has heard nothing.
    pub(super) fn new(task: Task, pool: Arc<Pool>, reports: mpsc::Sender<SpeechEvent>) -> Self {
        Self {
            task: Arc::new(task),
            pool,
            reports,
            segmenter: Segmenter::default(),
            agreement: Agreement::default(),
            glanced: 0,
            partial: None,
            segment: 0,
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
        while let Some(block) = blocks.recv().await {
            for ended in self.segmenter.hear(&block) {
                self.finish(ended).await?;
            }
            self.glance().await?;
        }
        if let Some(ended) = self.segmenter.finish() {
            self.finish(ended).await?;
        }
        if self.segment == 0 && !self.failed {
            self.report(SpeechEvent::NoSpeech).await?;
        }
        self.report(SpeechEvent::Ended).await
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
            let words = self.segmenter.open().place(answer.map(|decoded| decoded.words).unwrap_or_default());
            if let Some(words) = self.agreement.next(words) {
                let event = SpeechEvent::Partial { segment: self.segment, text: text_of(&words), words };
                self.report(event).await?;
            }
        }
        let length = self.segmenter.open_samples();
        if length >= self.glanced + PARTIAL_AFTER && self.partial.is_none() {
            // A busy pool means no partial this time.
            self.partial = self.submit(self.segmenter.open().samples, Effort::Partial).ok();
            self.glanced = length;
        }
        Ok(())
    }

    /// Decodes the segment that has ended and reports it.
    async fn finish(&mut self, ended: AudioSegment) -> Result<(), Gone> {
        self.partial = None; // closes the reply, so that the worker skips the job
        let decoded = match self.submit(ended.samples.clone(), Effort::Final) {
            Ok(reply) => reply.await.unwrap_or(Err(DecodeError::Stopping)),
            Err(error) => Err(error),
        };
        match decoded {
            Ok(decoded) => self.report_final(&ended, decoded).await?,
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
        self.agreement.reset();
        self.glanced = 0;
        Ok(())
    }

    async fn report_final(&mut self, ended: &AudioSegment, decoded: Decoded) -> Result<(), Gone> {
        let words = ended.place(decoded.words);
        if words.is_empty() {
            return Ok(());
        }
        let (segment, start_ms, end_ms) = (self.segment, ended.start_ms, ended.end_ms());
        self.segment += 1;
        let text = text_of(&words);
        self.report(SpeechEvent::Final { segment, start_ms, end_ms, speaker: None, words, text }).await
    }

    fn submit(&self, audio: Vec<i16>, effort: Effort) -> Result<Reply, DecodeError> {
        let (reply, answer) = oneshot::channel();
        self.pool.submit(Job { task: self.task.clone(), audio, effort, deadline: self.pool.deadline(), reply })?;
        Ok(answer)
    }

    async fn report(&self, event: SpeechEvent) -> Result<(), Gone> {
        self.reports.send(event).await.map_err(|_| Gone)
    }
}
