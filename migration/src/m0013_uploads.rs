//! Recordings that are uploaded in parts, until they are decoded.

/// `at` is where a part begins in the file; its data is AES-256-GCM under the recording's own key.
pub(crate) const UP: &str = r#"
CREATE TABLE upload_part (
    tenant int4 NOT NULL,
    dictation uuid NOT NULL,
    number int4 NOT NULL,
    at int8 NOT NULL,
    size int4 NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (tenant, dictation, number),
    FOREIGN KEY (tenant, dictation) REFERENCES dictation
);
ALTER TABLE upload_part ALTER COLUMN data SET STORAGE EXTERNAL;
"#;

pub(crate) const DOWN: &str = "DROP TABLE upload_part;";
