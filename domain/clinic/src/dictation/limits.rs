//! How long a dictation may stay in a state, and how many are worked on at once.

use std::time::Duration;

use super::DictationState;

/// The limits of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DictationLimits {
    /// How long a dictation waits for its first frame before it is abandoned.
    pub abandon: Duration,
    /// How long a live one may be without frames before it is paused.
    pub pause: Duration,
    /// How long a paused one waits for more audio before the work on it begins.
    pub finish: Duration,
    /// How long a stage may take before it is begun again.
    pub stage: Duration,
    /// How often a stage is begun before the dictation has failed.
    pub attempts: u32,
    /// How many dictations are worked on at once; 0 leaves the work to other nodes.
    pub workers: usize,
    /// How many recordings get their text while they go on; others get it after their end.
    pub sessions: usize,
    /// How long audio is kept after its prescription was signed, or nobody was found to speak; none keeps it.
    pub keep_audio: Option<Duration>,
}

impl Default for DictationLimits {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 60 * 60);
        Self {
            abandon: hours(1),
            pause: Duration::from_secs(30),
            // A device that was away over night still finds its dictation open.
            finish: hours(12),
            stage: hours(2),
            attempts: 5,
            workers: 2,
            sessions: 8,
            keep_audio: None,
        }
    }
}

/// From what a length of time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedFrom {
    /// The beginning of the state.
    State,
    /// The last frame.
    Frame,
}

/// A state that ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The state.
    pub from: DictationState,
    /// The one that follows.
    pub to: DictationState,
    /// After how long.
    pub after: Duration,
    /// From when on.
    pub counted_from: CountedFrom,
}

impl DictationLimits {
    /// The states that end by themselves; those of the work end by its leases.
    #[must_use]
    pub fn expiries(&self) -> [Expiry; 3] {
        let expiry = |from, to, after, counted_from| Expiry { from, to, after, counted_from };
        [
            expiry(DictationState::Created, DictationState::Abandoned, self.abandon, CountedFrom::State),
            expiry(DictationState::Live, DictationState::Paused, self.pause, CountedFrom::Frame),
            expiry(DictationState::Paused, DictationState::Draining, self.finish, CountedFrom::State),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_by_itself_is_a_permitted_transition() {
        for expiry in DictationLimits::default().expiries() {
            assert!(expiry.from.may_become(expiry.to), "{} → {}", expiry.from, expiry.to);
        }
    }
}
