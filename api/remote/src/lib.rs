//! Adapters over services that are neither AWS's nor our own: an external issuer of tokens (OpenID Connect,
//! <https://openid.net/specs/openid-connect-core-1_0.html>), speech engines behind HTTP and WebSockets, translators behind
//! HTTP, and the places that files of an import are fetched from.

pub mod import;
pub mod issuer;
pub mod place;
pub mod speech;
pub mod translation;
