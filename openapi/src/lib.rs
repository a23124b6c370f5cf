//! seva-openapi.

/// The contract as JSON.
pub fn json() -> &'static str {
    "{}"
}

/// The contract as YAML.
pub fn yaml() -> &'static str {
    ""
}
