//! Where the files of an import are fetched from (<https://github.com/smart-on-fhir/bulk-import>): a port, because only the
//! configuration says who may be asked.

use async_trait::async_trait;
use bytes::Bytes;

/// Why a file wasn't fetched; the text is for who asked.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nothing is fetched from there.
    #[error("{0}")]
    NotAllowed(String),
    /// It was tried.
    #[error("{0}")]
    Failed(String),
}

/// A file that comes piece by piece.
#[async_trait]
pub trait FetchStream: Send {
    /// The next piece; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, FetchError>;
}

/// Fetches files from the places that the configuration lists, and from no other.
#[async_trait]
pub trait Fetcher: Send + Sync {
    /// Tells whether a file may be fetched.
    fn check(&self, url: &str) -> Result<(), FetchError>;

    /// Begins to fetch.
    async fn open(&self, url: &str) -> Result<Box<dyn FetchStream>, FetchError>;
}
