//! What must stand together: a choice whose settings are incomplete is refused by the name of the missing key.
//!
//! No silent fallback: a chosen service that can't be reached is a fault, never another service.

use super::speech::SPECIALTIES;
use super::{
    BlobStoreKind, Configuration, ConfigurationError, ExtractionEngine, Speech, SpeechChoice, Translation,
    TranslationEngine,
};

/// Services over HTTP.
pub(super) const WEB: [&str; 2] = ["https://", "http://"];
/// Services over WebSockets (RFC 6455, section 3).
const SOCKET: [&str; 2] = ["wss://", "ws://"];
/// The one language of Transcribe Medical.
const MEDICAL_LANGUAGE: &str = "en-US";

impl Configuration {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        let (extraction, blobs, identity) = (&self.extraction, &self.blobs, &self.identity);
        if extraction.engine == ExtractionEngine::ComprehendMedical {
            needed("extraction.region", extraction.region.as_deref(), "extraction.engine is comprehend-medical")?;
            region("extraction.region", extraction.region.as_deref())?;
        } else {
            unused("extraction.region", extraction.region.as_deref(), "extraction.engine is comprehend-medical")?;
            if !extraction.codes.0.is_empty() {
                return wrong(
                    "extraction.codes",
                    "does something only when extraction.engine is comprehend-medical".to_owned(),
                );
            }
            unused("extraction.endpoint", extraction.endpoint.as_deref(), "extraction.engine is comprehend-medical")?;
        }
        if blobs.store == BlobStoreKind::S3 {
            needed("blobs.bucket", blobs.bucket.as_deref(), "blobs.store is s3")?;
            needed("blobs.region", blobs.region.as_deref(), "blobs.store is s3")?;
            region("blobs.region", blobs.region.as_deref())?;
        } else {
            unused("blobs.bucket", blobs.bucket.as_deref(), "blobs.store is s3")?;
        }
        match &identity.issuer {
            Some(issuer) => {
                address("identity.issuer", Some(issuer), WEB)?;
                needed("identity.audience", identity.audience.as_deref(), "identity.issuer is set")?;
            }
            None => {
                unused("identity.audience", identity.audience.as_deref(), "identity.issuer is set")?;
                unused("identity.jwks_url", identity.jwks_url.as_deref(), "identity.issuer is set")?;
            }
        }
        self.speech.check()?;
        self.translation.check()?;
        self.check_secrets()?;
        address("identity.jwks_url", identity.jwks_url.as_deref(), WEB)?;
        address("extraction.endpoint", extraction.endpoint.as_deref(), WEB)?;
        address("blobs.endpoint", blobs.endpoint.as_deref(), WEB)
    }
}

impl Translation {
    fn check(&self) -> Result<(), ConfigurationError> {
        let (amazon, libre) = ("translation.engine is amazon-translate", "translation.engine is libretranslate");
        if self.engine == TranslationEngine::AmazonTranslate {
            needed("translation.region", self.region.as_deref(), amazon)?;
            region("translation.region", self.region.as_deref())?;
        } else {
            unused("translation.region", self.region.as_deref(), amazon)?;
            unused("translation.terminologies", self.terminologies.0.first().map(String::as_str), amazon)?;
        }
        match self.engine {
            TranslationEngine::Libretranslate => needed("translation.endpoint", self.endpoint.as_deref(), libre)?,
            TranslationEngine::AmazonTranslate => {}
            TranslationEngine::None => {
                let when = "translation.engine is amazon-translate or libretranslate";
                unused("translation.endpoint", self.endpoint.as_deref(), when)?;
            }
        }
        if self.engine != TranslationEngine::Libretranslate {
            unused("translation.api_key", self.api_key.as_ref().map(super::Secret::reveal), libre)?;
        }
        address("translation.endpoint", self.endpoint.as_deref(), WEB)
    }
}

/// A key and its value, the engines that know it, and those that can't do without.
type Rule<'a> = (&'a str, Option<&'a str>, &'a [SpeechChoice], &'a [SpeechChoice]);

impl Speech {
    fn check(&self) -> Result<(), ConfigurationError> {
        use SpeechChoice::{Embedded, Openai, Transcribe, TranscribeMedical, Vosk};
        let certificate = self.certificate.as_ref().map(|path| path.display().to_string());
        let key = self.api_key.as_ref().map(super::Secret::reveal);
        let table: [Rule<'_>; 8] = [
            ("speech.model", self.model.as_deref(), &[Embedded, Openai], &[Openai]),
            (
                "speech.endpoint",
                self.endpoint.as_deref(),
                &[Openai, Vosk, Transcribe, TranscribeMedical],
                &[Openai, Vosk],
            ),
            ("speech.api_key", key, &[Openai, Vosk], &[]),
            (
                "speech.language",
                self.language.as_deref(),
                &[Vosk, Transcribe, TranscribeMedical],
                &[Vosk, TranscribeMedical],
            ),
            (
                "speech.region",
                self.region.as_deref(),
                &[Transcribe, TranscribeMedical],
                &[Transcribe, TranscribeMedical],
            ),
            ("speech.certificate", certificate.as_deref(), &[Openai, Vosk, Transcribe, TranscribeMedical], &[]),
            ("speech.specialty", self.specialty.as_deref(), &[TranscribeMedical], &[]),
            ("speech.vocabulary", self.vocabulary.as_deref(), &[Transcribe, TranscribeMedical], &[]),
        ];
        for (place, value, known, wanted) in table {
            if wanted.contains(&self.engine) {
                needed(place, value, &format!("speech.engine is {}", self.engine.name()))?;
            } else if !known.contains(&self.engine) {
                let names: Vec<&str> = known.iter().map(|engine| engine.name()).collect();
                unused(place, value, &format!("speech.engine is {}", names.join(" or ")))?;
            }
        }
        if self.region.as_deref().is_some_and(|name| !name.is_empty()) {
            region("speech.region", self.region.as_deref())?;
        }
        if self.engine == TranscribeMedical && self.language.as_deref() != Some(MEDICAL_LANGUAGE) {
            return wrong(
                "speech.language",
                format!("must be {MEDICAL_LANGUAGE}: Transcribe Medical knows no other one"),
            );
        }
        if let Some(name) = self.specialty.as_deref().filter(|name| !SPECIALTIES.contains(name)) {
            return wrong("speech.specialty", format!("{name:?} is none of {}", SPECIALTIES.join(", ")));
        }
        address("speech.endpoint", self.endpoint.as_deref(), if self.engine == Vosk { SOCKET } else { WEB })
    }
}

pub(super) fn wrong(place: &str, message: String) -> Result<(), ConfigurationError> {
    Err(ConfigurationError::Wrong { place: place.to_owned(), message })
}

pub(super) fn needed(place: &str, value: Option<&str>, when: &str) -> Result<(), ConfigurationError> {
    match value {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => wrong(place, format!("must be set when {when}")),
    }
}

/// A setting that does nothing is a mistake: what it belongs to was forgotten.
pub(super) fn unused(place: &str, value: Option<&str>, when: &str) -> Result<(), ConfigurationError> {
    match value {
        Some(text) if !text.is_empty() => wrong(place, format!("does something only when {when}")),
        _ => Ok(()),
    }
}

pub(super) fn region(place: &str, value: Option<&str>) -> Result<(), ConfigurationError> {
    let text = value.unwrap_or_default();
    let parts = text.split('-').count();
    let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if parts >= 3 && letters && text.ends_with(|last: char| last.is_ascii_digit()) {
        return Ok(());
    }
    wrong(place, format!("{text:?} is not the name of an AWS region, such as ap-south-1"))
}

/// Keys and clinical data go over TLS; a plain address is for this machine alone.
pub(super) fn address(place: &str, value: Option<&str>, schemes: [&str; 2]) -> Result<(), ConfigurationError> {
    let Some(text) = value.filter(|text| !text.is_empty()) else { return Ok(()) };
    let [safe, plain] = schemes;
    let secure = text.strip_prefix(safe).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let here = text.strip_prefix(plain).map(|rest| rest.split('/').next().unwrap_or_default());
    let local = here.is_some_and(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        ["localhost", "127.0.0.1", "[::1]"].contains(&name)
    });
    if secure || local {
        return Ok(());
    }
    wrong(place, format!("{text:?} must begin with {safe} ({plain} only for this machine)"))
}
