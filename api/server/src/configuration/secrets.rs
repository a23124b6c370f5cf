//! `[secrets]`: texts that are shown to nobody, and where those lie that are named and not written.

use std::fmt;

use serde::Deserialize;
use seva_aws::secrets::SecretReference;

use super::checks::{WEB, address, needed, region, unused, wrong};
use super::{Configuration, ConfigurationError};

/// A text that is shown to nobody.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text, for whom it is meant.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// `[secrets]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// The AWS region of secrets that are named without one; never guessed.
    pub region: Option<String>,
    /// Another address than the region's own, such as an interface endpoint of the network.
    pub endpoint: Option<String>,
}

impl Configuration {
    /// The settings that may name a secret of Secrets Manager, each by its key.
    pub fn secret_settings(&mut self) -> [(&'static str, &mut Option<Secret>); 4] {
        [
            ("database.url", &mut self.database.url),
            ("data.master_key", &mut self.data.master_key),
            ("speech.api_key", &mut self.speech.api_key),
            ("translation.api_key", &mut self.translation.api_key),
        ]
    }

    pub(super) fn check_secrets(&self) -> Result<(), ConfigurationError> {
        let (asked, settings) = (&mut self.clone(), &self.secrets);
        let (mut named, mut any) = (false, false);
        for (place, setting) in asked.secret_settings() {
            let Some(text) = setting else { continue };
            match SecretReference::find(text.reveal()) {
                Ok(None) => {}
                Ok(Some(reference)) => {
                    named |= reference.region().is_none();
                    any = true;
                }
                Err(error) => return wrong(place, error.to_string()),
            }
        }
        let by_name = "a setting names a secret as secretsmanager:<name>";
        if named {
            needed("secrets.region", settings.region.as_deref(), by_name)?;
            region("secrets.region", settings.region.as_deref())?;
        } else {
            unused("secrets.region", settings.region.as_deref(), by_name)?;
        }
        if !any {
            unused("secrets.endpoint", settings.endpoint.as_deref(), "a setting names a secret")?;
        }
        address("secrets.endpoint", settings.endpoint.as_deref(), WEB)
    }
}
