//! `/health/live`, `/health`, `/health/aws-connectivity`: honest checks, each with its time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::join_all;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use tokio::sync::Mutex;

use crate::services::Services;

/// A check that does not answer in this time is down.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer of AWS is given again: anybody may ask here, and AWS must not be asked as often.
const AWS_LASTS: Duration = Duration::from_secs(10);

/// Something that the server depends on and that can be asked how it is.
#[async_trait]
pub trait Probe: Send + Sync {
    /// A short name: `database`, `speech`.
    fn name(&self) -> &str;

    /// How long an answer is given again: others' services are not asked with every visit.
    fn lasts(&self) -> Duration {
        Duration::ZERO
    }

    /// Asks; the text of an error says what to do.
    async fn ask(&self) -> Result<Option<String>, String>;
}

/// A service of AWS, as configured.
#[async_trait]
pub trait AwsProbe: Send + Sync {
    /// The service's name: `comprehendmedical`.
    fn service(&self) -> &str;

    /// The region, when the service is configured.
    fn region(&self) -> Option<&str>;

    /// Asks the service.
    async fn ask(&self) -> Result<(), String>;
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum CheckStatus {
    /// It works.
    Up,
    /// It works, with less.
    Degraded,
    /// It does not work.
    Down,
}

/// One check.
#[derive(Clone, Debug, Object)]
pub struct Check {
    /// What was asked.
    pub name: String,
    /// How it is.
    pub status: CheckStatus,
    /// How long the answer took.
    pub milliseconds: u64,
    /// What is so, and what to do.
    #[oai(skip_serializing_if_is_none)]
    pub detail: Option<String>,
}

/// All checks.
#[derive(Clone, Debug, Object)]
pub struct Health {
    /// Down when the database is; degraded when anything else is.
    pub status: CheckStatus,
    /// Each one.
    pub checks: Vec<Check>,
}

/// That the process answers.
#[derive(Clone, Debug, Object)]
pub struct Liveness {
    /// Always up.
    pub status: CheckStatus,
}

/// One AWS service.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct AwsService {
    /// Its name.
    pub service: String,
    /// Whether the configuration chooses it.
    pub configured: bool,
    /// Its region.
    #[oai(skip_serializing_if_is_none)]
    pub region: Option<String>,
    /// How it is; down when it is not configured and was not asked is never said: see `configured`.
    #[oai(skip_serializing_if_is_none)]
    pub status: Option<CheckStatus>,
    /// How long the answer took.
    #[oai(skip_serializing_if_is_none)]
    pub milliseconds: Option<u64>,
    /// What is so.
    #[oai(skip_serializing_if_is_none)]
    pub detail: Option<String>,
}

/// All AWS services.
#[derive(Clone, Debug, Object)]
pub struct AwsConnectivity {
    /// Each one.
    pub services: Vec<AwsService>,
}

/// The answer of `/health`.
#[derive(ApiResponse)]
pub enum HealthResponse {
    /// It works, perhaps with less.
    #[oai(status = 200)]
    Up(Json<Health>),
    /// It does not work.
    #[oai(status = 503)]
    Down(Json<Health>),
}

/// The last answer of a check, kept while it lasts; whoever comes meanwhile waits for the one question.
struct Remembered<T>(Mutex<Option<(Instant, T)>>);

impl<T: Clone> Remembered<T> {
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    async fn recall(&self, lasts: Duration, ask: impl Future<Output = T>) -> T {
        if lasts.is_zero() {
            return ask.await;
        }
        let mut last = self.0.lock().await;
        if let Some((_, answer)) = last.as_ref().filter(|(since, _)| since.elapsed() < lasts) {
            return answer.clone();
        }
        let answer = ask.await;
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

/// The handlers.
pub struct HealthApi {
    services: Arc<Services>,
    checks: Vec<Remembered<Check>>,
    aws: Vec<Remembered<AwsService>>,
}

impl HealthApi {
    pub(crate) fn new(services: &Arc<Services>) -> Self {
        let checks = services.probes.iter().map(|_| Remembered::new()).collect();
        let aws = services.aws.iter().map(|_| Remembered::new()).collect();
        Self { services: Arc::clone(services), checks, aws }
    }
}

#[OpenApi]
impl HealthApi {
    /// Says that the process answers.
    #[oai(path = "/health/live", method = "get", operation_id = "readLiveness")]
    async fn read_liveness(&self) -> Json<Liveness> {
        Json(Liveness { status: CheckStatus::Up })
    }

    /// Asks everything that the server depends on.
    #[oai(path = "/health", method = "get", operation_id = "readHealth")]
    async fn read_health(&self) -> HealthResponse {
        let probes = self.services.probes.iter().zip(&self.checks);
        let asked = probes.map(|(probe, last)| last.recall(probe.lasts(), check(probe.as_ref())));
        let checks = join_all(asked).await;
        let down = |check: &&Check| check.status == CheckStatus::Down;
        let status = match checks.iter().find(down) {
            Some(check) if check.name == "database" => CheckStatus::Down,
            Some(_) => CheckStatus::Degraded,
            None => CheckStatus::Up,
        };
        let health = Json(Health { status, checks });
        if status == CheckStatus::Down { HealthResponse::Down(health) } else { HealthResponse::Up(health) }
    }

    /// Asks the AWS services that are configured.
    #[oai(path = "/health/aws-connectivity", method = "get", operation_id = "readAwsConnectivity")]
    async fn read_aws_connectivity(&self) -> Json<AwsConnectivity> {
        let probes = self.services.aws.iter().zip(&self.aws);
        let asked = probes.map(|(probe, last)| last.recall(AWS_LASTS, aws(probe.as_ref())));
        Json(AwsConnectivity { services: join_all(asked).await })
    }
}

async fn check(probe: &dyn Probe) -> Check {
    let started = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, probe.ask()).await;
    let (status, detail) = match answer {
        Ok(Ok(detail)) => (CheckStatus::Up, detail),
        Ok(Err(text)) => (CheckStatus::Down, Some(text)),
        Err(_) => (CheckStatus::Down, Some(format!("no answer within {} s", PATIENCE.as_secs()))),
    };
    Check { name: probe.name().to_owned(), status, milliseconds: elapsed(started), detail }
}

async fn aws(probe: &dyn AwsProbe) -> AwsService {
    let region = probe.region().map(str::to_owned);
    let mut service = AwsService {
        service: probe.service().to_owned(),
        configured: region.is_some(),
        region,
        status: None,
        milliseconds: None,
        detail: None,
    };
    if service.configured {
        let started = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, probe.ask()).await;
        service.milliseconds = Some(elapsed(started));
        (service.status, service.detail) = match answer {
            Ok(Ok(())) => (Some(CheckStatus::Up), None),
            Ok(Err(text)) => (Some(CheckStatus::Down), Some(text)),
            Err(_) => (Some(CheckStatus::Down), Some(format!("no answer within {} s", PATIENCE.as_secs()))),
        };
    }
    service
}

fn elapsed(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
