//! How long a clinician waits for words while audio comes as fast as it is spoken, against the goals of the product.

use std::time::Duration;

/// The goal for the first words, from the first sound.
pub const PARTIAL_GOAL: Duration = Duration::from_millis(1_500);
/// The goal for the text that stays, from the pause that ends the speech.
pub const FINAL_GOAL: Duration = Duration::from_secs(2);

/// The head of the table.
pub const HEAD: &str = "| model | dictations | first partial, median | slowest | within 1.5 s | final after the pause, median | slowest | within 2 s |\n|---|---|---|---|---|---|---|---|";

/// How long the words of one dictation took.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// From the first sound to the first words shown; none where there were only finals.
    pub partial: Option<Duration>,
    /// From the end of speech to the text that stays.
    pub last: Duration,
}

/// Writes the line of a model; a dictation without a partial missed the goal.
#[must_use]
pub fn line(model: &str, waits: &[Waits]) -> String {
    let mut partials: Vec<Duration> = waits.iter().filter_map(|wait| wait.partial).collect();
    let mut finals: Vec<Duration> = waits.iter().map(|wait| wait.last).collect();
    partials.sort();
    finals.sort();
    let in_time = |times: &[Duration], goal: Duration| times.iter().filter(|time| **time <= goal).count();
    let seconds =
        |time: Option<&Duration>| time.map_or("–".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()));
    let (all, early, prompt) = (waits.len(), in_time(&partials, PARTIAL_GOAL), in_time(&finals, FINAL_GOAL));
    format!(
        "| {model} | {all} | {} | {} | {early} of {all} | {} | {} | {prompt} of {all} |",
        seconds(partials.get(partials.len() / 2)),
        seconds(partials.last()),
        seconds(finals.get(finals.len() / 2)),
        seconds(finals.last()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_median_the_slowest_and_how_many_kept_the_goal() {
        let wait = |partial: Option<u64>, last| Waits {
            partial: partial.map(Duration::from_millis),
            last: Duration::from_millis(last),
        };
        let waits = [wait(Some(1_400), 2_000), wait(None, 900), wait(Some(1_600), 2_100)];
        assert_eq!(
            line("base", &waits),
            "| base | 3 | 1.60 s | 1.60 s | 1 of 3 | 2.00 s | 2.10 s | 2 of 3 |",
            "the upper one of two in the middle"
        );
        assert_eq!(line("base", &[]), "| base | 0 | – | – | 0 of 0 | – | – | 0 of 0 |");
        assert_eq!(HEAD.lines().next().map(|head| head.matches('|').count()), Some(9));
    }
}
