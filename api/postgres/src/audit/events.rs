//! Both logs read as AuditEvents, merged with those that connected systems delivered: one order, one page link.

mod people;
mod statement;

use std::cmp::Ordering;

use async_trait::async_trait;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use seva_fhir::access::{
    Agent, AuditAction, AuditEntry, AuditEvents, AuditOrder, AuditOutcome, AuditQuery, AuditSource, AuditedWhat,
    EntryId,
};
use seva_fhir::ports::{Method, SearchPage, StoreError, Stored};
use seva_fhir::search::{CursorKey, SearchQuery, SortBy, SortKey, SortValue, Total};
use seva_fhir::types::{Instant, ResourceKey, ResourceType, TenantId};

use crate::entities::{audit, change};
use crate::failure::{orm_unavailable, unavailable};
use crate::{Database, search};
use people::People;
use statement::{After, condition, later};

/// AuditEvents in PostgreSQL.
#[derive(Clone)]
pub struct PostgresAuditEvents {
    database: Database,
}

/// A row of one of the logs.
enum Row {
    Logged(audit::Model),
    Changed(change::Model),
}

/// A place in the order of all AuditEvents: time, then where it stands, then its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: i64,
    /// 0 and 1 are the logs, 2 is the store.
    rank: i64,
    number: i64,
}

/// What stands at a place.
enum Found {
    Row(Row),
    Stored(Stored),
}

/// The rank of delivered AuditEvents.
const STORED: i64 = 2;

impl PostgresAuditEvents {
    /// Over an open database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }
}

#[async_trait]
impl AuditEvents for PostgresAuditEvents {
    async fn entry(&self, tenant: TenantId, id: EntryId) -> Result<Option<AuditEntry>, StoreError> {
        let orm = &self.database.orm;
        let row = match id.source {
            AuditSource::Audit => {
                let own = audit::Entity::find_by_id(id.number).filter(audit::Column::Tenant.eq(tenant.get()));
                own.one(orm).await.map_err(orm_unavailable)?.map(Row::Logged)
            }
            AuditSource::Change => {
                let own = change::Entity::find_by_id(id.number).filter(change::Column::Tenant.eq(tenant.get()));
                own.one(orm).await.map_err(orm_unavailable)?.map(Row::Changed)
            }
        };
        let Some(row) = row else { return Ok(None) };
        let people = People::of(&self.database, tenant, [row.who()]).await?;
        row.entry(&people).map(Some)
    }

    async fn search(
        &self,
        tenant: TenantId,
        query: &SearchQuery,
        asked: &AuditQuery,
    ) -> Result<SearchPage, StoreError> {
        let sorted = ordered(query, asked.order);
        let asked = Asked { database: &self.database, tenant, query: &sorted, asked };
        let total = match query.total {
            Total::None if query.count > 0 => None,
            Total::None | Total::Estimate | Total::Accurate => Some(asked.count().await?),
        };
        if query.count == 0 {
            return Ok(SearchPage { total, ..SearchPage::default() });
        }
        let after =
            query.cursor.as_ref().map(|cursor| search::open_key(&self.database, &sorted, cursor)).transpose()?;
        let mut found = asked.page(after.as_ref().map(place_of).transpose()?).await?;
        let more = found.len() > query.count as usize;
        found.truncate(query.count as usize);
        let last = found.last().filter(|_| more).map(|(place, _)| key_of(*place));
        let next = last.map(|key| search::seal_key(&self.database, &sorted, &key));
        let matches = asked.rendered(found).await?;
        Ok(SearchPage { matches, next, total, ..SearchPage::default() })
    }
}

/// The same search, ordered by time in any case, so that a page link belongs to one order.
fn ordered(query: &SearchQuery, order: AuditOrder) -> SearchQuery {
    let mut sorted = query.clone();
    sorted.includes = Vec::new();
    if sorted.sort.is_empty()
        && let Some(parameter) = seva_fhir_profiles::definitions().search_parameter("AuditEvent", "date")
    {
        let descending = order == AuditOrder::Newest;
        sorted.sort = vec![SortKey { by: SortBy::Parameter(parameter), descending }];
    }
    sorted
}

fn key_of(place: Place) -> CursorKey {
    let values = vec![Some(SortValue::Integer(place.at)), Some(SortValue::Integer(place.rank))];
    CursorKey { values, rid: place.number }
}

fn place_of(key: &CursorKey) -> Result<Place, StoreError> {
    match key.values.as_slice() {
        [Some(SortValue::Integer(at)), Some(SortValue::Integer(rank))] => {
            Ok(Place { at: *at, rank: *rank, number: key.rid })
        }
        _ => Err(StoreError::Unavailable("a page link of ours without its place".to_owned())),
    }
}

impl Place {
    /// How two places follow each other: of one moment, the logs come before the store when the newest comes first.
    fn follows(&self, other: &Self, order: AuditOrder) -> Ordering {
        let newest = other.at.cmp(&self.at).then(self.rank.cmp(&other.rank)).then(other.number.cmp(&self.number));
        match order {
            AuditOrder::Newest => newest,
            AuditOrder::Oldest => newest.reverse(),
        }
    }

    /// Where a source of this rank goes on after this place.
    fn bound(&self, rank: i64) -> After {
        let number = match rank.cmp(&self.rank) {
            Ordering::Equal => self.number,
            Ordering::Greater => i64::MAX,
            Ordering::Less => i64::MIN,
        };
        After { at: self.at, number }
    }
}

/// A search of AuditEvents of one tenant.
struct Asked<'a> {
    database: &'a Database,
    tenant: TenantId,
    /// With its order.
    query: &'a SearchQuery,
    asked: &'a AuditQuery,
}

impl Asked<'_> {
    /// One more than a page of each source suffices for the page and for knowing whether there is another one.
    async fn page(&self, after: Option<Place>) -> Result<Vec<(Place, Found)>, StoreError> {
        let mut found = Vec::new();
        for (rank, source) in (0..).zip(AuditSource::ALL) {
            if !self.asked.condition.is_void(source) {
                let rows = self.rows(source, after.map(|place| place.bound(rank))).await?;
                found.extend(rows.into_iter().map(|row| (row.place(rank), Found::Row(row))));
            }
        }
        found.extend(self.stored(after.map(|place| place.bound(STORED))).await?);
        found.sort_by(|(left, _), (right, _)| left.follows(right, self.asked.order));
        Ok(found)
    }

    async fn rows(&self, source: AuditSource, after: Option<After>) -> Result<Vec<Row>, StoreError> {
        let held = condition(source, self.tenant, &self.asked.condition);
        let beyond = after.map(|after| later(source, after, self.asked.order));
        let (orm, limit) = (&self.database.orm, u64::from(self.query.count) + 1);
        let order = match self.asked.order {
            AuditOrder::Newest => sea_orm::Order::Desc,
            AuditOrder::Oldest => sea_orm::Order::Asc,
        };
        match source {
            AuditSource::Audit => {
                let rows = audit::Entity::find().filter(held.add_option(beyond)).limit(limit);
                let rows = rows.order_by(audit::Column::At, order.clone()).order_by(audit::Column::Seq, order);
                Ok(rows.all(orm).await.map_err(orm_unavailable)?.into_iter().map(Row::Logged).collect())
            }
            AuditSource::Change => {
                let rows = change::Entity::find().filter(held.add_option(beyond)).limit(limit);
                let rows = rows.order_by(change::Column::At, order.clone()).order_by(change::Column::Seq, order);
                Ok(rows.all(orm).await.map_err(orm_unavailable)?.into_iter().map(Row::Changed).collect())
            }
        }
    }

    async fn stored(&self, after: Option<After>) -> Result<Vec<(Place, Found)>, StoreError> {
        let query = SearchQuery { count: self.query.count + 1, cursor: None, ..self.query.clone() };
        let after =
            after.map(|after| CursorKey { values: vec![Some(SortValue::Integer(after.at))], rid: after.number });
        let mut connection = self.database.pool.acquire().await.map_err(unavailable)?;
        let rows = search::keyed_matches(self.database, self.tenant, &query, after, &mut connection).await?;
        drop(connection);
        let placed = rows.into_iter().map(|(key, stored)| {
            // `recorded` is required: an event without a place in the order of times does not exist.
            let at = match key.values.first() {
                Some(Some(SortValue::Integer(at))) => *at,
                _ => stored.updated.micros(),
            };
            (Place { at, rank: STORED, number: key.rid }, Found::Stored(stored))
        });
        Ok(placed.collect())
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let mut connection = self.database.pool.acquire().await.map_err(unavailable)?;
        let mut total = search::count(self.database, self.tenant, self.query, &mut connection).await?;
        drop(connection);
        let orm = &self.database.orm;
        for source in AuditSource::ALL {
            if self.asked.condition.is_void(source) {
                continue;
            }
            let held = condition(source, self.tenant, &self.asked.condition);
            total += match source {
                AuditSource::Audit => audit::Entity::find().filter(held).count(orm).await,
                AuditSource::Change => change::Entity::find().filter(held).count(orm).await,
            }
            .map_err(orm_unavailable)?;
        }
        Ok(total)
    }

    async fn rendered(&self, found: Vec<(Place, Found)>) -> Result<Vec<Stored>, StoreError> {
        let names = found.iter().filter_map(|(_, found)| match found {
            Found::Row(row) => Some(row.who()),
            Found::Stored(_) => None,
        });
        let people = People::of(self.database, self.tenant, names).await?;
        let only = self.asked.only.as_ref();
        let each = found.into_iter().map(|(_, found)| match found {
            Found::Row(row) => Ok(row.entry(&people)?.stored(only)),
            Found::Stored(stored) => Ok(stored),
        });
        each.collect()
    }
}

impl Row {
    fn who(&self) -> &str {
        match self {
            Self::Logged(row) => &row.who,
            Self::Changed(row) => &row.who,
        }
    }

    fn place(&self, rank: i64) -> Place {
        let (at, number) = match self {
            Self::Logged(row) => (row.at, row.seq),
            Self::Changed(row) => (row.at, row.seq),
        };
        Place { at, rank, number }
    }

    fn entry(self, people: &People) -> Result<AuditEntry, StoreError> {
        let agent: Agent = people.agent(self.who());
        let hospital = people.hospital.as_str().into();
        let ids = |ids: Vec<String>| ids.into_iter().map(String::into_boxed_str).collect();
        Ok(match self {
            Self::Logged(row) => AuditEntry {
                id: EntryId { source: AuditSource::Audit, number: row.seq },
                at: Instant::from_micros(row.at),
                what: AuditedWhat::Logged {
                    action: AuditAction::from_code(&row.action).ok_or_else(|| unknown("action"))?,
                    outcome: AuditOutcome::from_code(&row.outcome).ok_or_else(|| unknown("outcome"))?,
                    target: row.target.into(),
                    query: row.query.map(String::into_boxed_str),
                },
                agent,
                hospital,
                patients: ids(row.patients),
                request: row.request.into(),
                address: row.address.map(String::into_boxed_str),
            },
            Self::Changed(row) => AuditEntry {
                id: EntryId { source: AuditSource::Change, number: row.seq },
                at: Instant::from_micros(row.at),
                what: AuditedWhat::Changed {
                    method: Method::from_code(row.method).ok_or_else(|| unknown("method"))?,
                    key: ResourceKey::new(
                        ResourceType::from_code(row.resource_type).ok_or_else(|| unknown("type"))?,
                        row.id.parse().map_err(|_| unknown("id"))?,
                    ),
                    version: row.version.try_into().map_err(|_| unknown("version"))?,
                },
                agent,
                hospital,
                patients: ids(row.patients),
                request: row.request.into(),
                address: row.address.map(String::into_boxed_str),
            },
        })
    }
}

fn unknown(column: &str) -> StoreError {
    StoreError::Unavailable(format!("an audit record has an unknown {column}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_follow_the_order_of_places() {
        let places: Vec<Place> = (0..3)
            .flat_map(|at| (0..=STORED).flat_map(move |rank| (1..3).map(move |number| Place { at, rank, number })))
            .collect();
        for order in [AuditOrder::Newest, AuditOrder::Oldest] {
            for (from, to) in places.iter().flat_map(|from| places.iter().map(move |to| (from, to))) {
                let After { at, number } = from.bound(to.rank);
                let beyond = match order {
                    AuditOrder::Newest => (to.at, to.number) < (at, number),
                    AuditOrder::Oldest => (to.at, to.number) > (at, number),
                };
                assert_eq!(to.follows(from, order) == Ordering::Greater, beyond, "{order:?} {from:?} {to:?}");
            }
        }
    }
}
