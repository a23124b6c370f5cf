//! Parameters whose values are all values of others, as `combo-code` of Observation has those of `code` and
//! `component-code`: they are found under those (R4 <https://hl7.org/fhir/R4/observation.html#search>).

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use seva_fhir_profiles::{SearchParameter, SearchParameterType, definitions};

/// Returns the parameters that together have all values of one, and no others; none if it has values of its own.
#[must_use]
pub fn made_of(parameter: &SearchParameter) -> &'static [&'static SearchParameter] {
    static UNIONS: OnceLock<HashMap<u32, Vec<&'static SearchParameter>>> = OnceLock::new();
    let unions = UNIONS.get_or_init(|| {
        let all = definitions().all_search_parameters();
        let found = all.iter().map(|own| (own.id, parts_of(own, all)));
        found.filter(|(_, parts)| parts.len() > 1).collect()
    });
    unions.get(&parameter.id).map_or(&[], Vec::as_slice)
}

/// A sort walks the rows of one parameter, so those that can be sorted by keep rows of their own.
fn can_be_made(kind: SearchParameterType) -> bool {
    matches!(kind, SearchParameterType::Token | SearchParameterType::Quantity | SearchParameterType::Composite)
}

fn parts_of(own: &SearchParameter, all: &'static [SearchParameter]) -> Vec<&'static SearchParameter> {
    let whole = branches(own);
    if !can_be_made(own.kind) || whole.len() < 2 {
        return Vec::new();
    }
    let is_part = |other: &&SearchParameter| {
        let part = branches(other);
        other.base == own.base
            && other.kind == own.kind
            && part.len() < whole.len()
            && part.is_subset(&whole)
            && components(other) == components(own)
    };
    let parts: Vec<&'static SearchParameter> = all.iter().filter(is_part).collect();
    let covered: BTreeSet<&str> = parts.iter().flat_map(|part| branches(part)).collect();
    if covered == whole { parts } else { Vec::new() }
}

fn branches(parameter: &SearchParameter) -> BTreeSet<&'static str> {
    let expression: &'static str = parameter.expression;
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
    fn observations_combine_their_own_values_and_those_of_components() {
        let all = definitions().all_search_parameters().iter();
        let made = all.filter(|parameter| !made_of(parameter).is_empty()).map(|own| (own.base, own.code));
        let expected = [
            "combo-code",
            "combo-code-value-concept",
            "combo-code-value-quantity",
            "combo-data-absent-reason",
            "combo-value-concept",
            "combo-value-quantity",
        ];
        assert_eq!(made.collect::<Vec<_>>(), expected.map(|code| ("Observation", code)));
        let quantity = definitions().search_parameter("Observation", "combo-code-value-quantity");
        let parts = quantity.map(|own| made_of(own).iter().map(|part| part.code).collect::<Vec<_>>());
        assert_eq!(parts.unwrap_or_default(), ["code-value-quantity", "component-code-value-quantity"]);
    }
}
