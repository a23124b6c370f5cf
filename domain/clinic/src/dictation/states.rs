//! The states of a dictation and the stages of the work on it: one machine. What a clinician asks for is judged by it; the
//! work, time-outs and withdrawal change a row only from the state that they name.
//!
//! ```text
//! created → live ⇄ paused → draining → transcribed → extracted → drafted → reviewed
//! created → uploaded ⇄ damaged, uploaded → draining
//! ```
//! beside them the ends `no-speech`, `failed`, `abandoned` and `withdrawn`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a dictation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DictationState {
    /// It takes audio, and has none yet.
    Created,
    /// Audio comes in.
    Live,
    /// No audio comes in for now.
    Paused,
    /// A file is complete and waits to be decoded, or is being decoded.
    Uploaded,
    /// The file could not be decoded and is gone: another one may be sent.
    Damaged,
    /// The audio is complete and waits for its text, or is being transcribed.
    Draining,
    /// The text is stored and waits for its entities.
    Transcribed,
    /// The entities are stored and wait for their draft.
    Extracted,
    /// Resources were drafted.
    Drafted,
    /// The prescription that was drafted is signed.
    Reviewed,
    /// Nobody spoke.
    NoSpeech,
    /// A stage ended with a problem; it can be tried again.
    Failed,
    /// No audio ever came; late audio opens it again.
    Abandoned,
    /// The audio's key was shredded.
    Withdrawn,
}

/// A step of the work after the last frame; each may be done again and comes to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// From a file to audio.
    Decode,
    /// From audio to text.
    Transcribe,
    /// From text to entities.
    Extract,
    /// From entities to resources.
    Draft,
}

impl DictationState {
    /// Every state.
    pub const ALL: [Self; 14] = [
        Self::Created,
        Self::Live,
        Self::Paused,
        Self::Uploaded,
        Self::Damaged,
        Self::Draining,
        Self::Transcribed,
        Self::Extracted,
        Self::Drafted,
        Self::Reviewed,
        Self::NoSpeech,
        Self::Failed,
        Self::Abandoned,
        Self::Withdrawn,
    ];

    /// Returns the stored word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Uploaded => "uploaded",
            Self::Damaged => "damaged",
            Self::Draining => "draining",
            Self::Transcribed => "transcribed",
            Self::Extracted => "extracted",
            Self::Drafted => "drafted",
            Self::Reviewed => "reviewed",
            Self::NoSpeech => "no-speech",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Tells whether one state may follow the other.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Created => {
                matches!(next, Self::Live | Self::Uploaded | Self::Draining | Self::Abandoned | Self::Withdrawn)
            }
            Self::Live => matches!(next, Self::Paused | Self::Draining | Self::Withdrawn),
            Self::Paused => matches!(next, Self::Live | Self::Draining | Self::Withdrawn),
            Self::Uploaded => matches!(next, Self::Draining | Self::Damaged | Self::Failed | Self::Withdrawn),
            Self::Damaged => matches!(next, Self::Uploaded | Self::Withdrawn),
            Self::Draining => matches!(next, Self::Transcribed | Self::NoSpeech | Self::Failed | Self::Withdrawn),
            Self::Transcribed => matches!(next, Self::Extracted | Self::Failed | Self::Withdrawn),
            Self::Extracted => matches!(next, Self::Drafted | Self::Failed | Self::Withdrawn),
            Self::Drafted => matches!(next, Self::Reviewed | Self::Withdrawn),
            // Back to the state in which the stage that failed begins.
            Self::Failed => {
                matches!(next, Self::Uploaded | Self::Draining | Self::Transcribed | Self::Extracted | Self::Withdrawn)
            }
            // Acknowledged or not: what a device kept while it was away is never refused for being late.
            Self::Abandoned => matches!(next, Self::Live | Self::Uploaded | Self::Withdrawn),
            Self::NoSpeech => matches!(next, Self::Withdrawn),
            Self::Reviewed | Self::Withdrawn => false,
        }
    }

    /// Tells whether frames are taken.
    #[must_use]
    pub const fn takes_audio(self) -> bool {
        matches!(self, Self::Live) || self.may_become(Self::Live)
    }

    /// Tells whether a file is taken.
    #[must_use]
    pub const fn takes_file(self) -> bool {
        matches!(self, Self::Created | Self::Abandoned | Self::Damaged)
    }

    /// Which stage is to be done; none where a person, or nobody, has to act.
    #[must_use]
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Uploaded => Some(Stage::Decode),
            Self::Draining => Some(Stage::Transcribe),
            Self::Transcribed => Some(Stage::Extract),
            Self::Extracted => Some(Stage::Draft),
            _ => None,
        }
    }
}

impl fmt::Display for DictationState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl Stage {
    /// The state in which it begins.
    #[must_use]
    pub const fn begins_in(self) -> DictationState {
        match self {
            Self::Decode => DictationState::Uploaded,
            Self::Transcribe => DictationState::Draining,
            Self::Extract => DictationState::Transcribed,
            Self::Draft => DictationState::Extracted,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Decode => "decoding",
            Self::Transcribe => "transcription",
            Self::Extract => "extraction",
            Self::Draft => "drafting",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that may happen, written down a second time.
    const PERMITTED: &[(&str, &str)] = &[
        ("created", "live uploaded draining abandoned withdrawn"),
        ("live", "paused draining withdrawn"),
        ("paused", "live draining withdrawn"),
        ("uploaded", "draining damaged failed withdrawn"),
        ("damaged", "uploaded withdrawn"),
        ("draining", "transcribed no-speech failed withdrawn"),
        ("transcribed", "extracted failed withdrawn"),
        ("extracted", "drafted failed withdrawn"),
        ("drafted", "reviewed withdrawn"),
        ("reviewed", ""),
        ("no-speech", "withdrawn"),
        ("failed", "uploaded draining transcribed extracted withdrawn"),
        ("abandoned", "live uploaded withdrawn"),
        ("withdrawn", ""),
    ];

    #[test]
    fn every_transition_is_permitted_or_refused_as_it_is_written() {
        assert_eq!(PERMITTED.len(), DictationState::ALL.len());
        for (from, permitted) in PERMITTED {
            let from = DictationState::from_code(from).expect("a state");
            for next in DictationState::ALL {
                let expected = permitted.split(' ').any(|code| code == next.code());
                assert_eq!(from.may_become(next), expected, "{from} → {next}");
            }
        }
        assert_eq!(DictationState::from_code("open"), None);
    }

    #[test]
    fn each_stage_begins_in_its_state_and_audio_is_taken_before_them_only() {
        for stage in [Stage::Decode, Stage::Transcribe, Stage::Extract, Stage::Draft] {
            assert_eq!(stage.begins_in().stage(), Some(stage));
            assert!(DictationState::Failed.may_become(stage.begins_in()) && !stage.begins_in().takes_audio());
        }
        let open: Vec<&str> = DictationState::ALL.iter().filter(|s| s.takes_audio()).map(|s| s.code()).collect();
        assert_eq!(open, ["created", "live", "paused", "abandoned"]);
        for state in DictationState::ALL.into_iter().filter(|state| state.takes_file()) {
            assert!(state.may_become(DictationState::Uploaded), "{state}");
        }
    }
}
