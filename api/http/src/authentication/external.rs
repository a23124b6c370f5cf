//! Bearers of an external issuer's tokens (OpenID Connect): the token says who, our own membership row says what they may.
//!
//! An external subject is an account whose username is `issuer#subject`; `seva account` makes it.

use seva_fhir::access::{AuditAction, AuditOutcome, AuditRecord, RequestOrigin, Session, TokenError};
use seva_fhir::types::TenantId;

use super::{Authenticator, hash_of};
use crate::failure::Failure;

const UNKNOWN: &str = "the token is valid, and its subject has no account here: ask an administrator of the hospital";
const SEVERAL: &str =
    "the token is valid, and its subject belongs to several hospitals: an administrator must leave it one";

impl Authenticator {
    /// The roles come from our own membership row, never from the token's claims.
    pub(super) async fn external_session(&self, token: &str) -> Result<Session, Failure> {
        let parts = &self.parts;
        let verifier =
            parts.external.as_ref().ok_or(Failure::Unauthenticated("the token is not one of this server"))?;
        // The signature is checked each time; only the rows are remembered.
        let identity = verifier.verify(token).await.map_err(|error| match error {
            TokenError::Invalid(text) => Failure::Unauthenticated(text),
            TokenError::Keys(_) => {
                Failure::ServiceUnavailable("the issuer's keys can't be fetched now: try again in a minute".to_owned())
            }
        })?;
        let hash = hash_of(token);
        if let Some(session) = self.remembered(&hash).await {
            return Ok(session);
        }
        let username = format!("{}#{}", identity.issuer, identity.subject);
        let Some(account) = parts.accounts.find(&username).await? else {
            return Err(self.refuse_external("unknown", TenantId::SHARED, UNKNOWN).await);
        };
        let who = account.id.to_string();
        let mut memberships = parts.accounts.memberships(account.id).await?;
        match (memberships.pop(), memberships.is_empty()) {
            (Some(membership), true) => {
                let session = Session { account, membership, expires: identity.expires };
                self.remember(&hash, &session).await;
                Ok(session)
            }
            (Some(membership), false) => Err(self.refuse_external(&who, membership.tenant, SEVERAL).await),
            (None, _) => Err(self.refuse_external(&who, TenantId::SHARED, UNKNOWN).await),
        }
    }

    /// Refuses, with a record of it; a log that can't be written is the failure then.
    async fn refuse_external(&self, who: &str, tenant: TenantId, why: &str) -> Failure {
        let record = AuditRecord {
            at: self.parts.clock.now(),
            tenant,
            who: who.into(),
            action: AuditAction::LogIn,
            outcome: AuditOutcome::Refused,
            target: "external token".into(),
            patients: Vec::new(),
            request: RequestOrigin::default(),
            query: None,
        };
        match self.parts.audit.record_now(record).await {
            Ok(()) => Failure::Forbidden(why.to_owned()),
            Err(error) => Failure::from(error),
        }
    }
}
