//! Search among the OperationDefinitions of this server's own operations (decision 0025): they decide for themselves, and
//! stand before those that the hospital stored.

use super::FhirError;
use super::source::Source;
use super::update::stored_json;
use crate::access::Caller;
use crate::operations::own_definitions;
use crate::ports::{SearchPage, StoreError, Stored};
use crate::search::{Cursor, InvalidCursor, SearchQuery};

/// A link into the own definitions is this and how many were given; no link of the store's has such a sign.
const LINK: &str = "own~";

/// Answers a search of OperationDefinitions.
pub(super) async fn find(
    source: &mut Source<'_>,
    caller: &Caller,
    query: &SearchQuery,
    base_url: &str,
) -> Result<SearchPage, FhirError> {
    let mut own: Vec<Stored> = Vec::new();
    for stored in own_definitions(base_url) {
        if query.is_fit(&stored_json(&stored)?) {
            own.push(stored);
        }
    }
    let all = own.len();
    let given = query.cursor.as_ref().map(|cursor| cursor.as_str().strip_prefix(LINK).map(str::parse::<usize>));
    let page = match given {
        None => page_from(source, caller, query, (own, 0)).await?,
        Some(Some(given)) => {
            let given = given.map_err(|_| StoreError::Cursor(InvalidCursor))?;
            page_from(source, caller, query, (own, given)).await?
        }
        Some(None) => source.search(caller, query).await?,
    };
    Ok(SearchPage { total: page.total.map(|total| total + all as u64), ..page })
}

/// The page after so many own definitions; its total is that of the store.
async fn page_from(
    source: &mut Source<'_>,
    caller: &Caller,
    query: &SearchQuery,
    (own, given): (Vec<Stored>, usize),
) -> Result<SearchPage, FhirError> {
    let count = query.count as usize;
    let here: Vec<Stored> = own.iter().skip(given).take(count).cloned().collect();
    let left = u32::try_from(count - here.len()).unwrap_or_default();
    let asked = SearchQuery { cursor: None, count: left, ..query.clone() };
    let mut page = source.search(caller, &asked).await?;
    if left == 0 && count > 0 {
        let has_more = given + here.len() < own.len() || page.total.is_some_and(|total| total > 0);
        page.next = has_more.then(|| Cursor::from_text(format!("{LINK}{}", given + here.len())));
    }
    page.matches.splice(0..0, here);
    Ok(page)
}
