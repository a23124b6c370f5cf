//! HL7's FHIRPath tests for R4, under tests/data/fhirpath (CC0).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use roxmltree::{Document, Node};

use super::operand::Operand;
use super::*;
use crate::json::{Limits, parse};

/// The tests that the file has.
const TESTS: usize = 762;

/// Tests that don't hold, by name, with the number of tests of that name that don't; docs/conformance.md gives reasons.
const DEVIATIONS: &[(&str, usize)] = &[
    ("testSimpleFail", 1),
    ("testSimpleWithWrongContext", 1),
    ("testPolymorphismB", 1),
    ("testPolymorphismAsB", 1),
    ("testDollarOrderNotAllowed", 1),
    ("testIntegerBooleanNotTrue", 1),
    ("testStringQuantityDayLiteralToQuantity", 1),
    ("isEffectOnLogic3Base", 1),
    ("isGuardFnImpliesBad", 1),
    ("isGuardImpliesBad", 1),
    ("isGuardOrTypesImpliesBad", 1),
    ("isGuardOrFnTypesImpliesBad", 1),
    ("isGuardOrOtherImpliesBad", 1),
    ("isGuardOrOtherImpliesNoParensBad", 1),
    ("isGuardOrInnerImpliesBad", 1),
    ("isGuardAndBad", 1),
    ("isGuardOrBad", 1),
    ("isGuardXorBad", 1),
    ("isGuardNotImpliesBad", 1),
    ("isGuardIifBad", 1),
    ("isGuardSupertypeBad", 1),
    ("isGuardOtherExpressionBad", 1),
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/fhirpath")
}

/// Returns what a test gives, or why it gives nothing.
fn run(test: Node<'_, '_>, inputs: &mut BTreeMap<String, Json>) -> Result<(), String> {
    let expression = test.children().find(|child| child.has_tag_name("expression")).unwrap();
    let outputs: Vec<Node<'_, '_>> = test.children().filter(|child| child.has_tag_name("output")).collect();
    let is_invalid = expression.has_attribute("invalid") || test.has_attribute("invalid");
    let file = test.attribute("inputfile").unwrap_or("patient-example.json").replace(".xml", ".json");
    let resource = &*inputs
        .entry(file)
        .or_insert_with_key(|file| parse(&std::fs::read(folder().join(file)).unwrap(), &Limits::default()).unwrap());
    let context = EvaluationContext { now: Some(1_784_000_000_000_000), ..EvaluationContext::of_resource(resource) };
    let start = test.attribute("context").map(|path| CompiledPath::parse(path).unwrap().evaluate(&context).unwrap());
    let start = start.as_ref().map(|nodes| nodes.first().unwrap());
    let context = start.map_or(context, |node| context.at(node.json(), node.definition()));
    let answer = CompiledPath::parse(expression.text().unwrap()).and_then(|path| {
        path.evaluate(&context)
            .map(|nodes| nodes.iter().map(|node| (shown(node), node.type_name().to_owned())).collect::<Vec<_>>())
    });
    match answer {
        Err(_) if is_invalid => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(found) if is_invalid => Err(format!("must be refused, gave {found:?}")),
        Ok(mut found) => {
            if test.attribute("predicate") == Some("true") {
                found = vec![((!found.is_empty()).to_string(), "boolean".to_owned())];
            }
            let mut texts: Vec<String> = found.iter().map(|(text, _)| text.clone()).collect();
            let mut wanted: Vec<String> =
                outputs.iter().map(|output| output.text().unwrap_or_default().to_owned()).collect();
            if test.attribute("ordered") == Some("false") {
                texts.sort();
                wanted.sort();
            }
            let types_fit = outputs.iter().zip(&found).all(|(output, (_, own))| {
                output.attribute("type").is_none_or(|wanted| wanted.eq_ignore_ascii_case(own))
            });
            if texts == wanted && types_fit { Ok(()) } else { Err(format!("gave {found:?}, not {wanted:?}")) }
        }
    }
}

fn shown(node: &PathNode<'_>) -> String {
    match Operand::of(node) {
        Operand::Quantity(quantity) => quantity.to_text(),
        _ => super::operators::text_of(node),
    }
}

#[test]
fn the_official_tests_hold_but_for_those_listed() {
    let text = std::fs::read_to_string(folder().join("tests-fhir-r4.xml")).unwrap();
    let document = Document::parse(&text).unwrap();
    let mut inputs = BTreeMap::new();
    let mut failed: BTreeMap<String, usize> = BTreeMap::new();
    let tests: Vec<Node<'_, '_>> = document.descendants().filter(|node| node.has_tag_name("test")).collect();
    for test in &tests {
        if let Err(reason) = run(*test, &mut inputs) {
            let name = test.attribute("name").unwrap_or_default();
            let expression = test.children().find_map(|child| child.text().filter(|_| child.is_element()));
            eprintln!("{name}: {}: {reason}", expression.unwrap_or_default());
            *failed.entry(name.to_owned()).or_default() += 1;
        }
    }
    let count: usize = failed.values().sum();
    eprintln!("{} of {} tests hold", tests.len() - count, tests.len());
    assert_eq!(tests.len(), TESTS);
    let listed: BTreeSet<(&str, usize)> = DEVIATIONS.iter().copied().collect();
    let found: BTreeSet<(&str, usize)> = failed.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(found, listed, "the deviations changed; mend them or list them with a reason");
}
