//! Tokens: each way of asking has its own hash, so that almost every one is an equality; a system alone is in the low bits
//! of each code of its (R4 <https://hl7.org/fhir/R4/search.html#token>).

use seva_fhir::search::TokenTest;
use seva_fhir_profiles::SearchParameter;

use super::clauses::{hashed, in_parameters};
use super::sql::{Bind, Sql};
use crate::Database;
use crate::hash::QUALIFIERS;
use crate::rows::{code_hash, exact_hash};

/// Appends that one of the tests fits.
pub(super) fn push(database: &Database, sql: &mut Sql, parameter: &SearchParameter, tests: &[TokenTest]) {
    let values = values(database, database.registry.is_qualified(parameter), tests);
    let systems: Vec<i64> = tests.iter().filter_map(|test| system(database, test)).collect();
    let parameters = database.registry.found_under(parameter);
    if systems.is_empty() {
        return hashed(sql, "index_token", &parameters, values);
    }
    sql.push("(");
    if !values.is_empty() {
        hashed(sql, "index_token", &parameters, values);
        sql.push(" OR ");
    }
    // Every code of the parameter is looked at, so once and not for each row.
    sql.column("rid").push(" IN (SELECT x.rid FROM index_token x WHERE x.tenant = $1 AND ");
    in_parameters(sql, &parameters);
    sql.push(&format!(" AND (x.value & {QUALIFIERS}) = ANY(")).bind(Bind::Int8s(systems)).push(")))");
}

/// The hashes of the tests that are equalities.
pub(super) fn values(database: &Database, is_qualified: bool, tests: &[TokenTest]) -> Vec<i64> {
    tests
        .iter()
        .flat_map(|test| match test {
            TokenTest::Code(code) => vec![code_hash(database, code)],
            TokenTest::Exact { system, code } => vec![exact_hash(database, Some(system), code)],
            TokenTest::NoSystem(code) | TokenTest::Implied { code, .. } if !is_qualified => {
                vec![code_hash(database, code)]
            }
            TokenTest::Implied { system, code } => {
                vec![exact_hash(database, Some(system), code), exact_hash(database, None, code)]
            }
            TokenTest::NoSystem(code) => vec![exact_hash(database, None, code)],
            TokenTest::System(_) => Vec::new(),
        })
        .collect()
}

/// The low bits of a system that is asked for alone.
pub(super) fn system(database: &Database, test: &TokenTest) -> Option<i64> {
    match test {
        TokenTest::System(system) => Some(database.hash.qualifier(system).bits()),
        _ => None,
    }
}
