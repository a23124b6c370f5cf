//! Settings that name a secret get its value, once, before anything starts.

use anyhow::Context;
use seva_aws::secrets::{SecretReference, SecretsManager};

use crate::adapters;
use crate::configuration::{Configuration, Secret};

/// Asks Secrets Manager for the settings that name a secret there; a fault names the setting and the secret.
pub async fn resolve(mut configuration: Configuration) -> anyhow::Result<Configuration> {
    let settings = configuration.secrets.clone();
    for (place, setting) in configuration.secret_settings() {
        let Some(text) = setting else { continue };
        let Some(reference) = SecretReference::find(text.reveal()).context(place)? else { continue };
        let region = reference.region().or(settings.region.as_deref()).context("secrets.region must be set")?;
        let manager = SecretsManager::new(&adapters::connection(region, settings.endpoint.as_deref())).await;
        let value = manager.get(&reference).await.context(place)?;
        tracing::info!(setting = place, secret = reference.secret(), region, "read a setting from Secrets Manager");
        *setting = Some(Secret::from(value));
    }
    Ok(configuration)
}
