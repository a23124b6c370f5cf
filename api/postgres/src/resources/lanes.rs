//! What comes while others of its kind are under way waits for them and goes together: one statement for all that wait.
//! Nothing waits for company, so a lone request is not held up; nothing is kept, so everybody reads their own writes.

use std::sync::{Arc, Mutex, PoisonError};

use seva_fhir::ports::StoreError;
use tokio::sync::oneshot;

/// Work that is done for many at once.
pub(super) trait Together: Send + Sync + 'static {
    /// What one asks for.
    type Wanted: Send + 'static;
    /// What one gets.
    type Given: Send + 'static;
    /// Does the work for all; the answers stand in the order of the questions.
    fn carry_out(&self, wanted: Vec<Self::Wanted>) -> impl Future<Output = Vec<Answer<Self>>> + Send;
}

/// What one who asked is told.
pub(super) type Answer<T> = Result<<T as Together>::Given, StoreError>;

/// Someone who asked, and where the answer goes.
type Waiting<T> = (<T as Together>::Wanted, oneshot::Sender<Answer<T>>);

struct Queue<T: Together> {
    waiting: Vec<Waiting<T>>,
    running: usize,
}

/// The lanes in which batches run. What waits is bounded by the requests that are under way, one or none for each.
pub(super) struct Lanes<T: Together> {
    pub(super) work: T,
    queue: Mutex<Queue<T>>,
    /// So many batches run at once; more of them would only be smaller.
    lanes: usize,
    /// So many go in one batch at most.
    most: usize,
}

impl<T: Together> Lanes<T> {
    pub(super) fn new(work: T, most: usize) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let queue = Mutex::new(Queue { waiting: Vec::new(), running: 0 });
        Arc::new(Self { work, queue, lanes: cores.div_ceil(2), most })
    }

    /// Asks, and waits for the answer. Who goes away meanwhile leaves what is under way undisturbed.
    pub(super) async fn ask(self: &Arc<Self>, wanted: T::Wanted) -> Answer<T> {
        let (answer, answered) = oneshot::channel();
        let begin = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push((wanted, answer));
            let begin = queue.running < self.lanes;
            queue.running += usize::from(begin);
            begin
        };
        if begin {
            tokio::spawn(Arc::clone(self).run());
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the work was given up".to_owned())))
    }

    async fn run(self: Arc<Self>) {
        while let Some(batch) = self.next() {
            let (wanted, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            for (given, answer) in self.work.carry_out(wanted).await.into_iter().zip(answers) {
                // Who went away meanwhile needs no answer.
                let _ = answer.send(given);
            }
        }
    }

    /// The next batch; without one the lane ends.
    fn next(&self) -> Option<Vec<Waiting<T>>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let count = queue.waiting.len().min(self.most);
        if count == 0 {
            queue.running -= 1;
            return None;
        }
        Some(queue.waiting.drain(..count).collect())
    }
}
