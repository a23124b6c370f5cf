//! Voice activity by energy against an adaptive noise floor, and the end of a segment at a pause.
//!
//! Whisper invents text for silence (<https://arxiv.org/abs/2402.08021>), so silence never reaches it.

use super::SAMPLE_RATE;

/// Samples of a frame: 20 ms.
pub(super) const FRAME: usize = SAMPLE_RATE as usize / 50;

const PAUSE_FRAMES: usize = 32; // 640 ms; shorter ones lie within an order, and what is cut there is heard wrongly
const LULL_FRAMES: usize = 12; // 240 ms: what may become a pause
const HUSH_FRAMES: usize = 4; // what may become a lull
const START_FRAMES: usize = 3; // shorter sounds are clicks
const LONGEST_FRAMES: usize = 25 * 50; // Whisper hears 30 s at once
/// Speech is this many times louder than the noise floor: 9 dB.
const OVER_FLOOR: f32 = 2.8;
/// Below this root mean square (about −52 dBFS) nothing counts as speech.
const QUIETEST: f32 = 80.0;

/// What a frame changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// Speech has begun; the last few frames belong to it.
    Begun,
    /// The segment ends with this frame.
    Ended,
}

/// Follows the audio frame by frame.
#[derive(Clone)]
pub(super) struct Voice {
    floor: f32,
    loud: usize,
    quiet: usize,
    length: usize,
    speaking: bool,
}

impl Default for Voice {
    fn default() -> Self {
        Self { floor: QUIETEST / OVER_FLOOR, loud: 0, quiet: 0, length: 0, speaking: false }
    }
}

impl Voice {
    /// Hears one frame.
    pub(super) fn hear(&mut self, frame: &[i16]) -> Change {
        let level = root_mean_square(frame);
        let loud = level > QUIETEST && level > self.floor * OVER_FLOOR;
        self.follow(level);
        if !self.speaking {
            self.loud = if loud { self.loud + 1 } else { 0 };
            if self.loud < START_FRAMES {
                return Change::None;
            }
            (self.speaking, self.quiet, self.length) = (true, 0, self.loud);
            return Change::Begun;
        }
        self.length += 1;
        self.quiet = if loud { 0 } else { self.quiet + 1 };
        if self.quiet < PAUSE_FRAMES && self.length < LONGEST_FRAMES {
            return Change::None;
        }
        (self.speaking, self.loud) = (false, 0);
        Change::Ended
    }

    /// Whether speech has begun and the last sound is just over.
    pub(super) fn is_hushed(&self) -> bool {
        self.speaking && self.quiet >= HUSH_FRAMES
    }

    /// Whether speech has begun and the last sound is some time ago: it may end here.
    pub(super) fn is_lulled(&self) -> bool {
        self.speaking && self.quiet >= LULL_FRAMES
    }

    /// Samples since the last sound that make no difference any more to what was said; also right after the end.
    pub(super) fn surplus(&self) -> usize {
        self.quiet.saturating_sub(LULL_FRAMES) * FRAME
    }

    /// The floor falls at once and rises slowly (a doubling takes about seven seconds), so speech does not lift it.
    fn follow(&mut self, level: f32) {
        self.floor = if level < self.floor { 0.8 * self.floor + 0.2 * level } else { (self.floor * 1.002).min(level) };
        self.floor = self.floor.max(1.0);
    }
}

fn root_mean_square(frame: &[i16]) -> f32 {
    let power: f32 = frame.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    (power / frame.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(voice: &mut Voice, level: i16, frames: usize) -> Vec<Change> {
        let frame: Vec<i16> = (0..FRAME).map(|index| if index % 2 == 0 { level } else { -level }).collect();
        (0..frames).map(|_| voice.hear(&frame)).filter(|change| *change != Change::None).collect()
    }

    #[test]
    fn a_pause_ends_the_segment() {
        let mut voice = Voice::default();
        assert_eq!(run(&mut voice, 20, 50), []);
        assert_eq!(run(&mut voice, 3000, 50), [Change::Begun]);
        assert!(!voice.is_lulled());
        assert_eq!(run(&mut voice, 20, 4), []);
        assert!(voice.is_hushed() && !voice.is_lulled());
        assert_eq!(run(&mut voice, 20, 11), []);
        assert!(voice.is_lulled());
        assert_eq!(voice.surplus(), 3 * FRAME);
        assert_eq!(run(&mut voice, 20, 35), [Change::Ended]);
        assert!(!voice.is_lulled());
    }

    #[test]
    fn a_click_is_no_speech() {
        let mut voice = Voice::default();
        assert_eq!(run(&mut voice, 3000, 2), []);
        assert_eq!(run(&mut voice, 0, 50), []);
    }

    #[test]
    fn speech_without_a_pause_is_cut() {
        let mut voice = Voice::default();
        let changes = run(&mut voice, 8000, LONGEST_FRAMES + 1);
        assert_eq!(changes.first(), Some(&Change::Begun));
        assert!(changes.contains(&Change::Ended));
    }
}
