//! Tokens: each way of asking has its own hash, so every one is an equality (R4 <https://hl7.org/fhir/R4/search.html#token>).

use seva_fhir::search::TokenTest;

use crate::Database;
use crate::hash::Tag;

pub(super) fn values(database: &Database, tests: &[TokenTest]) -> Vec<i64> {
    let hash = database.hash;
    tests
        .iter()
        .flat_map(|test| match test {
            TokenTest::Code(code) => vec![hash.of(Tag::Code, &[code])],
            TokenTest::Exact { system, code } => vec![hash.of(Tag::Exact, &[system, code])],
            TokenTest::Implied { system, code } => {
                vec![hash.of(Tag::Exact, &[system, code]), hash.of(Tag::NoSystem, &[code])]
            }
            TokenTest::NoSystem(code) => vec![hash.of(Tag::NoSystem, &[code])],
            TokenTest::System(system) => vec![hash.of(Tag::System, &[system])],
        })
        .collect()
}
