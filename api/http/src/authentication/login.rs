//! Logging in: a username and a password, a tenant, a session.

use std::collections::HashMap;
use std::time::{Duration, Instant as Monotonic};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use seva_fhir::access::{
    Account, AuditAction, AuditOutcome, AuditRecord, Membership, RequestOrigin, Session, Ticket, TokenHash,
};
use seva_fhir::types::{Instant, TenantId};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Authenticator, Credential, caller_of, hash_of};
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
    /// Counts an attempt; tells when it is one too many.
    pub(super) async fn count(&self, username: &str) -> Attempt {
        let mut known = self.0.lock().await;
        if known.len() >= WATCHED {
            known.retain(|_, (since, _)| since.elapsed() < MINUTE);
        }
        let entry = known.entry(username.to_owned()).or_insert_with(|| (Monotonic::now(), 0));
        if entry.0.elapsed() >= MINUTE {
            *entry = (Monotonic::now(), 0);
        }
        entry.1 += 1;
        match entry.1 {
            0..=ATTEMPTS => Attempt::Allowed,
            count if count == ATTEMPTS + 1 => Attempt::FirstTooMany,
            _ => Attempt::TooMany,
        }
    }
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Allowed,
    /// Audited; the ones after it in the same minute would only fill the log.
    FirstTooMany,
    TooMany,
}

impl Authenticator {
    /// Opens a session; success and refusal are audited before the answer.
    pub async fn log_in(&self, log_in: LogIn, request: RequestOrigin) -> Result<LoggedIn, Failure> {
        const WRONG: Failure = Failure::Unauthenticated("the username or the password is wrong");
        let parts = &self.parts;
        let attempt = self.attempts.count(&log_in.username).await;
        if attempt == Attempt::TooMany {
            return Err(Failure::TooMany);
        }
        let account = parts.accounts.find(&log_in.username).await?;
        // Asked for an unknown username too, and before the password: all refusals take the same time.
        let id = account.as_ref().map_or_else(Uuid::nil, |account| account.id);
        let memberships = parts.accounts.memberships(id).await?;
        if attempt == Attempt::FirstTooMany {
            self.record_refusal(account.as_ref(), &memberships, request).await?;
            return Err(Failure::TooMany);
        }
        let hash = account.as_ref().map(|account| account.password.as_str());
        let right = parts.hasher.verify(&log_in.password, hash).await.map_err(|e| Failure::Internal(e.to_string()))?;
        let Some(account) = account.as_ref().filter(|_| right) else {
            self.record_refusal(account.as_ref(), &memberships, request).await?;
            return Err(WRONG);
        };
        match pick(&memberships, log_in.tenant.as_deref()) {
            Ok(membership) => self.open(account.clone(), membership.clone(), request).await,
            Err(failure) => {
                self.record_refusal(Some(account), &memberships, request).await?;
                Err(failure)
            }
        }
    }

    async fn open(
        &self,
        account: Account,
        membership: Membership,
        request: RequestOrigin,
    ) -> Result<LoggedIn, Failure> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let expires = Instant::from_micros(now.micros() + SESSION);
        let token = random_token()?;
        let hash = hash_of(&token);
        parts.accounts.open_session(&hash, account.id, membership.tenant, expires).await?;
        let access_token = self.sign(&account, &hash)?;
        let session = Session { account, membership, expires };
        let caller = caller_of(&session, request);
        parts.audit.record_now(AuditRecord::of(&caller, AuditAction::LogIn, "session", now)).await?;
        Ok(LoggedIn { token, access_token, session })
    }

    /// Records a refused attempt in each hospital of the account. What was typed as an unknown username is not kept: it may
    /// be a password in the wrong field.
    async fn record_refusal(
        &self,
        account: Option<&Account>,
        memberships: &[Membership],
        request: RequestOrigin,
    ) -> Result<(), Failure> {
        let who: Box<str> = account.map_or_else(|| "unknown".into(), |account| account.id.to_string().into());
        let mut tenants: Vec<TenantId> = memberships.iter().map(|membership| membership.tenant).collect();
        if tenants.is_empty() {
            tenants.push(TenantId::SHARED);
        }
        for tenant in tenants {
            let record = AuditRecord {
                at: self.parts.clock.now(),
                tenant,
                who: who.clone(),
                action: AuditAction::LogIn,
                outcome: AuditOutcome::Refused,
                target: "session".into(),
                patients: Vec::new(),
                request: request.clone(),
                query: None,
            };
            self.parts.audit.record_now(record).await?;
        }
        Ok(())
    }

    fn sign(&self, account: &Account, session: &TokenHash) -> Result<String, Failure> {
        let signed = self.parts.keys.sign(&account.id.to_string(), session, self.parts.clock.now());
        signed.map_err(|error| Failure::Internal(error.to_string()))
    }

    /// Signs a new access token; only the session's own token renews.
    pub(crate) async fn refresh(&self, authorization: Option<&str>) -> Result<String, Failure> {
        match self.identify(authorization).await? {
            (session, Credential::Session(hash)) => self.sign(&session.account, &hash),
            (_, Credential::Access(_)) => {
                Err(Failure::Forbidden("an access token can't renew itself: send the session's token".to_owned()))
            }
            (_, Credential::External) => {
                Err(Failure::Forbidden("the token comes from another issuer: renew it there".to_owned()))
            }
        }
    }

    /// Ends the session behind an `Authorization` header.
    pub(crate) async fn log_out(&self, authorization: Option<&str>, request: RequestOrigin) -> Result<(), Failure> {
        let (session, hash) = match self.identify(authorization).await? {
            (session, Credential::Session(hash) | Credential::Access(hash)) => (session, hash),
            (_, Credential::External) => {
                return Err(Failure::Forbidden("the token comes from another issuer: log out there".to_owned()));
            }
        };
        self.forget(&hash).await?;
        let record =
            AuditRecord::of(&caller_of(&session, request), AuditAction::LogOut, "session", self.parts.clock.now());
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
}

fn pick<'a>(memberships: &'a [Membership], wanted: Option<&str>) -> Result<&'a Membership, Failure> {
    let mut fitting =
        memberships.iter().filter(|membership| wanted.is_none_or(|wanted| wanted == membership.tenant_name));
    match (fitting.next(), fitting.next()) {
        (None, _) => Err(Failure::Unauthenticated("the account has no membership here")),
        (Some(membership), None) => Ok(membership),
        (Some(_), Some(_)) => {
            Err(Failure::Unprocessable("the account belongs to several hospitals: name one as tenant".to_owned()))
        }
    }
}

fn random_token() -> Result<String, Failure> {
    let mut bytes = [0u8; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
