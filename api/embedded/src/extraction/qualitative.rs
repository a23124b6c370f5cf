//! Results of tests in words, "NS1 negative" (R4 Observation.valueCodeableConcept,
//! <https://hl7.org/fhir/R4/observation.html>), of which "dengue negative" names the test by the disease.
//!
//! The word behind a test says how the test came out. Read as context it would deny the disease, or the test itself.

use std::ops::Range;

use seva_clinic::{
    entities::{AttributeType, Category, Coding, EntityType, Trait},
    laboratory::{TestFinding, laboratory_tests},
    lexicon::{
        Span,
        concepts::{Concept, ConceptKind, concepts},
        tokens::TokenKind,
    },
};

use super::{
    context::{EARLIER, is_denial},
    document::Document,
    matcher::{Hit, Term},
    scores::{Evidence, Found},
};

/// Words between the name of a test and its result.
const FILLERS: [&str; 38] = [
    "is",
    "are",
    "was",
    "were",
    "came",
    "comes",
    "has",
    "come",
    "back",
    "returned",
    "turned",
    "out",
    "to",
    "be",
    "reported",
    "as",
    "result",
    "results",
    "report",
    "test",
    "tests",
    "rapid",
    "card",
    "kit",
    "antigen",
    "antibody",
    "antibodies",
    "igm",
    "igg",
    "serology",
    "pcr",
    "smear",
    "screening",
    "today",
    "also",
    "both",
    ":",
    "-",
];
/// The most of them.
const FILLED: usize = 6;
/// How many words before a name deny its result.
const DENIED_WITHIN: usize = 6;
/// Words before a name by which its result is one of another day, beside those of any test.
const TOLD_OF: [&str; 3] = ["history", "h/o", "known"];
/// Words behind a result that say the same.
const AGO: [&[&str]; 6] = [
    &["in", "the", "past"],
    &["last", "year"],
    &["last", "month"],
    &["previously"],
    &["earlier"],
    &["in", "childhood"],
];

/// Tests that are looked at: their findings are more than a word.
const PICTURES: [&str; 14] = [
    "EKG",
    "XR",
    "US ",
    "Echo",
    "Treadmill",
    "CT",
    "MRI",
    "X-ray",
    "Ultrasound",
    "Spirometry",
    "Holter",
    "graphy",
    "scopy",
    "Bone density",
];

/// Diseases that are tested for by their name, one beside the other.
const TESTED: [&str; 10] = ["A01.00", "A90", "A92.0", "B15.9", "B18.1", "B50.9", "B51.9", "B54", "J11.1", "U07.1"];
/// HIV is as often the test's name.
const HIV: &str = "B20";
/// Words by which a disease is stated, and shares no result that follows: "has malaria and dengue negative".
const STATED: [&str; 12] =
    ["has", "have", "had", "with", "of", "is", "as", "impression", "diagnosis", "diagnosed", "confirmed", "acute"];

/// A result and the tokens that say it.
struct Said {
    finding: TestFinding,
    tokens: Range<usize>,
    doubtful: bool,
}

/// Finds the results that nothing else has claimed.
pub fn find(document: &Document, hits: &[Hit], claimed: &[Span]) -> Vec<Found> {
    let named = |hit: &&Hit| match hit.term {
        Term::Concept(concept) => names_a_test(concept) || is_specimen(document, document.covering(hit.span)),
        Term::Product(_) => false,
    };
    let free = |hit: &&Hit| !claimed.iter().any(|span| span.overlaps(hit.span));
    let names: Vec<&Hit> = hits.iter().filter(named).filter(free).collect();
    let mut found = Vec::new();
    for (index, hit) in names.iter().enumerate() {
        let Term::Concept(concept) = hit.term else { continue };
        let place = document.covering(hit.span);
        let Some(said) = result_of(document, &names, index) else { continue };
        let whole = place.start.min(said.tokens.start)..place.end.max(said.tokens.end);
        if is_of_another_day(document, &whole) || is_denied(document, hits, whole.start) {
            continue;
        }
        found.extend(result(document, (hit.span, concept), &said));
    }
    found
}

/// Takes away what the words of a result would mean as context: they deny nothing.
pub fn settle(each: &mut Found) {
    if each.entity.finding().is_some() {
        each.entity.traits.retain(|flag| *flag != Trait::Negation);
    }
}

/// "sputum positive" tells of the test for tubercle bacilli and not of what is coughed up.
fn is_specimen(document: &Document, place: Range<usize>) -> bool {
    let told = |at: usize| word_of_result(document, at).is_some();
    place.len() == 1 && document.word(place.start) == "sputum" && (told(place.end) || told(place.end + 1))
}

/// Tests, and diseases that a test is named by: those that a microbe causes (ICD-10 A and B, influenza, COVID-19).
fn names_a_test(concept: &Concept) -> bool {
    let infection = |code: &str| {
        code.starts_with(['A', 'B']) || ["J09", "J10", "J11", "U07.1"].iter().any(|other| code.starts_with(other))
    };
    match concept.kind {
        ConceptKind::Test => !PICTURES.iter().any(|word| concept.display.contains(word)),
        ConceptKind::Condition => concept.code.is_some_and(infection),
        ConceptKind::Symptom | ConceptKind::Procedure | ConceptKind::Anatomy => false,
    }
}

/// The result behind a name, else behind the list that it stands in ("dengue and malaria negative"), else before it or its
/// list ("negative for dengue and malaria").
fn result_of(document: &Document, names: &[&Hit], index: usize) -> Option<Said> {
    let own = document.covering(names.get(index)?.span);
    if let Some(said) = behind(document, own.end) {
        return Some(said);
    }
    // "Urine albumin nil": of a test this is its result, of a disease it is said as context.
    let is_test = |hit: &&Hit| matches!(hit.term, Term::Concept(named) if named.kind == ConceptKind::Test);
    if names.get(index).is_some_and(is_test) && matches!(document.word(own.end), "nil" | "absent") {
        return Some(Said { finding: TestFinding::Negative, tokens: own.end..own.end + 1, doubtful: false });
    }
    let shares = names.get(index).and_then(|hit| listed_as(document, hit));
    // "HIV, HBsAg negative": a comma alone may begin something else, but a test for HIV must not be left as the disease.
    let is_hiv =
        names.get(index).is_some_and(|hit| matches!(hit.term, Term::Concept(named) if named.code == Some(HIV)));
    let mut end = own.end;
    let alike = |hit: &&&Hit| shares.is_some() && listed_as(document, hit) == shares;
    for next in names.get(index + 1..)?.iter().take_while(alike) {
        let next = document.covering(next.span);
        let Some(ends) = separator(document, end, next.start) else { break };
        end = next.end;
        if let Some(said) = behind(document, end).filter(|_| ends || is_hiv) {
            // Whether the test for HIV came out so as well, or only what follows the comma, the doctor says.
            let doubtful = !ends && !said.finding.denies();
            return Some(Said { doubtful, ..said });
        }
    }
    let mut start = own.start;
    for before in names.get(..index)?.iter().rev().take_while(alike).map(|hit| document.covering(hit.span)) {
        if separator(document, before.end, start) != Some(true) {
            break;
        }
        start = before.start;
    }
    stated_before(document, start)
}

/// Whether two names of a list stand side by side, and whether by a word that ends it.
fn separator(document: &Document, end: usize, start: usize) -> Option<bool> {
    let words: Vec<&str> = (end..start).map(|at| document.word(at)).collect();
    match words.as_slice() {
        [","] => Some(false),
        ["and" | "or" | "&"] | [",", "and" | "or" | "&"] => Some(true),
        _ => None,
    }
}

/// Says of what sort the names of a list are that shares a result; tests and diseases are none of one list: "viral fever and
/// NS1 negative" denies no fever. What is reported as an amount shares none: "platelets and NS1 negative".
fn listed_as(document: &Document, hit: &Hit) -> Option<ConceptKind> {
    let Term::Concept(concept) = hit.term else { return None };
    let code = concept.code.unwrap_or_default();
    let before = document.covering(hit.span).start.checked_sub(1).map_or("", |before| document.word(before));
    match concept.kind {
        ConceptKind::Test if laboratory_tests().iter().all(|test| test.code != code) => Some(ConceptKind::Test),
        ConceptKind::Condition if code == HIV => Some(ConceptKind::Test),
        ConceptKind::Condition if TESTED.contains(&code) && !STATED.contains(&before) => Some(ConceptKind::Condition),
        _ => None,
    }
}

fn behind(document: &Document, end: usize) -> Option<Said> {
    for at in end..=end + FILLED {
        if let Some(said) = word_of_result(document, at) {
            return Some(said);
        }
        if !FILLERS.contains(&document.word(at)) {
            return None;
        }
    }
    None
}

/// "Smear negative for malaria", "tested positive for dengue".
fn stated_before(document: &Document, start: usize) -> Option<Said> {
    let last = start.checked_sub(2).filter(|last| document.word(last + 1) == "for")?;
    let two = last.checked_sub(1).and_then(|first| word_of_result(document, first));
    two.filter(|said| said.tokens.end == last + 1).or_else(|| word_of_result(document, last))
}

fn word_of_result(document: &Document, at: usize) -> Option<Said> {
    for length in [2, 1] {
        let words: Vec<&str> = (at..at + length).map(|place| document.word(place)).collect();
        if let Some(finding) = TestFinding::named(&words.join(" ")) {
            return Some(Said { finding, tokens: at..at + length, doubtful: false });
        }
    }
    None
}

/// "Not HIV positive", "never had dengue positive": what is denied is no result. Another finding, a comma or a number begins
/// something else.
fn is_denied(document: &Document, hits: &[Hit], start: usize) -> bool {
    for at in (start.saturating_sub(DENIED_WITHIN)..start).rev() {
        let word = document.word(at);
        let other = document.tokens().get(at).is_none_or(|token| token.kind != TokenKind::Word)
            || document.span(&(at..at + 1)).is_some_and(|span| hits.iter().any(|hit| hit.span.overlaps(span)))
            || TestFinding::named(word).is_some();
        if is_denial(word) {
            return true;
        }
        if other {
            return false;
        }
    }
    false
}

/// A result of another day has a date that nobody said, and is left to what is told of the past.
fn is_of_another_day(document: &Document, &Range { start, end }: &Range<usize>) -> bool {
    let earlier = (start.saturating_sub(3)..start).rev().take_while(|at| document.word(*at) != ",");
    let told = AGO.iter().any(|words| (end..).zip(*words).all(|(at, word)| document.word(at) == *word));
    let counted = document.tokens().get(end).is_some_and(|token| token.number().is_some());
    let ago = counted && matches!(document.word(end + 2), "ago" | "back");
    told || ago || earlier.map(|at| document.word(at)).any(|word| EARLIER.contains(&word) || TOLD_OF.contains(&word))
}

/// The test that a result of "sputum" is one of.
fn sputum_test() -> Option<&'static Concept> {
    concepts().iter().find(|concept| concept.kind == ConceptKind::Test && concept.phrases.contains(&"sputum afb"))
}

fn result(document: &Document, (span, concept): (Span, &'static Concept), said: &Said) -> Option<Found> {
    let mut entity = document.entity(span, Category::TestTreatmentProcedure, EntityType::TestName);
    let place = document.span(&said.tokens)?;
    let value = Some(said.finding.word().to_owned());
    entity.attributes.push(document.attribute(place, AttributeType::TestValue, value));
    if said.doubtful {
        entity.traits.push(Trait::LowConfidence);
    }
    let concept = if concept.kind == ConceptKind::Symptom { sputum_test().unwrap_or(concept) } else { concept };
    let is_test = concept.kind == ConceptKind::Test;
    if let Some(code) = concept.code.filter(|_| is_test) {
        entity.codings.push(Coding {
            system: concept.kind.system().to_owned(),
            code: code.to_owned(),
            display: concept.display.to_owned(),
            score: None,
        });
    }
    let evidence = if is_test { Evidence::OtherPhrase } else { Evidence::ConditionPhrase };
    Some(Found { entity, evidence })
}
