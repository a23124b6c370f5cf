//! Our own access tokens: JWTs signed with ES256, published as a JWKS (RFC 7517, RFC 7519).

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use seva_fhir::access::TokenHash;
use seva_fhir::types::Instant;
use sha2::{Digest, Sha256};

/// How long an access token is valid, seconds.
pub(crate) const LIFETIME: i64 = 15 * 60;

/// A key that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the token signing key can't be used: {0}")]
pub struct KeyError(String);

/// Makes a new signing key (PKCS#8), to be kept by the database.
pub fn new_signing_key() -> Result<Vec<u8>, KeyError> {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    key.map(|key| key.as_ref().to_vec()).map_err(|error| KeyError(error.to_string()))
}

/// Signs and checks our own tokens.
pub struct TokenKeys {
    issuer: String,
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwks: serde_json::Value,
    /// What the secrets of stream credentials are derived with.
    streams: hmac::Key,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    /// The hash of the session, so that ending the session ends its tokens.
    sid: String,
    iat: i64,
    exp: i64,
}

/// A key of its own from the signing key's bytes.
fn derived(pkcs8: &[u8]) -> hmac::Key {
    let from = hmac::Key::new(hmac::HMAC_SHA256, pkcs8);
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&from, b"seva stream credentials").as_ref())
}

impl TokenKeys {
    /// Over a PKCS#8 key of P-256.
    pub fn new(pkcs8: &[u8], issuer: &str) -> Result<Self, KeyError> {
        let wrong = |error: String| KeyError(error);
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|e| wrong(e.to_string()))?;
        let point = pair.public_key().as_ref();
        // An uncompressed point: 4, then 32 bytes of x and of y.
        let (x, y) = match (point.get(1..33), point.get(33..65)) {
            (Some(x), Some(y)) => (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)),
            _ => return Err(wrong("unexpected length of the public key".to_owned())),
        };
        let id: String = hex::encode(Sha256::digest(point)).chars().take(16).collect();
        let decoding = DecodingKey::from_ec_components(&x, &y).map_err(|e| wrong(e.to_string()))?;
        let key = serde_json::json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id, "x": x, "y": y,
        });
        Ok(Self {
            issuer: issuer.to_owned(),
            id,
            encoding: EncodingKey::from_ec_der(pkcs8),
            decoding,
            jwks: serde_json::json!({ "keys": [key] }),
            streams: derived(pkcs8),
        })
    }

    /// The public keys.
    pub fn jwks(&self) -> &serde_json::Value {
        &self.jwks
    }

    /// Signs a token for a session.
    pub(crate) fn sign(&self, account: &str, session: &TokenHash, now: Instant) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.id.clone());
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: account.to_owned(),
            sid: hex::encode(session),
            iat: now.seconds(),
            exp: now.seconds() + LIFETIME,
        };
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(|error| KeyError(error.to_string()))
    }

    /// The access key id that belongs to a token, in AWS's form for keys that expire.
    pub(crate) fn stream_key_id(&self, token: &str) -> String {
        let hash = hex::encode_upper(Sha256::digest(token.as_bytes()));
        format!("ASIA{}", hash.get(..16).unwrap_or_default())
    }

    /// The secret that belongs to a token: derived, so that none is kept, and worth nothing without the token.
    pub(crate) fn stream_secret(&self, token: &str) -> String {
        STANDARD_NO_PAD.encode(hmac::sign(&self.streams, token.as_bytes()))
    }

    /// Whether the token names our key.
    pub(crate) fn is_ours(&self, token: &str) -> bool {
        jsonwebtoken::decode_header(token).is_ok_and(|header| header.kid.as_deref() == Some(&self.id))
    }

    /// The session of a token of ours.
    pub(crate) fn session_of(&self, token: &str, now: Instant) -> Result<TokenHash, &'static str> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.issuer]);
        // Our own clock decides, not the library's.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|_| "the token's signature or claims are not valid")?
            .claims;
        if claims.exp <= now.seconds() {
            return Err("the token has expired: ask for a new one");
        }
        let bytes = hex::decode(claims.sid).map_err(|_| "the token names no session")?;
        bytes.try_into().map_err(|_| "the token names no session")
    }
}
