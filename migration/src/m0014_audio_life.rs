//! Where the audio of a dictation lies, and which version of its consent was judged.

/// `audio` is `rows` (chunks), `blob` (one sealed blob), `shredding` (its key is gone, its blob is not yet) or `shredded`.
/// `consent_version` is the version of the Consent that was last found to permit the recording.
pub(crate) const UP: &str = r#"
ALTER TABLE dictation
    ADD COLUMN IF NOT EXISTS audio text NOT NULL DEFAULT 'rows' CHECK (audio IN ('rows', 'blob', 'shredding', 'shredded')),
    ADD COLUMN IF NOT EXISTS consent_version int4;
UPDATE dictation SET audio = 'shredded' WHERE state = 'withdrawn' AND audio = 'rows';
CREATE INDEX dictation_to_move ON dictation (since, id)
    WHERE audio = 'rows' AND saved_sequence IS NOT NULL AND state IN ('drafted', 'reviewed', 'no-speech');
CREATE INDEX dictation_kept ON dictation (tenant, id) WHERE audio <> 'shredded';
"#;

/// The columns stay: audio that was moved into a blob would be found by nobody after the way up.
pub(crate) const DOWN: &str = "DROP INDEX dictation_to_move, dictation_kept;";
