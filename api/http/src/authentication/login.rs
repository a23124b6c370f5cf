//! Logging in: a username and a password, a tenant, a session.

use std::collections::HashMap;
use std::time::{Duration, Instant as Monotonic};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use seva_fhir::access::{AuditAction, AuditRecord, Membership, Session, Ticket};
use seva_fhir::types::Instant;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Authenticator, caller_of, hash_of};
use crate::failure::Failure;

/// How long a session lasts: a working day.
const SESSION: i64 = 12 * 60 * 60 * 1_000_000;
/// How long a ticket lasts.
const TICKET: i64 = 60 * 1_000_000;
/// How many attempts one username has in a minute.
const ATTEMPTS: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
/// How many usernames are watched at once.
const WATCHED: usize = 10_000;

/// What is typed at log-in.
pub struct LogIn {
    /// The username.
    pub username: String,
    /// The password.
    pub password: String,
    /// The tenant's name; needed by accounts of several.
    pub tenant: Option<String>,
}

/// An open session.
pub struct LoggedIn {
    /// The session token: opaque, long-lived, ended by logging out.
    pub token: String,
    /// A short-lived JWT for the same session.
    pub access_token: String,
    /// Who, and as what.
    pub session: Session,
}

/// Attempts of the last minute by username.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<String, (Monotonic, u32)>>);

impl Attempts {
    async fn count(&self, username: &str) -> Result<(), Failure> {
        let mut known = self.0.lock().await;
        if known.len() >= WATCHED {
            known.retain(|_, (since, _)| since.elapsed() < MINUTE);
        }
        let entry = known.entry(username.to_owned()).or_insert_with(|| (Monotonic::now(), 0));
        if entry.0.elapsed() >= MINUTE {
            *entry = (Monotonic::now(), 0);
        }
        entry.1 += 1;
        if entry.1 > ATTEMPTS { Err(Failure::TooMany) } else { Ok(()) }
    }
}

impl Authenticator {
    /// Opens a session; it is audited before the answer. A refused attempt has no account or tenant to be recorded under.
    pub async fn log_in(&self, log_in: LogIn, request: Box<str>) -> Result<LoggedIn, Failure> {
        const WRONG: &str = "the username or the password is wrong";
        self.attempts.count(&log_in.username).await?;
        let parts = &self.parts;
        let account = parts.accounts.find(&log_in.username).await?;
        let hash = account.as_ref().map(|account| account.password.as_str());
        let right = parts.hasher.verify(&log_in.password, hash).await.map_err(|e| Failure::Internal(e.to_string()))?;
        let Some(account) = account.filter(|_| right) else { return Err(Failure::Unauthenticated(WRONG)) };
        let memberships = parts.accounts.memberships(account.id).await?;
        let membership = pick(memberships, log_in.tenant.as_deref())?;
        let now = parts.clock.now();
        let expires = Instant::from_micros(now.micros() + SESSION);
        let token = random_token()?;
        let hash = hash_of(&token);
        parts.accounts.open_session(&hash, account.id, membership.tenant, expires).await?;
        let access_token = parts
            .keys
            .sign(&account.id.to_string(), &hash, now)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        let session = Session { account, membership, expires };
        let caller = caller_of(&session, request);
        parts.audit.record_now(AuditRecord::of(&caller, AuditAction::LogIn, "session", now)).await?;
        Ok(LoggedIn { token, access_token, session })
    }

    /// Signs a new access token for a session token.
    pub async fn refresh(&self, token: &str) -> Result<String, Failure> {
        let hash = hash_of(token);
        let session = self.session(&hash).await?;
        let now = self.parts.clock.now();
        let signed = self.parts.keys.sign(&session.account.id.to_string(), &hash, now);
        signed.map_err(|error| Failure::Internal(error.to_string()))
    }

    /// Ends the session of a token.
    pub async fn log_out(&self, session: &Session, token: &str, request: Box<str>) -> Result<(), Failure> {
        let hash = match self.parts.keys.is_ours(token) {
            true => self.parts.keys.session_of(token, self.parts.clock.now()).map_err(Failure::Unauthenticated)?,
            false => hash_of(token),
        };
        self.forget(&hash).await?;
        let record =
            AuditRecord::of(&caller_of(session, request), AuditAction::LogOut, "session", self.parts.clock.now());
        self.parts.audit.record_now(record).await.map_err(Failure::from)
    }

    /// Makes a one-use ticket for a dictation's socket.
    pub(crate) async fn ticket(&self, session: &Session, dictation: Uuid) -> Result<(String, Instant), Failure> {
        let token = random_token()?;
        let expires = Instant::from_micros(self.parts.clock.now().micros() + TICKET);
        let ticket = Ticket { account: session.account.id, tenant: session.membership.tenant, dictation, expires };
        self.parts.accounts.save_ticket(&hash_of(&token), ticket).await?;
        Ok((token, expires))
    }

    /// Takes a ticket.
    pub(crate) async fn redeem(&self, ticket: &str) -> Result<(Ticket, Session), Failure> {
        let taken = self.parts.accounts.take_ticket(&hash_of(ticket), self.parts.clock.now()).await?;
        taken.ok_or(Failure::Unauthenticated("the ticket was used or has expired: ask for a new one"))
    }

    /// Checks the signing PIN of an account.
    pub(crate) async fn check_pin(&self, session: &Session, pin: &str) -> Result<(), Failure> {
        self.attempts.count(&format!("pin {}", session.account.id)).await?;
        let hash = session.account.pin.as_deref();
        let right = self.parts.hasher.verify(pin, hash).await.map_err(|e| Failure::Internal(e.to_string()))?;
        if right { Ok(()) } else { Err(Failure::Unprocessable("the signing PIN is wrong".to_owned())) }
    }
}

fn pick(memberships: Vec<Membership>, wanted: Option<&str>) -> Result<Membership, Failure> {
    let mut fitting: Vec<Membership> = memberships
        .into_iter()
        .filter(|membership| wanted.is_none_or(|wanted| wanted == membership.tenant_name))
        .collect();
    match (fitting.pop(), fitting.len()) {
        (None, _) => Err(Failure::Unauthenticated("the account has no membership here")),
        (Some(membership), 0) => Ok(membership),
        (Some(_), _) => {
            Err(Failure::Unprocessable("the account belongs to several hospitals: name one as tenant".to_owned()))
        }
    }
}

fn random_token() -> Result<String, Failure> {
    let mut bytes = [0u8; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
