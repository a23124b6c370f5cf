//! Codes for what the service found, from the formulary and the phrase lists of the clinic: the service itself gives none
//! with its entities (<https://docs.aws.amazon.com/comprehend-medical/latest/dev/textanalysis-entitiesv2.html>).

use std::collections::HashMap;
use std::sync::LazyLock;

use seva_clinic::entities::{Category, Coding, Entity, EntityType, Suggestion, Trait};
use seva_clinic::formulary::{Formulary, Product};
use seva_clinic::lexicon::concepts::{Concept, ConceptKind, concepts};

static BY_PHRASE: LazyLock<HashMap<&'static str, &'static Concept>> = LazyLock::new(|| {
    let phrases = |concept: &'static Concept| concept.phrases.iter().map(move |phrase| (*phrase, concept));
    concepts().iter().flat_map(phrases).collect()
});

/// Codes an entity by its words; words that stand in no list stay without a code.
pub(super) fn code(entity: &mut Entity) {
    match entity.category {
        Category::Medication => medicine(entity),
        Category::MedicalCondition | Category::TestTreatmentProcedure | Category::Anatomy => concept(entity),
        _ => {}
    }
}

/// The codes of a medicine that some words name.
pub(super) fn medicine_in(words: &str) -> Vec<Coding> {
    let letters = |character: char| !character.is_alphanumeric() && character != '-';
    let named = || words.split(letters).find_map(Product::named);
    Product::named(words).or_else(named).map(Product::codings).unwrap_or_default()
}

fn medicine(entity: &mut Entity) {
    let formulary = Formulary::seed();
    if let Some(product) = Product::named(&entity.text) {
        entity.codings = product.codings();
    } else if entity.kind == EntityType::GenericName
        && let Some(repair) = formulary.repair(&entity.text)
    {
        // A proposal, as for the embedded engine: what was heard stays, and the doctor decides.
        entity.codings = repair.medicine.codings();
        entity.traits.push(Trait::LowConfidence);
        entity.suggestion = Some(Suggestion {
            heard: entity.text.clone(),
            suggested: repair.suggested.to_owned(),
            distance: repair.distance,
        });
    }
}

fn concept(entity: &mut Entity) {
    let Some(concept) = BY_PHRASE.get(entity.text.to_lowercase().as_str()) else { return };
    let fits = match entity.category {
        Category::MedicalCondition => matches!(concept.kind, ConceptKind::Condition | ConceptKind::Symptom),
        Category::Anatomy => concept.kind == ConceptKind::Anatomy,
        _ => matches!(concept.kind, ConceptKind::Test | ConceptKind::Procedure),
    };
    if !fits {
        return;
    }
    entity.codings.extend(concept.code.map(|code| Coding {
        system: concept.kind.system().to_owned(),
        code: code.to_owned(),
        display: concept.display.to_owned(),
        score: None,
    }));
    let told = entity.has(Trait::Diagnosis) || entity.has(Trait::Symptom);
    match concept.kind {
        ConceptKind::Condition if !told => entity.traits.push(Trait::Diagnosis),
        ConceptKind::Symptom if !told => entity.traits.push(Trait::Symptom),
        _ => {}
    }
}
