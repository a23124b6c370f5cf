//! Conditions, symptoms, tests and sites from the phrase lists, and the patient's age.

use seva_clinic::{
    dosage::{Cursor, time_unit},
    entities::{AttributeType, Category, Coding, EntityType, Trait},
    lexicon::{
        Span,
        concepts::{Concept, ConceptKind},
    },
};

use super::{
    document::Document,
    matcher::{Hit, Term},
    plans,
    scores::{Evidence, Found},
};

const QUALITIES: [&str; 16] = [
    "mild",
    "moderate",
    "severe",
    "dry",
    "acute",
    "chronic",
    "sudden",
    "intermittent",
    "continuous",
    "high-grade",
    "low-grade",
    "left",
    "right",
    "bilateral",
    "productive",
    "occasional",
];

/// Finds the concepts that nothing else has claimed.
pub fn find(document: &Document, hits: &[Hit], claimed: &[Span]) -> Vec<Found> {
    let mut found = Vec::new();
    for hit in hits {
        let Term::Concept(concept) = hit.term else {
            continue;
        };
        let claimed = claimed.iter().any(|span| span.overlaps(hit.span));
        if claimed || is_temperature(document, hit.span) || is_other_word(document, hit.span) {
            continue;
        }
        found.push(entity(document, hit.span, concept));
    }
    found
}

/// Tells whether "cold" says how something is, as in "avoid cold water".
fn is_temperature(document: &Document, span: Span) -> bool {
    let words = document.covering(span);
    let followers = ["water", "drink", "drinks", "food", "foods", "milk", "air", "weather", "compress", "beverages"];
    words.len() == 1 && document.word(words.start) == "cold" && followers.contains(&document.word(words.end))
}

/// "flu vaccine", "fall precautions", "pus cells": a finding's word within another name.
fn is_other_word(document: &Document, span: Span) -> bool {
    let others = ["vaccine", "vaccination", "precautions", "prevention", "cells", "screening", "clinic"];
    others.contains(&document.word(document.covering(span).end))
}

fn entity(document: &Document, span: Span, concept: &Concept) -> Found {
    let (category, kind, evidence) = match concept.kind {
        ConceptKind::Condition | ConceptKind::Symptom => {
            (Category::MedicalCondition, EntityType::DxName, Evidence::ConditionPhrase)
        }
        ConceptKind::Test | ConceptKind::Procedure => {
            (Category::TestTreatmentProcedure, EntityType::TestName, Evidence::OtherPhrase)
        }
        ConceptKind::Anatomy => (Category::Anatomy, EntityType::SystemOrganSite, Evidence::OtherPhrase),
    };
    let mut entity = document.entity(span, category, kind);
    match concept.kind {
        ConceptKind::Condition => entity.traits.push(Trait::Diagnosis),
        ConceptKind::Symptom => entity.traits.push(Trait::Symptom),
        ConceptKind::Test | ConceptKind::Procedure | ConceptKind::Anatomy => {}
    }
    if let Some(code) = concept.code {
        entity.codings.push(Coding {
            system: concept.kind.system().to_owned(),
            code: code.to_owned(),
            display: concept.display.to_owned(),
            score: None,
        });
    }
    let first = document.covering(span).start;
    if category == Category::MedicalCondition
        && let Some(previous) = first.checked_sub(1)
        && QUALITIES.contains(&document.word(previous))
        && let Some(place) = document.span(&(previous..first))
    {
        entity.attributes.push(document.attribute(place, AttributeType::Quality, None));
    }
    if matches!(concept.kind, ConceptKind::Test | ConceptKind::Procedure)
        && let Some(time) = plans::planned(document, document.covering(span).end)
    {
        entity.attributes.push(time);
        // What is done on another day is no test that is asked for now.
        if concept.kind == ConceptKind::Procedure {
            entity.kind = EntityType::ProcedureName;
        }
    }
    Found { entity, evidence }
}

/// Finds ages: "45 year old", "45-year-old", "aged 45", "6 months old".
pub fn ages(document: &Document) -> Vec<Found> {
    let tokens = document.tokens();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let Some(value) = token.number().and_then(|value| value.as_whole()).filter(|value| *value <= 130) else {
            continue;
        };
        let mut cursor = Cursor::new(tokens);
        cursor.advance(index + 1);
        let end = if cursor.word(0) == "-" { index + 2 } else { index + 1 };
        let Some((used, unit)) = age_unit(document, end, index) else {
            continue;
        };
        let (Some(span), Some(number)) = (document.span(&(index..end + used)), document.span(&(index..index + 1)))
        else {
            continue;
        };
        let mut entity = document.entity(span, Category::ProtectedHealthInformation, EntityType::Age);
        entity.attributes.push(document.attribute(number, AttributeType::TestValue, Some(value.to_string())));
        let named = document.span(&(end..end + used)).unwrap_or(number);
        entity.attributes.push(document.attribute(named, AttributeType::TestUnit, Some(unit.to_owned())));
        found.push(Found { entity, evidence: Evidence::Age });
    }
    found
}

fn age_unit(document: &Document, at: usize, number: usize) -> Option<(usize, &'static str)> {
    match document.word(at) {
        "year-old" | "years-old" | "yr-old" | "y/o" => return Some((1, "a")),
        "month-old" | "months-old" => return Some((1, "mo")),
        "yo" | "yrs" | "yr"
            if matches!(document.word(at + 1), "old" | "male" | "female" | "man" | "woman" | "boy" | "girl") =>
        {
            return Some((if document.word(at + 1) == "old" { 2 } else { 1 }, "a"));
        }
        _ => {}
    }
    let unit = time_unit(document.word(at));
    if document.word(at + 1) == "old" {
        return unit.map(|unit| (2, unit.code()));
    }
    let aged = number.checked_sub(1).is_some_and(|previous| matches!(document.word(previous), "aged" | "age"));
    match (aged, unit) {
        (true, Some(unit)) => Some((1, unit.code())),
        (true, None) => Some((0, "a")),
        (false, Some(unit))
            if matches!(document.word(at + 1), "male" | "female" | "boy" | "girl" | "man" | "woman") =>
        {
            Some((1, unit.code()))
        }
        _ => None,
    }
}
