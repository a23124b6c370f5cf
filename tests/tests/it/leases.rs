//! Two nodes, one dictation: only one works on it, and a late one can't commit (decision D14).

use seva_clinic::dictation::{
    Claim, Dictation, DictationMode, DictationResult, DictationSettings, DictationState, DictationStore,
    DictationStoreError,
};
use seva_fhir::clock::{Clock, IdSource, RandomIds, SystemClock};
use seva_postgres::{Database, DatabaseSettings, PostgresDictations};
use seva_server::demo;
use seva_tests::server::TestServer;

#[tokio::test]
async fn a_claim_is_one_nodes_and_a_late_worker_cannot_commit() {
    let server = TestServer::start().await.unwrap();
    let url = server.running.private_database().unwrap();
    let settings = DatabaseSettings { url, create: None, connections: 4, statement_seconds: 60 };
    let database = Database::open(&settings).await.unwrap();
    let store = PostgresDictations::new(&database);
    let tenant = server.running.accounts.tenant(demo::TENANT).await.unwrap();
    let now = SystemClock.now().to_milliseconds();
    let mut dictation = Dictation {
        id: RandomIds.new_uuid(),
        state: DictationState::Open,
        patient: "Patient/rane".parse().unwrap(),
        encounter: "Encounter/visit-rane".parse().unwrap(),
        consent: "Consent/consent-rane".parse().unwrap(),
        settings: DictationSettings {
            account: "test".into(),
            display: "test".into(),
            practitioner: Some("Practitioner/kelkar".into()),
            language: "en".into(),
            mode: DictationMode::Toggle,
            engine: "none".into(),
            engine_version: "0".into(),
        },
        result: DictationResult::default(),
        created: now,
        updated: now,
    };
    store.create(tenant, &dictation).await.unwrap();
    assert_eq!(store.claim(tenant, dictation.id).await.unwrap(), None, "nothing to do while it is open");
    dictation.state = DictationState::Finishing;
    store.update(tenant, &dictation, DictationState::Open).await.unwrap();
    assert!(store.unfinished().await.unwrap().contains(&(tenant, dictation.id)));

    let first = store.claim(tenant, dictation.id).await.unwrap().unwrap();
    assert_eq!(store.claim(tenant, dictation.id).await.unwrap(), None, "somebody works on it");
    assert!(!store.unfinished().await.unwrap().contains(&(tenant, dictation.id)));
    assert!(store.renew(tenant, dictation.id, first).await.unwrap());
    store.release().await.unwrap();
    let second = store.claim(tenant, dictation.id).await.unwrap().unwrap();
    assert_eq!(second, Claim(first.0 + 1));
    assert!(!store.renew(tenant, dictation.id, first).await.unwrap(), "the first node learns that it is late");
    dictation.state = DictationState::NoSpeech;
    let late = store.complete(tenant, &dictation, first).await;
    assert!(matches!(late, Err(DictationStoreError::State)));
    store.complete(tenant, &dictation, second).await.unwrap();
    database.close().await;
    server.stop().await.unwrap();
}
