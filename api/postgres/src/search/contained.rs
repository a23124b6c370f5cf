//! The resources that contain one of the types that are searched: rows of their own lead to them, each contained resource
//! decides for itself (R4 <https://hl7.org/fhir/R4/search.html#contained>, decision 0030).

use super::COLUMNS;
use super::clauses::{self, Scope, push_compartment};
use super::page::Asked;
use super::sql::{Bind, Sql};
use crate::rows::code_hash;

impl Asked<'_> {
    /// Containers in the order of their rows.
    pub(super) fn by_containers(&self) -> Sql {
        let Self { database, query, .. } = *self;
        let types = query.resource_types.iter().map(|kind| code_hash(database, kind.as_str())).collect();
        let containers = query.contained.containers.iter().map(|kind| kind.code()).collect();
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ").push(COLUMNS).push(" FROM resource r WHERE r.tenant = $1 AND r.rid IN (SELECT d.rid");
        sql.push(" FROM index_token d WHERE d.tenant = $1 AND d.parameter = ");
        sql.bind(Bind::Int4(database.registry.contained())).push(" AND d.value = ANY(").bind(Bind::Int8s(types));
        sql.push(")) AND r.type = ANY(").bind(Bind::Int2s(containers)).push(")");
        let scope = Scope { database, compartment: query.compartment.as_ref() };
        for clause in &query.contained.beside {
            sql.push(" AND ");
            clauses::push(&scope, &mut sql, clause);
        }
        if let Some(patient) = &query.compartment {
            sql.push(" AND ");
            push_compartment(database, &mut sql, patient);
        }
        self.in_row_order(sql, "r.rid")
    }
}
