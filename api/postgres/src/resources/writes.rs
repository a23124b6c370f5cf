//! The statements that write resources with their index rows. Each is made for the index tables that it writes to, because
//! PostgreSQL sets up every part of a statement at each run, whether it has rows or not; which tables those are differs
//! little, so that connections keep few statements.
//!
//! Arrays in, so that one resource and ten thousand are the same statement.

use std::fmt::Write as _;

use super::columns::{Table, Tables};

/// What happens to a resource that is there already.
#[derive(Clone, Copy)]
pub(super) enum Existing {
    /// It stays, and is not counted.
    Kept,
    /// It undoes all of the statement.
    Refused,
}

/// What happens to a resource that another transaction holds.
#[derive(Clone, Copy)]
pub(super) enum Locked {
    /// It is waited for.
    Awaited,
    /// It stays as it is.
    LeftOut,
}

/// Whose rows are added to an index.
#[derive(Clone, Copy)]
enum Added {
    /// New resources', whose row ids the node took beforehand: only if any of them was inserted.
    Inserted,
    /// Replaced resources': the row id is known by the place in the arrays.
    Placed,
    /// Resources' that may have them already.
    Missing,
}

/// The text of a statement and the number of its last value.
struct Text {
    sql: String,
    values: usize,
}

impl Text {
    /// Begins after so many values.
    fn new(sql: &str, values: usize) -> Self {
        Self { sql: sql.to_owned(), values }
    }

    fn push(&mut self, part: &str) {
        self.sql.push_str(part);
    }

    /// `UNNEST($14::int8[], …) x(rid, parameter, value)`.
    fn push_rows(&mut self, owner: &str, table: &Table) {
        self.push("UNNEST(");
        let kinds = ["int8", "int4"].into_iter().chain(table.columns.iter().map(|(_, kind)| *kind));
        for (place, kind) in kinds.enumerate() {
            self.values += 1;
            // Writing to a text can't fail.
            let _ = write!(self.sql, "{}${}::{kind}[]", if place == 0 { "" } else { ", " }, self.values);
        }
        let _ = write!(self.sql, ") x({owner}, parameter, {})", table.names(""));
    }

    fn push_added(&mut self, tables: Tables, added: Added) {
        let (owner, row, end) = match added {
            Added::Inserted => ("rid", "x.rid", " WHERE EXISTS (SELECT FROM r))"),
            Added::Placed => ("place", "o.rid", " JOIN o USING (place))"),
            Added::Missing => ("rid", "x.rid", " ON CONFLICT DO NOTHING)"),
        };
        for table in tables.iter() {
            let (name, own, theirs) = (table.name, table.names(""), table.names("x."));
            let _ = write!(
                self.sql,
                ", added_{name} AS (INSERT INTO {name} (tenant, parameter, {own}, rid) \
                SELECT $1, x.parameter, {theirs}, {row} FROM "
            );
            self.push_rows(owner, table);
            self.push(end);
        }
    }

    /// Removes rows of an index, each by a lookup of its own: as a join the planner looks up everything that has the value,
    /// for each row.
    fn push_removed(&mut self, tables: Tables) {
        for table in tables.iter() {
            let name = table.name;
            let (own, theirs) = (table.names("d."), table.names("x."));
            let _ = write!(
                self.sql,
                ", removed_{name} AS (DELETE FROM {name} t WHERE t.ctid = ANY (ARRAY(SELECT l.ctid FROM "
            );
            self.push_rows("place", table);
            let _ = write!(
                self.sql,
                " JOIN o USING (place) CROSS JOIN LATERAL (SELECT d.ctid FROM {name} d WHERE d.tenant = $1 \
                AND d.parameter = x.parameter AND ({own}) = ({theirs}) AND d.rid = o.rid OFFSET 0) l)))"
            );
        }
    }
}

/// `$1` tenant, `$2` who and `$3` request of each resource, its row `$4` to `$11`, `$12` the set of parameters, `$13` patients, `$14`
/// addresses of clients; then the index rows, which carry the row id that the node took beforehand. Answers how many resources were inserted.
///
/// A resource that came back after a deletion must not repeat a version that history holds (method 2 is PUT: only a known
/// id can come back). Patients are joined for transport, since arrays of arrays must be rectangular.
pub(super) fn insert(existing: Existing, index: Tables) -> String {
    let mut text = Text::new(
        "WITH n AS (SELECT * FROM UNNEST($2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int4[], $8::int2[], \
            $9::int2[], $10::text[], $11::bytea[], $13::text[], $14::text[]) \
            n(who, request, rid, key, updated, version, type, method, id, body, patients, address)), \
        r AS (INSERT INTO resource (rid, key, updated, tenant, version, parameter_set, type, method, id, body) \
            SELECT rid, key, updated, $1, version, $12, type, method, id, body FROM n \
            WHERE method = 1 OR NOT EXISTS (SELECT FROM history h \
                WHERE h.tenant = $1 AND h.type = n.type AND h.id = n.id AND h.version >= n.version) ",
        14,
    );
    text.push(match existing {
        Existing::Kept => "ON CONFLICT (tenant, type, id) DO NOTHING ",
        Existing::Refused => "",
    });
    text.push(
        "RETURNING rid), \
        c AS (INSERT INTO change (rid, at, tenant, version, type, method, id, who, request, patients, address) \
            SELECT rid, updated, $1, version, type, method, id, who, request, string_to_array(patients, ','), address \
            FROM n JOIN r USING (rid))",
    );
    text.push_added(index, Added::Inserted);
    text.push(" SELECT count(*) FROM r");
    text.sql
}

/// What a replacement does to the resources themselves: one of both at least.
#[derive(Clone, Copy)]
pub(super) struct Replaced {
    /// Some get another version.
    pub(super) updates: bool,
    /// Some are deleted.
    pub(super) deletes: bool,
}

/// Versions after those that were read, and deletions (body null): the read version moves to history, the difference of
/// the index rows is applied; answers the places of those that were still at the version that was read.
///
/// `$1` tenant, `$2` who and `$3` request of each, `$4` to `$9` the versions, `$10` patients, `$11` addresses of clients, `$12` the set
/// of parameters where something is updated; then the removed and the added index rows, which carry the place of their resource in the arrays, because the row id is only known here. A
/// row that was not indexed with the current set of parameters keeps its older number, so that the reindexing comes to it:
/// the difference says nothing of values that were never written.
pub(super) fn replace(what: Replaced, locked: Locked, index: Tables) -> String {
    let mut text = Text::new(
        "WITH n AS (SELECT * FROM UNNEST($2::text[], $3::text[], $4::int2[], $5::text[], $6::int4[], $7::int4[], $8::int8[], \
                $9::bytea[], $10::text[], $11::text[]) \
            WITH ORDINALITY n(who, request, type, id, was, version, updated, body, patients, address, place)), \
        o AS (SELECT r.rid, r.updated, r.version, r.type, r.method, r.id, r.body, n.place, n.body IS NULL AS gone \
            FROM n JOIN resource r ON r.tenant = $1 AND r.type = n.type AND r.id = n.id AND r.version = n.was \
            ORDER BY r.type, r.id FOR UPDATE OF r",
        if what.updates { 12 } else { 11 },
    );
    if let Locked::LeftOut = locked {
        text.push(" SKIP LOCKED");
    }
    text.push(
        "), h AS (INSERT INTO history (rid, updated, tenant, version, type, method, id, body) \
            SELECT rid, updated, $1, version, type, method, id, body FROM o",
    );
    if what.deletes {
        text.push(" UNION ALL SELECT o.rid, n.updated, $1, n.version, n.type, 3, n.id, NULL FROM n JOIN o USING (place) WHERE o.gone");
    }
    text.push(
        "), c AS (INSERT INTO change (rid, at, tenant, version, type, method, id, who, request, patients, address) \
            SELECT o.rid, n.updated, $1, n.version, n.type, CASE WHEN o.gone THEN 3 ELSE 2 END, n.id, n.who, n.request, \
            string_to_array(n.patients, ','), n.address FROM n JOIN o USING (place))",
    );
    if what.updates {
        text.push(
            ", w AS (UPDATE resource r SET version = n.version, updated = n.updated, body = n.body, \
                parameter_set = LEAST(r.parameter_set, $12), method = 2 \
                FROM n JOIN o USING (place) WHERE r.rid = o.rid AND NOT o.gone RETURNING n.place)",
        );
    }
    if what.deletes {
        text.push(", g AS (DELETE FROM resource r USING o WHERE r.rid = o.rid AND o.gone RETURNING o.place)");
    }
    text.push_removed(index);
    text.push_added(index, Added::Placed);
    text.push(match (what.updates, what.deletes) {
        (true, true) => " SELECT place FROM w UNION ALL SELECT place FROM g",
        (true, false) => " SELECT place FROM w",
        (false, _) => " SELECT place FROM g",
    });
    text.sql
}

/// Rows of resources that were indexed before: `$1` tenant, `$2` the set of parameters, `$3` row ids, then the index rows. What
/// is there already stays.
pub(crate) fn index(rows: Tables) -> String {
    let mut text = Text::new(
        "WITH r AS (UPDATE resource SET parameter_set = $2 WHERE tenant = $1 AND rid = ANY($3) RETURNING rid)",
        3,
    );
    text.push_added(rows, Added::Missing);
    text.push(" SELECT count(*) FROM r");
    text.sql
}
