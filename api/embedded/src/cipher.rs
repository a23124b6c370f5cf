//! AES-256-GCM for audio: a key of its own for each recording, wrapped by the master key (NIST SP 800-38D).
//!
//! What is sealed is bound to its recording and place: a piece that is moved does not open.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use rand::TryRngCore;
use seva_clinic::dictation::{AudioCipher, CipherError, WrappedKey};
use uuid::Uuid;

/// Bytes of a nonce, which stand before what they sealed.
const NONCE: usize = 12;
/// Bytes of the tag, which stand behind it.
const TAG: usize = 16;

/// Seals with keys that a master key wraps.
pub struct AesGcmCipher {
    master: Aes256Gcm,
}

impl AesGcmCipher {
    /// Over a master key.
    #[must_use]
    pub fn new(master: &[u8; 32]) -> Self {
        Self { master: Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(master)) }
    }

    fn unwrap(&self, blob: Uuid, key: &WrappedKey) -> Result<Aes256Gcm, CipherError> {
        let key = open(&self.master, blob.as_bytes(), &key.0)?;
        Aes256Gcm::new_from_slice(&key).map_err(|_| CipherError)
    }
}

impl AudioCipher for AesGcmCipher {
    fn new_key(&self, blob: Uuid) -> Result<WrappedKey, CipherError> {
        let mut key = [0; 32];
        fill(&mut key)?;
        seal(&self.master, blob.as_bytes(), &key).map(WrappedKey)
    }

    fn encrypt(&self, blob: Uuid, key: &WrappedKey, sequence: u32, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        seal(&self.unwrap(blob, key)?, &place(blob, sequence), plain)
    }

    fn overhead(&self) -> u64 {
        (NONCE + TAG) as u64
    }

    fn decrypt(&self, blob: Uuid, key: &WrappedKey, sequence: u32, sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        open(&self.unwrap(blob, key)?, &place(blob, sequence), sealed)
    }
}

fn place(blob: Uuid, sequence: u32) -> Vec<u8> {
    let mut place = blob.as_bytes().to_vec();
    place.extend_from_slice(&sequence.to_be_bytes());
    place
}

fn fill(bytes: &mut [u8]) -> Result<(), CipherError> {
    rand::rngs::OsRng.try_fill_bytes(bytes).map_err(|_| CipherError)
}

fn seal(cipher: &Aes256Gcm, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, CipherError> {
    let mut nonce = [0; NONCE];
    fill(&mut nonce)?;
    let sealed =
        cipher.encrypt(Nonce::from_slice(&nonce), Payload { msg: plain, aad: bound }).map_err(|_| CipherError)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(cipher: &Aes256Gcm, bound: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(CipherError)?;
    cipher.decrypt(Nonce::from_slice(nonce), Payload { msg: sealed, aad: bound }).map_err(|_| CipherError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_recording_place_and_master_key_open_it() {
        let cipher = AesGcmCipher::new(&[1; 32]);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let key = cipher.new_key(one).expect("a key");
        let sealed = cipher.encrypt(one, &key, 7, b"audio").expect("sealed");
        assert_eq!(cipher.decrypt(one, &key, 7, &sealed).as_deref(), Ok(b"audio".as_slice()));
        assert!(cipher.decrypt(one, &key, 8, &sealed).is_err());
        assert!(cipher.decrypt(other, &key, 7, &sealed).is_err());
        assert!(AesGcmCipher::new(&[2; 32]).decrypt(one, &key, 7, &sealed).is_err());
        assert_eq!(sealed.len() as u64, 5 + cipher.overhead());
        assert_ne!(sealed, cipher.encrypt(one, &key, 7, b"audio").expect("sealed"));
    }
}
