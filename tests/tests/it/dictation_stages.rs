//! The stages of the work on a dictation: each fails and is tried again, takes too long and is begun again, and commits
//! nothing once it is late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use seva_clinic::dictation::{
    Dictation, DictationLimits, DictationMode, DictationParts, DictationRequest, DictationService, DictationState,
    DictationStore, Frame, OtherNodes, Stage,
};
use seva_clinic::entities::{Entity, EntityExtractor, ExtractionError};
use seva_clinic::speech::scripted::ScriptedSpeech;
use seva_clinic::speech::{SpeechEngine, SpeechError, SpeechHealth, SpeechRequest, SpeechSession};
use seva_embedded::cipher::AesGcmCipher;
use seva_embedded::extraction::LexiconExtractor;
use seva_fhir::access::{Caller, Role};
use seva_fhir::clock::{RandomIds, SystemClock};
use seva_postgres::{Database, DatabaseSettings, PostgresAudit, PostgresDictations, PostgresReview};
use seva_server::demo;
use seva_tests::server::TestServer;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What an engine does when it is asked.
enum Mood {
    Works,
    /// So many times, then it works.
    Fails(AtomicUsize),
    /// Until it is let go.
    Waits {
        gate: Semaphore,
        asked: AtomicUsize,
    },
}

impl Mood {
    fn failing(times: usize) -> Arc<Self> {
        Arc::new(Self::Fails(AtomicUsize::new(times)))
    }

    fn waiting() -> Arc<Self> {
        Arc::new(Self::Waits { gate: Semaphore::new(0), asked: AtomicUsize::new(0) })
    }

    async fn show(&self) -> Result<(), String> {
        match self {
            Self::Works => Ok(()),
            Self::Fails(times) => {
                let left = times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                left.map_or(Ok(()), |_| Err("the engine is in a bad mood".to_owned()))
            }
            Self::Waits { gate, asked } => {
                asked.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                Ok(())
            }
        }
    }

    fn asked(&self) -> usize {
        let Self::Waits { asked, .. } = self else { panic!("only those that wait count") };
        asked.load(Ordering::SeqCst)
    }

    fn let_go(&self) {
        let Self::Waits { gate, .. } = self else { panic!("it does not wait") };
        gate.add_permits(100);
    }
}

struct MoodySpeech(Arc<Mood>);

#[async_trait]
impl SpeechEngine for MoodySpeech {
    fn name(&self) -> &str {
        "moody"
    }

    fn version(&self) -> String {
        "1".to_owned()
    }

    async fn health(&self) -> SpeechHealth {
        SpeechHealth::Ready { waiting: 0 }
    }

    async fn open(&self, request: SpeechRequest) -> Result<SpeechSession, SpeechError> {
        self.0.show().await.map_err(SpeechError::Engine)?;
        let medicine = "Tablet paracetamol 650 mg three times a day for five days.";
        ScriptedSpeech::new(["Fever for three days.", medicine, "Next field."]).open(request).await
    }
}

struct MoodyExtractor(Arc<Mood>, LexiconExtractor);

#[async_trait]
impl EntityExtractor for MoodyExtractor {
    fn name(&self) -> &str {
        "moody"
    }

    fn version(&self) -> &str {
        "1"
    }

    async fn extract(&self, text: &str, language: &str) -> Result<Vec<Entity>, ExtractionError> {
        self.0.show().await.map_err(|engine| ExtractionError::Unavailable { engine })?;
        self.1.extract(text, language).await
    }
}

/// A database with the demo hospital on whose dictations nobody works but the services of the test.
struct Clinic {
    server: TestServer,
    database: Database,
    store: Arc<PostgresDictations>,
    caller: Caller,
}

impl Clinic {
    async fn open() -> Self {
        let server = TestServer::start_with(|set| set.dictation.workers = 0).await.unwrap();
        let url = server.running.private_database().unwrap();
        let settings = DatabaseSettings { url, create: None, connections: 8, statement_seconds: 60 };
        let database = Database::open(&settings).await.unwrap();
        let store = Arc::new(PostgresDictations::new(&database));
        let tenant = server.running.accounts.tenant(demo::TENANT).await.unwrap();
        let caller = Caller {
            tenant,
            account: "test".into(),
            display: "Dr Kelkar".into(),
            roles: vec![Role::Doctor],
            practitioner: Some("kelkar".parse().unwrap()),
            patient: None,
            request: "test".into(),
        };
        Self { server, database, store, caller }
    }

    fn node(&self, speech: Arc<Mood>, extraction: Arc<Mood>, limits: DictationLimits) -> DictationService {
        DictationService::new(DictationParts {
            fhir: self.server.running.fhir.clone(),
            store: self.store.clone(),
            uploads: self.store.clone(),
            keys: self.store.clone(),
            cipher: Arc::new(AesGcmCipher::new(&[7; 32])),
            speech: Arc::new(MoodySpeech(speech)),
            extractor: Arc::new(MoodyExtractor(extraction, LexiconExtractor::default())),
            lexicon: Arc::new(PostgresReview::new(&self.database)),
            proposals: Arc::new(PostgresReview::new(&self.database)),
            audit: Arc::new(PostgresAudit::start(&self.database).0),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            limits,
        })
    }

    /// A finished recording of a second.
    async fn recorded(&self, node: &DictationService, patient: &str) -> Uuid {
        self.recorded_with(node, patient, false).await
    }

    /// The same, perhaps with commands.
    async fn recorded_with(&self, node: &DictationService, patient: &str, commands: bool) -> Uuid {
        let request = DictationRequest {
            patient: format!("Patient/{patient}").parse().unwrap(),
            encounter: format!("Encounter/visit-{patient}").parse().unwrap(),
            consent: format!("Consent/consent-{patient}").parse().unwrap(),
            language: "en".to_owned(),
            mode: DictationMode::Upload,
            commands,
        };
        let id = node.create(&self.caller, request).await.unwrap().id;
        let frame = Frame { sequence: 0, samples: vec![7; 32_000] };
        node.append_frames(&self.caller, id, vec![frame]).await.unwrap();
        let finished = node.finish(&self.caller, id).await.unwrap();
        assert_eq!(finished.state, DictationState::Draining);
        id
    }

    async fn until(&self, id: Uuid, wanted: DictationState) -> Dictation {
        for _ in 0..300 {
            let found = self.store.find(self.caller.tenant, id).await.unwrap().unwrap();
            if found.state == wanted {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let found = self.store.find(self.caller.tenant, id).await.unwrap().unwrap();
        panic!("it is {} and not {wanted}: {:?}", found.state, found.result.problem);
    }

    /// How many transcripts of a patient were written.
    async fn transcripts(&self, patient: &str) -> usize {
        let query = format!("/fhir/DocumentReference?patient={patient}&identifier:missing=false");
        self.server.doctor.get(&query).await.unwrap().matches().len()
    }

    /// Stops the nodes first: the server waits for everybody who writes to its audit log.
    async fn close<const N: usize>(self, nodes: [DictationService; N]) {
        for node in nodes {
            node.shut_down().await;
        }
        self.database.close().await;
        self.server.stop().await.unwrap();
    }
}

fn limits() -> DictationLimits {
    // Sessions: none, so that all text comes from the stage and none from the live recogniser.
    DictationLimits { workers: 1, sessions: 0, ..DictationLimits::default() }
}

fn works() -> Arc<Mood> {
    Arc::new(Mood::Works)
}

#[tokio::test]
async fn each_stage_that_failed_is_tried_again_from_where_it_failed() {
    let clinic = Clinic::open().await;
    let node = clinic.node(Mood::failing(1), Mood::failing(1), limits());
    node.start_work(OtherNodes::Possible).await.unwrap();
    let doctor = &clinic.server.doctor;
    let encounter = doctor.get("/fhir/Encounter/visit-rane").await.unwrap().json;
    let id = clinic.recorded(&node, "rane").await;

    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!(failed.result.failed_stage, Some(Stage::Transcribe));
    assert!(failed.result.problem.unwrap().contains("bad mood") && failed.result.segments.is_empty());
    assert_eq!(node.retry(&clinic.caller, id).await.unwrap().state, DictationState::Draining);

    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!((failed.result.failed_stage, failed.result.segments.len()), (Some(Stage::Extract), 3));
    // The draft can't be written without its visit.
    let deleted = doctor.send(Method::DELETE, "/fhir/Encounter/visit-rane", &[], None).await.unwrap();
    assert!(deleted.status < 300, "{}", deleted.json);
    assert_eq!(node.retry(&clinic.caller, id).await.unwrap().state, DictationState::Transcribed);

    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!(failed.result.failed_stage, Some(Stage::Draft));
    assert!(!failed.result.entities.is_empty(), "what extraction came to is kept");
    let headers = [("content-type", "application/fhir+json")];
    let body = Some(encounter.to_string().into());
    assert!(doctor.send(Method::PUT, "/fhir/Encounter/visit-rane", &headers, body).await.unwrap().status < 300);
    assert_eq!(node.retry(&clinic.caller, id).await.unwrap().state, DictationState::Extracted);

    let drafted = clinic.until(id, DictationState::Drafted).await;
    assert_eq!((drafted.result.problem, drafted.result.failed_stage), (None, None));
    assert!(drafted.result.composition.is_some());
    assert!(node.retry(&clinic.caller, id).await.is_err(), "it has not failed");
    assert_eq!(clinic.transcripts("rane").await, 1);
    clinic.close([node]).await;
}

#[tokio::test]
async fn commands_are_read_where_a_dictation_takes_them_and_never_reach_its_text() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    node.start_work(OtherNodes::Possible).await.unwrap();
    for (patient, commands) in [("rane", true), ("dhillon", false)] {
        let id = clinic.recorded_with(&node, patient, commands).await;
        let drafted = clinic.until(id, DictationState::Drafted).await;
        let last = drafted.result.segments.last().unwrap();
        assert_eq!(last.command.map(|command| command.code()), commands.then_some("next-field"));
        let text = DictationService::transcript(&drafted).text;
        assert_eq!(text.contains("Next field"), !commands, "{text}");
    }
    clinic.close([node]).await;
}

#[tokio::test]
async fn a_worker_whose_lease_is_lost_commits_nothing() {
    let clinic = Clinic::open().await;
    let gate = Mood::waiting();
    let slow = clinic.node(works(), Arc::clone(&gate), limits());
    slow.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.recorded(&slow, "rane").await;
    let before = clinic.until(id, DictationState::Transcribed).await;
    while gate.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The lease is over, though the worker still works.
    clinic.store.release().await.unwrap();
    let quick = clinic.node(works(), works(), limits());
    quick.start_work(OtherNodes::Possible).await.unwrap();
    let drafted = clinic.until(id, DictationState::Drafted).await;
    assert!(drafted.result.segments == before.result.segments, "the text was not made a second time");
    gate.let_go();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = clinic.store.find(clinic.caller.tenant, id).await.unwrap().unwrap();
    assert!(after == drafted, "the late worker changed nothing");
    assert_eq!(clinic.transcripts("rane").await, 1);
    clinic.close([slow, quick]).await;
}

#[tokio::test]
async fn a_stage_that_takes_too_long_is_begun_again_and_fails_in_the_end() {
    let clinic = Clinic::open().await;
    let gate = Mood::waiting();
    let limits = DictationLimits { stage: Duration::from_millis(400), attempts: 2, ..limits() };
    let node = clinic.node(works(), Arc::clone(&gate), limits);
    node.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.recorded(&node, "rane").await;
    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!((failed.result.failed_stage, gate.asked()), (Some(Stage::Extract), 2));
    assert!(failed.result.problem.unwrap().contains("longer than"));
    gate.let_go();
    node.retry(&clinic.caller, id).await.unwrap();
    clinic.until(id, DictationState::Drafted).await;
    clinic.close([node]).await;
}

#[tokio::test]
async fn so_many_are_worked_on_at_once_and_a_node_that_stops_gives_its_work_back() {
    let clinic = Clinic::open().await;
    let gate = Mood::waiting();
    let node = clinic.node(works(), Arc::clone(&gate), DictationLimits { workers: 2, ..limits() });
    let mut ids = Vec::new();
    for patient in ["rane", "dhillon", "gawande"] {
        ids.push(clinic.recorded(&node, patient).await);
    }
    node.start_work(OtherNodes::Possible).await.unwrap();
    while gate.asked() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(gate.asked(), 2, "the third waits");
    let place = node.find(&clinic.caller, ids[2]).await.unwrap().place;
    assert_eq!((place, node.find(&clinic.caller, ids[0]).await.unwrap().place), (Some(1), Some(0)));
    node.shut_down().await;
    let waiting = clinic.store.waiting(9).await.unwrap();
    assert_eq!(waiting.len(), 3, "nobody has to wait for the end of a lease");
    let next = clinic.node(works(), works(), limits());
    next.start_work(OtherNodes::Possible).await.unwrap();
    for id in ids {
        clinic.until(id, DictationState::Drafted).await;
    }
    clinic.close([node, next]).await;
}
