//! Which known name a misspelt one is likely to mean.

/// Names longer than this aren't compared.
const MAX_LENGTH: usize = 64;

/// Returns the known name that is at most two edits away, or differs in case only.
pub(super) fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.len() > MAX_LENGTH {
        return None;
    }
    let wanted = name.to_ascii_lowercase();
    let allowed = if name.len() <= 3 { 1 } else { 2 };
    known
        .map(|candidate| (distance(&wanted, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (index, own) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(right.chars()) {
            let above = *cell;
            *cell = (diagonal + usize::from(own != other)).min(above + 1).min(previous + 1);
            (diagonal, previous) = (above, *cell);
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
