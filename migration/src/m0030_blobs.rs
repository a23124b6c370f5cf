//! The blobs of large Binaries (decision D20): a row from before the blob is stored, so that none is lost track of.

/// Nothing wrote the table before; after a way back the columns are there, with what they hold. A blob that some version
/// names is settled; the others are looked at until they are settled or swept.
pub(crate) const UP: &str = r#"
ALTER TABLE blob
    ADD COLUMN IF NOT EXISTS binary_id text NOT NULL,
    ADD COLUMN IF NOT EXISTS settled bool NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS looked timestamptz NOT NULL DEFAULT now();
CREATE INDEX blob_unsettled ON blob (created) WHERE NOT settled;
"#;

/// The columns stay: without them nobody would know which Binary a blob belongs to, and it would be swept after the way up.
pub(crate) const DOWN: &str = "DROP INDEX blob_unsettled;";
