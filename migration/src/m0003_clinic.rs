//! Dictations, their audio, and the keys of what lies in the blob store.

/// An acknowledged second of audio is a committed row here, never a file of one node. Data is AES-256-GCM under the
/// recording's own key; `blob_key` holds that key wrapped, so shredding a recording is deleting one row.
pub(crate) const UP: &str = r#"
CREATE TABLE blob_key (
    tenant int4 NOT NULL,
    blob uuid NOT NULL,
    wrapped bytea NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, blob)
);

CREATE TABLE blob (
    tenant int4 NOT NULL,
    id uuid NOT NULL,
    content_type text NOT NULL,
    size int8 NOT NULL,
    sha256 bytea NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
);

CREATE TABLE dictation (
    tenant int4 NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    account text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'finishing', 'drafted', 'no-speech', 'failed', 'withdrawn')),
    patient text NOT NULL,
    encounter text NOT NULL,
    consent text NOT NULL,
    settings jsonb NOT NULL,
    result jsonb,
    created timestamptz NOT NULL DEFAULT now(),
    updated timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
);
CREATE INDEX dictation_encounter ON dictation (tenant, encounter);

CREATE TABLE audio_chunk (
    tenant int4 NOT NULL,
    dictation uuid NOT NULL,
    sequence int4 NOT NULL,
    milliseconds int4 NOT NULL,
    sha256 bytea NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (tenant, dictation, sequence),
    FOREIGN KEY (tenant, dictation) REFERENCES dictation
);
ALTER TABLE audio_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
"#;

pub(crate) const DOWN: &str = "DROP TABLE audio_chunk, dictation, blob, blob_key;";
