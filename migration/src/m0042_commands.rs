//! Voice commands that were carried out, so that the last one can be taken back.

/// `undo` says what takes it back.
pub(crate) const UP: &str = r#"
CREATE TABLE voice_command (
    tenant int4 NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    encounter text NOT NULL,
    account text NOT NULL,
    command text NOT NULL,
    undo jsonb NOT NULL,
    undone bool NOT NULL DEFAULT false,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX voice_command_encounter ON voice_command (tenant, encounter, account, at) WHERE NOT undone;
"#;

pub(crate) const DOWN: &str = "DROP TABLE voice_command;";
