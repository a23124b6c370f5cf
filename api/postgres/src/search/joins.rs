//! Conditions on other resources: chains, `_has`, `_list`, each a semi-join through the reference rows
//! (R4 <https://hl7.org/fhir/R4/search.html#chaining>).

use seva_fhir::access::in_patient_compartment;
use seva_fhir::search::Link;
use seva_fhir::types::{ResourceId, ResourceKey, ResourceType};

use super::clauses::{Scope, push, push_compartment};
use super::sql::{Bind, Sql};
use crate::Database;
use crate::rows::resource_hash;

/// What the row refers to fits.
pub(super) fn chain(scope: &Scope<'_>, sql: &mut Sql, link: &Link) {
    joined(scope, sql, link, (("rid", "x.rid"), ("x.value", ".key FROM ")));
}

/// Another resource that refers to the row fits.
pub(super) fn has(scope: &Scope<'_>, sql: &mut Sql, link: &Link) {
    joined(scope, sql, link, (("key", "x.value"), ("x.rid", ".rid FROM ")));
}

/// A semi-join over the reference rows: the row's column with its end of a reference, and the other end with the other
/// resource's column.
fn joined(scope: &Scope<'_>, sql: &mut Sql, link: &Link, (own, far): ((&str, &str), (&str, &str))) {
    let parameter = scope.database.registry.id_of(link.reference);
    sql.column(own.0).push(" IN (SELECT ").push(own.1);
    sql.push(" FROM index_reference x WHERE x.tenant = $1 AND x.parameter = ").bind(Bind::Int4(parameter));
    sql.push(" AND ").push(far.0).push(" IN (SELECT ");
    sql.within(|sql, row| {
        sql.push(row).push(far.1);
        other(scope, sql, row, link);
    });
    sql.push("))");
}

/// The row is an entry of a List.
pub(super) fn list(database: &Database, sql: &mut Sql, id: &ResourceId) {
    let Ok(kind) = "List".parse::<ResourceType>() else { return };
    let item = seva_fhir_profiles::definitions().search_parameter("List", "item");
    let parameter = item.map(|item| database.registry.id_of(item)).unwrap_or_default();
    let key = resource_hash(database, &ResourceKey::new(kind, id.clone()));
    sql.column("key").push(" IN (SELECT x.value FROM index_reference x JOIN resource l ON l.rid = x.rid");
    sql.push(" WHERE x.tenant = $1 AND l.tenant = $1 AND l.key = ").bind(Bind::Int8(key));
    sql.push(" AND x.parameter = ").bind(Bind::Int4(parameter)).push(")");
}

/// `resource tN WHERE …`: the resources at the other end that fit, and that the caller may look into.
fn other(scope: &Scope<'_>, sql: &mut Sql, row: &str, link: &Link) {
    sql.push("resource ").push(row).push(" WHERE ");
    sql.column("tenant").push(" = $1 AND ");
    sql.column("type").push(" = ").bind(Bind::Int2(link.other.code())).push(" AND ");
    push(scope, sql, &link.clause);
    if let Some(patient) = scope.compartment.filter(|_| in_patient_compartment(link.other)) {
        sql.push(" AND ");
        push_compartment(scope.database, sql, patient);
    }
}
