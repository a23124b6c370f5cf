//! The audio since the last final, so that another connection can hear it again.

use std::collections::VecDeque;

use crate::speech::SAMPLE_RATE;

/// Audio of a session, from some sample on.
#[derive(Default)]
pub(super) struct Kept {
    samples: VecDeque<i16>,
    /// The first kept sample, counted from the session's first.
    from: u64,
    /// The first sample that the present connection has not got yet.
    next: u64,
    /// Audio went away that might have held words that were not final.
    torn: bool,
}

impl Kept {
    pub(super) fn push(&mut self, block: &[i16]) {
        self.samples.extend(block);
    }

    /// Samples that the present connection has not got yet.
    pub(super) fn unsent(&self) -> usize {
        usize::try_from((self.from + self.samples.len() as u64).saturating_sub(self.next)).unwrap_or(usize::MAX)
    }

    /// Takes the next piece for the connection.
    pub(super) fn take(&mut self, most: usize) -> Vec<i16> {
        let begin = usize::try_from(self.next - self.from).unwrap_or(usize::MAX).min(self.samples.len());
        let end = begin.saturating_add(most).min(self.samples.len());
        self.next = self.from + end as u64;
        self.samples.range(begin..end).copied().collect()
    }

    /// Begins again for another connection; its first sample is the answer.
    pub(super) fn rewind(&mut self) -> u64 {
        self.next = self.from;
        self.from
    }

    /// Lets go what is final, and no more than the present connection has got.
    pub(super) fn settle(&mut self, until: u64) {
        let until = until.min(self.next);
        let count = usize::try_from(until.saturating_sub(self.from)).unwrap_or(usize::MAX).min(self.samples.len());
        self.samples.drain(..count);
        self.from += count as u64;
        self.torn = false;
    }

    /// Lets go what is older than so many samples, where the connection has got it.
    ///
    /// An open segment begins at `open`: if it loses audio, the words can't be heard again.
    pub(super) fn limit(&mut self, most: usize, open: Option<u64>) {
        let got = usize::try_from(self.next - self.from).unwrap_or(usize::MAX).min(self.samples.len());
        let surplus = self.samples.len().saturating_sub(most).min(got);
        self.samples.drain(..surplus);
        self.from += surplus as u64;
        self.torn |= open.is_some_and(|begin| begin < self.from);
    }

    /// Whether another connection would miss words.
    pub(super) fn is_torn(&self) -> bool {
        self.torn
    }
}

/// A time of a connection in the time of the session: pauses were filled with silence that the session does not know.
#[derive(Default)]
pub(super) struct Timeline {
    /// The session's sample with which the connection began.
    base: u64,
    /// Samples that the connection got.
    got: u64,
    /// Where silence was put in, in the connection's samples, and how much.
    silences: Vec<(u64, u64)>,
}

impl Timeline {
    pub(super) fn new(base: u64) -> Self {
        Self { base, ..Self::default() }
    }

    pub(super) fn sent(&mut self, samples: usize) {
        self.got += samples as u64;
    }

    pub(super) fn silence(&mut self, samples: usize) {
        let samples = samples as u64;
        match self.silences.last_mut().filter(|(at, length)| at + length == self.got) {
            Some((_, length)) => *length += samples,
            None => self.silences.push((self.got, samples)),
        }
        self.got += samples;
    }

    /// The session's milliseconds.
    pub(super) fn place(&self, milliseconds: u64) -> u64 {
        let at = milliseconds * u64::from(SAMPLE_RATE) / 1000;
        let put_in: u64 = self.silences.iter().map(|(begin, length)| at.saturating_sub(*begin).min(*length)).sum();
        (self.base + at - put_in) * 1000 / u64::from(SAMPLE_RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_final_goes_and_the_rest_is_heard_again() {
        let mut kept = Kept::default();
        kept.push(&[1, 2, 3, 4, 5, 6]);
        assert_eq!(kept.take(4), [1, 2, 3, 4]);
        kept.settle(2);
        assert_eq!((kept.take(9), kept.unsent()), (vec![5, 6], 0));
        assert_eq!(kept.rewind(), 2);
        assert_eq!((kept.unsent(), kept.take(9)), (4, vec![3, 4, 5, 6]));
        kept.settle(99);
        assert_eq!((kept.rewind(), kept.unsent()), (6, 0));
    }

    #[test]
    fn old_silence_may_go_and_open_words_may_not() {
        let mut kept = Kept::default();
        kept.push(&[0; 10]);
        kept.limit(4, None);
        assert_eq!(kept.unsent(), 10, "what nobody heard stays");
        kept.take(10);
        kept.limit(4, Some(8));
        assert!(!kept.is_torn());
        kept.limit(1, Some(8));
        assert!(kept.is_torn());
        assert_eq!(kept.rewind(), 9);
    }

    #[test]
    fn silence_that_was_put_in_takes_no_time() {
        let mut line = Timeline::new(16_000);
        line.sent(16_000);
        line.silence(16_000);
        line.silence(16_000);
        line.sent(16_000);
        assert_eq!([0, 500, 1000, 2000, 3000, 3500].map(|at| line.place(at)), [1000, 1500, 2000, 2000, 2000, 2500]);
    }
}
