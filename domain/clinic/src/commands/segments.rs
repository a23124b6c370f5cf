//! Which segments of a dictation are commands: final ones only, and only where the dictation takes commands. They stay in
//! the transcript, and what they say never gets into the note.

use super::{CommandKind, grammar};
use crate::dictation::Segment;

/// Marks the segments that are commands. "Scratch that" behind dictated words strikes the segment before it; behind a
/// command it is a command like the others, which takes the one before it back.
#[must_use]
pub fn sorted(mut segments: Vec<Segment>) -> Vec<Segment> {
    let mut before: Option<usize> = None;
    for place in 0..segments.len() {
        let kind = segments.get(place).and_then(|segment| grammar::read(&segment.text)).map(|command| command.kind());
        if let Some(segment) = segments.get_mut(place) {
            segment.command = kind;
        }
        let dictated = before.filter(|_| kind == Some(CommandKind::ScratchThat));
        if let Some(struck) = dictated.and_then(|before| segments.get_mut(before)).filter(|one| one.command.is_none()) {
            struck.struck = true;
        }
        let spoken = segments.get(place).is_some_and(|segment| !segment.text.trim().is_empty());
        before = match (kind, spoken) {
            // What was struck is gone: a second "scratch that" strikes what was said before it.
            (Some(CommandKind::ScratchThat), _) => standing_before(&segments, place),
            (_, true) => Some(place),
            (_, false) => before,
        };
    }
    segments
}

/// The last segment before a place that is dictated and not struck, unless another command stands between.
fn standing_before(segments: &[Segment], place: usize) -> Option<usize> {
    let earlier = segments.iter().enumerate().take(place).rev();
    let mut earlier = earlier.filter(|(_, one)| !one.struck && one.command != Some(CommandKind::ScratchThat));
    earlier.next().map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictation::Transcript;

    fn segments(lines: &[&str]) -> Vec<Segment> {
        let segment = |(id, text): (u32, &&str)| Segment {
            id,
            start_ms: 0,
            end_ms: 9,
            text: (*text).to_owned(),
            ..Segment::default()
        };
        (0..).zip(lines).map(segment).collect()
    }

    #[test]
    fn commands_and_what_they_strike_never_get_into_the_note() {
        let sorted = sorted(segments(&[
            "Fever for three days.",
            "No cough.",
            "Scratch that.",
            "Prescribe azithromycin five hundred.",
            "Scratch that.",
            "Next field.",
            "Rest.",
        ]));
        assert_eq!(Transcript::of(&sorted).text, "Fever for three days. Rest.");
        let kinds: Vec<Option<&str>> = sorted.iter().map(|one| one.command.map(CommandKind::code)).collect();
        let scratch = Some("scratch-that");
        assert_eq!(kinds, [None, None, scratch, Some("prescribe"), scratch, Some("next-field"), None]);
        let struck: Vec<bool> = sorted.iter().map(|one| one.struck).collect();
        assert_eq!(struck, [false, true, false, false, false, false, false]);
    }

    #[test]
    fn scratched_twice_two_segments_are_struck() {
        let sorted = sorted(segments(&["Fever.", "Cough.", "Scratch that.", "Scratch that.", "Scratch that."]));
        assert_eq!(Transcript::of(&sorted).text, "");
    }
}
