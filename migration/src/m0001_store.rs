//! Resources, their history, the change feed and the search index.

/// Times are UTC microseconds (`int8`): the index compares integers, and a FHIR instant keeps its text in the body.
/// Bodies are the bytes that are served; `lz4` because reading is copying and pglz is slow to read, where PostgreSQL was
/// built with it.
pub(crate) const UP: &str = r#"
CREATE TABLE tenant (
    id int4 PRIMARY KEY,
    name text NOT NULL UNIQUE,
    organization text,
    created timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenant (id, name) VALUES (0, 'shared');

-- Secrets that the database keeps for its nodes: the key of the index hashes, the token signing keys.
CREATE TABLE secret (
    name text PRIMARY KEY,
    value bytea NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
);

-- The registry that index rows point into: a parameter whose expression changes gets a new row and a new id.
CREATE TABLE parameter (
    id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    base text NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    expression text NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    UNIQUE (base, code, kind, expression)
);

-- Nodes take row ids in blocks, so that one statement can write a resource and its index rows.
CREATE SEQUENCE rid AS int8 INCREMENT BY 256;

CREATE TABLE resource (
    rid int8 NOT NULL,
    key int8 NOT NULL,
    updated int8 NOT NULL,
    tenant int4 NOT NULL,
    version int4 NOT NULL,
    parameter_set int4 NOT NULL,
    type int2 NOT NULL,
    method int2 NOT NULL,
    id text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (rid)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX resource_identity ON resource (tenant, type, id);
CREATE INDEX resource_key ON resource (tenant, key);
CREATE INDEX resource_updated ON resource (tenant, type, updated, rid);

CREATE TABLE history (
    rid int8 NOT NULL,
    updated int8 NOT NULL,
    tenant int4 NOT NULL,
    version int4 NOT NULL,
    type int2 NOT NULL,
    method int2 NOT NULL,
    id text COLLATE "C" NOT NULL,
    body bytea,
    PRIMARY KEY (tenant, type, id, version)
);
DO $$ BEGIN
    ALTER TABLE resource ALTER COLUMN body SET COMPRESSION lz4;
    ALTER TABLE history ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;

-- One row a write: audit record, type and system history, event feed. Consumers read below the oldest running
-- transaction (pg_snapshot_xmin), because neither seq nor at is commit order.
CREATE TABLE change (
    seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    rid int8 NOT NULL,
    at int8 NOT NULL,
    tenant int4 NOT NULL,
    version int4 NOT NULL,
    type int2 NOT NULL,
    method int2 NOT NULL,
    id text COLLATE "C" NOT NULL,
    who text NOT NULL,
    request text NOT NULL
);

CREATE TABLE index_token (
    value int8 NOT NULL, rid int8 NOT NULL, tenant int4 NOT NULL, parameter int4 NOT NULL,
    PRIMARY KEY (tenant, parameter, value, rid)
);
CREATE TABLE index_reference (
    value int8 NOT NULL, rid int8 NOT NULL, tenant int4 NOT NULL, parameter int4 NOT NULL,
    PRIMARY KEY (tenant, parameter, value, rid)
);
CREATE INDEX index_reference_row ON index_reference (rid, parameter);
CREATE TABLE index_uri (
    value int8 NOT NULL, rid int8 NOT NULL, tenant int4 NOT NULL, parameter int4 NOT NULL,
    PRIMARY KEY (tenant, parameter, value, rid)
);
CREATE TABLE index_string (
    rid int8 NOT NULL, tenant int4 NOT NULL, parameter int4 NOT NULL, value text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, parameter, value, rid)
);
CREATE INDEX index_string_row ON index_string (rid, parameter);
CREATE TABLE index_date (
    low int8 NOT NULL, high int8 NOT NULL, rid int8 NOT NULL, tenant int4 NOT NULL, parameter int4 NOT NULL,
    PRIMARY KEY (tenant, parameter, low, high, rid)
);
CREATE INDEX index_date_row ON index_date (rid, parameter);
CREATE TABLE index_number (
    unit int8 NOT NULL, low float8 NOT NULL, high float8 NOT NULL, rid int8 NOT NULL,
    tenant int4 NOT NULL, parameter int4 NOT NULL,
    PRIMARY KEY (tenant, parameter, unit, low, high, rid)
);

-- Index tables live on inserts and deletes: vacuum them early, so that dead rows do not outgrow the live ones.
ALTER TABLE index_token SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER TABLE index_reference SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER TABLE index_string SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER TABLE index_date SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER TABLE resource SET (autovacuum_vacuum_scale_factor = 0.05);

-- For analysts: the same record as jsonb, computed when asked.
CREATE VIEW resource_json AS
    SELECT tenant, type, id, version, to_timestamp(updated / 1000000.0) AS updated,
           convert_from(body, 'UTF8')::jsonb AS body
    FROM resource;

CREATE TABLE job (
    id uuid PRIMARY KEY,
    tenant int4 NOT NULL REFERENCES tenant,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    payload jsonb NOT NULL,
    result jsonb,
    owner text NOT NULL,
    attempts int4 NOT NULL DEFAULT 0,
    fence int8 NOT NULL DEFAULT 0,
    run_after timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX job_ready ON job (kind, run_after) WHERE state IN ('queued', 'running');
"#;

pub(crate) const DOWN: &str = r#"
DROP TABLE job;
DROP VIEW resource_json;
DROP TABLE index_number, index_date, index_string, index_uri, index_reference, index_token;
DROP TABLE change, history, resource, parameter, secret, tenant;
DROP SEQUENCE rid;
"#;
