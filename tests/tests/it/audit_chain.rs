//! The chain that seals the audit log: whoever changes, removes or inserts a record is found out (decision D19).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use seva_embedded::seal::MasterSealKey;
use seva_fhir::access::{Broken, Chain, Stream};
use seva_fhir::clock::{Clock, SystemClock};
use seva_fhir::types::Instant;
use seva_postgres::{Database, DatabaseSettings, PostgresSealer};
use seva_server::demo::TENANT;
use seva_tests::server::{TestServer, command};
use sqlx::{Connection, PgConnection};

/// A clock that can be put forward.
#[derive(Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Instant {
        Instant::from_micros(SystemClock.now().micros() + self.0.load(Ordering::SeqCst))
    }
}

struct Bench {
    server: TestServer,
    database: Database,
    sealer: PostgresSealer,
    clock: Arc<Ahead>,
    sql: PgConnection,
}

impl Bench {
    async fn start() -> Self {
        let server = TestServer::start().await.unwrap();
        let url = server.running.private_database().unwrap();
        let settings = DatabaseSettings { url: url.clone(), create: None, connections: 2, statement_seconds: 60 };
        let database = Database::open(&settings).await.unwrap();
        let master = std::fs::read_to_string(server.data().join("master.key")).unwrap();
        let master = hex::decode(master.trim()).unwrap().try_into().unwrap();
        let clock = Arc::new(Ahead::default());
        let key = Arc::new(MasterSealKey::derive(&master).unwrap());
        let sealer = PostgresSealer::new(&database, key, clock.clone());
        Self { server, database, sealer, clock, sql: PgConnection::connect(&url).await.unwrap() }
    }

    async fn run(&mut self, statement: &str) {
        let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut self.sql).await.unwrap();
        assert!(done.rows_affected() <= 1, "{statement}");
    }

    async fn number(&mut self, query: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned())).fetch_one(&mut self.sql).await.unwrap()
    }

    /// Looks at a patient until that is sealed; the server's own sealer may be at work meanwhile.
    async fn sealed(&mut self) {
        let before = self.number("SELECT COALESCE(max(seq), 0) FROM audit").await;
        self.server.doctor.get("/fhir/Patient/rane").await.unwrap();
        for _ in 0..200 {
            self.sealer.seal().await.unwrap();
            let query = "SELECT COALESCE(max(n), 0) FROM audit_seal, unnest(records) n WHERE stream = 'audit'";
            if self.number(query).await > before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nothing was sealed");
    }

    async fn chain(&self, hospital: &str) -> Chain {
        self.sealer.verify(Some(hospital)).await.unwrap().pop().unwrap()
    }

    async fn broken(&self) -> Broken {
        self.chain(TENANT).await.broken.unwrap()
    }

    async fn stop(self) {
        self.sql.close().await.unwrap();
        self.database.close().await;
        self.server.stop().await.unwrap();
    }
}

fn names(broken: &Broken, of: Stream, number: i64, word: &str) -> bool {
    matches!(broken, Broken::Record { stream, record, how, .. } if (*stream, *record) == (of, number) && how.contains(word))
}

#[tokio::test]
async fn a_record_that_is_changed_removed_or_put_in_is_named() {
    let mut bench = Bench::start().await;
    bench.sealed().await;
    let whole = bench.chain(TENANT).await;
    assert_eq!(whole.broken, None);
    assert!(whole.seals > 0 && whole.records > 20, "{whole:?}");

    let read = bench.number("SELECT min(seq) FROM audit WHERE action = 'log-in'").await;
    bench.run(&format!("UPDATE audit SET who = 'nobody', query = who WHERE seq = {read}")).await;
    assert!(names(&bench.broken().await, Stream::Audit, read, "changed"));
    bench.run(&format!("UPDATE audit SET who = query, query = NULL WHERE seq = {read}")).await;
    assert_eq!(bench.chain(TENANT).await.broken, None, "as it was");

    // Where it came from counts too; without an address a record has the digest of the time before addresses were kept.
    bench.run(&format!("UPDATE audit SET query = address, address = NULL WHERE seq = {read}")).await;
    assert!(names(&bench.broken().await, Stream::Audit, read, "changed"));
    bench.run(&format!("UPDATE audit SET address = query, query = NULL WHERE seq = {read}")).await;
    let known = format!("SELECT count(*) FROM audit WHERE address = '127.0.0.1' AND seq = {read}");
    assert_eq!((bench.number(&known).await, bench.chain(TENANT).await.broken), (1, None));

    let write = bench.number("SELECT min(seq) FROM change WHERE tenant = 1").await;
    bench.run(&format!("UPDATE change SET version = version + 1 WHERE seq = {write}")).await;
    assert!(names(&bench.broken().await, Stream::Change, write, "changed"));
    bench.run(&format!("UPDATE change SET version = version - 1 WHERE seq = {write}")).await;

    let forged = "INSERT INTO audit (xid, at, tenant, who, action, outcome, target, patients, request) \
        SELECT xid, at, tenant, who, action, outcome, target, patients, request FROM audit WHERE seq = ";
    bench.run(&format!("{forged}{read}")).await;
    let put_in = bench.number("SELECT max(seq) FROM audit").await;
    assert!(names(&bench.broken().await, Stream::Audit, put_in, "put in"), "{}", bench.broken().await);
    bench.run(&format!("DELETE FROM audit WHERE seq = {put_in}")).await;

    bench.run("UPDATE audit_seal SET sealed = sealed + 1 WHERE tenant = 1 AND number = 1").await;
    assert!(matches!(bench.broken().await, Broken::Seal { seal: 1, .. }));
    bench.run("UPDATE audit_seal SET sealed = sealed - 1 WHERE tenant = 1 AND number = 1").await;
    assert_eq!(bench.chain(TENANT).await.broken, None);

    bench.run(&format!("DELETE FROM audit WHERE seq = {read}")).await;
    assert!(names(&bench.broken().await, Stream::Audit, read, "missing"));
    bench.stop().await;
}

#[tokio::test]
async fn a_backlog_is_sealed_in_the_order_of_its_transactions() {
    let mut bench = Bench::start().await;
    bench.sealed().await;
    // As after a standstill: more records than one pass takes, of transactions whose numbers have one digit more.
    let backlog = "BEGIN; LOCK TABLE audit_sealer; DELETE FROM audit_seal; \
        UPDATE audit_sealer SET audit_xid = 0, audit_seq = 0, change_xid = 0, change_seq = 0; \
        INSERT INTO audit (xid, at, tenant, who, action, outcome, target, patients, request) \
        SELECT x::text::xid8, 0, 1, 'w', 'read', 'success', 'Patient/x', '{}', 'r' \
        FROM generate_series(8, 11) x, generate_series(1, 600); COMMIT";
    sqlx::raw_sql(backlog).execute(&mut bench.sql).await.unwrap();
    bench.sealed().await;
    let chain = bench.chain(TENANT).await;
    assert_eq!(chain.broken, None);
    assert!(chain.records >= 2400, "{chain:?}");
    let twice = "SELECT count(*) - count(DISTINCT n) FROM audit_seal, unnest(records) n WHERE stream = 'audit'";
    assert_eq!(bench.number(twice).await, 0, "each record is sealed once");
    bench.stop().await;
}

#[tokio::test]
async fn a_seal_cut_off_at_the_end_and_a_foreign_signature_are_found() {
    let mut bench = Bench::start().await;
    bench.sealed().await;
    let forged =
        PostgresSealer::new(&bench.database, Arc::new(MasterSealKey::derive(&[9; 32]).unwrap()), bench.clock.clone());
    let foreign = forged.verify(Some(TENANT)).await.unwrap().pop().unwrap().broken;
    assert!(matches!(foreign, Some(Broken::Seal { seal: 1, how }) if how.contains("another key")));
    bench.run("DELETE FROM audit_seal WHERE tenant = 1 AND number = (SELECT max(number) FROM audit_seal WHERE tenant = 1)").await;
    let broken = bench.broken().await;
    assert!(matches!(broken, Broken::Record { how, .. } if how.contains("its seal is missing")), "{broken}");
    bench.stop().await;
}

#[tokio::test]
async fn numbers_that_a_crash_took_are_sealed_as_a_gap() {
    let mut bench = Bench::start().await;
    bench.sealed().await;
    let lost = bench.number("SELECT nextval(pg_get_serial_sequence('audit', 'seq'))").await;
    assert_eq!(bench.number("SELECT nextval(pg_get_serial_sequence('audit', 'seq'))").await, lost + 1);
    for _ in 0..3 {
        bench.sealed().await;
        bench.clock.0.fetch_add(20_000_000, Ordering::SeqCst);
    }
    bench.sealed().await;
    assert_eq!(bench.chain("shared").await.gaps, [(lost, lost + 1)]);
    assert_eq!(bench.chain(TENANT).await.broken, None);
    bench.stop().await;
}

#[tokio::test]
async fn the_command_says_whether_the_chains_hold() {
    let mut bench = Bench::start().await;
    bench.sealed().await;
    let data = bench.server.data().to_owned();
    let whole = command(&data, &["audit", "verify", "--tenant", TENANT], "").await.unwrap();
    let text = String::from_utf8(whole.stdout).unwrap();
    assert!(whole.status.success() && text.contains(TENANT) && text.contains("hold, head "), "{text}");
    let read = bench.number("SELECT min(seq) FROM audit WHERE action = 'log-in'").await;
    bench.run(&format!("DELETE FROM audit WHERE seq = {read}")).await;
    let broken = command(&data, &["audit", "verify"], "").await.unwrap();
    let text = String::from_utf8(broken.stdout).unwrap();
    assert!(!broken.status.success() && text.contains(&format!("broken: audit record {read} is missing")), "{text}");
    let unknown = command(&data, &["audit", "verify", "--tenant", "Nowhere"], "").await.unwrap();
    assert!(!unknown.status.success());
    bench.stop().await;
}
