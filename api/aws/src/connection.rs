//! How a service of AWS is reached: region, endpoint, credentials, time-outs and retries of the SDK
//! (<https://docs.aws.amazon.com/sdk-for-rust/latest/dg/configure.html>).

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};

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
        if let Identity::Fixed { key_id, secret } = &self.identity {
            loader = loader.credentials_provider(Credentials::new(key_id, secret, None, None, "fixed"));
        }
        loader.load().await
    }
}

/// Why a service gave no answer, in a few words; the SDK's own are for the log.
pub(crate) fn silence<E: Error + 'static>(error: &SdkError<E>) -> &'static str {
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
