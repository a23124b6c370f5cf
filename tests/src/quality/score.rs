//! Precision, recall and F1 of labels against labels.

/// Counts readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Labels that were found and right.
    pub right: u32,
    /// Labels that were found.
    pub found: u32,
    /// Labels that were expected.
    pub expected: u32,
}

impl Counts {
    /// Adds other counts.
    pub fn add(&mut self, other: Self) {
        self.right += other.right;
        self.found += other.found;
        self.expected += other.expected;
    }

    /// Returns the share of what was found that is right.
    #[must_use]
    pub fn precision(self) -> f64 {
        share(self.right, self.found)
    }

    /// Returns the share of what was expected that was found.
    #[must_use]
    pub fn recall(self) -> f64 {
        share(self.right, self.expected)
    }

    /// Returns the harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(self) -> f64 {
        share(2 * self.right, self.found + self.expected)
    }
}

fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// Says when two labels mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// They are equal.
    Exact,
    /// They have the same marks, and the words of one stand within the other: "cough" and "dry cough".
    Overlapping,
}

/// Splits the marks from the words of a label.
#[must_use]
pub fn marks(label: &str) -> (Vec<&str>, &str) {
    let mut marks = Vec::new();
    let mut rest = label;
    while let Some((mark, after)) =
        ["!", "past-", "family-", "if-"].into_iter().find_map(|mark| Some((mark, rest.strip_prefix(mark)?)))
    {
        marks.push(mark);
        rest = after;
    }
    (marks, rest)
}

fn alike(likeness: Likeness, left: &str, right: &str) -> bool {
    if left == right || likeness == Likeness::Exact {
        return left == right;
    }
    let ((marks_left, left), (marks_right, right)) = (marks(left), marks(right));
    let within = |short: &str, long: &str| format!(" {long} ").contains(&format!(" {short} "));
    marks_left == marks_right && (within(left, right) || within(right, left))
}

/// Takes the label that means the same from those that are open, an equal one before one that merely overlaps.
pub fn take(likeness: Likeness, open: &mut Vec<&String>, label: &String) -> bool {
    let place = open.iter().position(|other| *other == label);
    let place = place.or_else(|| open.iter().position(|other| alike(likeness, other, label)));
    place.map(|place| open.remove(place)).is_some()
}

/// Compares labels, each with at most one other, and names those that have none.
pub fn compare(likeness: Likeness, expected: &[String], found: &[String], faults: &mut Vec<String>) -> Counts {
    let mut open: Vec<&String> = expected.iter().collect();
    let mut counts = Counts { right: 0, found: count(found.len()), expected: count(expected.len()) };
    for label in found {
        if take(likeness, &mut open, label) {
            counts.right += 1;
        } else {
            faults.push(format!("unexpected {label}"));
        }
    }
    faults.extend(open.into_iter().map(|label| format!("missing {label}")));
    counts
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
