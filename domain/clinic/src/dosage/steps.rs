//! Settles the steps of a dosage: which amount is the dose and which the strength, and which steps run together.
//!
//! Unequal amounts in a day become R4 Dosage elements with the same `sequence` (<https://hl7.org/fhir/R4/dosage.html>).

use super::{Dosage, Quantity, Timing, grammar::Part, units::DoseUnit};
use crate::{entities::AttributeType, lexicon::decimal::Decimal};

/// Collects what is said of one step.
#[derive(Default)]
pub struct Draft {
    /// The step as far as it is clear.
    pub step: Dosage,
    /// The amounts with the parts that they stand in.
    pub quantities: Vec<(Quantity, usize)>,
    /// The amounts of a pattern such as 1-0-1.
    pub slots: Option<Vec<Decimal>>,
    /// Whether it is taken on the same days as the step before it.
    pub beside: bool,
    /// The unit of the step before it, where that has one amount.
    pub carried: Option<DoseUnit>,
}

impl Draft {
    /// Begins the step after another.
    pub fn after(before: Option<&Self>) -> Self {
        let carried = before.and_then(|before| match before.quantities.as_slice() {
            [] => before.carried,
            [(only, _)] => Some(only.unit),
            _ => None,
        });
        Self { carried, ..Self::default() }
    }

    /// Begins another amount on the same days.
    pub fn beside(before: Option<&Self>) -> Self {
        let carried = before.and_then(|before| before.counted().or(before.carried));
        Self { carried, beside: true, ..Self::default() }
    }

    /// Returns the unit of the pieces that are counted, where they are of one kind.
    pub fn counted(&self) -> Option<DoseUnit> {
        let mut units = self.quantities.iter().map(|(quantity, _)| quantity.unit).filter(|unit| unit.is_countable());
        let unit = units.next()?;
        units.all(|other| other == unit).then_some(unit)
    }
}

/// Two masses or two counts in one step contradict each other.
pub fn contradictions(draft: &Draft) -> usize {
    let counted = |quantity: &Quantity| quantity.unit.is_countable() || quantity.unit == DoseUnit::Millilitre;
    let (counts, masses): (Vec<_>, Vec<_>) = draft.quantities.iter().map(|(quantity, _)| *quantity).partition(counted);
    [counts, masses].into_iter().filter(|same| same.windows(2).any(|pair| pair.first() != pair.last())).count()
}

/// Turns the drafts into steps and settles what their amounts are.
pub fn finish(mut drafts: Vec<Draft>, parts: &mut [Part], form: Option<&'static str>) -> Vec<Dosage> {
    drafts.retain(|draft| draft.step != Dosage::default() || !draft.quantities.is_empty() || draft.slots.is_some());
    share_length(&mut drafts);
    let several = drafts.len() > 1;
    let mut number = 0;
    let mut steps: Vec<Dosage> = Vec::new();
    for draft in drafts {
        number += u32::from(!draft.beside || number == 0);
        let sequence = several.then_some(number);
        let before = steps.last().cloned();
        steps.extend(finish_step(draft, sequence, parts, (before.as_ref(), form)));
    }
    steps
}

/// Amounts that are taken on the same days are taken for the same time: it is said once, after the last.
fn share_length(drafts: &mut [Draft]) {
    for index in (1..drafts.len()).rev() {
        let (before, from) = drafts.split_at_mut(index);
        if let (Some(earlier), Some(later)) = (before.last_mut(), from.first())
            && later.beside
        {
            earlier.step.duration = earlier.step.duration.or(later.step.duration);
            earlier.step.food = earlier.step.food.or(later.step.food);
        }
    }
}

fn finish_step(
    draft: Draft,
    number: Option<u32>,
    parts: &mut [Part],
    (before, form): (Option<&Dosage>, Option<&'static str>),
) -> Vec<Dosage> {
    let Draft { mut step, quantities, slots, .. } = draft;
    step.sequence = number;
    settle_quantities(&mut step, &quantities, parts);
    if let Some(before) = before {
        inherit(&mut step, before, slots.is_some());
    }
    if let Some(slots) = slots {
        return spread(&step, &slots, form);
    }
    step.timing.when.sort_unstable();
    if step.timing.frequency.is_none() && !step.timing.when.is_empty() {
        let times = u32::try_from(step.timing.when.len()).unwrap_or(1);
        step.timing = with_frequency(&step.timing, times);
    }
    vec![step]
}

/// What a later step leaves unsaid is as it was: "40 mg once daily for 5 days then 20 mg for 5 days".
fn inherit(step: &mut Dosage, before: &Dosage, has_slots: bool) {
    step.strength = step.strength.or(before.strength.filter(|_| step.dose.is_none_or(|dose| dose.unit.is_countable())));
    step.dose = step.dose.or(before.dose.filter(|_| !has_slots));
    step.route = step.route.or(before.route);
    step.food = step.food.or(before.food);
    let timing = &step.timing;
    let silent = timing.frequency.is_none() && timing.when.is_empty() && timing.as_needed == super::AsNeeded::No;
    if silent && !has_slots && timing.count.is_none() {
        step.timing.set_rate(&before.timing);
        step.timing.when.clone_from(&before.timing.when);
    }
}

/// A count of pieces is the dose and the mass beside it the strength; a mass alone is the dose.
fn settle_quantities(step: &mut Dosage, quantities: &[(Quantity, usize)], parts: &mut [Part]) {
    let counted =
        quantities.iter().find(|(quantity, _)| quantity.unit.is_countable() || quantity.unit == DoseUnit::Millilitre);
    let measured = quantities.iter().find(|(quantity, _)| {
        !quantity.unit.is_countable() && Some(quantity.unit) != counted.map(|(quantity, _)| quantity.unit)
    });
    step.dose = counted.or(measured).map(|(quantity, _)| *quantity);
    if counted.is_some()
        && let Some((strength, part)) = measured
    {
        step.strength = Some(*strength);
        if let Some(part) = parts.get_mut(*part) {
            part.kind = AttributeType::Strength;
        }
    }
}

fn with_frequency(timing: &Timing, times: u32) -> Timing {
    Timing {
        when: timing.when.clone(),
        as_needed: timing.as_needed.clone(),
        count: timing.count,
        start: timing.start,
        ..Timing::every(times, Decimal::ONE, super::TimeUnit::Day)
    }
}

/// Turns 1-0-1 into times of day; slots with unequal amounts become steps that run together.
fn spread(step: &Dosage, slots: &[Decimal], form: Option<&'static str>) -> Vec<Dosage> {
    use super::DayTime::{Evening, Morning, Night, Noon};
    let times: &[super::DayTime] =
        if slots.len() == 4 { &[Morning, Noon, Evening, Night] } else { &[Morning, Noon, Night] };
    let mut amounts: Vec<Decimal> = Vec::new();
    for amount in slots.iter().copied().filter(|amount| *amount > Decimal::ZERO) {
        if !amounts.contains(&amount) {
            amounts.push(amount);
        }
    }
    let several = amounts.len() > 1;
    let mut steps = Vec::new();
    for amount in amounts {
        let mut part = step.clone();
        part.timing.when =
            times.iter().zip(slots).filter(|(_, slot)| **slot == amount).map(|(time, _)| *time).collect();
        let count = u32::try_from(part.timing.when.len()).unwrap_or(1);
        part.timing = with_frequency(&part.timing, count);
        part.sequence = step.sequence.or(several.then_some(1));
        set_amount(&mut part, amount, form);
        steps.push(part);
    }
    steps
}

/// The digits of 1-0-1 count pieces; a mass that was said is then the strength of a piece.
fn set_amount(step: &mut Dosage, amount: Decimal, form: Option<&'static str>) {
    let piece = if form == Some("capsule") { DoseUnit::Capsule } else { DoseUnit::Tablet };
    let unit = match step.dose {
        Some(dose) if dose.unit.is_countable() || dose.unit == DoseUnit::Millilitre => dose.unit,
        Some(dose) => {
            step.strength = Some(dose);
            piece
        }
        None if amount == Decimal::ONE => return,
        None => piece,
    };
    let value =
        step.dose.filter(|dose| dose.unit == unit).map_or(amount, |dose| dose.value.times(amount).unwrap_or(amount));
    step.dose = Some(Quantity { value, unit });
}
