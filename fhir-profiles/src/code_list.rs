//! The codes that a required binding allows (R4 <https://hl7.org/fhir/R4/terminologies.html#required>).

/// A value set that is listed completely.
#[derive(Debug)]
pub struct CodeList {
    /// The canonical URL without version.
    pub url: &'static str,
    /// Each code system with its sorted codes.
    pub(crate) systems: Vec<(&'static str, Vec<&'static str>)>,
}

impl CodeList {
    /// Tells whether a code of any of the systems is allowed, as for the type `code`.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.systems.iter().any(|(_, codes)| codes.binary_search(&code).is_ok())
    }

    /// Tells whether a code of a system is allowed.
    #[must_use]
    pub fn contains_in(&self, system: &str, code: &str) -> bool {
        self.systems.iter().any(|(own, codes)| *own == system && codes.binary_search(&code).is_ok())
    }

    /// Tells whether a code of a system is allowed, whatever its letter case.
    #[must_use]
    pub fn contains_in_any_case(&self, system: &str, code: &str) -> bool {
        let is_among = |codes: &[&str]| codes.iter().any(|own| own.eq_ignore_ascii_case(code));
        self.systems.iter().any(|(own, codes)| *own == system && is_among(codes))
    }

    /// Tells whether the value set takes codes of a system.
    #[must_use]
    pub fn has_system(&self, system: &str) -> bool {
        self.systems.iter().any(|(own, _)| *own == system)
    }

    /// Visits all codes with their system.
    pub fn codes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.systems.iter().flat_map(|(system, codes)| codes.iter().map(|code| (*system, *code)))
    }

    pub(crate) fn parse_all(table: &'static str) -> Vec<Self> {
        let mut lists: Vec<Self> = Vec::new();
        for line in crate::lines(table) {
            let mut fields = line.split('\t');
            let (Some(url), Some(system)) = (fields.next(), fields.next()) else {
                continue;
            };
            let url = crate::expand(url, "http://hl7.org/fhir/ValueSet/");
            let entry = (system, fields.collect());
            match lists.last_mut() {
                Some(last) if last.url == url => last.systems.push(entry),
                _ => lists.push(Self { url, systems: vec![entry] }),
            }
        }
        lists.sort_by_key(|list| list.url);
        lists
    }
}
