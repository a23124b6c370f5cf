//! References: to a resource or URL by the target's hash, by business identifier through token rows.

use seva_fhir::search::{ReferenceTest, TokenTest};

use super::clauses::hashed;
use super::sql::Sql;
use super::tokens;
use crate::Database;
use crate::hash::Tag;
use crate::rows::resource_hash;

pub(super) fn push(database: &Database, sql: &mut Sql, parameters: &[i32], tests: &[ReferenceTest]) {
    let identifiers: Vec<TokenTest> = tests.iter().filter_map(identifier).collect();
    let targets = targets(database, tests);
    sql.push("(");
    if !targets.is_empty() || identifiers.is_empty() {
        hashed(sql, "index_reference", parameters, targets);
    }
    if !identifiers.is_empty() {
        if tests.len() > identifiers.len() {
            sql.push(" OR ");
        }
        hashed(sql, "index_token", parameters, tokens::values(database, true, &identifiers));
    }
    sql.push(")");
}

/// The hashes, when no test asks for an identifier.
pub(super) fn local_values(database: &Database, tests: &[ReferenceTest]) -> Option<Vec<i64>> {
    let only_targets = tests.iter().all(|test| !matches!(test, ReferenceTest::Identifier { .. }));
    only_targets.then(|| targets(database, tests))
}

fn targets(database: &Database, tests: &[ReferenceTest]) -> Vec<i64> {
    let mut values = Vec::new();
    for test in tests {
        match test {
            ReferenceTest::Local(keys) => values.extend(keys.iter().map(|key| resource_hash(database, key))),
            ReferenceTest::Url(url) => values.push(database.hash.of(Tag::Url, &[url])),
            ReferenceTest::Identifier { .. } => {}
        }
    }
    values
}

fn identifier(test: &ReferenceTest) -> Option<TokenTest> {
    match test {
        ReferenceTest::Identifier { system: Some(system), value } => {
            Some(TokenTest::Exact { system: system.clone(), code: value.clone() })
        }
        ReferenceTest::Identifier { system: None, value } => Some(TokenTest::Code(value.clone())),
        ReferenceTest::Local(_) | ReferenceTest::Url(_) => None,
    }
}
