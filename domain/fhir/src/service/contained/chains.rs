//! Chains into contained resources (R4 <https://hl7.org/fhir/R4/search.html#contained>): no index knows what a container's
//! `#id` leads to, so the containers that fulfil a chain within themselves are looked for before the store is asked, and the
//! chain becomes one of two ways.

use std::future::Future;
use std::pin::Pin;

use crate::json::{Limits, parse};
use crate::ports::{Finder, StoreError};
use crate::search::{
    Clause, ContainedSearch, LARGEST_COUNT, Link, Returned, SearchQuery, Searched, empty_query, leads_elsewhere,
};
use crate::types::{ResourceId, ResourceKey, ResourceType};

type Pinned<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Looks for containers.
struct Walk<'w> {
    finder: &'w mut dyn Finder,
    compartment: Option<ResourceKey>,
    /// There were more containers than are looked for.
    is_cut: bool,
}

/// Whether a search has chains, which [`follow_contained`] follows.
#[must_use]
pub fn has_chains(query: &SearchQuery) -> bool {
    !query.is_inside() && query.clauses.iter().any(follows)
}

/// Adds to each chain the resources that fulfil it within themselves; tells whether some may be left out.
pub async fn follow_contained(finder: &mut dyn Finder, query: &mut SearchQuery) -> Result<bool, StoreError> {
    if !has_chains(query) {
        return Ok(false);
    }
    let mut walk = Walk { finder, compartment: query.compartment.clone(), is_cut: false };
    // What else must hold narrows the containers.
    let beside = query.clauses.iter().filter(|clause| !follows(clause) && !matches!(clause, Clause::Recheck(_)));
    let beside: Vec<Clause> = beside.cloned().collect();
    for clause in &mut query.clauses {
        walk.follow(clause, &query.resource_types, &beside).await?;
    }
    Ok(walk.is_cut)
}

/// Whether a condition has a chain in it.
fn follows(clause: &Clause) -> bool {
    match clause {
        Clause::Chain(_) => true,
        Clause::Has(link) => follows(&link.clause),
        Clause::Any(clauses) | Clause::All(clauses) => clauses.iter().any(follows),
        Clause::Not(clause) => follows(clause),
        Clause::Types(_)
        | Clause::Id(_)
        | Clause::LastUpdated(_)
        | Clause::Parameter { .. }
        | Clause::List(_)
        | Clause::Recheck(_) => false,
    }
}

impl Walk<'_> {
    /// Follows the chains of a condition on resources of these types, of which the others hold too.
    fn follow<'a>(&'a mut self, clause: &'a mut Clause, types: &'a [ResourceType], beside: &'a [Clause]) -> Pinned<'a> {
        Box::pin(async move {
            match clause {
                Clause::Chain(links) => {
                    let found = self.containers(links, types, beside).await?;
                    for link in links.iter_mut().filter(|link| follows(&link.clause)) {
                        self.follow(&mut link.clause, &[link.other], &[]).await?;
                    }
                    if !found.is_empty() {
                        let chain = Clause::Chain(std::mem::take(links));
                        *clause = Clause::Any(std::iter::once(chain).chain(found).collect());
                    }
                }
                Clause::Has(link) if follows(&link.clause) => {
                    self.follow(&mut link.clause, &[link.other], &[]).await?;
                }
                Clause::Any(clauses) | Clause::All(clauses) => {
                    for clause in clauses.iter_mut().filter(|clause| follows(clause)) {
                        self.follow(clause, types, beside).await?;
                    }
                }
                Clause::Not(clause) => self.follow(clause, types, beside).await?,
                _ => {}
            }
            Ok(())
        })
    }

    /// The resources of these types that contain what one of the links leads to, as conditions: one for each type.
    async fn containers(
        &mut self,
        links: &[Link],
        types: &[ResourceType],
        beside: &[Clause],
    ) -> Result<Vec<Clause>, StoreError> {
        let links: Vec<&Link> = links.iter().filter(|link| !leads_elsewhere(&link.clause)).collect();
        let mut others: Vec<ResourceType> = links.iter().map(|link| link.other).collect();
        others.sort_unstable();
        others.dedup();
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let inside = links.iter().map(|link| Clause::All(vec![Clause::Types(vec![link.other]), link.clause.clone()]));
        let asked = SearchQuery {
            clauses: vec![Clause::Any(inside.collect())],
            count: LARGEST_COUNT,
            compartment: self.compartment.clone(),
            contained: ContainedSearch {
                searched: Searched::Contained,
                returned: Returned::Container,
                containers: types.to_vec(),
                beside: beside.to_vec(),
            },
            ..empty_query(others)
        };
        let page = self.finder.search(&asked).await?;
        self.is_cut |= page.next.is_some();
        let mut found: Vec<(ResourceType, Vec<ResourceId>)> = Vec::new();
        for stored in page.matches {
            let mut container = parse(&stored.body, &Limits::default())
                .map_err(|error| StoreError::Unavailable(format!("{} does not parse: {error}", stored.key)))?;
            Link::name_contained(&mut container);
            if !links.iter().any(|link| link.leads_inside(&container)) {
                continue;
            }
            let (kind, id) = (stored.key.resource_type(), stored.key.id().clone());
            match found.iter_mut().find(|(own, _)| *own == kind) {
                Some((_, ids)) => ids.push(id),
                None => found.push((kind, vec![id])),
            }
        }
        Ok(found.into_iter().map(|(kind, ids)| Clause::All(vec![Clause::Types(vec![kind]), Clause::Id(ids)])).collect())
    }
}
