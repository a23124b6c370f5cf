//! Blobs as files of the data folder: what a Binary holds when it is too large for a row
//! (R4: <https://hl7.org/fhir/R4/binary.html>). The caller encrypts what must be secret.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use seva_clinic::dictation::{BlobContent, BlobError, BlobStore};
use seva_fhir::types::TenantId;
use uuid::Uuid;

/// Two writers of one blob must not write into one temporary file.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Keeps each blob in one file: the length of its media type, the media type, the bytes.
#[derive(Clone, Debug)]
pub struct FileBlobs {
    folder: PathBuf,
}

impl FileBlobs {
    /// Opens the folder, making it when it is not there.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        fs::create_dir_all(folder).map_err(|error| unavailable(&error))?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn path(&self, tenant: TenantId, id: Uuid) -> PathBuf {
        self.folder.join(tenant.get().to_string()).join(id.to_string())
    }
}

#[async_trait]
impl BlobStore for FileBlobs {
    async fn put(&self, tenant: TenantId, id: Uuid, content_type: &str, bytes: Vec<u8>) -> Result<(), BlobError> {
        let path = self.path(tenant, id);
        let content_type = content_type.to_owned();
        off_the_runtime(move || write(&path, &content_type, &bytes)).await
    }

    async fn get(
        &self,
        tenant: TenantId,
        id: Uuid,
        range: Option<Range<u64>>,
    ) -> Result<Option<BlobContent>, BlobError> {
        let path = self.path(tenant, id);
        off_the_runtime(move || Ok(read(&path, range))).await?
    }

    async fn delete(&self, tenant: TenantId, id: Uuid) -> Result<(), BlobError> {
        let path = self.path(tenant, id);
        off_the_runtime(move || match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    async fn health(&self) -> Result<(), BlobError> {
        let probe = self.folder.join(".probe");
        off_the_runtime(move || File::create(&probe)?.sync_all()).await
    }
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| BlobError::Unavailable(error.to_string()))?;
    done.map_err(|error| unavailable(&error))
}

fn unavailable(error: &io::Error) -> BlobError {
    BlobError::Unavailable(error.to_string())
}

fn write(path: &Path, content_type: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let length = u8::try_from(content_type.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    let temporary = path.with_extension(format!("{}.part", WRITES.fetch_add(1, Ordering::Relaxed)));
    let mut file = File::create(&temporary)?;
    file.write_all(&[length])?;
    file.write_all(content_type.as_bytes())?;
    file.write_all(bytes)?;
    // The name appears only when the bytes are on disk, and stays only when the folder is.
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}

fn read(path: &Path, range: Option<Range<u64>>) -> Result<Option<BlobContent>, BlobError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| unavailable(&error))?,
    };
    let (mut file, content_type, size) = header(file).map_err(|error| unavailable(&error))?;
    let range = range.unwrap_or(0..size);
    if range.start > range.end || range.end > size {
        return Err(BlobError::Range { size });
    }
    let start = u64::try_from(content_type.len()).unwrap_or(u64::MAX).saturating_add(1).saturating_add(range.start);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start)).map_err(|error| unavailable(&error))?;
    file.take(range.end - range.start).read_to_end(&mut bytes).map_err(|error| unavailable(&error))?;
    Ok(Some(BlobContent { content_type, size, bytes }))
}

fn header(mut file: File) -> io::Result<(File, String, u64)> {
    let mut length = [0_u8; 1];
    file.read_exact(&mut length)?;
    let [length] = length;
    let mut content_type = vec![0_u8; usize::from(length)];
    file.read_exact(&mut content_type)?;
    let size = file.metadata()?.len().saturating_sub(u64::from(length) + 1);
    let content_type = String::from_utf8(content_type).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
    Ok((file, content_type, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_keep_what_a_blob_store_promises() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = FileBlobs::open(folder.path()).expect("a store");
        seva_clinic::testing::blob_store_contract(&blobs).await;
    }
}
