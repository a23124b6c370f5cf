//! The hot statements. Arrays in, so that one resource and ten thousand are the same statement.

/// A block of row ids.
pub(super) const NEXT_BLOCK: &str = "SELECT nextval('rid')";

/// Until the transaction ends nobody else is behind this lock.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";

/// `$1` tenant, `$2` type, `$3` id.
pub(super) const READ: &str = "SELECT version, updated, body FROM resource WHERE tenant = $1 AND type = $2 AND id = $3";

/// `$1` tenants, `$2` types, `$3` ids; the lateral read is an index lookup for each, whatever the planner believes.
pub(super) const READ_TOGETHER: &str = "SELECT n.place, r.version, r.updated, r.body \
    FROM UNNEST($1::int4[], $2::int2[], $3::text[]) WITH ORDINALITY n(tenant, type, id, place) \
    CROSS JOIN LATERAL (SELECT version, updated, body FROM resource \
        WHERE tenant = n.tenant AND type = n.type AND id = n.id OFFSET 0) r";

/// The deletion, when the current table has nothing.
pub(super) const LAST_VERSION: &str = "SELECT version, updated FROM history \
    WHERE tenant = $1 AND type = $2 AND id = $3 ORDER BY version DESC LIMIT 1";

/// `$4` version.
pub(super) const READ_VERSION: &str = "SELECT version, updated, body FROM resource \
    WHERE tenant = $1 AND type = $2 AND id = $3 AND version = $4 \
    UNION ALL SELECT version, updated, body FROM history \
    WHERE tenant = $1 AND type = $2 AND id = $3 AND version = $4 LIMIT 1";

/// `$2` types, `$3` ids.
pub(super) const READ_MANY: &str = "SELECT r.type, r.id, r.version, r.updated, r.body \
    FROM UNNEST($2::int2[], $3::text[]) n(type, id) \
    JOIN resource r ON r.tenant = $1 AND r.type = n.type AND r.id = n.id";

/// `$4` before this version, `$5` how many, `$6` since, `$7` and `$8` current at some time in this range.
pub(super) const HISTORY: &str = "SELECT type, id, version, updated, method, body FROM ( \
    SELECT type, id, version, updated, method, body FROM resource WHERE tenant = $1 AND type = $2 AND id = $3 \
    UNION ALL SELECT type, id, version, updated, method, body FROM history \
    WHERE tenant = $1 AND type = $2 AND id = $3) v \
    WHERE version < $4 AND ($6::int8 IS NULL OR updated >= $6) \
    AND ($7::int8 IS NULL OR (updated <= $8 AND NOT EXISTS (SELECT FROM ( \
        SELECT updated, version FROM resource WHERE tenant = $1 AND type = $2 AND id = $3 \
        UNION ALL SELECT updated, version FROM history WHERE tenant = $1 AND type = $2 AND id = $3) n \
        WHERE n.version > v.version AND n.updated <= $7))) \
    ORDER BY version DESC LIMIT $5";

/// The feed backwards, with the bytes of each version: `$2` types (null: all), `$3` before this place, `$4` how many,
/// `$5` since, `$6` and `$7` current at some time in this range.
pub(super) const CHANGES: &str = "SELECT c.seq, c.type, c.id, c.version, c.at AS updated, c.method, \
    COALESCE(r.body, h.body) AS body FROM (SELECT * FROM change c WHERE c.tenant = $1 \
        AND ($2::int2[] IS NULL OR c.type = ANY($2)) AND c.seq < $3 AND ($5::int8 IS NULL OR c.at >= $5) \
        AND ($6::int8 IS NULL OR (c.at <= $7 AND NOT EXISTS (SELECT FROM change n WHERE n.tenant = $1 AND n.type = c.type \
            AND n.id = c.id AND n.version > c.version AND n.at <= $6))) \
        ORDER BY c.seq DESC LIMIT $4) c \
    LEFT JOIN resource r ON r.tenant = $1 AND r.type = c.type AND r.id = c.id AND r.version = c.version \
    LEFT JOIN history h ON h.tenant = $1 AND h.type = c.type AND h.id = c.id AND h.version = c.version AND c.method <> 3 \
    ORDER BY c.seq DESC";

/// `$2` who and `$3` request of each resource. The rows of an index carry the row id that the node took beforehand. A
/// resource that came back after a deletion must not repeat a version that history holds (method 2 is PUT: only a known
/// id can come back). Patients are joined for transport, since arrays of arrays must be rectangular.
macro_rules! insert {
    ($conflict:literal) => {
        concat!(
            "WITH n AS ( \
    SELECT * FROM UNNEST($2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int4[], $8::int2[], $9::int2[], $10::text[], $11::bytea[], \
        $34::text[]) n(who, request, rid, key, updated, version, type, method, id, body, patients)), \
  r AS (INSERT INTO resource (rid, key, updated, tenant, version, parameter_set, type, method, id, body) \
    SELECT rid, key, updated, $1, version, $12, type, method, id, body FROM n \
    WHERE method = 1 OR NOT EXISTS (SELECT FROM history h \
        WHERE h.tenant = $1 AND h.type = n.type AND h.id = n.id AND h.version >= n.version) \
    ",
            $conflict,
            " RETURNING rid), \
  c AS (INSERT INTO change (rid, at, tenant, version, type, method, id, who, request, patients) \
    SELECT rid, updated, $1, version, type, method, id, who, request, string_to_array(patients, ',') FROM n JOIN r USING (rid)), \
  t AS (INSERT INTO index_token (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, x.rid \
    FROM UNNEST($13::int8[], $14::int4[], $15::int8[]) x(rid, parameter, value) WHERE EXISTS (SELECT FROM r)), \
  f AS (INSERT INTO index_reference (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, x.rid \
    FROM UNNEST($16::int8[], $17::int4[], $18::int8[]) x(rid, parameter, value) WHERE EXISTS (SELECT FROM r)), \
  u AS (INSERT INTO index_uri (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, x.rid \
    FROM UNNEST($19::int8[], $20::int4[], $21::int8[]) x(rid, parameter, value) WHERE EXISTS (SELECT FROM r)), \
  s AS (INSERT INTO index_string (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, x.rid \
    FROM UNNEST($22::int8[], $23::int4[], $24::text[]) x(rid, parameter, value) WHERE EXISTS (SELECT FROM r)), \
  d AS (INSERT INTO index_date (tenant, parameter, low, high, rid) SELECT $1, x.parameter, x.low, x.high, x.rid \
    FROM UNNEST($25::int8[], $26::int4[], $27::int8[], $28::int8[]) x(rid, parameter, low, high) WHERE EXISTS (SELECT FROM r)), \
  q AS (INSERT INTO index_number (tenant, parameter, unit, value, detail, rid) SELECT $1, x.parameter, x.unit, x.value, x.detail, x.rid \
    FROM UNNEST($29::int8[], $30::int4[], $31::int8[], $32::float8[], $33::int8[]) x(rid, parameter, unit, value, detail) \
    WHERE EXISTS (SELECT FROM r)) \
  SELECT count(*) FROM r"
        )
    };
}

/// Resources that are not there, with their index rows and change rows; answers how many were inserted.
pub(super) const INSERT: &str = insert!("ON CONFLICT (tenant, type, id) DO NOTHING");

/// New resources under ids of the server's own; one that is there undoes them all.
pub(super) const CREATE: &str = insert!("");

/// Removes rows of an index, each by a lookup of its own: as a join the planner looks up everything that has the value, for
/// each row.
macro_rules! removed {
    ($name:literal, $table:literal, $rows:literal, $columns:literal, $same:literal) => {
        concat!(
            $name,
            " AS (DELETE FROM ",
            $table,
            " t WHERE t.ctid = ANY (ARRAY(SELECT l.ctid FROM UNNEST(",
            $rows,
            ") x(place, parameter, ",
            $columns,
            ") JOIN o USING (place) CROSS JOIN LATERAL (SELECT d.ctid FROM ",
            $table,
            " d WHERE d.tenant = $1 AND d.parameter = x.parameter AND ",
            $same,
            " AND d.rid = o.rid OFFSET 0) l))), "
        )
    };
}

/// Versions after those that were read, and deletions (body null): the read version moves to history, the difference of
/// the index rows is applied; answers how many rows were still at the version that was read.
///
/// The rows of an index carry the place of their resource in the arrays, because the row id is only known here. A row that
/// was not indexed with the current set of parameters keeps its older number, so that the reindexing comes to it: the
/// difference says nothing of values that were never written.
pub(super) const REPLACE: &str = concat!(
    "WITH n AS ( \
    SELECT * FROM UNNEST($4::int2[], $5::text[], $6::int4[], $7::int4[], $8::int8[], $9::bytea[], $53::text[]) \
        WITH ORDINALITY n(type, id, was, version, updated, body, patients, place)), \
  o AS (SELECT r.rid, r.updated, r.version, r.type, r.method, r.id, r.body, n.place, n.body IS NULL AS gone \
    FROM n JOIN resource r ON r.tenant = $1 AND r.type = n.type AND r.id = n.id AND r.version = n.was \
    ORDER BY r.type, r.id FOR UPDATE OF r), \
  w AS (UPDATE resource r SET version = n.version, updated = n.updated, body = n.body, parameter_set = LEAST(r.parameter_set, $10), method = 2 \
    FROM n JOIN o USING (place) WHERE r.rid = o.rid AND NOT o.gone RETURNING r.rid), \
  g AS (DELETE FROM resource r USING o WHERE r.rid = o.rid AND o.gone RETURNING r.rid), \
  h AS (INSERT INTO history (rid, updated, tenant, version, type, method, id, body) \
    SELECT rid, updated, $1, version, type, method, id, body FROM o \
    UNION ALL SELECT o.rid, n.updated, $1, n.version, n.type, 3, n.id, NULL FROM n JOIN o USING (place) WHERE o.gone), \
  c AS (INSERT INTO change (rid, at, tenant, version, type, method, id, who, request, patients) \
    SELECT o.rid, n.updated, $1, n.version, n.type, CASE WHEN o.gone THEN 3 ELSE 2 END, n.id, $2, $3, \
        string_to_array(n.patients, ',') FROM n JOIN o USING (place)), ",
    removed!("dt", "index_token", "$11::int8[], $12::int4[], $13::int8[]", "value", "d.value = x.value"),
    removed!("df", "index_reference", "$14::int8[], $15::int4[], $16::int8[]", "value", "d.value = x.value"),
    removed!("du", "index_uri", "$17::int8[], $18::int4[], $19::int8[]", "value", "d.value = x.value"),
    removed!("ds", "index_string", "$20::int8[], $21::int4[], $22::text[]", "value", "d.value = x.value"),
    removed!(
        "dd",
        "index_date",
        "$23::int8[], $24::int4[], $25::int8[], $26::int8[]",
        "low, high",
        "d.low = x.low AND d.high = x.high"
    ),
    removed!(
        "dq",
        "index_number",
        "$27::int8[], $28::int4[], $29::int8[], $30::float8[], $31::int8[]",
        "unit, value, detail",
        "d.unit = x.unit AND d.value = x.value AND d.detail = x.detail"
    ),
    "it AS (INSERT INTO index_token (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, o.rid \
    FROM UNNEST($32::int8[], $33::int4[], $34::int8[]) x(place, parameter, value) JOIN o USING (place)), \
  jf AS (INSERT INTO index_reference (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, o.rid \
    FROM UNNEST($35::int8[], $36::int4[], $37::int8[]) x(place, parameter, value) JOIN o USING (place)), \
  iu AS (INSERT INTO index_uri (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, o.rid \
    FROM UNNEST($38::int8[], $39::int4[], $40::int8[]) x(place, parameter, value) JOIN o USING (place)), \
  js AS (INSERT INTO index_string (tenant, parameter, value, rid) SELECT $1, x.parameter, x.value, o.rid \
    FROM UNNEST($41::int8[], $42::int4[], $43::text[]) x(place, parameter, value) JOIN o USING (place)), \
  jd AS (INSERT INTO index_date (tenant, parameter, low, high, rid) SELECT $1, x.parameter, x.low, x.high, o.rid \
    FROM UNNEST($44::int8[], $45::int4[], $46::int8[], $47::int8[]) x(place, parameter, low, high) JOIN o USING (place)), \
  iq AS (INSERT INTO index_number (tenant, parameter, unit, value, detail, rid) SELECT $1, x.parameter, x.unit, x.value, x.detail, o.rid \
    FROM UNNEST($48::int8[], $49::int4[], $50::int8[], $51::float8[], $52::int8[]) x(place, parameter, unit, value, detail) \
    JOIN o USING (place)) \
  SELECT (SELECT count(*) FROM w) + (SELECT count(*) FROM g)"
);
