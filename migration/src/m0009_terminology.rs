//! Code systems too large for one resource, and closure tables (<https://hl7.org/fhir/R4/terminology-service.html>).

/// Every pair of a concept and one above it is a row: what is below a code is a range of an index, at any depth.
/// The trigrams are an extension that a database owner may create where PostgreSQL has it; without it a text is looked for
/// row by row.
pub(crate) const UP: &str = r#"
CREATE TABLE concept_system (
    id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant int4 NOT NULL REFERENCES tenant,
    url text NOT NULL,
    version text COLLATE "C" NOT NULL,
    name text NOT NULL,
    complete bool NOT NULL,
    hierarchy bool NOT NULL,
    imported timestamptz NOT NULL DEFAULT now(),
    UNIQUE (url, tenant, version)
);
CREATE TABLE concept (
    system int4 NOT NULL REFERENCES concept_system ON DELETE CASCADE,
    id int4 NOT NULL,
    code text COLLATE "C" NOT NULL,
    display text,
    folded text COLLATE "C" NOT NULL,
    definition text,
    inactive bool NOT NULL,
    not_selectable bool NOT NULL,
    PRIMARY KEY (system, id),
    UNIQUE (system, code)
);
CREATE TABLE concept_ancestor (
    system int4 NOT NULL REFERENCES concept_system ON DELETE CASCADE,
    descendant int4 NOT NULL,
    ancestor int4 NOT NULL,
    distance int2 NOT NULL,
    PRIMARY KEY (system, descendant, ancestor)
);
CREATE INDEX concept_ancestor_below ON concept_ancestor (system, ancestor, descendant);
CREATE TABLE concept_designation (
    system int4 NOT NULL REFERENCES concept_system ON DELETE CASCADE,
    concept int4 NOT NULL,
    number int4 NOT NULL,
    language text,
    use_system text,
    use_code text,
    use_display text,
    value text NOT NULL,
    PRIMARY KEY (system, concept, number)
);
CREATE TABLE concept_property (
    system int4 NOT NULL REFERENCES concept_system ON DELETE CASCADE,
    concept int4 NOT NULL,
    number int4 NOT NULL,
    code text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (system, concept, number)
);
CREATE INDEX concept_property_value ON concept_property (system, code, left(value, 200), concept);
CREATE TABLE closure (
    tenant int4 NOT NULL REFERENCES tenant,
    name text NOT NULL,
    version int4 NOT NULL,
    PRIMARY KEY (tenant, name)
);
CREATE TABLE closure_code (
    tenant int4 NOT NULL,
    name text NOT NULL,
    system text NOT NULL,
    code text NOT NULL,
    version int4 NOT NULL,
    PRIMARY KEY (tenant, name, system, code),
    FOREIGN KEY (tenant, name) REFERENCES closure ON DELETE CASCADE
);
CREATE TABLE closure_line (
    tenant int4 NOT NULL,
    name text NOT NULL,
    system text NOT NULL,
    narrow text NOT NULL,
    broad text NOT NULL,
    version int4 NOT NULL,
    PRIMARY KEY (tenant, name, system, narrow, broad),
    FOREIGN KEY (tenant, name) REFERENCES closure ON DELETE CASCADE
);
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX concept_folded ON concept USING gin (folded gin_trgm_ops);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$;
"#;

pub(crate) const DOWN: &str = r#"
DROP TABLE closure_line, closure_code, closure, concept_property, concept_designation, concept_ancestor, concept,
    concept_system;
"#;
