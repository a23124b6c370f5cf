//! Passwords and PINs under argon2id, off the async threads (RFC 9106; parameters by OWASP's recommendation).

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Error, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use seva_fhir::access::{HasherError, SecretHasher};

/// Memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// A valid hash that no secret has: what is checked when the account does not exist, so that both take as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2V2YS1ub2JvZHktc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes with argon2id.
#[derive(Clone, Copy, Debug, Default)]
pub struct Argon2Hasher;

#[async_trait]
impl SecretHasher for Argon2Hasher {
    async fn hash(&self, secret: &str) -> Result<String, HasherError> {
        let secret = secret.to_owned();
        blocking(move || {
            let salt = SaltString::generate(&mut OsRng);
            argon2()?.hash_password(secret.as_bytes(), &salt).map(|hash| hash.to_string()).map_err(wrong)
        })
        .await
    }

    async fn verify(&self, secret: &str, hash: Option<&str>) -> Result<bool, HasherError> {
        let secret = secret.to_owned();
        let known = hash.is_some();
        let hash = hash.unwrap_or(NOBODY).to_owned();
        blocking(move || {
            let hash = PasswordHash::new(&hash).map_err(wrong)?;
            match argon2()?.verify_password(secret.as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(Error::Password) => Ok(false),
                Err(error) => Err(wrong(error)),
            }
        })
        .await
    }
}

fn argon2() -> Result<Argon2<'static>, HasherError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| HasherError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn wrong(error: Error) -> HasherError {
    HasherError(error.to_string())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HasherError> + Send + 'static,
) -> Result<T, HasherError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| HasherError(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_secret_fits() {
        let hash = Argon2Hasher.hash("correct horse").await.expect("hashed");
        assert!(Argon2Hasher.verify("correct horse", Some(&hash)).await.expect("checked"));
        assert!(!Argon2Hasher.verify("battery staple", Some(&hash)).await.expect("checked"));
        assert!(!Argon2Hasher.verify("anything", None).await.expect("checked"));
    }
}
