//! Tokens: each way of asking has its own hash, so every one is an equality.

use seva_fhir::search::TokenTest;

use crate::Database;
use crate::hash::Tag;

pub(super) fn values(database: &Database, tests: &[TokenTest]) -> Vec<i64> {
    let hash = database.hash;
    tests
        .iter()
        .map(|test| match test {
            TokenTest::Code(code) => hash.of(Tag::Code, &[code]),
            TokenTest::Exact { system, code } => hash.of(Tag::Exact, &[system, code]),
            TokenTest::NoSystem(code) => hash.of(Tag::NoSystem, &[code]),
            TokenTest::System(system) => hash.of(Tag::System, &[system]),
        })
        .collect()
}
