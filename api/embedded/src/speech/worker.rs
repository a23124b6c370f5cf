//! A session's segments, recognised by the pool.

use std::sync::Arc;

use async_trait::async_trait;
use seva_clinic::speech::segmented::{Effort, Recognised, SegmentDecoder, SegmentFailure};
use tokio::sync::oneshot;

use super::pool::{DecodeError, Job, Pool, Task};

/// Hands segments to the pool.
pub(super) struct Worker {
    task: Arc<Task>,
    pool: Arc<Pool>,
}

impl Worker {
    pub(super) fn new(task: Task, pool: Arc<Pool>) -> Self {
        Self { task: Arc::new(task), pool }
    }

    async fn ask(&self, audio: Vec<i16>, effort: Effort) -> Result<Recognised, DecodeError> {
        // A dropped call closes the reply, so that the worker skips the job.
        let (reply, answer) = oneshot::channel();
        self.pool.submit(Job { task: self.task.clone(), audio, effort, deadline: self.pool.deadline(), reply })?;
        answer.await.unwrap_or(Err(DecodeError::Stopping))
    }
}

#[async_trait]
impl SegmentDecoder for Worker {
    async fn decode(&self, samples: Vec<i16>, effort: Effort) -> Result<Recognised, SegmentFailure> {
        let answer = self.ask(samples, effort).await;
        answer.map_err(|error| SegmentFailure {
            retryable: !matches!(error, DecodeError::Engine(_)),
            reason: error.to_string(),
        })
    }
}
