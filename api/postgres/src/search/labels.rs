//! Profiles, tags and security labels in use (R4 <https://hl7.org/fhir/R4/resource-operation-meta.html>): the index knows
//! their hashes, a resource with each of them knows its words. The walk from one hash to the next is SQL because no
//! builder has recursion.

use futures_util::TryStreamExt;
use seva_fhir::json::Json;
use seva_fhir::ports::StoreError;
use seva_fhir::search::SearchQuery;
use seva_fhir::types::TenantId;
use seva_fhir_profiles::{SearchParameter, definitions};
use sqlx::{PgConnection, Row};

use super::clauses::{push_compartment, table_of};
use super::page::push_types;
use super::sql::{Bind, Planning, Sql};
use super::{COLUMNS, parsed};
use crate::Database;
use crate::failure::unavailable;
use crate::resources::lookup::keyed;

/// The parameters whose values stand in `meta` and name no resource.
const CODES: [&str; 3] = ["_profile", "_security", "_tag"];

/// The `meta` of resources that bear, taken together, every profile, tag and label among the types and in the compartment
/// of a query; nothing when a parameter has more than so many values in the tenant.
pub(crate) async fn run(
    database: &Database,
    tenant: TenantId,
    (query, most): (&SearchQuery, u32),
    connection: &mut PgConnection,
) -> Result<Option<Vec<Json>>, StoreError> {
    let mut found = Vec::new();
    for code in CODES {
        let Some(parameter) = definitions().search_parameter("Resource", code) else { continue };
        let statement = bearing(database, tenant, (query, most), parameter).query(Planning::Custom);
        let mut rows = statement.fetch(&mut *connection);
        let mut seen = 0;
        while let Some(row) = rows.try_next().await.map_err(unavailable)? {
            seen += 1;
            if seen > most {
                return Ok(None);
            }
            // Other types may have the value, and this one not.
            if row.try_get::<Option<i64>, _>("rid").map_err(unavailable)?.is_some() {
                found.extend(parsed(&keyed(&row)?)?.remove("meta"));
            }
        }
    }
    Ok(Some(found))
}

/// A row for each value of a parameter, in the order of the values' hashes: a resource that bears it, where there is one.
fn bearing(database: &Database, tenant: TenantId, (query, most): (&SearchQuery, u32), of: &SearchParameter) -> Sql {
    let (table, parameter) = (table_of(of.kind), database.registry.id_of(of));
    let mut sql = Sql::new(tenant);
    let next = |sql: &mut Sql, after: &str| {
        sql.push("(SELECT x.value FROM ").push(table).push(" x WHERE x.tenant = $1 AND x.parameter = ");
        sql.bind(Bind::Int4(parameter)).push(after).push(" ORDER BY x.value LIMIT 1)");
    };
    sql.push("WITH RECURSIVE walk AS (");
    next(&mut sql, "");
    sql.push(" UNION ALL SELECT ");
    next(&mut sql, " AND x.value > walk.value");
    sql.push(
        " FROM walk WHERE walk.value IS NOT NULL), known AS (SELECT value FROM walk WHERE value IS NOT NULL LIMIT ",
    );
    sql.bind(Bind::Int8(i64::from(most) + 1)).push(") SELECT r.* FROM known LEFT JOIN LATERAL (SELECT ").push(COLUMNS);
    sql.push(" FROM ").push(table).push(" x JOIN resource r ON r.rid = x.rid WHERE x.tenant = $1 AND x.parameter = ");
    sql.bind(Bind::Int4(parameter)).push(" AND x.value = known.value AND r.tenant = $1");
    push_types(&mut sql, query);
    if let Some(patient) = &query.compartment {
        sql.push(" AND ");
        push_compartment(database, &mut sql, patient);
    }
    sql.push(" LIMIT 1) r ON true");
    sql
}
