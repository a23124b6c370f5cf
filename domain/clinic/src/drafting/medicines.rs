//! A medicine as MedicationRequest, proposed and not yet ordered (R4: <https://hl7.org/fhir/R4/medicationrequest.html>).

use seva_models::{self as models, ExtensionValue, MedicationRequest, Origin};

use super::elements::{entity_extensions, extension, further_evidence, heard, machine_made};
use super::{Draft, Drafted, Mention, SectionKind, Statement};
use crate::dosage::{self, Dosage, Quantity, TimeUnit};
use crate::entities::{AttributeType, Entity};
use crate::formulary::Product;
use crate::lexicon::Span;
use crate::lexicon::decimal::Decimal;
use crate::lexicon::tokens::tokenize;

pub(super) fn request(draft: &Draft<'_>, mention: Mention<'_>, transcript: &str) -> Drafted {
    let Mention { entity, again, text } = mention;
    let said: Vec<&Entity> = [entity].into_iter().chain(again.iter().copied()).collect();
    let steps = ordered(text, &said);
    let mut extensions = entity_extensions(draft, transcript, entity);
    extensions.extend(further_evidence(draft, transcript, again));
    extensions.push(extension("review-state", ExtensionValue::Code("pending".to_owned())));
    for (name, kind) in [("strength", AttributeType::Strength), ("form", AttributeType::Form)] {
        if let Some(attribute) = said.iter().find_map(|entity| entity.attributes_of(kind).next()) {
            extensions.push(extension(name, ExtensionValue::Text(attribute.text.clone())));
        }
    }
    if let Some(suggestion) = &entity.suggestion {
        extensions.push(extension("suggested-name", ExtensionValue::Text(suggestion.suggested.clone())));
    }
    let request = MedicationRequest {
        origin: Origin { labels: machine_made(), ..draft.origin(extensions) },
        medication: heard(&entity.text, &entity.codings),
        supporting: vec![transcript.to_owned()],
        requester: draft.author.clone(),
        dosages: dosage::regimen_to_fhir(&steps),
        dispensed: dispensed(&steps),
        reasons: Vec::new(),
    };
    // An order that no step holds, such as a bare "for fever", still stands in its line.
    let text = steps.first().and_then(|step| step.text.clone()).unwrap_or_else(|| entity.dosage_text());
    let line = format!("{} {text}", entity.text).trim().to_owned();
    let section = Some(SectionKind::Medications);
    let statement = Statement::Medicine(request);
    Drafted { url: draft.url(), statement, section, line, evidence: said.into_iter().map(place).collect() }
}

/// What an order says that was said once or more.
fn ordered(whole: &[char], said: &[&Entity]) -> Vec<Dosage> {
    let mut steps = Vec::new();
    for entity in said {
        let text = entity.dosage_text();
        let mut read = if text.is_empty() { Vec::new() } else { dosage::parse(&text) };
        let words = words(whole, entity);
        // An order of which the grammar reads nothing still says what it says.
        if read.is_empty() && entity.attributes_of(AttributeType::Instruction).next().is_some() {
            read.push(Dosage::default());
        }
        for step in &mut read {
            step.text = Some(words.clone());
        }
        steps = dosage::agreed(&steps, &read).unwrap_or(steps);
    }
    steps
}

/// Words that say nothing of a dose between two others that do.
const FILLERS: [&str; 18] = [
    "a", "and", "as", "at", "be", "dose", "dosage", "for", "in", "is", "it", "of", "take", "taken", "the", "then",
    "this", "to",
];

/// The words of an order: what the grammar understood as it reads it, and what stands between, as it was said. What was
/// taken back is no part of it ("250, no sorry, 500 mg"); the evidence keeps it.
fn words(whole: &[char], entity: &Entity) -> String {
    let mut words: Vec<String> = Vec::new();
    let parts = entity.attributes_in_order();
    let taken_back = taken_back(whole, entity);
    // Words between the name and what follows it are the order's too: "metformin sustained release 500 mg".
    let mut end = parts.first().filter(|first| first.begin >= entity.end).map(|_| entity.end);
    for part in parts {
        if let Some(end) = end {
            // The name stands in none of the pieces around it.
            let pieces = if (end..part.begin).contains(&entity.begin) {
                vec![Span::new(end, entity.begin), Span::new(entity.end.min(part.begin), part.begin)]
            } else {
                vec![Span::new(end, part.begin)]
            };
            let meant = |piece: Span| -> String {
                let kept = |at: &usize| !taken_back.iter().any(|span| (span.begin..span.end).contains(at));
                (piece.begin..piece.end).filter(kept).filter_map(|at| whole.get(at)).collect()
            };
            words.extend(pieces.into_iter().filter_map(|piece| unread(&meant(piece))));
        }
        words.push(part.canonical().to_owned());
        end = end.max(Some(part.end));
    }
    words.join(", ")
}

/// What the speaker took back behind the name, with the words that say so.
fn taken_back(whole: &[char], entity: &Entity) -> Vec<Span> {
    let end = entity.attributes.iter().map(|part| part.end).fold(entity.end, usize::max);
    let behind: String = whole.get(entity.end..end).unwrap_or_default().iter().collect();
    let said = tokenize(&behind);
    let meant = dosage::corrected(&said);
    let gone = said.iter().filter(|token| !meant.contains(token));
    gone.map(|token| Span::new(entity.end + token.span.begin, entity.end + token.span.end)).collect()
}

/// The words of a piece that the grammar stepped over; none where it only joins, or another sentence begins in it.
fn unread(piece: &str) -> Option<String> {
    let joins = |word: &str| word.is_empty() || FILLERS.contains(&word.to_lowercase().as_str());
    let bare = |word: &str| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned();
    let bared: Vec<String> = piece.split_whitespace().map(bare).collect();
    // "A 200 mg and B 400 mg, both for five days": between A and what both share stands the other order.
    let is_shared = matches!(bared.last().map(String::as_str), Some("both" | "all")) || names_medicine(&bared);
    if is_shared || piece.contains(['.', '?', '!', ';', '\n', '।']) || bared.iter().all(|word| joins(word)) {
        return None;
    }
    let words: Vec<&str> = piece.split_whitespace().skip_while(|word| joins(&bare(word))).collect();
    let text = words.join(" ");
    Some(text.trim_matches(|letter: char| letter == ',' || letter.is_whitespace()).to_owned())
}

fn names_medicine(words: &[String]) -> bool {
    let named = |words: &[String]| Product::named(&words.join(" ")).is_some();
    (1..=Product::LONGEST_NAME).any(|length| words.windows(length).any(named))
}

/// The characters of a medicine with its dosage.
fn place(entity: &Entity) -> (usize, usize) {
    let begin = entity.attributes.iter().map(|each| each.begin).fold(entity.begin, usize::min);
    let end = entity.attributes.iter().map(|each| each.end).fold(entity.end, usize::max);
    (begin, end)
}

/// The quantity to dispense, where it can be calculated.
pub(crate) fn dispensed(steps: &[Dosage]) -> Option<models::Quantity> {
    dispensed_quantity(steps).map(dosage::quantity_to_fhir)
}

/// Calculates how many pieces a regimen takes, where dose, frequency and length are all known.
#[must_use]
pub fn dispensed_quantity(steps: &[Dosage]) -> Option<Quantity> {
    let mut total: Option<Quantity> = None;
    for step in steps {
        let dose = step.dose.filter(|dose| dose.unit.is_countable())?;
        // "every four to six hours" is no number of pieces.
        let length = step.duration.filter(|_| step.timing.period_max.is_none())?;
        let days = match length.unit {
            TimeUnit::Day => length.value,
            TimeUnit::Week => length.value.times(Decimal::whole(7))?,
            TimeUnit::Minute | TimeUnit::Hour | TimeUnit::Month | TimeUnit::Year => return None,
        };
        let pieces = dose.value.times(Decimal::whole(step.timing.per_day()?))?.times(days)?;
        total = Some(match total {
            None => Quantity { value: pieces, unit: dose.unit },
            Some(sum) if sum.unit == dose.unit => Quantity { value: sum.value.plus(pieces)?, unit: sum.unit },
            Some(_) => return None,
        });
    }
    total
}
