//! The blobs of large Binaries (decision D20): a row from before the blob is stored, so that none is lost track of.

/// Nothing wrote the table before. A blob that some version names is settled; the others are looked at until they are
/// settled or swept.
pub(crate) const UP: &str = r#"
ALTER TABLE blob
    ADD COLUMN binary_id text NOT NULL,
    ADD COLUMN settled bool NOT NULL DEFAULT false,
    ADD COLUMN looked timestamptz NOT NULL DEFAULT now();
CREATE INDEX blob_unsettled ON blob (created) WHERE NOT settled;
"#;

pub(crate) const DOWN: &str = r#"
DROP INDEX blob_unsettled;
ALTER TABLE blob DROP COLUMN binary_id, DROP COLUMN settled, DROP COLUMN looked;
"#;
