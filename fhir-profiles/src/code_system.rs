//! The code systems that required bindings take codes from (R4 <https://hl7.org/fhir/R4/codesystem.html>).

/// A code system of the specification.
#[derive(Debug)]
pub struct SpecifiedSystem {
    /// The canonical URL.
    pub url: &'static str,
    /// The name for programs; none of a system of which only some codes are known.
    pub name: &'static str,
    /// The business version.
    pub version: &'static str,
    /// Whether codes that differ in case differ.
    pub is_case_sensitive: bool,
    /// Whether every code is here.
    pub is_complete: bool,
    /// Its concepts, each before those below it.
    pub concepts: Vec<SpecifiedConcept>,
}

/// A concept of such a system.
#[derive(Debug)]
pub struct SpecifiedConcept {
    /// How many concepts stand above it.
    pub level: usize,
    /// The code.
    pub code: &'static str,
    /// What people read.
    pub display: &'static str,
    /// What it means; may be empty.
    pub definition: &'static str,
    /// Whether it only groups others.
    pub is_abstract: bool,
    /// Whether it is no longer in use.
    pub is_retired: bool,
}

impl SpecifiedSystem {
    /// Whether some concepts stand below others.
    #[must_use]
    pub fn has_hierarchy(&self) -> bool {
        self.concepts.iter().any(|concept| concept.level > 0)
    }

    pub(crate) fn parse_all(table: &'static str) -> Vec<Self> {
        let mut systems: Vec<Self> = Vec::new();
        for line in crate::lines(table) {
            let header = line.strip_prefix('=');
            let mut fields = header.unwrap_or(line).split('\t');
            let mut next = || fields.next().unwrap_or_default();
            if header.is_some() {
                systems.push(Self {
                    url: next(),
                    name: next(),
                    version: next(),
                    is_case_sensitive: next() == "sensitive",
                    is_complete: next() == "complete",
                    concepts: Vec::new(),
                });
            } else if let Some(system) = systems.last_mut() {
                let (level, code, display, definition, flags) = (next(), next(), next(), next(), next());
                system.concepts.push(SpecifiedConcept {
                    level: level.parse().unwrap_or_default(),
                    code,
                    display,
                    definition,
                    is_abstract: flags.contains('a'),
                    is_retired: flags.contains('r'),
                });
            }
        }
        systems.sort_by_key(|system| system.url);
        systems
    }
}
