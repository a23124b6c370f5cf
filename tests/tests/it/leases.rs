//! Two nodes, one dictation: only one works on it, and a late one can't commit (decision D14).

use seva_clinic::dictation::{
    Attempt, AudioPlace, Dictation, DictationMode, DictationResult, DictationSettings, DictationState, DictationStore,
    DictationStoreError, Saved,
};
use seva_fhir::clock::{Clock, IdSource, RandomIds, SystemClock};
use seva_postgres::{Database, DatabaseSettings, PostgresDictations};
use seva_server::demo;
use seva_tests::server::TestServer;

#[tokio::test]
async fn a_claim_is_one_nodes_and_a_late_worker_cannot_commit() {
    let server = TestServer::start_with(|set| set.dictation.workers = 0).await.unwrap();
    let url = server.running.private_database().unwrap();
    let settings = DatabaseSettings { url, create: None, connections: 4, statement_seconds: 60 };
    let database = Database::open(&settings).await.unwrap();
    let store = PostgresDictations::new(&database);
    let tenant = server.running.accounts.tenant(demo::TENANT).await.unwrap();
    let mut dictation = dictation();
    store.create(tenant, &dictation).await.unwrap();
    let id = dictation.id;
    assert!(store.claim().await.unwrap().is_none(), "nothing to do while it takes audio");
    dictation.state = DictationState::Draining;
    store.update(tenant, &dictation, DictationState::Created).await.unwrap();
    assert_eq!((store.place(tenant, id).await.unwrap(), store.waiting(9).await.unwrap()), (1, vec![(tenant, id)]));

    let (_, taken, first) = store.claim().await.unwrap().unwrap();
    assert_eq!((taken.id, taken.state, first.attempts), (id, DictationState::Draining, 1));
    assert!(store.claim().await.unwrap().is_none(), "somebody works on it");
    assert_eq!((store.place(tenant, id).await.unwrap(), store.waiting(9).await.unwrap()), (0, Vec::new()));
    assert!(store.renew(tenant, id, first).await.unwrap());
    // Given back because the node stops, it is no attempt; given back because it took too long, it is one.
    store.give_back(tenant, id, first, Attempt::DoesNot).await.unwrap();
    let (_, _, second) = store.claim().await.unwrap().unwrap();
    assert_eq!((second.fence, second.attempts), (first.fence + 1, 1));
    store.give_back(tenant, id, second, Attempt::Counts).await.unwrap();
    let (_, _, third) = store.claim().await.unwrap().unwrap();
    assert_eq!(third.attempts, 2);
    assert!(!store.renew(tenant, id, first).await.unwrap(), "the first node learns that it is late");
    dictation.state = DictationState::NoSpeech;
    let late = store.advance(tenant, &dictation, (DictationState::Draining, second)).await;
    assert!(matches!(late, Err(DictationStoreError::State)));
    dictation.state = DictationState::Transcribed;
    store.advance(tenant, &dictation, (DictationState::Draining, third)).await.unwrap();
    let again = store.advance(tenant, &dictation, (DictationState::Draining, third)).await;
    assert!(matches!(again, Err(DictationStoreError::State)), "a stage is committed once");
    assert!(store.claim().await.unwrap().is_none(), "the claim goes on to the next stage");
    store.release().await.unwrap();
    let (_, taken, fourth) = store.claim().await.unwrap().unwrap();
    assert_eq!((taken.state, fourth.attempts), (DictationState::Transcribed, 1));
    database.close().await;
    server.stop().await.unwrap();
}

fn dictation() -> Dictation {
    let now = SystemClock.now().to_milliseconds();
    Dictation {
        id: RandomIds.new_uuid(),
        state: DictationState::Created,
        patient: "Patient/rane".parse().unwrap(),
        encounter: "Encounter/visit-rane".parse().unwrap(),
        consent: "Consent/consent-rane".parse().unwrap(),
        consent_version: None,
        settings: DictationSettings {
            account: "test".into(),
            display: "test".into(),
            practitioner: Some("Practitioner/kelkar".into()),
            language: "en".into(),
            mode: DictationMode::Toggle,
            commands: false,
            engine: "none".into(),
            engine_version: "0".into(),
        },
        result: DictationResult::default(),
        saved: Saved::default(),
        audio: AudioPlace::Rows,
        uploaded: 0,
        since: now,
        place: None,
        created: now,
        updated: now,
    }
}
