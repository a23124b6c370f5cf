//! Settings that lie in AWS Secrets Manager, read once at the start
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>).
//!
//! A secret's value is in no error and no log line: both name the secret, and the service's code.

mod reference;

use std::error::Error;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use serde_json::{Map, Value};

use crate::connection::{Connection, Patience, refusal, silence};

pub use reference::{ReferenceError, SecretReference};

/// A start waits for it: long enough for a service that is busy, short enough for whoever watches the start.
const PATIENCE: Patience = Patience { attempt: Duration::from_secs(5), all: Duration::from_secs(20), attempts: 4 };

const SERVICE: &str = "secretsmanager";

/// Why a secret can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Asking again would not help.
    #[error("Secrets Manager does not hand out {secret:?}: {reason}")]
    Refused {
        /// Which secret.
        secret: String,
        /// The service's code.
        reason: String,
    },
    /// The service did not answer in time, or said that it can't.
    #[error("Secrets Manager does not hand out {secret:?} now: {reason}")]
    Unavailable {
        /// Which secret.
        secret: String,
        /// What happened.
        reason: String,
    },
    /// It holds bytes, or nothing.
    #[error("the secret {secret:?} holds no text")]
    NoText {
        /// Which secret.
        secret: String,
    },
    /// It is no JSON object with such a member, or the member is no text.
    #[error("the secret {secret:?} is no JSON object with a text {member:?}")]
    NoMember {
        /// Which secret.
        secret: String,
        /// Which member.
        member: String,
    },
}

/// Asks Secrets Manager of one region.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    client: Client,
}

impl SecretsManager {
    /// Prepares the client; nothing is sent yet.
    pub async fn new(connection: &Connection) -> Self {
        Self::waiting(connection, PATIENCE).await
    }

    async fn waiting(connection: &Connection, patience: Patience) -> Self {
        Self { client: Client::new(&connection.configure(patience).await) }
    }

    /// The present value of a secret, or of the member that is named; without line ends at its end, which editors leave.
    pub async fn get(&self, reference: &SecretReference) -> Result<String, SecretError> {
        let secret = || reference.secret().to_owned();
        let asked = self.client.get_secret_value().secret_id(reference.secret()).send().await;
        let answer =
            asked.map_err(|error| match refusal(&error, (SERVICE, "reading a secret"), &["ThrottlingException"]) {
                Some(reason) => SecretError::Refused { secret: secret(), reason },
                None => SecretError::Unavailable { secret: secret(), reason: reason(&error) },
            })?;
        let text = answer.secret_string().unwrap_or_default();
        let value = match reference.member() {
            None => text.to_owned(),
            Some(member) => member_of(text, member)
                .ok_or_else(|| SecretError::NoMember { secret: secret(), member: member.to_owned() })?,
        };
        match value.trim_end_matches(['\r', '\n']) {
            "" => Err(SecretError::NoText { secret: secret() }),
            value => Ok(value.to_owned()),
        }
    }
}

fn reason<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> String {
    error.code().unwrap_or_else(|| silence(error)).to_owned()
}

fn member_of(text: &str, member: &str) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    object.get(member)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
