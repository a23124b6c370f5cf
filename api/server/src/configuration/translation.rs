//! `[translation]`: what translates free text of advice, if anything does.

use serde::Deserialize;

use super::Secret;

/// `[translation]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Translation {
    /// Which engine.
    pub engine: TranslationEngine,
    /// The AWS region of Translate; needed by it, and never guessed.
    pub region: Option<String>,
    /// The address of the service, or another one than the region's own, such as an interface endpoint of the network.
    pub endpoint: Option<String>,
    /// The key that the service wants.
    pub api_key: Option<Secret>,
    /// Custom terminologies of the AWS account.
    pub terminologies: Terminologies,
}

/// The engines that translate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TranslationEngine {
    /// Nothing leaves and nothing is translated.
    #[default]
    None,
    /// Amazon Translate.
    AmazonTranslate,
    /// A service with LibreTranslate's interface.
    Libretranslate,
}

/// Names of terminologies with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Terminologies(pub Vec<String>);

impl From<String> for Terminologies {
    fn from(names: String) -> Self {
        Self(names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}
