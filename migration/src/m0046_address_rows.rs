//! Addresses are found under their elements too (decision 0007): what stands under `address-city` has no row under `address`.

/// The rows of texts are made anew from the resources: rows of set 0 are indexed at the start.
pub(crate) const UP: &str = r#"
TRUNCATE index_string;
TRUNCATE indexed_set;
UPDATE resource SET parameter_set = 0;
"#;

pub(crate) const DOWN: &str = UP;
