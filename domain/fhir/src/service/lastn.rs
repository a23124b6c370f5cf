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
        let mut groups: HashMap<String, usize> = HashMap::new();
        for _ in 0..MOST_PAGES {
            let page = self.search(caller, query.clone()).await?;
            for stored in page.matches {
                let seen = groups.entry(group_of(&stored_json(&stored)?)).or_default();
                if *seen < most {
                    *seen += 1;
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

/// Observations with one coding in common are of one kind; the first coding stands for them.
fn group_of(observation: &Json) -> String {
    let code = observation.get("code");
    let coding = code.and_then(|code| code.get("coding")?.get_index(0));
    match coding {
        Some(coding) => {
            format!("{}|{}", coding.get_str("system").unwrap_or_default(), coding.get_str("code").unwrap_or_default())
        }
        None => code.and_then(|code| code.get_str("text")).unwrap_or_default().to_owned(),
    }
}
