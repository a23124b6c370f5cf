//! Tokens are compared without the case of their letters where their types allow it (decision 0026): their rows, and those of
//! composites that hold one, are of other hashes.

/// These rows are made anew from the resources: rows of set 0 are indexed at the start.
pub(crate) const UP: &str = r#"
TRUNCATE index_token;
DELETE FROM index_number WHERE parameter IN (SELECT id FROM parameter WHERE kind = 'composite');
DELETE FROM index_string WHERE parameter IN (SELECT id FROM parameter WHERE kind = 'composite');
TRUNCATE indexed_set;
UPDATE resource SET parameter_set = 0;
"#;

pub(crate) const DOWN: &str = UP;
