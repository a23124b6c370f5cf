//! `[speech]`: which engine listens, and what it needs.

use std::path::PathBuf;

use serde::Deserialize;

use super::Secret;

/// The embedded model that is used when none is named.
pub const MODEL: &str = "base";
/// The specialty that Transcribe Medical is told when none is named.
pub const SPECIALTY: &str = "PRIMARYCARE";
pub(super) const SPECIALTIES: &[&str] = &["CARDIOLOGY", "NEUROLOGY", "ONCOLOGY", "PRIMARYCARE", "RADIOLOGY", "UROLOGY"];

/// `[speech]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    /// Which engine.
    pub engine: SpeechChoice,
    /// Embedded: `base`, `tiny.en`, or the path of an official ggml file. OpenAI's interface: the service's model.
    pub model: Option<String>,
    /// The folder of models; by default `models` in the data folder.
    pub models: Option<PathBuf>,
    /// The address of the service, or another one than the region's own.
    pub endpoint: Option<String>,
    /// The key that the service wants.
    pub api_key: Option<Secret>,
    /// The language variant that stands for all variants of its language.
    pub language: Option<String>,
    /// The AWS region; never guessed.
    pub region: Option<String>,
    /// A PEM file with certificates that are trusted beside the machine's own.
    pub certificate: Option<PathBuf>,
    /// The specialty that Transcribe Medical is told.
    pub specialty: Option<String>,
    /// The name of a custom vocabulary of Transcribe.
    pub vocabulary: Option<String>,
}

impl Speech {
    /// The embedded model.
    pub fn embedded_model(&self) -> &str {
        self.model.as_deref().unwrap_or(MODEL)
    }
}

/// The engines that listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeechChoice {
    /// Whisper on this machine.
    #[default]
    Embedded,
    /// A service with OpenAI's interface.
    Openai,
    /// A Vosk server.
    Vosk,
    /// Amazon Transcribe.
    Transcribe,
    /// Amazon Transcribe Medical.
    TranscribeMedical,
}

impl SpeechChoice {
    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Openai => "openai",
            Self::Vosk => "vosk",
            Self::Transcribe => "transcribe",
            Self::TranscribeMedical => "transcribe-medical",
        }
    }
}
