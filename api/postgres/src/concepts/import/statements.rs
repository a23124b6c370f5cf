//! The statements of an import: staged by arrays, put together by sets.

/// What is staged ends with the transaction.
pub(super) const STAGING: &[&str] = &[
    "SET LOCAL statement_timeout = 0",
    "CREATE TEMP TABLE import_concept (line int8, place text, code text COLLATE \"C\", display text, folded text, \
     definition text, inactive bool, not_selectable bool) ON COMMIT DROP",
    "CREATE TEMP TABLE import_name (line int8, place text, code text COLLATE \"C\", language text, use_system text, \
     use_code text, use_display text, value text, folded text, rank int2) ON COMMIT DROP",
    "CREATE TEMP TABLE import_property (line int8, place text, code text COLLATE \"C\", name text, kind text, \
     value text) ON COMMIT DROP",
    "CREATE TEMP TABLE import_edge (line int8, place text, child text COLLATE \"C\", parent text COLLATE \"C\") \
     ON COMMIT DROP",
    "CREATE TEMP TABLE import_parent (child int4, parent int4) ON COMMIT DROP",
];

pub(super) const STAGE_CONCEPTS: &str = "INSERT INTO import_concept SELECT * FROM UNNEST($1::int8[], $2::text[], \
    $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::bool[])";

pub(super) const STAGE_NAMES: &str = "INSERT INTO import_name SELECT * FROM UNNEST($1::int8[], $2::text[], $3::text[], \
    $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int2[])";

pub(super) const STAGE_PROPERTIES: &str = "INSERT INTO import_property SELECT * FROM UNNEST($1::int8[], $2::text[], \
    $3::text[], $4::text[], $5::text[], $6::text[])";

pub(super) const STAGE_EDGES: &str =
    "INSERT INTO import_edge SELECT * FROM UNNEST($1::int8[], $2::text[], $3::text[], $4::text[])";

/// The planner knows nothing of tables that were just filled.
pub(super) const PREPARE: &[&str] = &[
    "CREATE INDEX ON import_concept (code)",
    "CREATE INDEX ON import_name (code)",
    "ANALYZE import_concept",
    "ANALYZE import_name",
    "ANALYZE import_property",
    "ANALYZE import_edge",
];

/// What contradicts itself: the place and the code of the first one, and what is wrong with it.
pub(super) const CHECKS: &[(&str, &str)] = &[
    (
        "SELECT place, code FROM (SELECT line, place, code, count(*) OVER (PARTITION BY code ORDER BY line) AS nth \
         FROM import_concept) all_concepts WHERE nth > 1 ORDER BY line LIMIT 1",
        "the code {} is there already",
    ),
    (
        "SELECT place, code FROM import_name n WHERE NOT EXISTS (SELECT FROM import_concept c WHERE c.code = n.code) \
         ORDER BY line LIMIT 1",
        "the name is one of {}, which is no code of the release",
    ),
    (
        "SELECT place, code FROM import_property p WHERE NOT EXISTS (SELECT FROM import_concept c \
         WHERE c.code = p.code) ORDER BY line LIMIT 1",
        "the property is one of {}, which is no code of the release",
    ),
    (
        "SELECT place, code FROM (SELECT line, place, child AS code FROM import_edge UNION ALL \
         SELECT line, place, parent FROM import_edge) ends WHERE NOT EXISTS (SELECT FROM import_concept c \
         WHERE c.code = ends.code) ORDER BY line LIMIT 1",
        "the relationship names {}, which is no code of the release",
    ),
    (
        "SELECT COALESCE((SELECT place FROM import_concept ORDER BY line LIMIT 1), 'the release'), '' \
         WHERE NOT EXISTS (SELECT FROM import_concept)",
        "it has no concepts",
    ),
];

/// The version that was there goes with everything that hangs on it.
pub(super) const REMOVE: &str = "DELETE FROM concept_system WHERE tenant = $1 AND url = $2 AND version = $3";

pub(super) const BEGIN: &str = "INSERT INTO concept_system (tenant, url, version, name, complete, hierarchy) \
    VALUES ($1, $2, $3, $4, true, false) RETURNING id";

/// Concepts, names, properties.
pub(super) const ASSEMBLE: &[&str] = &[
    "INSERT INTO concept (system, id, code, display, folded, definition, inactive, not_selectable) \
     SELECT $1, (row_number() OVER (ORDER BY c.line))::int4, c.code, COALESCE(c.display, best.value), \
     concat_ws(E'\\n', c.folded, names.folded), c.definition, c.inactive, c.not_selectable FROM import_concept c \
     LEFT JOIN (SELECT DISTINCT ON (code) code, value FROM import_name WHERE rank > 0 \
     ORDER BY code, rank DESC, line) best ON best.code = c.code \
     LEFT JOIN (SELECT code, string_agg(folded, E'\\n' ORDER BY line) AS folded FROM import_name GROUP BY code) names \
     ON names.code = c.code",
    "INSERT INTO concept_designation (system, concept, number, language, use_system, use_code, use_display, value) \
     SELECT $1, c.id, (row_number() OVER (PARTITION BY n.code ORDER BY n.line))::int4, n.language, n.use_system, \
     n.use_code, n.use_display, n.value FROM import_name n JOIN concept c ON c.system = $1 AND c.code = n.code",
    "INSERT INTO concept_property (system, concept, number, code, kind, value) \
     SELECT $1, c.id, (row_number() OVER (PARTITION BY p.code ORDER BY p.line))::int4, p.name, p.kind, p.value \
     FROM import_property p JOIN concept c ON c.system = $1 AND c.code = p.code",
];

/// What lies directly above: kept apart, so that each step upwards is one pass over both.
pub(super) const PARENTS: &str = "INSERT INTO import_parent SELECT DISTINCT child.id, parent.id FROM import_edge e \
    JOIN concept child ON child.system = $1 AND child.code = e.child \
    JOIN concept parent ON parent.system = $1 AND parent.code = e.parent";

pub(super) const EDGES: &str = "INSERT INTO concept_ancestor (system, descendant, ancestor, distance) \
    SELECT $1, child, parent, 1 FROM import_parent";

/// What lies one step above what was found last.
pub(super) const CLIMB: &str = "INSERT INTO concept_ancestor (system, descendant, ancestor, distance) \
    SELECT DISTINCT $1::int4, a.descendant, up.parent, $2::int2 + 1 FROM concept_ancestor a \
    JOIN import_parent up ON up.child = a.ancestor WHERE a.system = $1 AND a.distance = $2 ON CONFLICT DO NOTHING";

/// The planner must know how many there are before each step.
pub(super) const KNOWN: &[&str] = &["ANALYZE import_parent", "ANALYZE concept_ancestor"];

/// A code that lies below itself.
pub(super) const CYCLE: &str = "SELECT c.code FROM concept_ancestor a JOIN concept c ON c.system = $1 AND c.id = a.ancestor \
    WHERE a.system = $1 AND a.ancestor = a.descendant ORDER BY c.id LIMIT 1";

pub(super) const ANALYSE: &[&str] =
    &["ANALYZE concept", "ANALYZE concept_ancestor", "ANALYZE concept_designation", "ANALYZE concept_property"];
