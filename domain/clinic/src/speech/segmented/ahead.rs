//! The decoding of an open segment as if it had ended at its present lull.

use std::future::{pending, ready};

use super::super::segments::AudioSegment;
use super::{Answer, Decoding};

/// A decoding ahead, and its answer while nothing more is said.
pub(super) struct Ahead {
    /// Where the segment ends for it, in samples from its start.
    pub samples: usize,
    progress: Progress,
}

enum Progress {
    Running(Decoding),
    Answered(Answer),
}

impl Ahead {
    pub(super) fn new(samples: usize, decoding: Decoding) -> Self {
        Self { samples, progress: Progress::Running(decoding) }
    }

    pub(super) fn answered(self, answer: Answer) -> Self {
        Self { progress: Progress::Answered(answer), ..self }
    }

    pub(super) fn is_answered(&self) -> bool {
        matches!(self.progress, Progress::Answered(_))
    }

    /// The answer, once.
    pub(super) async fn answer(&mut self) -> Answer {
        match &mut self.progress {
            Progress::Running(decoding) => decoding.await,
            Progress::Answered(_) => pending().await,
        }
    }

    /// The decoding of a segment that has ended, where it is of the same samples: both begin where the segment does. What fails
    /// and may pass is decoded again, with the patience that the text deserves.
    pub(super) fn decoding_of(self, ended: &AudioSegment, again: Decoding) -> Option<Decoding> {
        if self.samples != ended.samples.len() {
            return None;
        }
        Some(match self.progress {
            Progress::Running(decoding) => Box::pin(async move {
                match decoding.await {
                    Err(failure) if failure.retryable => again.await,
                    answer => answer,
                }
            }),
            Progress::Answered(answer) => Box::pin(ready(answer)),
        })
    }
}
