//! Where a service is, what shows who asks, and which certificates are trusted
//! (RFC 5280, <https://www.rfc-editor.org/rfc/rfc5280>).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);

/// Why a service can't be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The address is none.
    #[error("the address of the service can't be read")]
    Address,
    /// The file holds no certificate.
    #[error("the certificate can't be read: {0}")]
    Certificate(String),
    /// The client can't be made.
    #[error("no client: {0}")]
    Client(String),
}

/// Where a service is and who asks it.
#[derive(Clone)]
pub struct Place {
    /// Its address.
    pub endpoint: String,
    /// The key that it wants.
    pub api_key: Option<String>,
    /// Certificates (PEM) that are trusted beside the machine's own, for a private service.
    pub certificates: Option<Vec<u8>>,
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Place").field("address", &self.shown()).finish_non_exhaustive()
    }
}

impl Place {
    /// The address without what may be secret in it: scheme, host and port.
    pub(crate) fn shown(&self) -> String {
        let Some((scheme, rest)) = self.endpoint.split_once("://") else { return String::new() };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}://{host}")
    }

    /// The certificates, each in DER.
    fn trusted(&self) -> Result<Vec<CertificateDer<'static>>, PlaceError> {
        self.certificates.as_deref().map_or(Ok(Vec::new()), read_certificates)
    }

    /// TLS for sockets, by the machine's certificates and the private ones.
    pub(super) fn tls(&self) -> Result<ClientConfig, PlaceError> {
        let wrong = |error: rustls::Error| PlaceError::Client(error.to_string());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.trusted()?, provider.clone()).map_err(wrong)?;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(wrong)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(builder.with_no_client_auth())
    }

    /// An HTTP client; it follows no redirect, because what is sent goes to the configured place only.
    pub(crate) fn client(&self) -> Result<reqwest::Client, PlaceError> {
        let trusted: Result<Vec<_>, _> = self.trusted()?.iter().map(|each| Certificate::from_der(each)).collect();
        let trusted = trusted.map_err(|error| PlaceError::Certificate(error.to_string()))?;
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_merge(trusted);
        builder.build().map_err(|error| PlaceError::Client(error.to_string()))
    }
}

/// Reads certificates in PEM (RFC 7468); a text without any is refused.
pub fn read_certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PlaceError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(PlaceError::Certificate("there is none in the file".to_owned())),
        Err(error) => Err(PlaceError::Certificate(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(endpoint: &str) -> Place {
        Place { endpoint: endpoint.to_owned(), api_key: Some("k-1".to_owned()), certificates: None }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let shown = format!("{:?}", place("https://user:word@speech.example:8443/v1?token=x"));
        assert!(shown.contains("https://speech.example:8443"), "{shown}");
        assert!(!shown.contains("word") && !shown.contains("token") && !shown.contains("k-1"), "{shown}");
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let mut private = place("wss://speech.example");
        private.certificates = Some(b"no certificate".to_vec());
        assert!(matches!(private.tls(), Err(PlaceError::Certificate(_))));
        assert!(matches!(private.client(), Err(PlaceError::Certificate(_))));
    }
}
