//! `_include` and `_revinclude`: one statement each, set-based, through the reference rows.

use std::collections::HashSet;

use seva_fhir::ports::{StoreError, Stored};
use seva_fhir::search::{Direction, Include, SearchQuery};
use seva_fhir::types::TenantId;

use super::COLUMNS;
use super::sql::{Bind, Sql};
use crate::Database;
use crate::resources::lookup::keyed;
use crate::rows::resource_hash;

/// The most resources that one include brings along: an answer has an end.
const LARGEST_INCLUDE: i64 = 1000;

pub(super) async fn run(
    database: &Database,
    tenant: TenantId,
    query: &SearchQuery,
    rids: &[i64],
    matches: &[Stored],
) -> Result<Vec<Stored>, StoreError> {
    let mut included = Vec::new();
    if rids.is_empty() {
        return Ok(included);
    }
    let mut seen: HashSet<_> = matches.iter().map(|stored| stored.key.clone()).collect();
    for include in &query.includes {
        let sql = match include.direction {
            Direction::Forward => forward(database, tenant, include, rids),
            Direction::Reverse => reverse(database, tenant, include, matches),
        };
        for row in &sql.fetch(database).await? {
            let stored = keyed(row)?;
            if seen.insert(stored.key.clone()) {
                included.push(stored);
            }
        }
    }
    Ok(included)
}

fn forward(database: &Database, tenant: TenantId, include: &Include, rids: &[i64]) -> Sql {
    let mut sql = Sql::new(tenant);
    sql.push("SELECT ").push(COLUMNS).push(" FROM resource r WHERE r.tenant = $1 AND r.key IN (");
    sql.push("SELECT x.value FROM index_reference x WHERE x.tenant = $1 AND x.rid = ANY(");
    sql.bind(Bind::Int8s(rids.to_vec())).push(") AND x.parameter = ");
    sql.bind(Bind::Int4(database.registry.id_of(include.parameter))).push(")");
    let types: Vec<i16> = match include.target {
        Some(target) => vec![target.code()],
        None => Vec::new(),
    };
    if !types.is_empty() {
        sql.push(" AND r.type = ANY(").bind(Bind::Int2s(types)).push(")");
    }
    sql.push(" ORDER BY r.rid LIMIT ").bind(Bind::Int8(LARGEST_INCLUDE));
    sql
}

fn reverse(database: &Database, tenant: TenantId, include: &Include, matches: &[Stored]) -> Sql {
    let keys = matches.iter().map(|stored| resource_hash(database, &stored.key)).collect();
    let mut sql = Sql::new(tenant);
    sql.push("SELECT ").push(COLUMNS).push(" FROM resource r WHERE r.tenant = $1 AND r.rid IN (");
    sql.push("SELECT x.rid FROM index_reference x WHERE x.tenant = $1 AND x.parameter = ");
    sql.bind(Bind::Int4(database.registry.id_of(include.parameter))).push(" AND x.value = ANY(");
    sql.bind(Bind::Int8s(keys)).push(")) ORDER BY r.rid LIMIT ").bind(Bind::Int8(LARGEST_INCLUDE));
    sql
}
