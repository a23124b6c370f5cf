//! Jobs that clients wait for: progress, files, an end (<https://hl7.org/fhir/R4/async.html>).

/// A cancelled job keeps its row until the worker has let go of it; files go with their job.
pub(crate) const UP: &str = r#"
ALTER TABLE job DROP CONSTRAINT job_state_check;
ALTER TABLE job ADD CONSTRAINT job_state_check CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled'));
ALTER TABLE job ADD COLUMN progress text NOT NULL DEFAULT '', ADD COLUMN finished timestamptz;
CREATE INDEX job_finished ON job (finished) WHERE finished IS NOT NULL;
CREATE TABLE job_file (
    job uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    number int4 NOT NULL,
    blob uuid NOT NULL,
    purpose text NOT NULL,
    kind text NOT NULL,
    lines int8 NOT NULL,
    size int8 NOT NULL,
    sha256 text NOT NULL,
    PRIMARY KEY (job, number)
);
"#;

pub(crate) const DOWN: &str = r#"
DROP TABLE job_file;
DROP INDEX job_finished;
ALTER TABLE job DROP COLUMN progress, DROP COLUMN finished;
DELETE FROM job WHERE state = 'cancelled';
ALTER TABLE job DROP CONSTRAINT job_state_check;
ALTER TABLE job ADD CONSTRAINT job_state_check CHECK (state IN ('queued', 'running', 'done', 'failed'));
"#;
