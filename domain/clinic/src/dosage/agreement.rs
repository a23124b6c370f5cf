//! Whether two readings of one order agree, and what they say together (R4: <https://hl7.org/fhir/R4/dosage.html>).

use super::{AsNeeded, Dosage, DoseUnit, Quantity, Start, Timing};

/// What two readings of an order say together; nothing where they contradict each other. What only one of them says is no
/// contradiction.
#[must_use]
pub fn agreed(one: &[Dosage], other: &[Dosage]) -> Option<Vec<Dosage>> {
    match (one, other) {
        ([], steps) | (steps, []) => Some(steps.to_vec()),
        ([one], [other]) => together(one, other).map(|step| vec![step]),
        _ => one.iter().map(plain).eq(other.iter().map(plain)).then(|| one.to_vec()),
    }
}

fn together(one: &Dosage, other: &Dosage) -> Option<Dosage> {
    let count = either(counted(one), counted(other))?;
    let mass = either(measured(one), measured(other))?;
    let step = Dosage {
        sequence: one.sequence.or(other.sequence),
        text: None,
        dose: count.or(mass),
        strength: if count.is_some() { mass } else { None },
        timing: timed(&one.timing, &other.timing)?,
        duration: either(one.duration, other.duration)?,
        route: either(one.route, other.route)?,
        food: either(one.food, other.food)?,
        max_per_day: either(one.max_per_day, other.max_per_day)?,
    };
    let text = match (&one.text, &other.text) {
        (Some(first), Some(second)) if step != plain(one) => Some(format!("{first}, {second}")),
        (first, second) => first.clone().or_else(|| second.clone()),
    };
    Some(Dosage { text, ..step })
}

/// What one of two says, or both alike.
fn either<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(Some(one)),
        (one, other) => Some(one.or(other)),
    }
}

fn is_counted(quantity: &Quantity) -> bool {
    quantity.unit.is_countable() || quantity.unit == DoseUnit::Millilitre
}

fn counted(step: &Dosage) -> Option<Quantity> {
    step.dose.filter(is_counted)
}

/// The amount of substance in a piece, or in the dose where no pieces are counted.
fn measured(step: &Dosage) -> Option<Quantity> {
    step.strength.or(step.dose.filter(|dose| !is_counted(dose)))
}

fn timed(one: &Timing, other: &Timing) -> Option<Timing> {
    let silent = |timing: &Timing| *timing == Timing::default();
    if silent(other) || one == other {
        return Some(one.clone());
    }
    if silent(one) {
        return Some(other.clone());
    }
    let rest = |timing: &Timing| (timing.as_needed.clone(), timing.count, timing.start);
    let unlike: (AsNeeded, Option<u32>, Start) = rest(other);
    if one.rate() != other.rate() || rest(one) != unlike {
        return None;
    }
    // "twice a day" and "in the morning and at night" say the same, the latter more.
    match (one.when.is_empty(), other.when.is_empty()) {
        (false, true) => Some(one.clone()),
        (true, false) => Some(other.clone()),
        _ => None,
    }
}

fn plain(step: &Dosage) -> Dosage {
    Dosage { text: None, ..step.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dosage::parse;

    fn said(one: &str, other: &str) -> Option<Vec<Dosage>> {
        agreed(&parse(one), &parse(other)).map(|steps| steps.iter().map(plain).collect())
    }

    fn meant(text: &str) -> Option<Vec<Dosage>> {
        Some(parse(text).iter().map(plain).collect())
    }

    #[test]
    fn orders_that_agree_say_together_what_each_leaves_out() {
        let whole = "650 mg one tablet three times a day for five days";
        for (one, other) in [
            (whole, whole),
            (whole, "three times a day"),
            ("", whole),
            ("650 mg for five days", "one tablet three times a day"),
            ("one tablet three times a day", "650 mg for five days"),
        ] {
            assert_eq!(said(one, other), meant(whole), "{one} + {other}");
        }
        assert_eq!(said("one tablet twice a day", "1-0-1"), meant("one tablet 1-0-1"));
        let steps = "40 mg once daily for 5 days then 20 mg once daily for 5 days";
        assert_eq!(said(steps, steps), meant(steps));
    }

    #[test]
    fn orders_that_say_different_things_do_not_agree() {
        for (one, other) in [
            ("500 mg", "650 mg"),
            ("one tablet", "two tablets"),
            ("twice a day", "three times a day"),
            ("in the morning", "at night"),
            ("for five days", "for a week"),
            ("twice a day", "when needed"),
            ("before food", "after food"),
            ("40 mg once daily for 5 days then 20 mg once daily for 5 days", "40 mg once daily for 5 days"),
        ] {
            assert_eq!(said(one, other), None, "{one} and {other}");
        }
    }

    #[test]
    fn the_words_of_both_are_kept_where_the_second_adds_something() {
        let text = |one, other| agreed(&parse(one), &parse(other))?.first()?.text.clone();
        assert_eq!(text("650 mg", "twice a day").as_deref(), Some("650 mg, twice a day"));
        assert_eq!(text("650 mg twice a day", "twice a day").as_deref(), Some("650 mg twice a day"));
    }
}
