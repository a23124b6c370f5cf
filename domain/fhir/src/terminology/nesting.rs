//! An expansion as a tree (R4 <https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.expansion.contains.contains>).

use std::collections::{HashMap, HashSet};

use super::Concept;

/// A concept with those below it.
#[derive(Debug, PartialEq)]
pub struct Nested<'c> {
    /// The concept.
    pub concept: &'c Concept,
    /// What stands below it.
    pub contains: Vec<Nested<'c>>,
}

/// Puts each concept below the first of its parents that is there too; what has none stays at the top.
#[must_use]
pub fn nest(concepts: &[Concept]) -> Vec<Nested<'_>> {
    let known: HashSet<(&str, &str)> = concepts.iter().map(|one| (one.system.as_str(), one.code.as_str())).collect();
    let mut below: HashMap<(&str, &str), Vec<&Concept>> = HashMap::new();
    let mut top = Vec::new();
    for concept in concepts {
        let system = concept.system.as_str();
        let parent = concept.parents.iter().map(|code| (system, code.as_str())).find(|parent| known.contains(parent));
        match parent.filter(|(_, code)| *code != concept.code) {
            Some(parent) => below.entry(parent).or_default().push(concept),
            None => top.push(concept),
        }
    }
    let mut tree: Vec<Nested<'_>> = top.into_iter().map(|concept| grow(concept, &mut below)).collect();
    // What is below itself has no top: it is shown flat.
    let left: Vec<&Concept> = concepts.iter().filter(|one| is_left(one, &below)).collect();
    tree.extend(left.into_iter().map(|concept| Nested { concept, contains: Vec::new() }));
    tree
}

fn grow<'c>(concept: &'c Concept, below: &mut HashMap<(&'c str, &'c str), Vec<&'c Concept>>) -> Nested<'c> {
    let children = below.remove(&(concept.system.as_str(), concept.code.as_str())).unwrap_or_default();
    Nested { concept, contains: children.into_iter().map(|child| grow(child, below)).collect() }
}

fn is_left(concept: &Concept, below: &HashMap<(&str, &str), Vec<&Concept>>) -> bool {
    below.values().flatten().any(|one| std::ptr::eq(*one, concept))
}
