//! Segments that are told already, and whose names the engine still weighs.

use std::collections::VecDeque;
use std::future::pending;

use tokio::sync::oneshot;

use super::super::segments::AudioSegment;
use super::super::{SpeechEvent, Word};

struct Weighing {
    segment: u32,
    /// Where it lies in the session.
    audio: AudioSegment,
    proposals: oneshot::Receiver<Vec<Word>>,
}

/// Those segments, the first one first.
#[derive(Default)]
pub(super) struct Weighed(VecDeque<Weighing>);

impl Weighed {
    pub(super) fn push(&mut self, segment: u32, audio: AudioSegment, proposals: oneshot::Receiver<Vec<Word>>) {
        self.0.push_back(Weighing { segment, audio, proposals });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is to be told of the first one; nothing where no name is proposed.
    pub(super) async fn next(&mut self) -> Option<SpeechEvent> {
        let Some(first) = self.0.front_mut() else { return pending().await };
        let words = (&mut first.proposals).await;
        let Weighing { segment, audio, .. } = self.0.pop_front()?;
        Some(SpeechEvent::Weighed { segment, words: audio.place(words.ok()?) })
    }
}
