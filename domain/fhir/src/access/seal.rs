//! The chain that seals the audit log (decision D19): each seal covers a batch of committed records of one tenant, takes the
//! head of the seal before it into its own, and is signed. Changing, removing or inserting a record breaks the chain there.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::types::{Instant, TenantId};

/// A SHA-256.
pub type Digest = [u8; 32];

/// What a seal covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Lines of the audit log.
    Audit,
    /// Writes.
    Change,
    /// Numbers of the audit log that no record has.
    Gap,
}

impl Stream {
    const ALL: [Self; 3] = [Self::Audit, Self::Change, Self::Gap];

    /// The stored word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Change => "change",
            Self::Gap => "gap",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.code() == code)
    }
}

/// The digest of a record: of its stream and its fields, each behind its length, so that no two records share an input.
///
/// The client's address stands with the stream's name, where it is known: what was sealed before addresses were kept has
/// the digest that it had, and no other field can be taken for one.
#[must_use]
pub fn record_digest(stream: Stream, address: Option<&str>, fields: &[&str]) -> Digest {
    let mut hash = Sha256::new();
    let stream = address.map_or(Cow::Borrowed(stream.code()), |address| format!("{} {address}", stream.code()).into());
    for field in [stream.as_ref()].iter().chain(fields) {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    hash.finalize().into()
}

/// A batch of records under one seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBatch {
    /// Whose records.
    pub tenant: TenantId,
    /// The seal's number in the tenant's chain, from one.
    pub number: i64,
    /// Of which log.
    pub stream: Stream,
    /// Transaction and number of the last record before the batch.
    pub from: (i64, i64),
    /// Transaction and number up to which it reaches.
    pub to: (i64, i64),
    /// Number and digest of each record, in the order of their transactions.
    pub records: Vec<(i64, Digest)>,
    /// When it was sealed.
    pub sealed: Instant,
}

impl SealedBatch {
    /// The head of the chain with this seal, after the head before it; zeros before the first one.
    #[must_use]
    pub fn head(&self, previous: &Digest) -> Digest {
        let mut hash = Sha256::new();
        hash.update(b"seva audit seal 1\0");
        hash.update(previous);
        hash.update(self.tenant.get().to_be_bytes());
        hash.update(self.number.to_be_bytes());
        hash.update(self.stream.code().as_bytes());
        hash.update(b"\0");
        for position in [self.from.0, self.from.1, self.to.0, self.to.1, self.sealed.micros()] {
            hash.update(position.to_be_bytes());
        }
        hash.update((self.records.len() as u64).to_be_bytes());
        for (number, digest) in &self.records {
            hash.update(number.to_be_bytes());
            hash.update(digest);
        }
        hash.finalize().into()
    }
}

/// Signs heads. The key lies apart from the database: who can write there can't make a chain anew.
pub trait SealKey: Send + Sync {
    /// A short name of the key, made from its public half.
    fn id(&self) -> &str;

    /// The public half in hexadecimal (Ed25519, RFC 8032).
    fn public_key(&self) -> String;

    /// Signs a head.
    fn sign(&self, head: &Digest) -> Vec<u8>;

    /// Checks a signature of a head.
    fn verify(&self, head: &Digest, signature: &[u8]) -> bool;
}

/// What a check of a tenant's chain found.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Whose chain.
    pub tenant: TenantId,
    /// The hospital's name.
    pub hospital: String,
    /// How many seals hold.
    pub seals: u64,
    /// How many records they cover.
    pub records: u64,
    /// Numbers of the audit log that no record has, from the first to the last of each gap.
    pub gaps: Vec<(i64, i64)>,
    /// The head of what holds.
    pub head: Digest,
    /// Where it breaks.
    pub broken: Option<Broken>,
}

/// The first thing in a chain that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record is not what was sealed.
    #[error("{} record {record} {how} (seal {seal})", stream.code())]
    Record {
        /// Of which log.
        stream: Stream,
        /// Its number.
        record: i64,
        /// The seal that tells.
        seal: i64,
        /// What happened to it.
        how: &'static str,
    },
    /// A seal does not hold.
    #[error("seal {seal} {how}")]
    Seal {
        /// Its number.
        seal: i64,
        /// What is wrong with it.
        how: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> SealedBatch {
        let digest = record_digest(Stream::Audit, None, &["1", "a"]);
        SealedBatch {
            tenant: TenantId::try_from(1).expect("a tenant"),
            number: 1,
            stream: Stream::Audit,
            from: (0, 0),
            to: (10, 7),
            records: vec![(7, digest)],
            sealed: Instant::from_micros(5),
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let digest = |fields: &[&str]| record_digest(Stream::Audit, None, fields);
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["a"]), record_digest(Stream::Change, None, &["a"]));
        let from = |address| record_digest(Stream::Audit, Some(address), &["a"]);
        assert_ne!(from("192.0.2.1"), from("192.0.2.2"));
        assert!(from("192.0.2.1") != digest(&["a"]) && from("192.0.2.1") != digest(&["a", "192.0.2.1"]));
    }

    #[test]
    fn a_record_without_an_address_has_the_digest_that_it_had() {
        let mut hash = Sha256::new();
        for field in ["audit", "7", "read"] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        let before: Digest = hash.finalize().into();
        assert_eq!(record_digest(Stream::Audit, None, &["7", "read"]), before);
    }

    #[test]
    fn a_head_depends_on_everything_before_it() {
        let head = batch().head(&[0; 32]);
        assert_eq!(head, batch().head(&[0; 32]));
        assert_ne!(head, batch().head(&[1; 32]));
        let changes: [fn(&mut SealedBatch); 6] = [
            |batch| batch.number = 2,
            |batch| batch.stream = Stream::Change,
            |batch| batch.to = (10, 8),
            |batch| batch.records.push((8, [0; 32])),
            |batch| batch.records = vec![(7, [0; 32])],
            |batch| batch.sealed = Instant::from_micros(6),
        ];
        for change in changes {
            let mut other = batch();
            change(&mut other);
            assert_ne!(head, other.head(&[0; 32]));
        }
    }
}
