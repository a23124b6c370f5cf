//! How a service of AWS is reached: region, endpoint, credentials, time-outs and retries of the SDK
//! (<https://docs.aws.amazon.com/sdk-for-rust/latest/dg/configure.html>).

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(3);
/// How long the credentials of the task may take to come; a machine outside AWS has nobody who answers.
const IDENTITY: Duration = Duration::from_secs(5);

/// Who asks.
#[derive(Clone, Debug)]
pub enum Identity {
    /// The SDK's chain: variables, profile, web identity, the task's or the instance's role.
    Chain,
    /// A fixed key, for a service that stands in for AWS.
    Fixed {
        /// The key's id.
        key_id: String,
        /// The key.
        secret: String,
    },
}

/// Where a service is and who asks it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The region; configured, never guessed.
    pub region: String,
    /// Another address than the region's own.
    pub endpoint: Option<String>,
    /// Who asks.
    pub identity: Identity,
    /// Certificates (PEM, checked) that are trusted beside the machine's own, for a private endpoint.
    pub certificates: Option<Vec<u8>>,
}

/// How long a service may take, and how often it is asked again.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// One attempt.
    pub(crate) attempt: Duration,
    /// All attempts together.
    pub(crate) all: Duration,
    /// How many attempts; the SDK waits between them, longer each time and never twice the same.
    pub(crate) attempts: u32,
}

impl Connection {
    /// The SDK's configuration.
    pub(crate) async fn configure(&self, patience: Patience) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(patience.attempt)
            .operation_timeout(patience.all)
            .build();
        let cache = aws_config::identity::IdentityCache::lazy().load_timeout(IDENTITY).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .identity_cache(cache)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(patience.attempts));
        if let Some(endpoint) = &self.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(client) = self.private_client() {
            loader = loader.http_client(client);
        }
        if let Identity::Fixed { key_id, secret } = &self.identity {
            loader = loader.credentials_provider(Credentials::new(key_id, secret, None, None, "fixed"));
        }
        loader.load().await
    }

    /// A client that trusts a private endpoint's certificates too.
    fn private_client(&self) -> Option<SharedHttpClient> {
        let store = TrustStore::default().with_pem_certificate(self.certificates.clone()?);
        let context = TlsContext::builder().with_trust_store(store).build().ok()?;
        let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        Some(builder.tls_context(context).build_https())
    }

    /// The host and port that a service is reached at.
    pub(crate) fn authority(&self, service: &str) -> String {
        let own = format!("https://{service}.{}.{}", self.region, domain(&self.region));
        let url = self.endpoint.as_deref().unwrap_or(&own);
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let host = rest.split('/').next().unwrap_or_default();
        let port = if scheme == "http" { 80 } else { 443 };
        if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            host.to_owned()
        } else {
            format!("{host}:{port}")
        }
    }
}

fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The code of a service's refusal, which stays one however often it is asked; nothing where another attempt may succeed, as
/// after overload (`passing` are its codes) and faults of the service. What the service said is for the log: its words may
/// quote the text, so only its code is kept.
pub(crate) fn refusal<E: ProvideErrorMetadata + Error + 'static>(
    error: &SdkError<E>,
    (service, work): (&str, &str),
    passing: &[&str],
) -> Option<String> {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_else(|| silence(error));
    tracing::warn!(service, status, code, "{work} failed");
    let refused = status.is_some_and(|status| (400..500).contains(&status) && status != 429);
    (refused && !passing.contains(&code)).then(|| code.to_owned())
}

/// Why a service gave no answer, in a few words; the SDK's own are for the log.
pub(crate) fn silence<E: Error + 'static, R: std::fmt::Debug>(error: &SdkError<E, R>) -> &'static str {
    tracing::debug!(error = %DisplayErrorContext(error), "a service of AWS did not answer");
    match error {
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time",
        SdkError::DispatchFailure(failure) if failure.is_io() => "no connection",
        SdkError::DispatchFailure(_) => "no credentials, or no connection",
        SdkError::ConstructionFailure(_) => "the request can't be made",
        _ => "the answer can't be read",
    }
}
