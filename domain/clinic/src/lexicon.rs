//! Words of the consulting room: tokens with exact places, and the phrase lists that ship as data.
//!
//! Offsets follow Comprehend Medical: Unicode code points, end exclusive
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/dev/textanalysis-entitiesv2.html>).

use serde::{Deserialize, Serialize};

pub mod concepts;
pub mod decimal;
pub mod numbers;
pub mod tokens;

/// Is a half-open range of code points in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first code point.
    pub begin: usize,
    /// The code point after the last.
    pub end: usize,
}

impl Span {
    /// Makes the range from its two ends.
    #[must_use]
    pub const fn new(begin: usize, end: usize) -> Self {
        Self { begin, end }
    }

    /// Tells whether two ranges share a code point.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.begin < other.end && other.begin < self.end
    }

    /// Returns the smallest range that holds both.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self { begin: self.begin.min(other.begin), end: self.end.max(other.end) }
    }

    /// Copies the range's text.
    #[must_use]
    pub fn text_in(self, text: &str) -> String {
        text.chars().skip(self.begin).take(self.end.saturating_sub(self.begin)).collect()
    }
}
