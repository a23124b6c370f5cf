//! From a request to a checked [`Caller`]: our own session tokens and JWTs, and those of a configured external issuer.
//!
//! A session that was removed is refused within [`REMEMBERED`], because sessions are looked up again after that.

mod external;
mod login;
mod secrets;
mod tokens;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use poem::Request;
use poem::http::header;
use seva_fhir::access::{
    AccountStore, AuditLog, Caller, RequestOrigin, SecretHasher, Session, TokenHash, TokenVerifier,
};
use seva_fhir::clock::{Clock, IdSource};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::failure::Failure;

pub use login::{LogIn, LoggedIn};
pub(crate) use secrets::PinProof;
pub(crate) use tokens::LIFETIME;
pub use tokens::{KeyError, TokenKeys, new_signing_key};

/// How long a session is believed without asking the store again.
const REMEMBERED: Duration = Duration::from_secs(2);
/// How many sessions are remembered; more push all out.
const REMEMBERED_SESSIONS: usize = 10_000;

/// Where a request's id and its client's address stand for the handlers.
#[derive(Clone, Debug)]
pub(crate) struct RequestId {
    pub(crate) id: Arc<str>,
    pub(crate) address: Option<IpAddr>,
}

impl RequestId {
    /// As the audit log names the request.
    pub(crate) fn origin(&self) -> RequestOrigin {
        RequestOrigin { id: self.id.as_ref().into(), address: self.address }
    }
}

/// What a request showed to be let in.
#[derive(Clone, Copy)]
pub(crate) enum Credential {
    /// The token of a session.
    Session(TokenHash),
    /// An access token of ours, which names its session.
    Access(TokenHash),
    /// A token of the external issuer.
    External,
}

/// Checks credentials.
#[derive(Clone)]
pub struct Authenticator {
    pub(crate) parts: Arc<AuthenticatorParts>,
    remembered: Arc<Mutex<HashMap<TokenHash, (Session, Instant)>>>,
    attempts: Arc<login::Attempts>,
}

/// What the authenticator works with.
pub struct AuthenticatorParts {
    /// Accounts and sessions.
    pub accounts: Arc<dyn AccountStore>,
    /// Password hashes.
    pub hasher: Arc<dyn SecretHasher>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// The keys of our own tokens.
    pub keys: TokenKeys,
    /// The external issuer, when one is configured.
    pub external: Option<Arc<dyn TokenVerifier>>,
}

impl Authenticator {
    /// Wires the authenticator.
    pub fn new(parts: AuthenticatorParts) -> Self {
        Self { parts: Arc::new(parts), remembered: Arc::default(), attempts: Arc::default() }
    }

    /// The caller of a request, from its `Authorization: Bearer`.
    pub async fn caller(&self, request: &Request) -> Result<Caller, Failure> {
        let origin = request.data::<RequestId>().map(RequestId::origin).unwrap_or_default();
        let session = self.session_of(request.header(header::AUTHORIZATION)).await?;
        Ok(caller_of(&session, origin))
    }

    /// The session behind an `Authorization` header.
    pub async fn session_of(&self, authorization: Option<&str>) -> Result<Session, Failure> {
        self.identify(authorization).await.map(|(session, _)| session)
    }

    /// The session behind an `Authorization` header, and what showed it.
    pub(crate) async fn identify(&self, authorization: Option<&str>) -> Result<(Session, Credential), Failure> {
        let header =
            authorization.ok_or(Failure::Unauthenticated("log in first: send Authorization: Bearer <token>"))?;
        let token = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Failure::Unauthenticated("the Authorization header must be Bearer <token>"))?;
        if !token.contains('.') {
            let hash = hash_of(token);
            return Ok((self.session(&hash).await?, Credential::Session(hash)));
        }
        if self.parts.keys.is_ours(token) {
            let hash = self.parts.keys.session_of(token, self.parts.clock.now()).map_err(Failure::Unauthenticated)?;
            return Ok((self.session(&hash).await?, Credential::Access(hash)));
        }
        Ok((self.external_session(token).await?, Credential::External))
    }

    async fn session(&self, hash: &TokenHash) -> Result<Session, Failure> {
        if let Some(session) = self.remembered(hash).await {
            return Ok(session);
        }
        let found = self.parts.accounts.session(hash, self.parts.clock.now()).await?;
        let session = found.ok_or(Failure::Unauthenticated("the session has ended: log in again"))?;
        self.remember(hash, &session).await;
        Ok(session)
    }

    async fn remembered(&self, hash: &TokenHash) -> Option<Session> {
        let now = self.parts.clock.now();
        let remembered = self.remembered.lock().await;
        let (session, since) = remembered.get(hash)?;
        (since.elapsed() < REMEMBERED && session.expires > now).then(|| session.clone())
    }

    async fn remember(&self, hash: &TokenHash, session: &Session) {
        let mut remembered = self.remembered.lock().await;
        if remembered.len() >= REMEMBERED_SESSIONS {
            remembered.clear();
        }
        remembered.insert(*hash, (session.clone(), Instant::now()));
    }

    /// The public keys of our own tokens.
    pub(crate) fn jwks(&self) -> serde_json::Value {
        self.parts.keys.jwks().clone()
    }

    /// Ends a session here and in the store.
    pub(crate) async fn forget(&self, hash: &TokenHash) -> Result<(), Failure> {
        self.remembered.lock().await.remove(hash);
        self.parts.accounts.end_session(hash).await.map_err(Failure::from)
    }
}

/// The SHA-256 of a token.
pub(crate) fn hash_of(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// The caller that a session stands for.
pub(crate) fn caller_of(session: &Session, request: RequestOrigin) -> Caller {
    Caller {
        tenant: session.membership.tenant,
        account: session.account.id.to_string().into(),
        display: session.account.display.as_str().into(),
        roles: session.membership.roles.clone(),
        practitioner: session.membership.practitioner.clone(),
        patient: session.membership.patient.clone(),
        request,
    }
}
