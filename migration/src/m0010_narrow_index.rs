//! Fewer and narrower index rows (decision 0007): a number is the middle of its range, and what only some searches ask for
//! stands beside it.

/// The rows are made anew from the resources: rows of set 0 are indexed at the start.
pub(crate) const UP: &str = r#"
DROP TABLE index_number;
CREATE TABLE index_number (
    unit int8 NOT NULL, value float8 NOT NULL, detail int8 NOT NULL, rid int8 NOT NULL,
    tenant int4 NOT NULL, parameter int4 NOT NULL,
    PRIMARY KEY (tenant, parameter, unit, value, detail, rid)
);
ALTER TABLE index_number SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
TRUNCATE index_token, index_reference, index_uri, index_string, index_date;
TRUNCATE indexed_set;
UPDATE resource SET parameter_set = 0;
"#;

pub(crate) const DOWN: &str = r#"
DROP TABLE index_number;
CREATE TABLE index_number (
    unit int8 NOT NULL, low float8 NOT NULL, high float8 NOT NULL, rid int8 NOT NULL,
    tenant int4 NOT NULL, parameter int4 NOT NULL,
    PRIMARY KEY (tenant, parameter, unit, low, high, rid)
);
TRUNCATE index_token, index_reference, index_uri, index_string, index_date;
TRUNCATE indexed_set;
UPDATE resource SET parameter_set = 0;
"#;
