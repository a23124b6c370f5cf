//! The contract, written by hand in parts (OpenAPI 3.0.3, <https://spec.openapis.org/oas/v3.0.3>) and bundled here, once.

mod bundle;

use std::sync::OnceLock;

use serde_json::Value;

struct Contract {
    value: Value,
    json: String,
    yaml: String,
}

/// The contract as a value.
pub fn contract() -> &'static Value {
    &bundled().value
}

/// The contract as JSON.
pub fn json() -> &'static str {
    &bundled().json
}

/// The contract as YAML.
pub fn yaml() -> &'static str {
    &bundled().yaml
}

fn bundled() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| {
        let value = bundle::document();
        let json = value.to_string();
        // By way of the text: serde_json's numbers, kept exact in this workspace, would be written as objects.
        let plain: serde_norway::Value = serde_norway::from_str(&json).expect("JSON is YAML");
        let yaml = serde_norway::to_string(&plain).expect("the contract is plain data");
        Contract { value, json, yaml }
    })
}

#[cfg(test)]
mod tests;
