//! Which set of search parameters every row of a tenant is known to be indexed with (decision D3).

/// Until here index rows hung on the registry's next row, so they are made anew: rows of set 0 are indexed at the start.
pub(crate) const UP: &str = r#"
CREATE TABLE indexed_set (tenant int4 PRIMARY KEY, set int4 NOT NULL);
TRUNCATE index_token, index_reference, index_uri, index_string, index_date, index_number;
UPDATE resource SET parameter_set = 0;
"#;

pub(crate) const DOWN: &str = r#"
DROP TABLE indexed_set;
"#;
