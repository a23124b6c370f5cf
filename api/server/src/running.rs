//! A running `seva`: every part started in order, and stopped in the opposite one. Tests start the same.

mod parts;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use poem::EndpointExt;
use poem::listener::{Acceptor, Listener, TcpAcceptor, TcpListener};
use seva_clinic::blobs::LargeBinaries;
use seva_clinic::dictation::{DictationService, OtherNodes};
use seva_clinic::prescription::PrescriptionService;
use seva_embedded::postgres::{PostgresCluster, PostgresSettings};
use seva_embedded::seal::MasterSealKey;
use seva_fhir::FhirService;
use seva_fhir::access::AccountStore;
use seva_fhir::clock::{RandomIds, SystemClock};
use seva_http::Services;
use seva_postgres::{
    Database, DatabaseSettings, PostgresAccounts, PostgresAudit, PostgresIdempotency, PostgresSealer, Reindexing,
};
use seva_web::WebSettings;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::configuration::{Configuration, Server};
use crate::probes::Dependencies;
use crate::workers::Workers;
use crate::{adapters, data_folder, pages};
use parts::{Heard, Parts};

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
            Some(url) => {
                (None, DatabaseSettings { url: url.reveal().to_owned(), create: None, connections, statement_seconds })
            }
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
        match (Database::open(&settings).await, cluster) {
            (Ok(database), cluster) => Ok(Self { cluster, database }),
            (Err(error), None) => Err(error.into()),
            (Err(error), Some(cluster)) => {
                cluster.stop().await?;
                Err(error.into())
            }
        }
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
        (sealer, resources): (PostgresSealer, LargeBinaries),
        reindexing: Reindexing,
        audit_writer: JoinHandle<()>,
    ) -> Self {
        let reindexing = tokio::spawn(reindexing.run(services.closing.clone()));
        Self { workers: Workers::start(services, sealer, resources), reindexing, audit_writer }
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
        let sealed = parts.sealed()?;
        let blobs = parts.blobs(&sealed).await?;
        let resources = parts.resources(&blobs);
        let fhir = parts.fhir(&resources);
        let accounts: Arc<dyn AccountStore> = Arc::new(PostgresAccounts::new(&database));
        let speech = adapters::speech(&configuration).await?;
        let extractor = adapters::extractor(&configuration).await?;
        let dictations = parts.dictations(&fhir, Heard { speech: &speech, extractor: &extractor }, (&sealed, &blobs));
        let prescriptions = parts.prescriptions(&fhir, (&sealed, &blobs));
        let translator = adapters::translator(&configuration).await?;
        let reindexing = Reindexing::begin(&database).await?;
        // What a crash interrupted goes on from its committed audio.
        dictations.start_work(store.others()).await?;
        let (closing, closing_seen) = watch::channel(false);
        let verifier = adapters::verifier(&configuration)?;
        let (blob_store, issuer) = (Arc::clone(&blobs.store), verifier.clone());
        let asked = Dependencies { database: &database, speech, extractor, translator, blobs: blob_store, issuer };
        let services = Arc::new(Services {
            fhir: fhir.clone(),
            authenticator: parts.authenticator(&accounts, verifier).await?,
            dictations: dictations.clone(),
            prescriptions: prescriptions.clone(),
            review: parts.review(&fhir, &dictations, &prescriptions),
            commands: parts.commands(&prescriptions),
            jobs: parts.jobs(&blobs),
            blobs,
            extraction: parts.extraction(&asked.extractor),
            translations: parts.translations(&prescriptions, &asked.translator),
            fetcher: adapters::fetcher(&configuration)?,
            url: url.clone(),
            closing: closing_seen,
            proxies: configuration.server.trusted_proxies.0.clone(),
            idempotency: Arc::new(PostgresIdempotency::new(&database)),
            ids: Arc::new(RandomIds),
            probes: asked.probes(),
            aws: asked.aws(&configuration),
        });
        let (stop, server) = serve(acceptor, &services, &configuration);
        let background =
            Background::start(&services, (sealer(&configuration, &database)?, resources), reindexing, audit_writer);
        Ok(Self {
            address,
            fhir,
            accounts,
            prescriptions,
            specification: seva_http::api_specification(&services),
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
    let master = data_folder::master_key(&data.folder, data.master_key.as_ref())?;
    Ok(PostgresSealer::new(database, Arc::new(MasterSealKey::derive(&master)?), Arc::new(SystemClock)))
}

/// Serves until the sender is used or dropped.
fn serve(
    acceptor: impl Acceptor + 'static,
    services: &Arc<Services>,
    configuration: &Configuration,
) -> (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>) {
    let settings = WebSettings { url: services.url.clone(), zone: configuration.server.time_zone.0 };
    let app = pages::with_pages(seva_http::endpoint(services).boxed(), settings, services.proxies.clone());
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
