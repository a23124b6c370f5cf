//! The states of a dictation by their names, how long they last, and how much audio is committed.

/// `since` is when the state began, `heard` when the last frame came, `attempts` how often the present stage was begun.
/// `saved_*` tell what is committed without adding the chunks up. Rows of before are given the words of today, since the
/// check would refuse them; sealed audio is 28 bytes longer than its samples.
pub(crate) const UP: &str = r#"
ALTER TABLE dictation DROP CONSTRAINT dictation_state_check;
DROP INDEX dictation_unfinished;
ALTER TABLE dictation
    ADD COLUMN since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN heard timestamptz,
    ADD COLUMN attempts int4 NOT NULL DEFAULT 0,
    ADD COLUMN saved_sequence int4,
    ADD COLUMN saved_milliseconds int8 NOT NULL DEFAULT 0,
    ADD COLUMN saved_bytes int8 NOT NULL DEFAULT 0;
UPDATE dictation SET since = updated, heard = updated, saved_sequence = a.sequence,
    saved_milliseconds = a.milliseconds, saved_bytes = a.bytes
FROM (SELECT tenant, dictation, max(sequence) AS sequence, sum(milliseconds)::int8 AS milliseconds,
        sum(octet_length(data) - 28)::int8 AS bytes FROM audio_chunk GROUP BY tenant, dictation) a
WHERE dictation.tenant = a.tenant AND dictation.id = a.dictation;
UPDATE dictation SET state = CASE WHEN state = 'finishing' THEN 'draining'
    WHEN saved_sequence IS NULL THEN 'created' ELSE 'live' END WHERE state IN ('open', 'finishing');
ALTER TABLE dictation ADD CONSTRAINT dictation_state_check CHECK (state IN ('created', 'live', 'paused', 'draining',
    'transcribed', 'extracted', 'drafted', 'reviewed', 'no-speech', 'failed', 'abandoned', 'withdrawn'));
CREATE INDEX dictation_unended ON dictation (since, id)
    WHERE state IN ('created', 'live', 'paused', 'draining', 'transcribed', 'extracted');
"#;

pub(crate) const DOWN: &str = r#"
DROP INDEX dictation_unended;
ALTER TABLE dictation DROP CONSTRAINT dictation_state_check;
UPDATE dictation SET state = CASE WHEN state IN ('created', 'live', 'paused', 'abandoned') THEN 'open'
    WHEN state = 'reviewed' THEN 'drafted' ELSE 'finishing' END
WHERE state IN ('created', 'live', 'paused', 'abandoned', 'draining', 'transcribed', 'extracted', 'reviewed');
ALTER TABLE dictation ADD CONSTRAINT dictation_state_check
    CHECK (state IN ('open', 'finishing', 'drafted', 'no-speech', 'failed', 'withdrawn'));
ALTER TABLE dictation DROP COLUMN since, DROP COLUMN heard, DROP COLUMN attempts, DROP COLUMN saved_sequence,
    DROP COLUMN saved_milliseconds, DROP COLUMN saved_bytes;
CREATE INDEX dictation_unfinished ON dictation (created) WHERE state = 'finishing';
"#;
