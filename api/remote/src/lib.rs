//! Adapters over services that are neither AWS's nor our own: an external issuer of tokens (OpenID Connect,
//! <https://openid.net/specs/openid-connect-core-1_0.html>), and speech engines behind HTTP and WebSockets.

pub mod issuer;
pub mod speech;
