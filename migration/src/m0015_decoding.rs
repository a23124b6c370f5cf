//! Files wait to be decoded, and a damaged one makes room for another.

/// Files of before were decoded within their last request, so that none waits.
pub(crate) const UP: &str = r#"
ALTER TABLE dictation DROP CONSTRAINT dictation_state_check;
DROP INDEX dictation_unended;
ALTER TABLE dictation ADD CONSTRAINT dictation_state_check CHECK (state IN ('created', 'live', 'paused', 'uploaded',
    'damaged', 'draining', 'transcribed', 'extracted', 'drafted', 'reviewed', 'no-speech', 'failed', 'abandoned',
    'withdrawn'));
CREATE INDEX dictation_unended ON dictation (since, id)
    WHERE state IN ('created', 'live', 'paused', 'uploaded', 'draining', 'transcribed', 'extracted');
"#;

/// A file whose last piece is sent once more is decoded within that request.
pub(crate) const DOWN: &str = r#"
DROP INDEX dictation_unended;
ALTER TABLE dictation DROP CONSTRAINT dictation_state_check;
DELETE FROM audio_chunk USING dictation WHERE audio_chunk.tenant = dictation.tenant
    AND audio_chunk.dictation = dictation.id AND dictation.state = 'uploaded';
UPDATE dictation SET state = 'created', saved_sequence = NULL, saved_milliseconds = 0, saved_bytes = 0
WHERE state IN ('uploaded', 'damaged');
ALTER TABLE dictation ADD CONSTRAINT dictation_state_check CHECK (state IN ('created', 'live', 'paused', 'draining',
    'transcribed', 'extracted', 'drafted', 'reviewed', 'no-speech', 'failed', 'abandoned', 'withdrawn'));
CREATE INDEX dictation_unended ON dictation (since, id)
    WHERE state IN ('created', 'live', 'paused', 'draining', 'transcribed', 'extracted');
"#;
