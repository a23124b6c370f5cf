//! Answers to requests that carry an `Idempotency-Key`: the second time, the first answer is given again.

use async_trait::async_trait;

use crate::ports::StoreError;
use crate::types::TenantId;

/// Who asked with which key.
#[derive(Clone)]
pub struct IdempotencyKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The account.
    pub account: Box<str>,
    /// The client's key.
    pub key: Box<str>,
}

/// An answer that was given.
#[derive(Clone)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// The JSON body.
    pub body: Vec<u8>,
}

/// What is known of a key.
pub enum Begun {
    /// It is new: do the work, then keep its answer.
    New,
    /// It was done.
    Done(KeptAnswer),
    /// It is being done.
    Busy,
    /// It was used for another request.
    Other,
}

/// Keeps answers by key.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Reserves a key for a request (by its digest), or says what is known of it.
    async fn begin(&self, key: &IdempotencyKey, request: &[u8; 32]) -> Result<Begun, StoreError>;

    /// Keeps the answer.
    async fn keep(&self, key: &IdempotencyKey, answer: &KeptAnswer) -> Result<(), StoreError>;

    /// Lets the key go: the request failed on our side and may be tried again.
    async fn forget(&self, key: &IdempotencyKey) -> Result<(), StoreError>;
}
