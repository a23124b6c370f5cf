//! Parameters whose values are all values of others: `combo-code` of Observation has those of `code` and
//! `component-code`, `phonetic` of Patient those of `name`. They are found under those
//! (R4 <https://hl7.org/fhir/R4/searchparameter-registry.html>).

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use seva_fhir_profiles::{SearchParameter, SearchParameterType, definitions};

/// Returns the parameters that together have all values of one, and no others; none if it has values of its own.
#[must_use]
pub fn made_of(parameter: &SearchParameter) -> &'static [&'static SearchParameter] {
    static UNIONS: OnceLock<HashMap<u32, Vec<&'static SearchParameter>>> = OnceLock::new();
    let unions = UNIONS.get_or_init(|| {
        let all = definitions().all_search_parameters();
        let found = all.iter().map(|own| (own.id, parts_of(own)));
        found.filter(|(_, parts)| !parts.is_empty()).collect()
    });
    unions.get(&parameter.id).map_or(&[], Vec::as_slice)
}

/// Returns the texts that look at single elements of what a text parameter looks at as a whole: `address-city` beside
/// `address`. What stands under those needs no row under the whole, which then is found under itself and all of them.
///
/// Only addresses: names are sorted by, and a sort walks the rows of one parameter.
#[must_use]
pub fn narrower_than(parameter: &SearchParameter) -> Vec<&'static SearchParameter> {
    if parameter.kind != SearchParameterType::String || parameter.code != "address" {
        return Vec::new();
    }
    let whole = branches_of(parameter.expression);
    let is_within =
        |branch: &str| whole.iter().any(|own| branch.strip_prefix(own).is_some_and(|rest| rest.starts_with('.')));
    let others = definitions().search_parameters(parameter.base).iter();
    others
        .filter(|other| {
            other.kind == SearchParameterType::String && branches(other).iter().all(|branch| is_within(branch))
        })
        .collect()
}

fn parts_of(own: &SearchParameter) -> Vec<&'static SearchParameter> {
    use SearchParameterType as Kind;
    // A sort walks the rows of one parameter; a reference is followed under its own.
    let (may_be_same, may_be_several) = match own.kind {
        Kind::Token | Kind::Quantity | Kind::Composite => (true, true),
        Kind::String | Kind::Date => (true, false),
        Kind::Reference | Kind::Uri | Kind::Number | Kind::Special => (false, false),
    };
    let whole = branches(own);
    if !may_be_same || whole.is_empty() {
        return Vec::new();
    }
    let is_kin = |other: &&SearchParameter| {
        other.base == own.base && other.kind == own.kind && components(other) == components(own)
    };
    let kin = || definitions().search_parameters(own.base).iter().filter(is_kin);
    if let Some(same) = kin().find(|other| other.id < own.id && branches(other) == whole) {
        return vec![same];
    }
    if !may_be_several {
        return Vec::new();
    }
    let is_part = |other: &&SearchParameter| {
        let part = branches(other);
        part.len() < whole.len() && part.is_subset(&whole)
    };
    let parts: Vec<&'static SearchParameter> = kin().filter(is_part).collect();
    let covered: BTreeSet<&str> = parts.iter().flat_map(|part| branches(part)).collect();
    if covered == whole { parts } else { Vec::new() }
}

fn branches(parameter: &SearchParameter) -> BTreeSet<&'static str> {
    branches_of(parameter.expression)
}

fn branches_of(expression: &str) -> BTreeSet<&str> {
    expression.split('|').map(str::trim).filter(|branch| !branch.is_empty()).collect()
}

/// What composites put together, whatever the parts are called.
fn components(parameter: &SearchParameter) -> Vec<(SearchParameterType, &str)> {
    parameter.components.iter().map(|component| (component.kind, component.expression)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_others_is_known() {
        let all = definitions().all_search_parameters().iter();
        let made = all.filter(|parameter| !made_of(parameter).is_empty());
        let made: Vec<String> = made.map(|own| format!("{}.{}", own.base, own.code)).collect();
        let expected = [
            "CapabilityStatement.version",
            "Observation.combo-code",
            "Observation.combo-code-value-concept",
            "Observation.combo-code-value-quantity",
            "Observation.combo-data-absent-reason",
            "Observation.combo-value-concept",
            "Observation.combo-value-quantity",
            "Patient.phonetic",
            "Person.phonetic",
            "Practitioner.phonetic",
            "RelatedPerson.phonetic",
        ];
        assert_eq!(made, expected);
        let parts = |base: &str, code: &str| {
            let own = definitions().search_parameter(base, code);
            own.map(|own| made_of(own).iter().map(|part| part.code).collect::<Vec<_>>()).unwrap_or_default()
        };
        let quantity = parts("Observation", "combo-code-value-quantity");
        assert_eq!(quantity, ["code-value-quantity", "component-code-value-quantity"]);
        assert_eq!(parts("Patient", "phonetic"), ["name"]);
    }

    #[test]
    fn an_address_is_found_under_its_elements() {
        let within = |base: &str, code: &str| {
            let own = definitions().search_parameter(base, code);
            let mut codes: Vec<&str> = own.map(narrower_than).unwrap_or_default().iter().map(|own| own.code).collect();
            codes.sort_unstable();
            codes
        };
        let elements = ["address-city", "address-country", "address-postalcode", "address-state"];
        for base in ["Patient", "Practitioner", "RelatedPerson", "Person", "Organization", "Location", "InsurancePlan"]
        {
            assert_eq!(within(base, "address"), elements, "{base}");
        }
        assert!(within("Patient", "name").is_empty());
        assert!(within("Patient", "address-city").is_empty());
    }
}
