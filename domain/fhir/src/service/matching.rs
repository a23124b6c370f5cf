//! `Patient/$match` (R4 <https://hl7.org/fhir/R4/patient-operation-match.html>): a few indexed searches find the candidates,
//! and each is compared with the patient that is looked for.

use std::collections::HashSet;

use super::merge::linked;
use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::json::Json;
use crate::matching::{Likeness, compare};
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;
use crate::types::ResourceType;

/// As many candidates as one search brings.
const CANDIDATES: &str = "100";
/// As many searches for one patient: who has more names and numbers is found by these.
const MOST_SEARCHES: usize = 12;

/// A patient that is like the one looked for.
pub struct Match {
    /// The patient.
    pub stored: Stored,
    /// How like.
    pub likeness: Likeness,
}

impl FhirService {
    /// Finds the patients that may be the given one, best first.
    pub async fn match_patient(&self, caller: &Caller, given: &Json) -> Result<Vec<Match>, FhirError> {
        if given.get_str("resourceType") != Some("Patient") {
            let text = "the resource that is to be matched must be a Patient";
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::Required, text).at("Parameters.resource")]));
        }
        let searches = searches(given);
        if searches.is_empty() {
            let text = "the Patient has nothing to be found by: give an identifier with its system, a family name, a birth date \
                        with a given name, or a telephone number";
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::Required, text).at("Patient")]));
        }
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for mut pairs in searches {
            pairs.push(("_count".to_owned(), CANDIDATES.to_owned()));
            let query = self.strict_search(caller, ResourceType::patient(), &pairs)?;
            for stored in self.search(caller, query).await?.matches {
                if !seen.insert(stored.key.clone()) {
                    continue;
                }
                let known = stored_json(&stored)?;
                // A record that was merged into another one is found by that one, which has its numbers.
                if let Some(likeness) = compare(given, &known)
                    && linked(&known, "replaced-by").is_none()
                {
                    found.push(Match { stored, likeness });
                }
            }
        }
        let rank = |one: &Match| (one.likeness.grade, one.likeness.score);
        found.sort_by(|one, other| {
            rank(other).cmp(&rank(one)).then_with(|| one.stored.key.id().cmp(other.stored.key.id()))
        });
        Ok(found)
    }
}

type Pairs = Vec<(String, String)>;

fn searches(given: &Json) -> Vec<Pairs> {
    let list = |name: &str| given.get(name).map_or(&[][..], Json::items);
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let mut searches: Vec<Pairs> = Vec::new();
    for identifier in list("identifier") {
        if let (Some(system), Some(value)) = (identifier.get_str("system"), identifier.get_str("value")) {
            searches.push(vec![pair("identifier", format!("{}|{}", escaped(system), escaped(value)))]);
        }
    }
    let birth = given.get_str("birthDate").map(|date| pair("birthdate", date.to_owned()));
    let families = list("name").iter().filter_map(|name| name.get_str("family"));
    for family in families {
        searches.push(vec![pair("family", escaped(family))]);
        if let Some(birth) = &birth {
            searches.push(vec![pair("family", escaped(family)), birth.clone()]);
        }
    }
    let givens = list("name").iter().filter_map(|name| name.get("given")).flat_map(Json::items);
    if let Some(birth) = birth {
        searches.extend(givens.filter_map(Json::as_str).map(|name| vec![pair("given", escaped(name)), birth.clone()]));
    }
    let contacts = list("telecom").iter().filter_map(|contact| contact.get_str("value"));
    searches.extend(contacts.map(|value| vec![pair("telecom", escaped(value))]));
    searches.truncate(MOST_SEARCHES);
    searches
}

/// A value as a search parameter takes it (R4 search.html#escaping).
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\\' | ',' | '|' | '$') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}
