//! The statements that read. Arrays in, so that one resource and ten thousand are the same statement.

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
    WHERE version < $4 AND ($6::int8 IS NULL OR updated >= $6) AND ($9::int4[] IS NULL OR version = ANY($9)) \
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
        AND ($8::int2[] IS NULL OR EXISTS (SELECT FROM unnest($8, $9::text[], $10::int4[]) l (type, id, version) \
            WHERE l.type = c.type AND l.id = c.id AND (l.version IS NULL OR l.version = c.version))) \
        ORDER BY c.seq DESC LIMIT $4) c \
    LEFT JOIN resource r ON r.tenant = $1 AND r.type = c.type AND r.id = c.id AND r.version = c.version \
    LEFT JOIN history h ON h.tenant = $1 AND h.type = c.type AND h.id = c.id AND h.version = c.version AND c.method <> 3 \
    ORDER BY c.seq DESC";
