//! What further recordings of an encounter propose about what its record holds.

/// `number` is that of the entity in its dictation, which is the evidence.
pub(crate) const UP: &str = r#"
CREATE TABLE proposal (
    tenant int4 NOT NULL,
    dictation uuid NOT NULL,
    number int4 NOT NULL,
    difference text NOT NULL CHECK (difference IN ('new', 'same', 'changed', 'contradicting')),
    resource text,
    before text,
    after text NOT NULL,
    begin_at int4 NOT NULL,
    end_at int4 NOT NULL,
    start_ms int8,
    end_ms int8,
    state text NOT NULL CHECK (state IN ('settled', 'pending', 'accepted', 'rejected')),
    decided timestamptz,
    PRIMARY KEY (tenant, dictation, number),
    FOREIGN KEY (tenant, dictation) REFERENCES dictation
);
"#;

pub(crate) const DOWN: &str = "DROP TABLE proposal;";
