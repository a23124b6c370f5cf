//! The claims of a token (RFC 7519, section 4.1), and those of Amazon Cognito.

use serde::Deserialize;
use seva_fhir::access::{ExternalIdentity, TokenError};
use seva_fhir::types::Instant;

/// How far the issuer's clock may be from ours, seconds.
const LEEWAY: f64 = 30.0;
/// The longest `sub` (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;

/// One name or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a token claims; its signature is verified already.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    /// Whom Cognito gave an access token to: such a token has no `aud`.
    client_id: Option<String>,
    /// What Cognito gave the token for.
    token_use: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
}

impl Claims {
    /// Who the bearer is, if the token is the issuer's, for us, and of now.
    pub(super) fn check(self, issuer: &str, audience: &str, now: Instant) -> Result<ExternalIdentity, TokenError> {
        let wrong = |text| Err(TokenError::Invalid(text));
        if self.iss.as_deref() != Some(issuer) {
            return wrong("the token comes from another issuer");
        }
        if !self.is_for(audience)? {
            return wrong("the token was not made for this server");
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds of this era are exact in 53 bits")]
        let seconds = now.seconds() as f64;
        let Some(expires) = self.exp.filter(|expires| expires.is_finite()) else {
            return wrong("the token does not say when it expires");
        };
        if seconds >= expires + LEEWAY {
            return wrong("the token has expired: ask for a new one");
        }
        if self.nbf.is_some_and(|begins| begins > seconds + LEEWAY) {
            return wrong("the token is not valid yet");
        }
        if self.iat.is_some_and(|made| made > seconds + LEEWAY) {
            return wrong("the token was made in the future");
        }
        match self.sub {
            Some(subject) if !subject.is_empty() && subject.len() <= LONGEST_SUBJECT => {
                // A float becomes the nearest instant; far ones stop at the ends.
                #[expect(clippy::cast_possible_truncation, reason = "the conversion saturates")]
                let expires = Instant::from_micros((expires * 1_000_000.0) as i64);
                Ok(ExternalIdentity { issuer: issuer.to_owned(), subject, expires })
            }
            _ => wrong("the token names no subject"),
        }
    }

    fn is_for(&self, audience: &str) -> Result<bool, TokenError> {
        let named = match &self.aud {
            Some(Audience::One(name)) => name == audience,
            Some(Audience::Several(names)) => names.iter().any(|name| name == audience),
            None => false,
        };
        match self.token_use.as_deref() {
            None | Some("id") => Ok(named),
            Some("access") => Ok(self.client_id.as_deref() == Some(audience)),
            Some(_) => Err(TokenError::Invalid("the token's use is neither access nor id")),
        }
    }
}
