//! The last resources of a code, and of a code and a subject, by date: a walk over rows that stand in that order
//! (decision 0009).

use seva_fhir::ports::StoreError;
use seva_fhir::search::{Clause, CursorKey, SearchQuery, SortBy, SortKey};
use seva_fhir::types::TenantId;
use sqlx::PgConnection;

use super::clauses::{self, Skip};
use super::cursor;
use super::drive::{self, Driver, MANY};
use super::order::Order;
use crate::Database;
use crate::hash::{QUALIFIERS, Qualifier};
use crate::registry::Role;
use crate::rows::dated::unit;

/// A walk over the rows of one code.
#[derive(Clone, Debug)]
pub(super) struct Dated {
    pub(super) unit: i64,
    /// The conditions that the rows fulfil.
    pub(super) skip: Vec<Skip>,
}

impl Dated {
    /// The order of a search that asks for the last resources of a code, and where its page begins; none where another way
    /// is less work.
    pub(super) async fn choose(
        database: &Database,
        tenant: TenantId,
        query: &SearchQuery,
        connection: &mut PgConnection,
    ) -> Result<Option<(Order, Option<CursorKey>)>, StoreError> {
        let Some((dated, others)) = Self::of(database, query) else { return Ok(None) };
        let order = Order::Dated(dated.clone());
        if let Some(cursor) = &query.cursor {
            // A link keeps the way in which its search began.
            return Ok(cursor::open(database, query, &order, cursor).map(|key| (order, Some(key))));
        }
        // Rows that are not made yet would be missed.
        if database.registry.parameters(tenant).is_incomplete() {
            return Ok(None);
        }
        let rarest = drive::choose(database, tenant, &others, connection).await?;
        // Those of a rarer condition are sorted instead.
        Ok(rarest.is_none_or(|rarest| rarest.rows >= MANY).then_some((order, None)))
    }

    /// The walk, and the equalities that its rows may not fulfil.
    fn of(database: &Database, query: &SearchQuery) -> Option<(Self, Vec<Driver>)> {
        let ([SortKey { by: SortBy::Parameter(sorted), descending: true }], [one]) =
            (query.sort.as_slice(), query.resource_types.as_slice())
        else {
            return None;
        };
        let role = |parameter: u32| database.registry.role(parameter).filter(|(kind, _)| *kind == one.as_str());
        let needs_row = query.clauses.iter().any(clauses::needs_row);
        if query.is_inside() || needs_row || role(sorted.id).is_none_or(|(_, role)| role != Role::Date) {
            return None;
        }
        let (mut code, mut subject) = (None, None);
        let mut equalities = drive::equalities(database, query);
        for own @ &Driver { skip, equality, .. } in &equalities {
            match (own.role(database, query), equality.value & QUALIFIERS != Qualifier::ANY.bits()) {
                (Some(Role::Code), true) if code.is_none() => code = Some((skip, equality.value)),
                (Some(Role::Subject | Role::Patient), _) if subject.is_none() => subject = Some((skip, equality.value)),
                _ => {}
            }
        }
        let (first, code) = code?;
        let unit = unit(database, one.as_str(), code, subject.map(|(_, value)| value));
        let skip: Vec<Skip> = std::iter::once(first).chain(subject.map(|(skip, _)| skip)).collect();
        equalities.retain(|other| !skip.contains(&other.skip));
        Some((Self { unit, skip }, equalities))
    }
}

impl Driver {
    /// What its parameter is for resources that stand in the order of their dates.
    fn role(&self, database: &Database, query: &SearchQuery) -> Option<Role> {
        let Skip::Clause(place) = self.skip else { return None };
        match query.clauses.get(place) {
            Some(Clause::Parameter { parameter, .. }) => database.registry.role(parameter.id).map(|(_, role)| role),
            _ => None,
        }
    }
}
