//! An issuer for tests: keys, tokens, and the documents that publish the keys.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256};
use aws_lc_rs::{hmac, signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(super) enum Signer {
    Rsa(RsaKeyPair),
    Elliptic(EcdsaKeyPair),
}

impl Signer {
    pub(super) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"))
    }

    pub(super) fn elliptic() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key");
        Self::Elliptic(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref()).expect("a key"))
    }

    /// The public key as a JWK.
    pub(super) fn published(&self, id: &str) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(key) => {
                let public = key.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
                    "n": encode(n.big_endian_without_leading_zero()), "e": encode(e.big_endian_without_leading_zero())})
            }
            Self::Elliptic(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
                    "x": encode(point.get(1..33).expect("x")), "y": encode(point.get(33..65).expect("y"))})
            }
        }
    }

    pub(super) fn token(&self, id: &str, claims: &Value) -> String {
        let name = match self {
            Self::Rsa(_) => "RS256",
            Self::Elliptic(_) => "ES256",
        };
        self.token_with(&json!({"alg": name, "typ": "JWT", "kid": id}), claims)
    }

    pub(super) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let random = SystemRandom::new();
        let signed = match self {
            Self::Rsa(key) => {
                let mut signed = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256 as &dyn signature::RsaEncoding, &random, message.as_bytes(), &mut signed)
                    .expect("signed");
                signed
            }
            Self::Elliptic(key) => key.sign(&random, message.as_bytes()).expect("signed").as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signed))
    }
}

/// A token whose secret is some public bytes: the classical confusion of algorithms.
pub(super) fn token_by_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// A token without any signature.
pub(super) fn token_unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.", message(header, claims))
}

fn message(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}
