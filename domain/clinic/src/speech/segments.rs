//! Cuts audio into segments at pauses, for engines that recognise a whole segment at a time; silence is never a segment.

use std::collections::VecDeque;

use super::voice::{Change, FRAME, Voice};
use super::{SAMPLE_RATE, Word};

/// Audio kept from before speech was noticed: a soft first consonant lies there.
const LEAD: usize = SAMPLE_RATE as usize * 3 / 10;

/// A piece of speech.
#[derive(Clone)]
pub struct AudioSegment {
    /// Where it starts, in milliseconds from the session's first sample.
    pub start_ms: u64,
    /// Its samples, 16 kHz mono: the quiet at the end of a pause is none of it, so that a lull and the pause that it becomes end
    /// the same segment.
    pub samples: Vec<i16>,
}

impl AudioSegment {
    /// Where it ends, in milliseconds from the session's first sample.
    #[must_use]
    pub fn end_ms(&self) -> u64 {
        self.start_ms + milliseconds(self.samples.len() as u64)
    }

    /// Moves words from the segment's time to the session's, in order and inside the segment.
    #[must_use]
    pub fn place(&self, mut words: Vec<Word>) -> Vec<Word> {
        let end = self.end_ms();
        let mut clock = self.start_ms;
        for word in &mut words {
            word.start_ms = (word.start_ms + self.start_ms).clamp(clock, end);
            word.end_ms = (word.end_ms + self.start_ms).clamp(word.start_ms, end);
            clock = word.start_ms;
        }
        words
    }
}

/// Follows a session's audio.
#[derive(Clone, Default)]
pub struct Segmenter {
    voice: Voice,
    /// What does not fill a frame yet.
    rest: Vec<i16>,
    /// The open segment's audio; before speech, only its lead.
    open: VecDeque<i16>,
    speaking: bool,
    /// Samples heard in all.
    heard: u64,
}

impl Segmenter {
    /// Hears a block and returns the segments that end in it.
    pub fn hear(&mut self, block: &[i16]) -> Vec<AudioSegment> {
        self.rest.extend(block);
        let whole = self.rest.len() / FRAME * FRAME;
        let frames: Vec<i16> = self.rest.drain(..whole).collect();
        let mut ended = Vec::new();
        for frame in frames.chunks(FRAME) {
            self.heard += frame.len() as u64;
            self.open.extend(frame);
            match self.voice.hear(frame) {
                Change::Begun => self.speaking = true,
                Change::Ended => ended.push(self.take()),
                Change::None if !self.speaking => {
                    let surplus = self.open.len().saturating_sub(LEAD);
                    self.open.drain(..surplus);
                }
                Change::None => {}
            }
        }
        ended
    }

    /// Ends the audio and returns the segment that was open.
    pub fn finish(&mut self) -> Option<AudioSegment> {
        let rest = std::mem::take(&mut self.rest);
        // Behind a lull it is some more quiet.
        if !self.is_lulled() {
            self.heard += rest.len() as u64;
            self.open.extend(rest);
        }
        self.speaking.then(|| self.take())
    }

    /// How many samples the open segment has; 0 while nobody speaks.
    #[must_use]
    pub fn open_samples(&self) -> usize {
        if self.speaking { self.open.len() } else { 0 }
    }

    /// Whether the open segment may be about to be quiet.
    #[must_use]
    pub fn is_hushed(&self) -> bool {
        self.voice.is_hushed()
    }

    /// Whether the open segment may be about to end.
    #[must_use]
    pub fn is_lulled(&self) -> bool {
        self.voice.is_lulled()
    }

    /// Where the segment so far would end if nothing more were said, in samples from its start.
    #[must_use]
    pub fn ends_at(&self) -> usize {
        self.open.len().saturating_sub(self.voice.surplus())
    }

    /// A copy of the segment so far.
    #[must_use]
    pub fn open(&self) -> AudioSegment {
        let start_ms = milliseconds(self.heard.saturating_sub(self.open.len() as u64));
        AudioSegment { start_ms, samples: self.open.iter().take(self.ends_at()).copied().collect() }
    }

    fn take(&mut self) -> AudioSegment {
        let segment = self.open();
        self.open.drain(..segment.samples.len());
        self.speaking = false;
        segment
    }
}

/// The text of words.
#[must_use]
pub fn text_of(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}

fn milliseconds(samples: u64) -> u64 {
    samples * 1000 / u64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_cut_at_pauses_and_know_their_time() {
        let mut segmenter = Segmenter::default();
        let tone =
            |samples: usize| -> Vec<i16> { (0..samples).map(|i| if i % 2 == 0 { 3000 } else { -3000 }).collect() };
        assert!(segmenter.hear(&vec![0; 16_000]).is_empty());
        assert!(segmenter.hear(&tone(16_000)).is_empty());
        let ended = segmenter.hear(&vec![0; 16_000]);
        let starts: Vec<u64> = ended.iter().map(|segment| segment.start_ms).collect();
        assert_eq!(starts.len(), 1);
        assert!(starts.iter().all(|start| (700..=1000).contains(start)), "{starts:?}");
        assert!(ended.iter().all(|segment| segment.end_ms() == 2240), "the pause itself is none of it");
        segmenter.hear(&tone(8_000));
        let last = segmenter.finish().map(|segment| segment.end_ms());
        assert_eq!(last, Some(3500));
        assert!(Segmenter::default().finish().is_none());
    }

    #[test]
    fn a_lull_ends_what_the_pause_that_it_becomes_ends() {
        let tone: Vec<i16> = (0..16_000).map(|i| if i % 2 == 0 { 3000 } else { -3000 }).collect();
        let mut segmenter = Segmenter::default();
        segmenter.hear(&tone);
        assert!(!segmenter.is_hushed());
        segmenter.hear(&[0; 1_600]);
        assert!(segmenter.is_hushed() && !segmenter.is_lulled());
        segmenter.hear(&[0; 3_200]);
        assert!(segmenter.is_lulled());
        let lulled = segmenter.open();
        let mut other = segmenter.clone();
        let paused = segmenter.hear(&[0; 8_000]);
        assert_eq!(paused.first().map(|segment| &segment.samples), Some(&lulled.samples));
        other.hear(&[0; 100]);
        assert!(other.finish().is_some_and(|last| last.samples == lulled.samples), "the end of the audio ends it too");
    }
}
