//! What listeners of a dictation hear while it goes on; the names are those of the socket's frames.

use serde::Serialize;

use super::DictationState;
use super::transcript::{Segment, SegmentWord};
use crate::entities::Entity;

/// Something that happened to one dictation, told to its own listeners only.
#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum DictationEvent {
    /// An open segment's text so far.
    Partial {
        /// The segment.
        segment: u32,
        /// The text.
        text: String,
    },
    /// A segment that no longer changes.
    Final {
        /// The segment's number.
        segment: u32,
        /// The segment with its words.
        #[serde(flatten)]
        content: Segment,
    },
    /// Names that may have been said in a segment.
    Weighed {
        /// The segment's number.
        segment: u32,
        /// Its words, in which those that a name is proposed for are one.
        words: Vec<SegmentWord>,
    },
    /// An entity was found.
    Entity {
        /// The entity.
        entity: Box<Entity>,
    },
    /// Resources were drafted.
    Draft {
        /// The Composition.
        composition: String,
    },
    /// Something that the user must know.
    Warning {
        /// In words.
        text: String,
    },
    /// Another state began.
    State {
        /// The state.
        state: DictationState,
    },
    /// The place among those that wait for a worker has changed.
    Queue {
        /// From 1; 0 when the work begins.
        place: u32,
    },
    /// Nobody spoke.
    NoSpeech,
    /// How much is transcribed.
    Progress {
        /// 0 to 100.
        percent: u8,
    },
    /// The end.
    Closing {
        /// Why.
        reason: String,
    },
}
