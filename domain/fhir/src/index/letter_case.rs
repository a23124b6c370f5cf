//! Letter case in tokens (R4 <https://hl7.org/fhir/R4/search.html#token>): one rule for each parameter, known from the
//! types of its elements, so that what is stored and what is asked are made comparable in one way (decision 0026).

use std::borrow::Cow;

use seva_fhir_profiles::{SearchParameter, TypeDefinition};

use super::plan::Planned;

/// Types whose values are bound to systems that are case-sensitive, or are defined to be so themselves.
const CASE_SENSITIVE: [&str; 8] = ["boolean", "canonical", "code", "id", "Money", "oid", "uri", "url"];

/// Whether codes that differ in the case of their letters are different.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LetterCase {
    /// They are: all elements are of types that are case-sensitive.
    Counts,
    /// They are not. R4 says so of strings and, where it is not known, recommends it.
    #[default]
    Folded,
}

impl LetterCase {
    /// The rule of a parameter.
    #[must_use]
    pub fn of(parameter: &SearchParameter) -> Self {
        Planned::known(parameter).map_or_else(Self::default, |planned| planned.letter_case)
    }

    /// The rule of one part of a composite.
    #[must_use]
    pub fn of_part(parameter: &SearchParameter, place: usize) -> Self {
        let planned = Planned::known(parameter);
        planned.and_then(|planned| planned.part_cases.get(place)).copied().unwrap_or_default()
    }

    /// The rule where elements may have these types; none means that they aren't known.
    pub(super) fn of_types(types: &[&TypeDefinition]) -> Self {
        let counts = !types.is_empty() && types.iter().all(|each| CASE_SENSITIVE.contains(&each.name));
        if counts { Self::Counts } else { Self::Folded }
    }

    /// The code as it is compared; nothing is allocated where it is so already.
    #[must_use]
    pub fn comparable(self, code: &str) -> Cow<'_, str> {
        if self == Self::Counts {
            return Cow::Borrowed(code);
        }
        if code.is_ascii() {
            let is_capital = |byte: u8| byte.is_ascii_uppercase();
            return if code.bytes().any(is_capital) { code.to_ascii_lowercase().into() } else { code.into() };
        }
        // Letter by letter: what a letter becomes must not depend on the letters beside it.
        if code.chars().any(|letter| !letter.to_lowercase().eq([letter])) {
            code.chars().flat_map(char::to_lowercase).collect::<String>().into()
        } else {
            code.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use seva_fhir_profiles::{SearchParameterType, definitions};

    use super::*;
    use crate::index::made_of;

    fn rule(base: &str, code: &str) -> LetterCase {
        let known = definitions().search_parameter(base, code);
        LetterCase::of(known.expect("R4 has the parameter"))
    }

    #[test]
    fn the_rule_follows_from_the_types_of_the_elements() {
        for (base, code) in [
            ("Patient", "_id"),
            ("Patient", "gender"),
            ("Patient", "active"),
            ("Observation", "status"),
            ("CodeSystem", "code"),
            ("Bundle", "type"),
        ] {
            assert_eq!(rule(base, code), LetterCase::Counts, "{base}.{code}");
        }
        for (base, code) in [
            ("Patient", "identifier"),
            ("Patient", "telecom"),
            ("Patient", "email"),
            ("Patient", "_tag"),
            ("Patient", "_security"),
            ("Observation", "code"),
            ("Observation", "combo-code"),
            ("Encounter", "class"),
            ("ValueSet", "version"),
            // Its elements are of several types.
            ("Group", "value"),
        ] {
            assert_eq!(rule(base, code), LetterCase::Folded, "{base}.{code}");
        }
    }

    #[test]
    fn parts_of_composites_have_rules_of_their_own() {
        let parts = |base: &str, code: &str| {
            let composite = definitions().search_parameter(base, code).expect("a parameter of R4");
            [0, 1].map(|place| LetterCase::of_part(composite, place))
        };
        use LetterCase::{Counts, Folded};
        assert_eq!(parts("Observation", "code-value-concept"), [Folded, Folded]);
        assert_eq!(parts("DocumentReference", "relationship").last(), Some(&Counts));
    }

    #[test]
    fn what_is_found_under_others_has_their_rule() {
        let all = definitions().all_search_parameters().iter();
        for own in all.filter(|own| own.kind == SearchParameterType::Token) {
            for part in made_of(own) {
                assert_eq!(LetterCase::of(own), LetterCase::of(part), "{}.{} and {}", own.base, own.code, part.code);
            }
        }
    }

    #[test]
    fn only_what_changes_is_copied() {
        let folded = |code| LetterCase::Folded.comparable(code);
        assert!(matches!(folded("85354-9"), Cow::Borrowed(_)) && matches!(folded("रक्त"), Cow::Borrowed(_)));
        assert_eq!(folded("MRN-12a"), "mrn-12a");
        assert_eq!(folded("ÄRZTE-1"), "ärzte-1");
        assert!(matches!(LetterCase::Counts.comparable("Final"), Cow::Borrowed("Final")));
    }
}
