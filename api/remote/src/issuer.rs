//! Tokens of an external issuer: JWTs (RFC 7519, <https://www.rfc-editor.org/rfc/rfc7519>) checked here against the keys that
//! the issuer publishes, by the rules of RFC 8725 and, for Cognito, of
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>.

mod claims;
mod documents;
mod keys;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use seva_fhir::access::{ExternalIdentity, TokenError, TokenVerifier};
use seva_fhir::clock::Clock;

use claims::Claims;
use documents::Documents;
use keys::KeyCache;

pub use documents::IssuerError;

/// The longest token that is looked at.
const LONGEST: usize = 16 * 1024;

/// Which issuer is trusted, and for whom its tokens must be.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// The `iss` of its tokens, to the letter.
    pub issuer: String,
    /// The `aud`, or the `client_id` of Cognito's access tokens.
    pub audience: String,
    /// Where its keys are; by default as its discovery document says.
    pub jwks_url: Option<String>,
}

/// Checks the tokens of one issuer.
pub struct IssuerVerifier {
    issuer: String,
    audience: String,
    keys: KeyCache,
    clock: Arc<dyn Clock>,
}

/// What a token says of itself before anything of it is believed.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Vec<String>>,
}

impl IssuerVerifier {
    /// Prepares the verifier; keys are fetched with the first token.
    pub fn new(settings: IssuerSettings, clock: Arc<dyn Clock>) -> Result<Self, IssuerError> {
        let IssuerSettings { issuer, audience, jwks_url } = settings;
        let documents = Documents::new(issuer.clone(), jwks_url)?;
        Ok(Self { issuer, audience, keys: KeyCache::new(documents), clock })
    }

    /// Asks for the issuer's keys unless they are fresh, and tells how many there are.
    pub async fn health(&self) -> Result<usize, TokenError> {
        self.keys.count().await
    }
}

#[async_trait]
impl TokenVerifier for IssuerVerifier {
    async fn verify(&self, token: &str) -> Result<ExternalIdentity, TokenError> {
        let header = header_of(token).ok_or(TokenError::Invalid("the token is not a signed JWT"))?;
        // Named before any key is looked up: neither "none" nor a secret that everybody knows verifies anything.
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            _ => return Err(TokenError::Invalid("the token must be signed with RS256 or ES256")),
        };
        if header.crit.is_some() {
            return Err(TokenError::Invalid("the token asks for extensions that are not known here"));
        }
        let id = header.kid.ok_or(TokenError::Invalid("the token does not name its key (kid)"))?;
        let key = self.keys.find(&id).await?;
        if key.algorithm != algorithm {
            return Err(TokenError::Invalid("the token's algorithm is not the one of its key"));
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &signature_only(key.algorithm))
            .map_err(|_| TokenError::Invalid("the token's signature or claims are not valid"))?
            .claims;
        claims.check(&self.issuer, &self.audience, self.clock.now())
    }
}

fn header_of(token: &str) -> Option<Header> {
    let (first, rest) = token.split_once('.')?;
    if token.len() > LONGEST || rest.split('.').count() != 2 {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(first).ok()?).ok()
}

/// The claims are checked by our own clock and with words of our own.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests may panic")]
mod tests;
