//! A running `seva`: every part started in order, and stopped in the opposite one. Tests start the same.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use poem::listener::{Acceptor, Listener, TcpAcceptor, TcpListener};
use poem::{Endpoint, EndpointExt};
use seva_clinic::blobs::SealedBlobs;
use seva_clinic::commands::{CommandParts, CommandService};
use seva_clinic::dictation::{DictationParts, DictationService, OtherNodes};
use seva_clinic::entities::EntityExtractor;
use seva_clinic::extracting::TextExtraction;
use seva_clinic::prescription::{PrescriptionParts, PrescriptionService};
use seva_clinic::review::{ReviewParts, ReviewService};
use seva_clinic::speech::SpeechEngine;
use seva_embedded::audio::EmbeddedAudioDecoder;
use seva_embedded::cipher::AesGcmCipher;
use seva_embedded::identity::Argon2Hasher;
use seva_embedded::postgres::{PostgresCluster, PostgresSettings};
use seva_embedded::print::KrillaPrinter;
use seva_embedded::seal::MasterSealKey;
use seva_fhir::access::{AccountStore, TokenVerifier};
use seva_fhir::clock::{RandomIds, SystemClock};
use seva_fhir::jobs::{JobDesk, JobDeskParts};
use seva_fhir::{FhirService, FhirServiceParts};
use seva_http::{Authenticator, AuthenticatorParts, Services, TokenKeys, new_signing_key};
use seva_postgres::{
    Database, DatabaseSettings, PostgresAccounts, PostgresAudit, PostgresAuditEvents, PostgresConcepts,
    PostgresDictations, PostgresIdempotency, PostgresJobs, PostgresResources, PostgresReview, PostgresSealer,
    PostgresSecrets, Reindexing,
};
use seva_remote::issuer::IssuerVerifier;
use seva_web::WebSettings;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::configuration::{Configuration, Server};
use crate::probes::Dependencies;
use crate::workers::Workers;
use crate::{adapters, data_folder, pages};

/// How long requests in flight have at the stop.
const DRAIN: Duration = Duration::from_secs(20);
/// The database within the private cluster.
const DATABASE: &str = "seva";

/// The private cluster, if one is used, and the database.
pub struct Store {
    cluster: Option<PostgresCluster>,
    /// The migrated database.
    pub database: Database,
}

impl Store {
    /// Starts the private cluster unless a database is configured, and opens the database.
    pub async fn open(configuration: &Configuration) -> anyhow::Result<Self> {
        data_folder::ensure(&configuration.data.folder)?;
        let (connections, statement_seconds) =
            (configuration.database.connections, configuration.database.statement_seconds);
        let (cluster, settings) = match &configuration.database.url {
            Some(url) => (None, DatabaseSettings { url: url.clone(), create: None, connections, statement_seconds }),
            None => {
                let cluster = PostgresCluster::start(&postgres_settings(configuration)).await?;
                let settings = DatabaseSettings {
                    url: cluster.url(),
                    create: Some(DATABASE.to_owned()),
                    connections,
                    statement_seconds,
                };
                (Some(cluster), settings)
            }
        };
        let database = Database::open(&settings).await?;
        Ok(Self { cluster, database })
    }

    /// A private cluster has one node; a configured database may have more.
    fn others(&self) -> OtherNodes {
        if self.cluster.is_some() { OtherNodes::None } else { OtherNodes::Possible }
    }

    /// Closes the connections and stops the cluster.
    pub async fn close(self) -> anyhow::Result<()> {
        self.database.close().await;
        match self.cluster {
            Some(cluster) => cluster.stop().await.map_err(anyhow::Error::from),
            None => Ok(()),
        }
    }
}

/// Where PostgreSQL's programs and cluster lie.
pub fn postgres_settings(configuration: &Configuration) -> PostgresSettings {
    #[expect(clippy::disallowed_methods, reason = "PATH is part of the configuration's home")]
    let path = std::env::var("PATH").unwrap_or_default();
    PostgresSettings {
        data: configuration.data.folder.clone(),
        binaries: configuration.database.binaries.clone(),
        search_path: path.split(':').map(PathBuf::from).collect(),
    }
}

/// A running server.
pub struct Running {
    /// The address that is listened on.
    pub address: SocketAddr,
    /// The FHIR service, for the demo data.
    pub fhir: FhirService,
    /// Accounts, for the demo log-in.
    pub accounts: Arc<dyn AccountStore>,
    /// Prescriptions.
    pub prescriptions: PrescriptionService,
    /// What the handlers say of themselves, as OpenAPI.
    pub specification: String,
    dictations: DictationService,
    store: Store,
    closing: watch::Sender<bool>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
    background: Background,
}

/// What runs behind the requests.
struct Background {
    workers: Workers,
    reindexing: JoinHandle<()>,
    audit_writer: JoinHandle<()>,
}

impl Background {
    fn start(
        services: &Services,
        sealer: PostgresSealer,
        reindexing: Reindexing,
        audit_writer: JoinHandle<()>,
    ) -> Self {
        let reindexing = tokio::spawn(reindexing.run(services.closing.clone()));
        Self { workers: Workers::start(services, sealer), reindexing, audit_writer }
    }
}

impl Running {
    /// Starts everything; the port is open when this returns.
    pub async fn start(configuration: Configuration) -> anyhow::Result<Self> {
        let store = Store::open(&configuration).await?;
        let database = store.database.clone();
        let (acceptor, address, url) = bind(&configuration.server).await?;
        let (audit, audit_writer) = PostgresAudit::start(&database);
        let parts = Parts { configuration: &configuration, database: &database, audit, url: &url };
        let fhir = parts.fhir();
        let accounts: Arc<dyn AccountStore> = Arc::new(PostgresAccounts::new(&database));
        let speech = adapters::speech(&configuration).await?;
        let sealed = parts.sealed()?;
        let blobs = parts.blobs(&sealed).await?;
        let extractor = adapters::extractor(&configuration).await?;
        let dictations = parts.dictations(&fhir, Heard { speech: &speech, extractor: &extractor }, (&sealed, &blobs));
        let prescriptions = parts.prescriptions(&fhir, &blobs);
        let reindexing = Reindexing::begin(&database).await?;
        // What a crash interrupted goes on from its committed audio.
        dictations.start_work(store.others()).await?;
        let (closing, closing_seen) = watch::channel(false);
        let verifier = adapters::verifier(&configuration)?;
        let (blob_store, issuer) = (Arc::clone(&blobs.store), verifier.clone());
        let extraction = parts.extraction(&extractor);
        let asked = Dependencies { database: &database, speech, extractor, blobs: blob_store, issuer };
        let services = Arc::new(Services {
            fhir: fhir.clone(),
            authenticator: parts.authenticator(&accounts, verifier).await?,
            dictations: dictations.clone(),
            prescriptions: prescriptions.clone(),
            review: parts.review(&fhir, &dictations, &prescriptions),
            commands: parts.commands(&prescriptions),
            jobs: parts.jobs(&blobs),
            blobs,
            extraction,
            decoder: Arc::new(EmbeddedAudioDecoder),
            url: url.clone(),
            closing: closing_seen,
            idempotency: Arc::new(PostgresIdempotency::new(&database)),
            ids: Arc::new(RandomIds),
            probes: asked.probes(),
            aws: asked.aws(&configuration),
        });
        let sealer = sealer(&configuration, &database)?;
        drop(parts);
        let specification = seva_http::api_specification(&services);
        let settings = WebSettings { url: url.clone(), zone: configuration.server.time_zone.0 };
        let app = pages::with_pages(seva_http::endpoint(&services).boxed(), settings);
        let (stop, server) = serve(acceptor, app);
        let background = Background::start(&services, sealer, reindexing, audit_writer);
        Ok(Self {
            address,
            fhir,
            accounts,
            prescriptions,
            specification,
            dictations,
            store,
            closing,
            stop,
            server,
            background,
        })
    }

    /// The private database, for tools on this machine; none where another one is configured.
    pub fn private_database(&self) -> Option<String> {
        let url = self.store.cluster.as_ref()?.url();
        Some(format!("{}/{DATABASE}", url.trim_end_matches("/postgres")))
    }

    /// Stops: requests in flight are finished, audit records written, PostgreSQL ended.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { fhir, accounts, prescriptions, dictations, store, closing, stop, server, background, .. } = self;
        closing.send_replace(true);
        // The server may have ended by itself: then there is nobody to tell.
        let _ = stop.send(());
        server.await??;
        background.workers.stop().await;
        background.reindexing.await?;
        dictations.shut_down().await;
        drop((fhir, accounts, prescriptions, dictations));
        tokio::time::timeout(DRAIN, background.audit_writer)
            .await
            .context("the audit log was not written in time")??;
        store.close().await
    }
}

/// What seals the audit log, with the key that comes from the master key.
pub fn sealer(configuration: &Configuration, database: &Database) -> anyhow::Result<PostgresSealer> {
    let data = &configuration.data;
    let master = data_folder::master_key(&data.folder, data.master_key.as_deref())?;
    Ok(PostgresSealer::new(database, Arc::new(MasterSealKey::derive(&master)?), Arc::new(SystemClock)))
}

/// Serves until the sender is used or dropped.
fn serve(
    acceptor: impl Acceptor + 'static,
    app: impl Endpoint + 'static,
) -> (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let server = poem::Server::new_with_acceptor(acceptor);
    let signal = async move { drop(stopped.await) };
    (stop, tokio::spawn(server.run_with_graceful_shutdown(app, signal, Some(DRAIN))))
}

/// Opens the port; tells the address that is listened on and the one that clients use.
async fn bind(server: &Server) -> anyhow::Result<(TcpAcceptor, SocketAddr, String)> {
    let listen = server.listen;
    let acceptor =
        TcpListener::bind(listen).into_acceptor().await.with_context(|| format!("server.listen {listen}"))?;
    let address = acceptor.local_addr().first().and_then(|a| a.as_socket_addr().copied()).unwrap_or(listen);
    let url = match &server.public_url {
        Some(_) => server.url(),
        None => format!("http://{address}"),
    };
    Ok((acceptor, address, url))
}

/// Keys and cipher of recordings and blobs.
struct Sealed {
    recordings: Arc<PostgresDictations>,
    cipher: Arc<AesGcmCipher>,
}

/// What listens, and what reads the text that was heard.
struct Heard<'a> {
    speech: &'a Arc<dyn SpeechEngine>,
    extractor: &'a Arc<dyn EntityExtractor>,
}

/// What the services are made of.
struct Parts<'a> {
    configuration: &'a Configuration,
    database: &'a Database,
    audit: PostgresAudit,
    url: &'a str,
}

impl Parts<'_> {
    fn fhir(&self) -> FhirService {
        FhirService::new(FhirServiceParts {
            store: Arc::new(PostgresResources::new(self.database)),
            concepts: Arc::new(PostgresConcepts::new(self.database)),
            audit: Arc::new(self.audit.clone()),
            events: Arc::new(PostgresAuditEvents::new(self.database)),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            base_url: format!("{}/fhir", self.url),
            level: self.configuration.validation.level.0,
        })
    }

    /// What recordings and blobs are sealed with.
    fn sealed(&self) -> anyhow::Result<Sealed> {
        let data = &self.configuration.data;
        let master = data_folder::master_key(&data.folder, data.master_key.as_deref())?;
        let recordings = Arc::new(PostgresDictations::new(self.database));
        Ok(Sealed { recordings, cipher: Arc::new(AesGcmCipher::new(&master)) })
    }

    async fn blobs(&self, sealed: &Sealed) -> anyhow::Result<SealedBlobs> {
        let store = adapters::blobs(self.configuration).await?;
        let Sealed { recordings, cipher } = sealed;
        Ok(SealedBlobs { store, keys: recordings.clone(), cipher: cipher.clone() })
    }

    fn jobs(&self, blobs: &SealedBlobs) -> JobDesk {
        JobDesk::new(JobDeskParts {
            store: Arc::new(PostgresJobs::new(self.database)),
            files: Arc::new(blobs.clone()),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }

    fn dictations(
        &self,
        fhir: &FhirService,
        heard: Heard<'_>,
        (sealed, blobs): (&Sealed, &SealedBlobs),
    ) -> DictationService {
        DictationService::new(DictationParts {
            fhir: fhir.clone(),
            store: sealed.recordings.clone(),
            uploads: sealed.recordings.clone(),
            blobs: blobs.store.clone(),
            archive: sealed.recordings.clone(),
            keys: sealed.recordings.clone(),
            cipher: sealed.cipher.clone(),
            speech: Arc::clone(heard.speech),
            extractor: Arc::clone(heard.extractor),
            lexicon: Arc::new(PostgresReview::new(self.database)),
            proposals: Arc::new(PostgresReview::new(self.database)),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            limits: self.configuration.dictation.limits(),
        })
    }

    fn extraction(&self, extractor: &Arc<dyn EntityExtractor>) -> TextExtraction {
        TextExtraction {
            extractor: Arc::clone(extractor),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }

    fn prescriptions(&self, fhir: &FhirService, blobs: &SealedBlobs) -> PrescriptionService {
        PrescriptionService::new(PrescriptionParts {
            fhir: fhir.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            printer: Arc::new(KrillaPrinter),
            blobs: blobs.clone(),
        })
    }

    fn commands(&self, prescriptions: &PrescriptionService) -> CommandService {
        CommandService::new(CommandParts {
            prescriptions: prescriptions.clone(),
            log: Arc::new(PostgresReview::new(self.database)),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }

    fn review(
        &self,
        fhir: &FhirService,
        dictations: &DictationService,
        prescriptions: &PrescriptionService,
    ) -> ReviewService {
        let kept = Arc::new(PostgresReview::new(self.database));
        ReviewService::new(ReviewParts {
            fhir: fhir.clone(),
            dictations: dictations.clone(),
            prescriptions: prescriptions.clone(),
            marks: kept.clone(),
            lexicon: kept.clone(),
            proposals: kept,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }

    async fn authenticator(
        &self,
        accounts: &Arc<dyn AccountStore>,
        external: Option<Arc<IssuerVerifier>>,
    ) -> anyhow::Result<Authenticator> {
        let key = PostgresSecrets::new(self.database).get_or_store("token-key", &new_signing_key()?).await?;
        Ok(Authenticator::new(AuthenticatorParts {
            accounts: Arc::clone(accounts),
            hasher: Arc::new(Argon2Hasher),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            keys: TokenKeys::new(&key, self.url)?,
            external: external.map(|verifier| verifier as Arc<dyn TokenVerifier>),
        }))
    }
}
