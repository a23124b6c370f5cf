//! `[dictation]`: how long states of dictations last, and how many are worked on at once.

use std::time::Duration;

use serde::Deserialize;
use seva_clinic::dictation::DictationLimits;

/// `[dictation]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dictation {
    /// Seconds without a first frame after which a dictation is abandoned.
    pub abandon_seconds: u32,
    /// Seconds without a frame after which a live one is paused.
    pub pause_seconds: u32,
    /// Seconds after which a paused one is finished.
    pub finish_seconds: u32,
    /// Seconds that a stage may take.
    pub stage_seconds: u32,
    /// How often a stage is begun before it has failed.
    pub attempts: u32,
    /// How many dictations this node works on at once.
    pub workers: u32,
    /// How many recordings are transcribed while they go on.
    pub sessions: u32,
    /// Seconds that audio is kept after its prescription was signed; 0 keeps it.
    pub keep_audio_seconds: u32,
}

impl Default for Dictation {
    fn default() -> Self {
        let limits = DictationLimits::default();
        let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            abandon_seconds: seconds(limits.abandon),
            pause_seconds: seconds(limits.pause),
            finish_seconds: seconds(limits.finish),
            stage_seconds: seconds(limits.stage),
            attempts: limits.attempts,
            workers: count(limits.workers),
            sessions: count(limits.sessions),
            keep_audio_seconds: limits.keep_audio.map_or(0, seconds),
        }
    }
}

impl Dictation {
    /// The limits that the domain works with.
    #[must_use]
    pub fn limits(&self) -> DictationLimits {
        let seconds = |number: u32| Duration::from_secs(u64::from(number));
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        DictationLimits {
            abandon: seconds(self.abandon_seconds),
            pause: seconds(self.pause_seconds),
            finish: seconds(self.finish_seconds),
            stage: seconds(self.stage_seconds),
            attempts: self.attempts.max(1),
            workers: count(self.workers),
            sessions: count(self.sessions),
            keep_audio: (self.keep_audio_seconds > 0).then(|| seconds(self.keep_audio_seconds)),
        }
    }
}
