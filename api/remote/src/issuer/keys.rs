//! The cache of an issuer's keys (RFC 7517): fresh for an hour, fetched again for a key that nobody knows, and good for a day
//! while the issuer does not answer. One fetch at a time, and never more than one in half a minute.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use seva_fhir::access::TokenError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::documents::{Documents, Key};

/// How long keys are believed without asking.
pub(super) const FRESH: Duration = Duration::from_secs(60 * 60);
/// How long they are believed while the issuer does not answer.
pub(super) const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long after one fetch the next may come: tokens with invented key ids must not turn us against the issuer.
pub(super) const BETWEEN: Duration = Duration::from_secs(30);

const AWAY: &str = "they were asked for a moment ago without success";

#[derive(Default)]
struct Known {
    keys: HashMap<String, Key>,
    since: Option<Instant>,
}

impl Known {
    fn younger_than(&self, age: Duration) -> bool {
        self.since.is_some_and(|since| since.elapsed() < age)
    }
}

/// Keeps the keys of an issuer.
pub(super) struct KeyCache {
    documents: Documents,
    known: RwLock<Known>,
    /// When keys were last asked for; held while they are.
    asked: Mutex<Option<Instant>>,
}

impl KeyCache {
    pub(super) fn new(documents: Documents) -> Self {
        Self { documents, known: RwLock::default(), asked: Mutex::new(None) }
    }

    /// Finds a key by its id.
    pub(super) async fn find(&self, id: &str) -> Result<Key, TokenError> {
        const UNKNOWN: TokenError =
            TokenError::Invalid("the token is signed with a key that its issuer does not publish");
        if let Some(key) = self.lookup(id, FRESH) {
            return Ok(key);
        }
        let usable = self.lookup(id, STALE);
        let fetched = match usable {
            // Somebody asks already: what is known will do.
            Some(_) if self.asked.try_lock().is_err() => Ok(()),
            _ => self.refresh(|| self.lookup(id, FRESH).is_some()).await,
        };
        match (self.lookup(id, STALE), fetched) {
            (Some(key), _) => Ok(key),
            // Keys that are there and fresh are all keys: this one is not among them.
            (None, _) if self.is_fresh() => Err(UNKNOWN),
            (None, Ok(())) => Err(UNKNOWN),
            (None, Err(error)) => Err(error),
        }
    }

    /// How many keys are known, asking for them unless they are fresh.
    pub(super) async fn count(&self) -> Result<usize, TokenError> {
        if !self.is_fresh() {
            self.refresh(|| self.is_fresh()).await?;
        }
        Ok(self.known.read().unwrap_or_else(PoisonError::into_inner).keys.len())
    }

    fn is_fresh(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).younger_than(FRESH)
    }

    fn lookup(&self, id: &str, age: Duration) -> Option<Key> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.keys.get(id).filter(|_| known.younger_than(age)).cloned()
    }

    /// Fetches the keys, unless someone did while we waited or too little time has gone by.
    async fn refresh(&self, done: impl Fn() -> bool) -> Result<(), TokenError> {
        let mut asked = self.asked.lock().await;
        if done() {
            return Ok(());
        }
        if asked.is_some_and(|last| last.elapsed() < BETWEEN) {
            return Err(TokenError::Keys(AWAY.to_owned()));
        }
        *asked = Some(Instant::now());
        match self.documents.keys().await {
            Ok(keys) => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                *known = Known { keys, since: Some(Instant::now()) };
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "the issuer's keys can't be fetched");
                Err(TokenError::Keys(error.to_string()))
            }
        }
    }
}
