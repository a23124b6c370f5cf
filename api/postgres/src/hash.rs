//! The 64-bit hashes of the index, under a key that the database keeps (decision D3).
//!
//! Each kind of value has a tag of its own and lengths are hashed before texts, so that no two different values share an
//! input. Hashes may still collide: every search rechecks tenant and type, and the probability is negligible otherwise.
//!
//! Some values have a qualifier, the code system: its 24 bits are the low ones, so that the system alone, or every system,
//! can be asked for without a row of its own (decision 0007).

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// Hashes index values under one database's key.
#[derive(Clone, Copy)]
pub(crate) struct IndexHash {
    key: [u8; 16],
}

/// The bits of the qualifier.
pub(crate) const QUALIFIERS: i64 = (1 << 24) - 1;

/// The code system of a value in 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Qualifier(i64);

impl Qualifier {
    /// Whatever the system is.
    pub(crate) const ANY: Self = Self(0);
    /// There is no system.
    pub(crate) const NONE: Self = Self(1);

    /// The low bits of the hashes that are qualified so.
    pub(crate) fn bits(self) -> i64 {
        self.0
    }
}

/// What a hash stands for.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Tag {
    Code = 1,
    Exact = 2,
    System = 4,
    Resource = 5,
    Url = 6,
    Unit = 7,
    UnitCode = 8,
    Compartment = 9,
    Cursor = 10,
    Composite = 11,
    Criteria = 12,
    BaseUnit = 13,
    Dated = 14,
}

impl IndexHash {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The hash of a value whose low bits are its qualifier.
    pub(crate) fn qualified(self, tag: Tag, parts: &[&str], qualifier: Qualifier) -> i64 {
        (self.of(tag, parts) & !QUALIFIERS) | qualifier.0
    }

    /// The qualifier of a code system.
    pub(crate) fn qualifier(self, system: &str) -> Qualifier {
        match self.of(Tag::System, &[system]) & QUALIFIERS {
            own @ (0 | 1) => Qualifier(own + 2),
            own => Qualifier(own),
        }
    }

    /// The hash of two hashed values that stand together.
    pub(crate) fn pair(self, first: i64, second: i64) -> i64 {
        self.of(Tag::Composite, &[&first.to_string(), &second.to_string()])
    }

    pub(crate) fn of(self, tag: Tag, parts: &[&str]) -> i64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u8(tag as u8);
        for part in parts {
            hasher.write_u64(part.len() as u64);
            hasher.write(part.as_bytes());
        }
        i64::from_ne_bytes(hasher.finish().to_ne_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualifier_is_the_low_bits() {
        let hash = IndexHash::new([7; 16]);
        let system = hash.qualifier("http://loinc.org");
        let whole = hash.qualified(Tag::Exact, &["http://loinc.org", "8480-6"], system);
        assert_eq!(whole & QUALIFIERS, system.bits());
        assert!(system != Qualifier::ANY && system != Qualifier::NONE);
        assert_eq!(hash.qualified(Tag::Code, &["8480-6"], Qualifier::ANY) & QUALIFIERS, 0);
        assert_ne!(system, hash.qualifier("http://snomed.info/sct"));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let hash = IndexHash::new([7; 16]);
        assert_ne!(hash.of(Tag::Exact, &["ab", "c"]), hash.of(Tag::Exact, &["a", "bc"]));
        assert_ne!(hash.of(Tag::Code, &["a"]), hash.of(Tag::System, &["a"]));
        assert_eq!(hash.of(Tag::Code, &["a"]), hash.of(Tag::Code, &["a"]));
    }
}
