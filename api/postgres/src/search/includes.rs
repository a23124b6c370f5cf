//! `_include` and `_revinclude`: one statement each, set-based, through the reference rows; `:iterate` repeats them on what
//! came along (R4 <https://hl7.org/fhir/R4/search.html#include>).

use std::collections::HashSet;

use seva_fhir::ports::{StoreError, Stored};
use seva_fhir::search::{Depth, Direction, Include, SearchQuery};
use seva_fhir::types::TenantId;
use sqlx::{PgConnection, Row};

use super::COLUMNS;
use super::sql::{Bind, Planning, Sql};
use crate::Database;
use crate::failure::unavailable;
use crate::resources::lookup::keyed;
use crate::rows::resource_hash;

/// The most resources that one include brings along: an answer has an end.
const LARGEST_INCLUDE: usize = 1000;
/// How often `:iterate` goes on: chains of parts are seldom deeper.
const MOST_ROUNDS: usize = 10;

pub(super) async fn run(
    database: &Database,
    connection: &mut PgConnection,
    (tenant, query): (TenantId, &SearchQuery),
    (rids, matches): (&[i64], &[Stored]),
) -> Result<(Vec<Stored>, Vec<String>), StoreError> {
    let (mut included, mut cut) = (Vec::new(), Vec::new());
    let mut seen: HashSet<_> = matches.iter().map(|stored| stored.key.clone()).collect();
    let mut sources = (rids.to_vec(), matches.to_vec());
    for round in 0..MOST_ROUNDS {
        if sources.0.is_empty() {
            break;
        }
        let mut new: (Vec<i64>, Vec<Stored>) = Default::default();
        for include in query.includes.iter().filter(|include| round == 0 || include.depth == Depth::Iterate) {
            let sql = match include.direction {
                Direction::Forward => forward(database, tenant, include, &sources.0),
                Direction::Reverse => reverse(database, tenant, include, &sources.1),
            };
            let mut rows = sql.fetch(connection, Planning::Shared).await?;
            if rows.len() > LARGEST_INCLUDE {
                rows.truncate(LARGEST_INCLUDE);
                cut.push(name(include));
            }
            for row in &rows {
                let stored = keyed(row)?;
                if seen.insert(stored.key.clone()) {
                    new.0.push(row.try_get("rid").map_err(unavailable)?);
                    new.1.push(stored);
                }
            }
        }
        included.extend(new.1.iter().cloned());
        sources = new;
    }
    Ok((included, cut))
}

/// What the include is called in the request.
fn name(include: &Include) -> String {
    let word = match include.direction {
        Direction::Forward => "_include",
        Direction::Reverse => "_revinclude",
    };
    match include.parameters.as_slice() {
        [one] => format!("{word} of {}", one.code),
        _ => word.to_owned(),
    }
}

fn parameters(database: &Database, include: &Include) -> Bind {
    Bind::Int4s(include.parameters.iter().map(|parameter| database.registry.id_of(parameter)).collect())
}

fn forward(database: &Database, tenant: TenantId, include: &Include, rids: &[i64]) -> Sql {
    let mut sql = Sql::new(tenant);
    sql.push("SELECT ").push(COLUMNS).push(" FROM resource r WHERE r.tenant = $1 AND r.key IN (");
    sql.push("SELECT x.value FROM index_reference x WHERE x.tenant = $1 AND x.rid = ANY(");
    sql.bind(Bind::Int8s(rids.to_vec())).push(") AND x.parameter = ANY(");
    sql.bind(parameters(database, include)).push("))");
    if !include.targets.is_empty() {
        let codes = include.targets.iter().map(|target| target.code()).collect();
        sql.push(" AND r.type = ANY(").bind(Bind::Int2s(codes)).push(")");
    }
    sql.push(" ORDER BY r.rid LIMIT ").bind(Bind::Int8(LARGEST_INCLUDE as i64 + 1));
    sql
}

fn reverse(database: &Database, tenant: TenantId, include: &Include, matches: &[Stored]) -> Sql {
    let of_target =
        |stored: &&Stored| include.targets.is_empty() || include.targets.contains(&stored.key.resource_type());
    let keys = matches.iter().filter(of_target).map(|stored| resource_hash(database, &stored.key)).collect();
    let mut sql = Sql::new(tenant);
    sql.push("SELECT ").push(COLUMNS).push(" FROM resource r WHERE r.tenant = $1 AND r.rid IN (");
    sql.push("SELECT x.rid FROM index_reference x WHERE x.tenant = $1 AND x.parameter = ANY(");
    sql.bind(parameters(database, include)).push(") AND x.value = ANY(");
    sql.bind(Bind::Int8s(keys)).push(")) ORDER BY r.rid LIMIT ").bind(Bind::Int8(LARGEST_INCLUDE as i64 + 1));
    sql
}
