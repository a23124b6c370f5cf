//! Leases of the work on dictations (decision D14): one node works on one dictation, and a late one can't commit.

/// `fence` counts the claims: whoever writes a result names the claim that it works under.
pub(crate) const UP: &str = r#"
ALTER TABLE dictation ADD COLUMN fence int8 NOT NULL DEFAULT 0, ADD COLUMN leased_until timestamptz;
CREATE INDEX dictation_unfinished ON dictation (created) WHERE state = 'finishing';
"#;

pub(crate) const DOWN: &str = r#"
DROP INDEX dictation_unfinished;
ALTER TABLE dictation DROP COLUMN fence, DROP COLUMN leased_until;
"#;
