//! A hospital with engines that fail, wait or work as a test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use seva_clinic::dictation::{
    Dictation, DictationLimits, DictationMode, DictationParts, DictationRequest, DictationService, DictationState,
    DictationStore, Frame,
};
use seva_clinic::entities::{Entity, EntityExtractor, ExtractionError};
use seva_clinic::speech::scripted::ScriptedSpeech;
use seva_clinic::speech::{SpeechEngine, SpeechError, SpeechHealth, SpeechRequest, SpeechSession};
use seva_embedded::audio::EmbeddedAudioDecoder;
use seva_embedded::blobs::FileBlobs;
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
pub(crate) enum Mood {
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
    pub(crate) fn failing(times: usize) -> Arc<Self> {
        Arc::new(Self::Fails(AtomicUsize::new(times)))
    }

    pub(crate) fn waiting() -> Arc<Self> {
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

    pub(crate) fn asked(&self) -> usize {
        let Self::Waits { asked, .. } = self else { panic!("only those that wait count") };
        asked.load(Ordering::SeqCst)
    }

    pub(crate) fn let_go(&self) {
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
        let orders = "Tablet paracetamol 650 mg three times a day for five days. Get a complete blood count.";
        ScriptedSpeech::new(["Fever for three days.", orders, "Next field."]).open(request).await
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
pub(crate) struct Clinic {
    pub(crate) server: TestServer,
    pub(crate) database: Database,
    pub(crate) store: Arc<PostgresDictations>,
    pub(crate) blobs: Arc<FileBlobs>,
    pub(crate) caller: Caller,
}

impl Clinic {
    pub(crate) async fn open() -> Self {
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
        // The server looks after blobs too: they lie where it looks.
        let blobs = Arc::new(FileBlobs::open(&server.data().join("blobs")).unwrap());
        Self { server, database, store, blobs, caller }
    }

    pub(crate) fn node(&self, speech: Arc<Mood>, extraction: Arc<Mood>, limits: DictationLimits) -> DictationService {
        DictationService::new(self.parts(speech, extraction, limits))
    }

    /// A node that works in a way of its own.
    pub(crate) fn node_of(&self, change: impl FnOnce(&mut DictationParts)) -> DictationService {
        let mut parts = self.parts(works(), works(), limits());
        change(&mut parts);
        DictationService::new(parts)
    }

    fn parts(&self, speech: Arc<Mood>, extraction: Arc<Mood>, limits: DictationLimits) -> DictationParts {
        DictationParts {
            fhir: self.server.running.fhir.clone(),
            store: self.store.clone(),
            uploads: self.store.clone(),
            decoder: Arc::new(EmbeddedAudioDecoder),
            blobs: self.blobs.clone(),
            archive: self.store.clone(),
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
        }
    }

    /// A finished recording of a second.
    pub(crate) async fn recorded(&self, node: &DictationService, patient: &str) -> Uuid {
        self.recorded_with(node, patient, false).await
    }

    /// A dictation that takes a file, or frames.
    pub(crate) async fn begun(&self, node: &DictationService, patient: &str, commands: bool) -> Uuid {
        let request = DictationRequest {
            patient: format!("Patient/{patient}").parse().unwrap(),
            encounter: format!("Encounter/visit-{patient}").parse().unwrap(),
            consent: format!("Consent/consent-{patient}").parse().unwrap(),
            language: "en".to_owned(),
            mode: DictationMode::Upload,
            commands,
        };
        node.create(&self.caller, request).await.unwrap().id
    }

    /// The same, perhaps with commands.
    pub(crate) async fn recorded_with(&self, node: &DictationService, patient: &str, commands: bool) -> Uuid {
        let id = self.begun(node, patient, commands).await;
        let frame = Frame { sequence: 0, samples: vec![7; 32_000] };
        node.append_frames(&self.caller, id, vec![frame]).await.unwrap();
        let finished = node.finish(&self.caller, id).await.unwrap();
        assert_eq!(finished.state, DictationState::Draining);
        id
    }

    pub(crate) async fn until(&self, id: Uuid, wanted: DictationState) -> Dictation {
        for _ in 0..300 {
            let found = self.now(id).await;
            if found.state == wanted {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let found = self.now(id).await;
        panic!("it is {} and not {wanted}: {:?}", found.state, found.result.problem);
    }

    /// How many transcripts of a patient were written.
    pub(crate) async fn transcripts(&self, patient: &str) -> usize {
        let query = format!("/fhir/DocumentReference?patient={patient}&identifier:missing=false");
        self.server.doctor.get(&query).await.unwrap().matches().len()
    }

    /// The dictation as it stands.
    pub(crate) async fn now(&self, id: Uuid) -> Dictation {
        self.store.find(self.caller.tenant, id).await.unwrap().unwrap()
    }

    /// Stops the nodes first: the server waits for everybody who writes to its audit log.
    pub(crate) async fn close<const N: usize>(self, nodes: [DictationService; N]) {
        for node in nodes {
            node.shut_down().await;
        }
        self.database.close().await;
        self.server.stop().await.unwrap();
    }
}

pub(crate) fn limits() -> DictationLimits {
    // Sessions: none, so that all text comes from the stage and none from the live recogniser.
    DictationLimits { workers: 1, sessions: 0, ..DictationLimits::default() }
}

pub(crate) fn works() -> Arc<Mood> {
    Arc::new(Mood::Works)
}
