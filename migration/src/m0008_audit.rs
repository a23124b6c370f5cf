//! The audit log as it is read, and the chain that seals it (decision D19).

/// A change names the patients of its version, because a deleted resource has no index rows left to find them by. The order
/// of commits is `(xid, seq)`: everything below the oldest running transaction is final, so the sealer reads along it.
/// Nearly every record names one patient, for whom a narrow B-tree is much cheaper to write than an inverted index of all.
/// Positions are kept as `int8`, since `xid8` has no operators of a driver's.
pub(crate) const UP: &str = r#"
ALTER TABLE audit ADD COLUMN query text;
ALTER TABLE change ADD COLUMN patients text[] NOT NULL DEFAULT '{}';
CREATE INDEX audit_time ON audit (tenant, at, seq);
CREATE INDEX audit_target ON audit (tenant, target);
CREATE INDEX audit_order ON audit (xid, seq);
CREATE INDEX change_time ON change (tenant, at, seq);
CREATE INDEX change_order ON change (xid, seq);
DROP INDEX audit_patient;
CREATE INDEX audit_patient ON audit (tenant, (patients[1]), seq) WHERE patients[1] IS NOT NULL;
CREATE INDEX audit_patients ON audit USING gin (patients) WHERE cardinality(patients) > 1;
CREATE INDEX change_patient ON change (tenant, (patients[1]), seq) WHERE patients[1] IS NOT NULL;
CREATE INDEX change_patients ON change USING gin (patients) WHERE cardinality(patients) > 1;

-- How far the chains are: one row, whose lock is the lease of the one sealer.
CREATE TABLE audit_sealer (
    id int2 PRIMARY KEY CHECK (id = 1),
    audit_xid int8 NOT NULL DEFAULT 0,
    audit_seq int8 NOT NULL DEFAULT 0,
    change_xid int8 NOT NULL DEFAULT 0,
    change_seq int8 NOT NULL DEFAULT 0,
    counted int8 NOT NULL DEFAULT 0,
    seen int8 NOT NULL DEFAULT 0,
    seen_at int8 NOT NULL DEFAULT 0
);
INSERT INTO audit_sealer (id) VALUES (1);

-- One chain a tenant. A seal covers what its tenant committed in a stream after (from_xid, from_seq] up to (to_xid, to_seq].
CREATE TABLE audit_seal (
    tenant int4 NOT NULL,
    number int8 NOT NULL,
    stream text NOT NULL CHECK (stream IN ('audit', 'change', 'gap')),
    from_xid int8 NOT NULL,
    from_seq int8 NOT NULL,
    to_xid int8 NOT NULL,
    to_seq int8 NOT NULL,
    records int8[] NOT NULL,
    digests bytea NOT NULL,
    sealed int8 NOT NULL,
    head bytea NOT NULL,
    key text NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (tenant, number)
);
"#;

pub(crate) const DOWN: &str = r#"
DROP TABLE audit_seal, audit_sealer;
DROP INDEX audit_time, audit_target, audit_order, change_time, change_order, change_patient, change_patients, audit_patient, audit_patients;
CREATE INDEX audit_patient ON audit USING gin (patients);
ALTER TABLE change DROP COLUMN patients;
ALTER TABLE audit DROP COLUMN query;
"#;
