//! The key that signs the heads of the audit chain: Ed25519 (RFC 8032), derived from the master key, which lies apart from
//! the database. Whoever can write to the database only can't make a chain anew.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use seva_fhir::access::{Digest, SealKey};
use sha2::Sha256;

/// Separates this key from whatever else the master key serves for.
const PURPOSE: &[u8] = b"seva audit seal key 1";
/// Letters of the key's short name.
const NAME: usize = 16;

/// Signs with a key made from the master key.
pub struct MasterSealKey {
    pair: Ed25519KeyPair,
    id: String,
}

/// The master key can't serve.
#[derive(Debug, thiserror::Error)]
#[error("the key of the audit chain can't be made: {0}")]
pub struct SealKeyError(String);

impl MasterSealKey {
    /// Derives the key.
    pub fn derive(master: &[u8; 32]) -> Result<Self, SealKeyError> {
        let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, master), PURPOSE);
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|error| SealKeyError(error.to_string()))?;
        let digest = <Sha256 as sha2::Digest>::digest(pair.public_key().as_ref());
        let id = hex::encode(digest).chars().take(NAME).collect();
        Ok(Self { pair, id })
    }
}

impl SealKey for MasterSealKey {
    fn id(&self) -> &str {
        &self.id
    }

    fn public_key(&self) -> String {
        hex::encode(self.pair.public_key().as_ref())
    }

    fn sign(&self, head: &Digest) -> Vec<u8> {
        self.pair.sign(head).as_ref().to_vec()
    }

    fn verify(&self, head: &Digest, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref()).verify(head, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_master_key_signs_the_same_head() {
        let key = MasterSealKey::derive(&[1; 32]).expect("a key");
        let signature = key.sign(&[7; 32]);
        assert!(MasterSealKey::derive(&[1; 32]).expect("a key").verify(&[7; 32], &signature));
        assert!(!key.verify(&[8; 32], &signature));
        let other = MasterSealKey::derive(&[2; 32]).expect("a key");
        assert!(!other.verify(&[7; 32], &signature));
        assert_ne!(key.id(), other.id());
    }
}
