//! Where the audio of a dictation lies, and which version of its consent was judged.

/// `audio` is `rows` (chunks), `blob` (one sealed blob), `shredding` (its key is gone, its blob is not yet) or `shredded`.
/// `consent_version` is the version of the Consent that was last found to permit the recording.
pub(crate) const UP: &str = r#"
ALTER TABLE dictation
    ADD COLUMN audio text NOT NULL DEFAULT 'rows' CHECK (audio IN ('rows', 'blob', 'shredding', 'shredded')),
    ADD COLUMN consent_version int4;
UPDATE dictation SET audio = 'shredded' WHERE state = 'withdrawn';
CREATE INDEX dictation_to_move ON dictation (since, id)
    WHERE audio = 'rows' AND saved_sequence IS NOT NULL AND state IN ('drafted', 'reviewed', 'no-speech');
CREATE INDEX dictation_kept ON dictation (tenant, id) WHERE audio <> 'shredded';
"#;

pub(crate) const DOWN: &str = r#"
DROP INDEX dictation_to_move, dictation_kept;
ALTER TABLE dictation DROP COLUMN audio, DROP COLUMN consent_version;
"#;
