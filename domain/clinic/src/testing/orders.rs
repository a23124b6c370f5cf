//! The short notation in which tests and the quality lab write what an order says.

use crate::dosage::{self, AsNeeded, Dosage, Quantity, Start};

/// Writes a dosage as its steps, told apart by ` > `: dose, strength, frequency, times, meals, length, route, need, start, count,
/// maximum; what is unsaid is left out.
#[must_use]
pub fn dosage_label(text: &str) -> String {
    let steps = if text.is_empty() { Vec::new() } else { dosage::parse(text) };
    steps.iter().map(step).collect::<Vec<_>>().join(" > ")
}

fn step(step: &Dosage) -> String {
    let amount = |quantity: Quantity| format!("{} {}", quantity.value, quantity.unit.display());
    let timing = &step.timing;
    let mut parts = Vec::new();
    parts.extend(step.dose.map(amount));
    parts.extend(step.strength.map(|strength| format!("of {}", amount(strength))));
    if let (Some(times), Some(period), Some(unit)) = (timing.frequency, timing.period, timing.period_unit) {
        let most = timing.period_max.map(|most| format!("-{most}")).unwrap_or_default();
        parts.push(format!("{times}/{period}{most}{}", unit.code()));
    }
    let when: Vec<&str> = timing.when.iter().map(|time| time.code()).collect();
    parts.extend((!when.is_empty()).then(|| when.join("+")));
    parts.extend(step.food.map(|food| food.code().to_owned()));
    parts.extend(step.duration.map(|length| format!("{}{}", length.value, length.unit.code())));
    parts.extend(step.route.map(|route| route.display().split(' ').next().unwrap_or_default().to_lowercase()));
    match &timing.as_needed {
        AsNeeded::No => {}
        AsNeeded::Yes => parts.push("SOS".to_owned()),
        AsNeeded::For(reason) => parts.push(format!("SOS({reason})")),
    }
    parts.extend((timing.start == Start::Immediate).then(|| "STAT".to_owned()));
    parts.extend(timing.count.map(|count| format!("x{count}")));
    parts.extend(step.max_per_day.map(|most| format!("max {}", amount(most))));
    parts.join(" ")
}
