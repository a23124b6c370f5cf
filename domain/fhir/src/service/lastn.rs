//! `Observation/$lastn` (R4 <https://hl7.org/fhir/R4/observation-operation-lastn.html>): the newest values of each kind.

use std::collections::HashMap;

use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::json::Json;
use crate::ports::{SearchPage, Stored};
use crate::search::SearchQuery;

/// So many pages are looked through: a chart has an end.
const MOST_PAGES: usize = 20;
/// The largest page.
const PAGE: u32 = 1000;

impl FhirService {
    /// Answers a search sorted newest first with at most `most` Observations of each code.
    pub async fn last_n(&self, caller: &Caller, mut query: SearchQuery, most: usize) -> Result<SearchPage, FhirError> {
        query.count = PAGE;
        let mut kept: Vec<Stored> = Vec::new();
        let mut groups = Groups::default();
        for _ in 0..MOST_PAGES {
            let page = self.search(caller, query.clone()).await?;
            for stored in page.matches {
                if groups.count(&stored_json(&stored)?) <= most {
                    kept.push(stored);
                }
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        let total = Some(kept.len() as u64);
        Ok(SearchPage { matches: kept, total, ..SearchPage::default() })
    }
}

/// How many Observations of each kind were seen; those with one coding in common are of one kind.
#[derive(Default)]
struct Groups {
    by_code: HashMap<String, usize>,
    seen: Vec<usize>,
}

impl Groups {
    /// Counts an Observation; how many of its kind there are with it.
    fn count(&mut self, observation: &Json) -> usize {
        let codes = codes_of(observation);
        let group = codes.iter().find_map(|code| self.by_code.get(code).copied()).unwrap_or_else(|| {
            self.seen.push(0);
            self.seen.len() - 1
        });
        for code in codes {
            self.by_code.entry(code).or_insert(group);
        }
        let Some(seen) = self.seen.get_mut(group) else { return 0 };
        *seen += 1;
        *seen
    }
}

/// The codings, or the text where there are none.
fn codes_of(observation: &Json) -> Vec<String> {
    let code = observation.get("code");
    let codings = code.and_then(|code| code.get("coding")).map_or(&[][..], Json::items);
    if codings.is_empty() {
        return vec![code.and_then(|code| code.get_str("text")).unwrap_or_default().to_owned()];
    }
    let text = |coding: &Json, name| coding.get_str(name).unwrap_or_default().to_owned();
    codings.iter().map(|coding| format!("{}|{}", text(coding, "system"), text(coding, "code"))).collect()
}
