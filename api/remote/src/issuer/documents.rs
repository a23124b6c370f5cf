//! What an issuer publishes: its discovery document (<https://openid.net/specs/openid-connect-discovery-1_0.html>) and its
//! keys (RFC 7517, <https://www.rfc-editor.org/rfc/rfc7517>).

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How long one document may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// The largest document that is read.
const LARGEST: usize = 256 * 1024;
/// How many keys are taken from a document.
const MOST_KEYS: usize = 64;
/// A shorter RSA modulus signs nothing that can be trusted (RFC 7518, section 3.3: 2048 bits).
const SHORTEST_MODULUS: usize = 256;

/// Why an issuer's documents can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The HTTP client can't be made.
    #[error("no HTTP client: {0}")]
    Client(String),
    /// A document can't be fetched.
    #[error("{url}: {reason}")]
    Fetch {
        /// Which document.
        url: String,
        /// Why.
        reason: String,
    },
    /// The discovery document is another issuer's.
    #[error("the discovery document belongs to another issuer, {0:?}")]
    OtherIssuer(String),
    /// The discovery document points at a place that is not secure.
    #[error("the discovery document's jwks_uri {0:?} is not https")]
    Insecure(String),
    /// No key can be used.
    #[error("{0} holds no signing key for RS256 or ES256")]
    NoKeys(String),
}

/// A key that verifies.
#[derive(Clone)]
pub(super) struct Key {
    /// The one algorithm that it is for.
    pub(super) algorithm: Algorithm,
    /// The key.
    pub(super) decoding: DecodingKey,
}

/// Fetches an issuer's documents.
pub(super) struct Documents {
    issuer: String,
    jwks_url: Option<String>,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Documents {
    pub(super) fn new(issuer: String, jwks_url: Option<String>) -> Result<Self, IssuerError> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE / 2)
            // A document that moved would be another one than the configured.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| IssuerError::Client(error.to_string()))?;
        Ok(Self { issuer, jwks_url, client })
    }

    /// The keys that are published now, by their ids.
    pub(super) async fn keys(&self) -> Result<HashMap<String, Key>, IssuerError> {
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let set: KeySet = self.fetch(&url).await?;
        let keys: HashMap<String, Key> = set.keys.into_iter().take(MOST_KEYS).filter_map(usable).collect();
        if keys.is_empty() { Err(IssuerError::NoKeys(url)) } else { Ok(keys) }
    }

    async fn discover(&self) -> Result<String, IssuerError> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let found: Discovery = self.fetch(&url).await?;
        if found.issuer != self.issuer {
            return Err(IssuerError::OtherIssuer(found.issuer));
        }
        // Only an issuer on this machine, which the configuration allows, may have its keys beside it in plain.
        let beside = !self.issuer.starts_with("https://") && found.jwks_uri.starts_with(&self.issuer);
        if found.jwks_uri.starts_with("https://") || beside {
            Ok(found.jwks_uri)
        } else {
            Err(IssuerError::Insecure(found.jwks_uri))
        }
    }

    async fn fetch<T: DeserializeOwned>(&self, url: &str) -> Result<T, IssuerError> {
        let wrong = |reason: String| IssuerError::Fetch { url: url.to_owned(), reason };
        let sent = self.client.get(url).header("accept", "application/json").send().await;
        let mut response = sent.map_err(|error| wrong(plain(&error)))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(wrong(format!("answered {}", response.status().as_u16())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| wrong(plain(&error)))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(wrong(format!("is larger than {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|error| wrong(format!("is not what it should be: {error}")))
    }
}

fn plain(error: &reqwest::Error) -> String {
    let reason = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the answer broke off"
    };
    reason.to_owned()
}

/// A key with an id, for signatures, of a kind and strength that we take; all others are passed over.
fn usable(key: PublishedKey) -> Option<(String, Key)> {
    if key.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return None;
    }
    let (algorithm, name, decoding) = match key.kty.as_str() {
        "RSA" => {
            let (modulus, exponent) = (key.n?, key.e?);
            if URL_SAFE_NO_PAD.decode(&modulus).ok()?.len() < SHORTEST_MODULUS {
                return None;
            }
            (Algorithm::RS256, "RS256", DecodingKey::from_rsa_components(&modulus, &exponent).ok()?)
        }
        "EC" if key.crv.as_deref() == Some("P-256") => {
            (Algorithm::ES256, "ES256", DecodingKey::from_ec_components(&key.x?, &key.y?).ok()?)
        }
        _ => return None,
    };
    if key.alg.as_deref().is_some_and(|alg| alg != name) {
        return None;
    }
    Some((key.kid?, Key { algorithm, decoding }))
}
