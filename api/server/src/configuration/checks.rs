//! What must stand together: a choice whose settings are incomplete is refused by the name of the missing key.
//!
//! No silent fallback: a chosen service that can't be reached is a fault, never another service.

use super::{BlobStoreKind, Configuration, ConfigurationError, ExtractionEngine};

impl Configuration {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        let (extraction, blobs, identity) = (&self.extraction, &self.blobs, &self.identity);
        if extraction.engine == ExtractionEngine::ComprehendMedical {
            needed("extraction.region", extraction.region.as_deref(), "extraction.engine is comprehend-medical")?;
            region("extraction.region", extraction.region.as_deref())?;
        } else {
            unused("extraction.region", extraction.region.as_deref(), "extraction.engine is comprehend-medical")?;
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
                address("identity.issuer", Some(issuer))?;
                needed("identity.audience", identity.audience.as_deref(), "identity.issuer is set")?;
            }
            None => {
                unused("identity.audience", identity.audience.as_deref(), "identity.issuer is set")?;
                unused("identity.jwks_url", identity.jwks_url.as_deref(), "identity.issuer is set")?;
            }
        }
        address("identity.jwks_url", identity.jwks_url.as_deref())?;
        address("extraction.endpoint", extraction.endpoint.as_deref())?;
        address("blobs.endpoint", blobs.endpoint.as_deref())
    }
}

fn wrong(place: &str, message: String) -> Result<(), ConfigurationError> {
    Err(ConfigurationError::Wrong { place: place.to_owned(), message })
}

fn needed(place: &str, value: Option<&str>, when: &str) -> Result<(), ConfigurationError> {
    match value {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => wrong(place, format!("must be set when {when}")),
    }
}

/// A setting that does nothing is a mistake: what it belongs to was forgotten.
fn unused(place: &str, value: Option<&str>, when: &str) -> Result<(), ConfigurationError> {
    match value {
        Some(text) if !text.is_empty() => wrong(place, format!("does something only when {when}")),
        _ => Ok(()),
    }
}

fn region(place: &str, value: Option<&str>) -> Result<(), ConfigurationError> {
    let text = value.unwrap_or_default();
    let parts = text.split('-').count();
    let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if parts >= 3 && letters && text.ends_with(|last: char| last.is_ascii_digit()) {
        return Ok(());
    }
    wrong(place, format!("{text:?} is not the name of an AWS region, such as ap-south-1"))
}

/// Keys and clinical text go over TLS; a plain address is for this machine alone.
fn address(place: &str, value: Option<&str>) -> Result<(), ConfigurationError> {
    let Some(text) = value.filter(|text| !text.is_empty()) else { return Ok(()) };
    let secure = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let here = text.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
    let local = here.is_some_and(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        ["localhost", "127.0.0.1", "[::1]"].contains(&name)
    });
    if secure || local {
        return Ok(());
    }
    wrong(place, format!("{text:?} must begin with https:// (http:// only for this machine)"))
}
