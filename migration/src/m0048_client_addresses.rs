//! Where requests came from: the client's address in both logs.

/// Records from before have none, and their seals hold (`seva_fhir::access::record_digest`).
pub(crate) const UP: &str = r#"
ALTER TABLE audit ADD COLUMN address text;
ALTER TABLE change ADD COLUMN address text;
"#;

pub(crate) const DOWN: &str = r#"
ALTER TABLE audit DROP COLUMN address;
ALTER TABLE change DROP COLUMN address;
"#;
