//! The omission meter of a consultation, from `/v1/encounters/{id}/omissions` of the contract.

use serde::{Deserialize, Serialize};

/// Both meters.
#[derive(Deserialize, Serialize)]
pub(crate) struct Omissions {
    said: Said,
    required: Required,
}

/// What was said.
#[derive(Deserialize, Serialize)]
struct Said {
    total: usize,
    held: usize,
    missing: Vec<Missing>,
}

/// A statement that no part of the note holds.
#[derive(Deserialize, Serialize)]
#[serde(rename_all(deserialize = "camelCase"))]
struct Missing {
    text: String,
    traits: Vec<String>,
    reason: String,
    dictation: String,
    start_ms: Option<i64>,
    end_ms: Option<i64>,
}

/// What is needed.
#[derive(Deserialize, Serialize)]
struct Required {
    total: usize,
    met: usize,
    unsaid: Vec<Unsaid>,
}

/// Something that nobody said.
#[derive(Deserialize, Serialize)]
struct Unsaid {
    code: String,
    target: String,
    name: Option<String>,
}
