//! Searches in contained resources (R4 <https://hl7.org/fhir/R4/search.html#contained>): first the resources that stand by
//! themselves, then those that contain one.

mod chains;

use bytes::Bytes;

use super::search::may_see;
use super::source::Source;
use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction, Permit, decide};
use crate::interactions::served_types;
use crate::json::{Limits, parse};
use crate::ports::{ContainedMatch, SearchPage, StoreError, Stored};
use crate::search::{Cursor, InvalidCursor, LARGEST_COUNT, Returned, SearchQuery, Searched, Total};
use crate::types::ResourceType;

pub use chains::{follow_contained, has_chains};

/// Where a page among containers begins: after a link of the store's own, and after so many contained matches.
#[derive(Default)]
struct Start {
    after: Option<Cursor>,
    skip: usize,
}

impl Start {
    /// Reads `skip~link`; a link of resources that stand by themselves has no such sign.
    fn read(cursor: &Cursor) -> Option<Result<Self, StoreError>> {
        let (skip, link) = cursor.as_str().split_once('~')?;
        let after = Some(link).filter(|link| !link.is_empty()).map(Cursor::from_text);
        Some(skip.parse().map(|skip| Self { after, skip }).map_err(|_| StoreError::Cursor(InvalidCursor)))
    }

    fn link(skip: usize, after: Option<&Cursor>) -> Cursor {
        Cursor::from_text(format!("{skip}~{}", after.map_or("", Cursor::as_str)))
    }
}

/// The contained resources of a container that fit.
fn within(query: &SearchQuery, container: &Stored) -> Result<Vec<ContainedMatch>, StoreError> {
    let resource = parse(&container.body, &Limits::default())
        .map_err(|error| StoreError::Unavailable(format!("{} does not parse: {error}", container.key)))?;
    let found = query.fitting(&resource).map(|one| ContainedMatch {
        id: one.get_str("id").unwrap_or_default().into(),
        body: Bytes::from(one.to_bytes()),
        container: container.clone(),
    });
    Ok(found.collect())
}

/// What the caller may look into.
fn inside(caller: &Caller, query: &SearchQuery) -> SearchQuery {
    let mut inside = query.clone();
    inside.contained.searched = Searched::Contained;
    for kind in served_types().filter(|own| *own != ResourceType::audit_event()) {
        match decide(caller, Interaction::Search, kind) {
            Ok(Permit::Whole) => {}
            Ok(Permit::Compartment(patient)) => inside.compartment = Some(patient),
            Err(_) => continue,
        }
        inside.contained.containers.push(kind);
    }
    inside
}

impl FhirService {
    /// Answers a search that `_contained` widens or moves; the containers of contained matches are among the matches.
    pub(super) async fn find_contained(
        &self,
        source: &mut Source<'_>,
        caller: &Caller,
        query: &SearchQuery,
    ) -> Result<SearchPage, FhirError> {
        let inside = inside(caller, query);
        match (query.contained.searched, query.cursor.as_ref().and_then(Start::read)) {
            (_, Some(start)) => inside_page(source, caller, &inside, start?).await,
            (Searched::Contained, None) => inside_page(source, caller, &inside, Start::default()).await,
            _ => self.find_both(source, caller, (query, inside)).await,
        }
    }

    async fn find_both(
        &self,
        source: &mut Source<'_>,
        caller: &Caller,
        (query, mut inside): (&SearchQuery, SearchQuery),
    ) -> Result<SearchPage, FhirError> {
        let mut outside = query.clone();
        outside.contained.searched = Searched::Outside;
        let mut page = source.search(caller, &outside).await?;
        let left = query.count.saturating_sub(u32::try_from(page.matches.len()).unwrap_or(u32::MAX));
        (inside.cursor, inside.count) = (None, left);
        let counts_all = query.count == 0 || query.total != Total::None;
        if page.next.is_some() || left == 0 {
            page.total = match page.total.filter(|_| counts_all) {
                Some(total) => Some(total + count(source, caller, &inside).await?),
                None => None,
            };
            if query.count > 0 && page.next.is_none() {
                page.next = Some(Start::link(0, None));
            }
            return Ok(page);
        }
        let more = inside_page(source, caller, &inside, Start::default()).await?;
        page.total = page.total.zip(more.total).map(|(outside, inside)| outside + inside);
        // A container may be a match by itself: it is answered once.
        add_new(&mut page.matches, more.matches);
        add_new(&mut page.included, more.included);
        page.contained = more.contained;
        page.cut.extend(more.cut);
        page.next = more.next;
        Ok(page)
    }
}

fn add_new(known: &mut Vec<Stored>, more: Vec<Stored>) {
    for stored in more {
        if known.iter().all(|own| own.key != stored.key) {
            known.push(stored);
        }
    }
}

async fn inside_page(
    source: &mut Source<'_>,
    caller: &Caller,
    inside: &SearchQuery,
    Start { after, skip }: Start,
) -> Result<SearchPage, FhirError> {
    if inside.count == 0 {
        let total = Some(count(source, caller, inside).await?);
        return Ok(SearchPage { total, ..SearchPage::default() });
    }
    let asked = SearchQuery { cursor: after.clone(), ..inside.clone() };
    let mut page = source.search(caller, &asked).await?;
    page.matches.retain(|stored| may_see(caller, stored));
    let is_whole = after.is_none() && page.next.is_none();
    page.next = page.next.map(|link| Start::link(0, Some(&link)));
    if inside.contained.returned == Returned::Container {
        return Ok(page);
    }
    for container in page.matches.drain(..) {
        page.contained.extend(within(inside, &container)?);
    }
    page.total = match inside.total {
        Total::None => is_whole.then_some(page.contained.len() as u64),
        Total::Estimate | Total::Accurate => Some(count(source, caller, inside).await?),
    };
    page.contained.drain(..skip.min(page.contained.len()));
    let count = inside.count as usize;
    if page.contained.len() > count {
        // One container may have more matches than a page: the next one begins among them.
        page.contained.truncate(count);
        page.next = Some(Start::link(skip + count, after.as_ref()));
    }
    Ok(page)
}

/// The number of containers, or of what fits in them.
async fn count(source: &mut Source<'_>, caller: &Caller, inside: &SearchQuery) -> Result<u64, FhirError> {
    let mut asked = SearchQuery { cursor: None, total: Total::None, includes: Vec::new(), ..inside.clone() };
    if inside.contained.returned == Returned::Container {
        asked.count = 0;
        return Ok(source.search(caller, &asked).await?.total.unwrap_or_default());
    }
    asked.count = LARGEST_COUNT;
    let mut total = 0;
    loop {
        let page = source.search(caller, &asked).await?;
        for container in &page.matches {
            total += within(inside, container)?.len() as u64;
        }
        match page.next {
            Some(link) => asked.cursor = Some(link),
            None => return Ok(total),
        }
    }
}
