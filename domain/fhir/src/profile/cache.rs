//! Compiled profiles, kept between requests as long as the definitions that they were made of are the newest ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Profile;
use crate::types::{ResourceKey, TenantId, VersionId};

/// More profiles than a hospital uses; beyond, the cache begins anew.
const MOST: usize = 500;

/// One definition that a profile was made of: the URL by which it was found, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The URL.
    pub url: String,
    /// Whose definition it is: the hospital's own, or shared by all.
    pub tenant: TenantId,
    /// The StructureDefinition.
    pub key: ResourceKey,
    /// Its version.
    pub version: VersionId,
}

/// A profile with the definitions that it was made of, the profile's own first.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The definitions.
    pub sources: Vec<Source>,
    /// The profile.
    pub profile: Arc<Profile>,
}

/// The compiled profiles of all tenants. Who takes one looks first whether its sources still are what the store has.
#[derive(Debug, Default)]
pub struct ProfileCache {
    kept: Mutex<HashMap<(TenantId, String), Compiled>>,
}

impl ProfileCache {
    /// The profile that was kept under a URL.
    #[must_use]
    pub fn get(&self, tenant: TenantId, url: &str) -> Option<Compiled> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(tenant, url.to_owned())).cloned()
    }

    /// Keeps a profile.
    pub fn put(&self, tenant: TenantId, url: &str, compiled: Compiled) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert((tenant, url.to_owned()), compiled);
    }
}
