//! The workers: a bounded number of threads of their own, one queue with a depth and deadlines.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use seva_clinic::speech::segmented::{Effort, Recognised};
use thiserror::Error;
use tokio::sync::oneshot;

use super::SpeechSettings;
use super::names::{Names, Vocabulary};
use super::recogniser::{Recogniser, Weights};

/// Why a segment was not decoded.
#[derive(Debug, Error)]
pub(super) enum DecodeError {
    #[error("speech recognition is busy")]
    Busy,
    #[error("the segment waited too long for a worker")]
    Late,
    #[error("the speech model failed: {0}")]
    Engine(String),
    #[error("speech recognition is stopping")]
    Stopping,
}

/// What all decodings of a session share.
pub(super) struct Task {
    pub model: PathBuf,
    pub language: String,
    pub prompt: String,
    /// Names that may be spoken.
    pub vocabulary: Vec<String>,
    /// The same as a tree of the model's tokens, once it is needed.
    pub tree: OnceLock<Names>,
}

impl Task {
    /// The names to try; none in a language that does not write them in Latin letters.
    pub(super) fn names(&self, vocabulary: &Vocabulary) -> Option<&Names> {
        let is_tried = self.language == "en" && !self.vocabulary.is_empty();
        let tree = || Names::new(vocabulary, self.vocabulary.iter().map(String::as_str));
        is_tried.then(|| self.tree.get_or_init(tree))
    }
}

/// One segment to decode.
pub(super) struct Job {
    pub task: Arc<Task>,
    pub audio: Vec<i16>,
    pub effort: Effort,
    pub deadline: Instant,
    pub reply: oneshot::Sender<Result<Recognised, DecodeError>>,
}

/// The workers and their queue; dropping it lets them finish their job and joins them.
pub(super) struct Pool {
    queue: Option<SyncSender<Job>>,
    waiting: Arc<AtomicUsize>,
    deadline: Duration,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts the workers.
    pub(super) fn start(settings: &SpeechSettings) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(settings.queue.max(1));
        let (jobs, weights) = (Arc::new(Mutex::new(jobs)), Arc::new(Weights::default()));
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut workers = Vec::new();
        for index in 0..settings.jobs.max(1) {
            let recogniser = Recogniser::new(weights.clone(), settings.threads);
            let (jobs, waiting) = (jobs.clone(), waiting.clone());
            let worker = std::thread::Builder::new()
                .name(format!("speech-{index}"))
                .spawn(move || work(recogniser, &jobs, &waiting))?;
            workers.push(worker);
        }
        Ok(Self { queue: Some(queue), waiting, deadline: settings.deadline, workers })
    }

    /// Jobs that wait or run.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// When a job that is queued now is too late.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }

    /// Queues a job; what may be left out only when no worker is busy.
    pub(super) fn submit(&self, job: Job) -> Result<(), DecodeError> {
        if job.effort != Effort::Full && self.waiting() >= self.workers.len() {
            return Err(DecodeError::Busy);
        }
        let queue = self.queue.as_ref().ok_or(DecodeError::Stopping)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(job).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => DecodeError::Busy,
                TrySendError::Disconnected(_) => DecodeError::Stopping,
            }
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue = None;
        for worker in self.workers.drain(..) {
            // A worker that panicked has nothing left to finish.
            let _ = worker.join();
        }
    }
}

fn work(mut recogniser: Recogniser, jobs: &Mutex<Receiver<Job>>, waiting: &AtomicUsize) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else {
            return;
        };
        if !job.reply.is_closed() {
            answer(&mut recogniser, job);
        }
        waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers with the words, and then with the names that may be among them: who dictates waits for the words only.
fn answer(recogniser: &mut Recogniser, job: Job) {
    let Job { task, audio, effort, deadline, reply } = job;
    if Instant::now() > deadline {
        // A session that has gone needs no answer, here and below.
        let _ = reply.send(Err(DecodeError::Late));
        return;
    }
    let (tell, proposals) = oneshot::channel();
    let words = recogniser.decode(&task, &audio, effort);
    let weighs = effort != Effort::Glance && words.as_ref().is_ok_and(|words| !words.is_empty());
    let proposals = weighs.then_some(proposals);
    if reply.send(words.map(|words| Recognised { words, proposals })).is_err() || !weighs {
        return;
    }
    if let Some(words) = recogniser.weigh(&task, &|| tell.is_closed()) {
        let _ = tell.send(words);
    }
}
