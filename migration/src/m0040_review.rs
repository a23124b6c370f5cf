//! What the reviewing doctor did at the stops of a walk, and the doctors' own lexicons.

/// `heard` is in lower case; `meant` is a name of the formulary.
pub(crate) const UP: &str = r#"
CREATE TABLE walk_mark (
    tenant int4 NOT NULL,
    dictation uuid NOT NULL,
    stop text NOT NULL,
    act text NOT NULL CHECK (act IN ('heard', 'corrected')),
    meant text,
    applied bool NOT NULL,
    learnt bool NOT NULL,
    account text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant, dictation, stop),
    FOREIGN KEY (tenant, dictation) REFERENCES dictation
);

CREATE TABLE learnt_name (
    tenant int4 NOT NULL REFERENCES tenant,
    practitioner text NOT NULL,
    heard text NOT NULL,
    meant text NOT NULL,
    times int4 NOT NULL,
    updated timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, practitioner, heard)
);
"#;

pub(crate) const DOWN: &str = "DROP TABLE learnt_name, walk_mark;";
