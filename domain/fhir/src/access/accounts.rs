//! Accounts, their memberships in tenants, their sessions and tickets: what log-in needs of the store.

use async_trait::async_trait;
use uuid::Uuid;

use super::{NewSecret, Role};
use crate::ports::StoreError;
use crate::types::{Instant, ResourceId, TenantId};

/// The SHA-256 of a token: the token itself is never stored.
pub type TokenHash = [u8; 32];

/// Someone who can log in.
#[derive(Clone)]
pub struct Account {
    /// The stable identifier.
    pub id: Uuid,
    /// What is typed at log-in.
    pub username: String,
    /// The name to show.
    pub display: String,
    /// The argon2 hash of the password.
    pub password: String,
    /// The argon2 hash of the signing PIN, where one is set.
    pub pin: Option<String>,
}

/// What an account is in one tenant.
#[derive(Clone)]
pub struct Membership {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// The roles there.
    pub roles: Vec<Role>,
    /// The Practitioner that the account acts as.
    pub practitioner: Option<ResourceId>,
    /// The Patient that the account belongs to.
    pub patient: Option<ResourceId>,
}

/// An open session: who, and as what.
#[derive(Clone)]
pub struct Session {
    /// The account.
    pub account: Account,
    /// The membership that was picked at log-in; gone memberships have no sessions.
    pub membership: Membership,
    /// When it ends.
    pub expires: Instant,
}

/// A one-use ticket for a socket: browsers can't set headers on them.
#[derive(Clone, Copy)]
pub struct Ticket {
    /// The account that asked for it.
    pub account: Uuid,
    /// The tenant.
    pub tenant: TenantId,
    /// The dictation it opens.
    pub dictation: Uuid,
    /// When it ends.
    pub expires: Instant,
}

/// Keeps accounts, sessions and tickets.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Finds an account by what is typed at log-in.
    async fn find(&self, username: &str) -> Result<Option<Account>, StoreError>;

    /// The active memberships of an account.
    async fn memberships(&self, account: Uuid) -> Result<Vec<Membership>, StoreError>;

    /// Writes an account and its membership; replaces the membership that it has in the tenant.
    async fn save(&self, account: &Account, membership: &Membership) -> Result<(), StoreError>;

    /// Replaces a secret of an account.
    async fn change_secret(&self, account: Uuid, secret: NewSecret<'_>) -> Result<(), StoreError>;

    /// Makes a tenant, or finds it by name.
    async fn tenant(&self, name: &str) -> Result<TenantId, StoreError>;

    /// Opens a session.
    async fn open_session(
        &self,
        token: &TokenHash,
        account: Uuid,
        tenant: TenantId,
        expires: Instant,
    ) -> Result<(), StoreError>;

    /// Finds an open session whose membership is still active.
    async fn session(&self, token: &TokenHash, now: Instant) -> Result<Option<Session>, StoreError>;

    /// Ends a session.
    async fn end_session(&self, token: &TokenHash) -> Result<(), StoreError>;

    /// Ends every session of an account in a tenant and its membership: removal cuts tokens at once.
    async fn remove(&self, account: Uuid, tenant: TenantId) -> Result<(), StoreError>;

    /// Keeps a ticket.
    async fn save_ticket(&self, token: &TokenHash, ticket: Ticket) -> Result<(), StoreError>;

    /// Takes a ticket: it works once.
    async fn take_ticket(&self, token: &TokenHash, now: Instant) -> Result<Option<(Ticket, Session)>, StoreError>;
}

/// Makes and checks hashes of passwords and PINs, off the async threads.
#[async_trait]
pub trait SecretHasher: Send + Sync {
    /// Hashes a secret.
    async fn hash(&self, secret: &str) -> Result<String, HasherError>;

    /// Checks a secret; takes as long for a missing hash as for a wrong one.
    async fn verify(&self, secret: &str, hash: Option<&str>) -> Result<bool, HasherError>;
}

/// A stored hash does not parse, or hashing failed.
#[derive(Debug, thiserror::Error)]
#[error("hashing failed: {0}")]
pub struct HasherError(pub String);

/// Who an external issuer says that a token's bearer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `exp`.
    pub expires: Instant,
}

/// Checks tokens of an external issuer (OIDC, Cognito) against its published keys.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// Checks a token; the text of an error says what is wrong with it, and nothing of it.
    async fn verify(&self, token: &str) -> Result<ExternalIdentity, TokenError>;
}

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token is not valid.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// The issuer's keys can't be fetched.
    #[error("the issuer's keys can't be fetched: {0}")]
    Keys(String),
}
