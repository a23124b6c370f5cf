//! The secrets of an account inside its session: the PIN that signs, and changing password and PIN. Wrong ones are limited
//! and audited as log-ins are (NIST SP 800-63B 5.2.2, <https://pages.nist.gov/800-63-3/sp800-63b.html>).

use seva_fhir::access::{
    AuditAction, AuditOutcome, AuditRecord, Caller, NewSecret, RequestOrigin, Session, check_password, check_pin,
};

use super::login::Attempt;
use super::{Authenticator, Credential, caller_of};
use crate::failure::Failure;

/// A secret that is given, and what for.
struct Given<'a> {
    secret: &'a str,
    hash: Option<&'a str>,
    /// Under which name attempts are counted.
    counted: String,
    /// What the refusal is recorded as.
    action: AuditAction,
    target: &'a str,
    wrong: &'static str,
}

/// What shows that it is really the owner who changes the PIN.
pub(crate) enum PinProof<'a> {
    /// The account's password.
    Password(&'a str),
    /// The PIN until now: the only proof of an account whose password another issuer keeps.
    Pin(&'a str),
}

impl Authenticator {
    /// Checks the signing PIN of an account; `target` is what is to be signed.
    pub(crate) async fn check_pin(
        &self,
        session: &Session,
        pin: &str,
        (caller, target): (&Caller, &str),
    ) -> Result<(), Failure> {
        self.prove(caller, given_pin(session, pin, (AuditAction::Sign, target))?).await
    }

    /// Replaces the password of the account; every other session of it ends.
    pub(crate) async fn change_password(
        &self,
        authorization: Option<&str>,
        (current, new): (&str, &str),
        request: RequestOrigin,
    ) -> Result<(), Failure> {
        let (session, keep) = match self.identify(authorization).await? {
            (session, Credential::Session(hash) | Credential::Access(hash)) => (session, hash),
            (_, Credential::External) => {
                return Err(Failure::Forbidden("the password is kept by another issuer: change it there".to_owned()));
            }
        };
        let caller = caller_of(&session, request);
        self.prove(&caller, given_password(&session, current)).await?;
        check_password(new).map_err(|weak| Failure::Unprocessable(weak.to_string()))?;
        let hash = self.hashed(new).await?;
        let secret = NewSecret::Password { hash: &hash, keep: &keep };
        self.parts.accounts.change_secret(session.account.id, secret).await?;
        self.changed(&session, &caller, "password").await
    }

    /// Replaces the signing PIN of the account, or sets its first.
    pub(crate) async fn change_pin(
        &self,
        authorization: Option<&str>,
        (proof, new): (PinProof<'_>, &str),
        request: RequestOrigin,
    ) -> Result<(), Failure> {
        let session = self.session_of(authorization).await?;
        let caller = caller_of(&session, request);
        let given = match proof {
            PinProof::Password(password) => given_password(&session, password),
            PinProof::Pin(pin) => given_pin(&session, pin, (AuditAction::Secret, "pin"))?,
        };
        self.prove(&caller, given).await?;
        check_pin(new).map_err(|weak| Failure::Unprocessable(weak.to_string()))?;
        let hash = self.hashed(new).await?;
        self.parts.accounts.change_secret(session.account.id, NewSecret::Pin { hash: &hash }).await?;
        self.changed(&session, &caller, "pin").await
    }

    /// Nothing that was remembered of the account holds any more.
    async fn changed(&self, session: &Session, caller: &Caller, target: &str) -> Result<(), Failure> {
        self.remembered.lock().await.retain(|_, (other, _)| other.account.id != session.account.id);
        let record = AuditRecord::of(caller, AuditAction::Secret, target, self.parts.clock.now());
        self.parts.audit.record_now(record).await.map_err(Failure::from)
    }

    async fn hashed(&self, secret: &str) -> Result<String, Failure> {
        self.parts.hasher.hash(secret).await.map_err(|error| Failure::Internal(error.to_string()))
    }

    async fn prove(&self, caller: &Caller, given: Given<'_>) -> Result<(), Failure> {
        let attempt = self.attempts.count(&given.counted).await;
        if attempt == Attempt::TooMany {
            return Err(Failure::TooMany);
        }
        let verified = match attempt {
            Attempt::Allowed => self.parts.hasher.verify(given.secret, given.hash).await,
            Attempt::FirstTooMany | Attempt::TooMany => Ok(false),
        };
        if verified.map_err(|error| Failure::Internal(error.to_string()))? {
            return Ok(());
        }
        let record = AuditRecord {
            outcome: AuditOutcome::Refused,
            ..AuditRecord::of(caller, given.action, given.target, self.parts.clock.now())
        };
        self.parts.audit.record_now(record).await?;
        match attempt {
            Attempt::Allowed => Err(Failure::Unprocessable(given.wrong.to_owned())),
            Attempt::FirstTooMany | Attempt::TooMany => Err(Failure::TooMany),
        }
    }
}

fn given_password<'a>(session: &'a Session, password: &'a str) -> Given<'a> {
    Given {
        secret: password,
        hash: Some(&session.account.password),
        counted: session.account.username.clone(),
        action: AuditAction::Secret,
        target: "password",
        wrong: "the current password is wrong",
    }
}

fn given_pin<'a>(
    session: &'a Session,
    pin: &'a str,
    (action, target): (AuditAction, &'a str),
) -> Result<Given<'a>, Failure> {
    let hash = session.account.pin.as_deref();
    let none = || Failure::Unprocessable("the account has no signing PIN yet: set one with its password".to_owned());
    Ok(Given {
        secret: pin,
        hash: Some(hash.ok_or_else(none)?),
        counted: format!("pin {}", session.account.id),
        action,
        target,
        wrong: "the signing PIN is wrong",
    })
}
