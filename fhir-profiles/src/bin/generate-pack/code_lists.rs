//! The code lists behind required bindings (R4 <https://hl7.org/fhir/R4/terminologies.html#required>).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{Bindings, list, text, texts};

/// Codes by code system.
type Codes = BTreeMap<String, BTreeSet<String>>;

struct Terminology<'v> {
    value_sets: BTreeMap<&'v str, &'v Value>,
    code_systems: BTreeMap<&'v str, &'v Value>,
}

/// `value-set system code code …`; a value set that can't be listed completely is left out.
pub(crate) fn table(resources: &[Value], bindings: &Bindings) -> Vec<String> {
    let of_type = |name: &str| {
        let matching = resources.iter().filter(move |resource| text(resource, "resourceType") == name);
        matching.map(|resource| (text(resource, "url"), resource)).collect()
    };
    let terminology = Terminology { value_sets: of_type("ValueSet"), code_systems: of_type("CodeSystem") };
    let mut lines = Vec::new();
    for url in bindings {
        let Some(codes) = terminology.value_set(url, 0) else {
            continue;
        };
        for (system, codes) in codes {
            let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
            let name = url.replace("http://hl7.org/fhir/ValueSet/", "~");
            lines.push(format!("{name}\t{system}\t{}", codes.join("\t")));
        }
    }
    lines
}

impl Terminology<'_> {
    fn value_set(&self, url: &str, depth: usize) -> Option<Codes> {
        let url = url.split('|').next().unwrap_or_default();
        let compose = self.value_sets.get(url)?.get("compose")?;
        if depth > 8 || !list(compose, "exclude").is_empty() {
            return None;
        }
        let mut codes = Codes::new();
        for include in list(compose, "include") {
            self.include(include, &mut codes, depth)?;
        }
        Some(codes)
    }

    fn include(&self, include: &Value, codes: &mut Codes, depth: usize) -> Option<()> {
        if !list(include, "filter").is_empty() {
            return None;
        }
        for other in texts(include, "valueSet") {
            for (system, more) in self.value_set(other, depth + 1)? {
                codes.entry(system).or_default().extend(more);
            }
        }
        let system = text(include, "system");
        if system.is_empty() {
            return Some(());
        }
        let named: Vec<String> =
            list(include, "concept").iter().map(|concept| text(concept, "code").to_owned()).collect();
        let entry = codes.entry(system.to_owned()).or_default();
        if !named.is_empty() {
            entry.extend(named);
            return Some(());
        }
        let code_system = self.code_systems.get(system)?;
        if text(code_system, "content") != "complete" {
            return None;
        }
        gather(list(code_system, "concept"), entry);
        Some(())
    }
}

fn gather(concepts: &[Value], codes: &mut BTreeSet<String>) {
    for concept in concepts {
        codes.insert(text(concept, "code").to_owned());
        gather(list(concept, "concept"), codes);
    }
}
