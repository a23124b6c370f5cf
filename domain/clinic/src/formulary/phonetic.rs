//! Sounds of medicine names: a key of consonants that survives common mishearings, and an edit distance.
//!
//! The rules are our own, chosen for non-proprietary names (ph = f, soft c = s, x = ks, doubled letters, silent h, y = i).

/// Returns the key of a name: names that sound alike share it.
#[must_use]
pub fn phonetic_key(name: &str) -> String {
    let letters: Vec<char> =
        name.chars().filter(|letter| letter.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let mut key = String::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied();
        let (sound, used) = sound(letter, next, at == 0);
        for part in sound.chars() {
            if !key.ends_with(part) {
                key.push(part);
            }
        }
        at += used;
    }
    key
}

fn sound(letter: char, next: Option<char>, first: bool) -> (&'static str, usize) {
    match (letter, next) {
        ('p', Some('h')) => ("f", 2),
        ('t', Some('h')) => ("t", 2),
        ('c', Some('h')) | ('c' | 'k', Some('k')) => ("k", 2),
        ('c', Some('e' | 'i' | 'y')) | ('s' | 'z', _) => ("s", 1),
        ('c' | 'k' | 'q', _) => ("k", 1),
        ('x', _) => ("ks", 1),
        ('g' | 'j', _) => ("g", 1),
        ('b' | 'v' | 'w', _) => ("v", 1),
        ('d', _) => ("d", 1),
        ('t', _) => ("t", 1),
        ('m' | 'n', _) => ("n", 1),
        ('p', _) => ("p", 1),
        ('f', _) => ("f", 1),
        ('l', _) => ("l", 1),
        ('r', _) => ("r", 1),
        ('a' | 'e' | 'i' | 'o' | 'u' | 'y', _) if first => ("a", 1),
        _ => ("", 1),
    }
}

/// Names of fewer sounds resemble too much.
const FEWEST_SOUNDS: usize = 4;

/// Tells how much of the sounds of two names is the same, 0 to 1; 0 where one of them has too few to say.
#[must_use]
pub fn resemblance(heard: &str, name: &str) -> f32 {
    let (heard, name) = (phonetic_key(heard), phonetic_key(name));
    let (least, most) = (heard.len().min(name.len()), heard.len().max(name.len()));
    if least < FEWEST_SOUNDS {
        return 0.0;
    }
    1.0 - edit_distance(&heard, &name) as f32 / most as f32
}

/// Counts the letters to insert, drop, change or swap with their neighbour to turn one text into the other.
#[must_use]
pub fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let most = left.len().max(right.len());
    distance_within(&left, &right, most).unwrap_or(most)
}

/// Counts the letters between two texts as [`edit_distance`] does, and gives up where they are more than a limit.
#[must_use]
pub fn distance_within(left: &[char], right: &[char], limit: usize) -> Option<usize> {
    if left.len().abs_diff(right.len()) > limit {
        return None;
    }
    let cell = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut before: Vec<usize> = Vec::with_capacity(right.len() + 1);
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut next: Vec<usize> = Vec::with_capacity(right.len() + 1);
    let mut least = 0;
    for (line, letter) in left.iter().enumerate() {
        next.clear();
        next.push(line + 1);
        for (column, other) in right.iter().enumerate() {
            let changed = cell(&row, column) + usize::from(letter != other);
            let mut best = changed.min(cell(&row, column + 1) + 1).min(cell(&next, column) + 1);
            let swapped =
                line > 0 && column > 0 && left.get(line - 1) == Some(other) && right.get(column - 1) == Some(letter);
            if swapped {
                best = best.min(cell(&before, column - 1) + 1);
            }
            next.push(best);
        }
        // A swap reaches back over one row, so that two of them have to be beyond the limit.
        let smallest = next.iter().copied().min().unwrap_or(0);
        if smallest > limit && least > limit {
            return None;
        }
        least = smallest;
        std::mem::swap(&mut before, &mut row);
        std::mem::swap(&mut row, &mut next);
    }
    row.last().copied().filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distance_counts_letters_and_swaps() {
        for (left, right, distance) in [("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(edit_distance(left, right), distance);
        }
    }

    #[test]
    fn what_sounds_alike_resembles_and_short_names_do_not() {
        assert!((resemblance("suma tripton", "sumatriptan") - 1.0).abs() < f32::EPSILON);
        assert!(resemblance("rasyumastatin", "rosuvastatin") > 0.8);
        assert!(resemblance("calcucaside", "calcium") < 0.61);
        assert!(resemblance("othamide", "lithium") < 0.6);
        assert!(resemblance("zin", "zinc") < f32::EPSILON);
    }

    proptest! {
        #[test]
        fn a_limit_changes_no_distance_that_is_within_it(left in "[abc]{0,9}", right in "[abc]{0,9}", limit in 0_usize..10) {
            let (whole, letters) = (edit_distance(&left, &right), |text: &str| text.chars().collect::<Vec<char>>());
            prop_assert_eq!(distance_within(&letters(&left), &letters(&right), limit), (whole <= limit).then_some(whole));
        }
    }

    #[test]
    fn names_that_sound_alike_share_a_key() {
        for (left, right) in [("metformin", "metphormin"), ("cetirizine", "setirisine"), ("amoxicillin", "amoxycilin")]
        {
            assert_eq!(phonetic_key(left), phonetic_key(right));
        }
    }
}
