//! What a password and a signing PIN must be (NIST SP 800-63B, <https://pages.nist.gov/800-63-3/sp800-63b.html>: length is
//! what counts; a PIN is a second secret inside a session and guessed against a limit).

use std::ops::RangeInclusive;

use super::TokenHash;

/// The shortest password that is taken.
const SHORTEST: usize = 12;
/// The longest password that is taken: hashing takes memory and time.
const LONGEST: usize = 256;
const PIN_DIGITS: RangeInclusive<usize> = 4..=12;

/// Why a secret is not taken; says nothing of the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// Too short.
    #[error("the password has fewer than {SHORTEST} characters")]
    Short,
    /// Too long.
    #[error("the password has more than {LONGEST} characters")]
    Long,
    /// No PIN.
    #[error("a signing PIN has {} to {} digits", PIN_DIGITS.start(), PIN_DIGITS.end())]
    Pin,
    /// A PIN that is guessed first.
    #[error("a signing PIN is not one digit repeated")]
    Repeated,
}

/// Checks a new password.
pub fn check_password(password: &str) -> Result<(), WeakSecret> {
    match password.chars().count() {
        0..SHORTEST => Err(WeakSecret::Short),
        SHORTEST..=LONGEST => Ok(()),
        _ => Err(WeakSecret::Long),
    }
}

/// Checks a new signing PIN.
pub fn check_pin(pin: &str) -> Result<(), WeakSecret> {
    if !PIN_DIGITS.contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WeakSecret::Pin);
    }
    let first = pin.bytes().next();
    if pin.bytes().all(|byte| Some(byte) == first) { Err(WeakSecret::Repeated) } else { Ok(()) }
}

/// A new secret of an account, hashed.
#[derive(Clone, Copy)]
pub enum NewSecret<'a> {
    /// A password; every session but the one in which it was changed ends.
    Password {
        /// The hash.
        hash: &'a str,
        /// The session that stays.
        keep: &'a TokenHash,
    },
    /// A signing PIN.
    Pin {
        /// The hash.
        hash: &'a str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_named() {
        assert_eq!(check_password("short"), Err(WeakSecret::Short));
        assert_eq!(check_password(&"x".repeat(257)), Err(WeakSecret::Long));
        assert_eq!(check_password("namaste-seva"), Ok(()));
        for pin in ["123", "1234567890123", "12a4", "१२३४"] {
            assert_eq!(check_pin(pin), Err(WeakSecret::Pin), "{pin}");
        }
        assert_eq!(check_pin("7777"), Err(WeakSecret::Repeated));
        assert_eq!(check_pin("2468"), Ok(()));
    }
}
