//! Blobs as files of the data folder: what a Binary holds when it is too large for a row
//! (R4: <https://hl7.org/fhir/R4/binary.html>). The caller encrypts what must be secret.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use seva_clinic::dictation::{BlobContent, BlobError, BlobStore, BlobWriter};
use seva_fhir::types::TenantId;
use uuid::Uuid;

/// Two writers of one blob must not write into one temporary file.
static WRITES: AtomicU64 = AtomicU64::new(0);
/// What the name of a file ends with that is being written.
const UNFINISHED: &str = "part";
/// How old an unfinished file is that nobody writes any more.
const LEFT: Duration = Duration::from_secs(24 * 60 * 60);

/// Keeps each blob in one file: the length of its media type, the media type, the bytes.
#[derive(Clone, Debug)]
pub struct FileBlobs {
    folder: PathBuf,
}

impl FileBlobs {
    /// Opens the folder, making it when it is not there.
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        fs::create_dir_all(folder).map_err(|error| unavailable(&error))?;
        remove_left(folder).map_err(|error| unavailable(&error))?;
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

    async fn write(&self, tenant: TenantId, id: Uuid, content_type: &str) -> Result<Box<dyn BlobWriter>, BlobError> {
        let path = self.path(tenant, id);
        let content_type = content_type.to_owned();
        let begun = off_the_runtime(move || Begun::open(path, &content_type)).await?;
        Ok(Box::new(FileWriter { begun: Some(begun) }))
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
    let mut begun = Begun::open(path.to_owned(), content_type)?;
    begun.file.write_all(bytes)?;
    begun.finish()
}

/// A file that has no name yet under which it could be read; without one it is removed.
struct Begun {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
}

impl Begun {
    fn open(path: PathBuf, content_type: &str) -> io::Result<Self> {
        fs::create_dir_all(path.parent().ok_or(ErrorKind::InvalidInput)?)?;
        let length = u8::try_from(content_type.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
        let temporary = path.with_extension(format!("{}.{UNFINISHED}", WRITES.fetch_add(1, Ordering::Relaxed)));
        let mut file = File::create(&temporary)?;
        file.write_all(&[length])?;
        file.write_all(content_type.as_bytes())?;
        Ok(Self { file, temporary, path })
    }

    fn finish(self) -> io::Result<()> {
        // The name appears only when the bytes are on disk, and stays only when the folder is.
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        File::open(self.path.parent().ok_or(ErrorKind::InvalidInput)?)?.sync_all()
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // After its end it has another name; what can't be removed now is removed when the folder is opened again.
        let _ = fs::remove_file(&self.temporary);
    }
}

struct FileWriter {
    /// None while its bytes are written, and after that failed.
    begun: Option<Begun>,
}

#[async_trait]
impl BlobWriter for FileWriter {
    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), BlobError> {
        let lost = || BlobError::Unavailable("an earlier piece of the blob was not written".to_owned());
        let mut begun = self.begun.take().ok_or_else(lost)?;
        let written = off_the_runtime(move || begun.file.write_all(&bytes).map(|()| begun)).await?;
        self.begun = Some(written);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), BlobError> {
        let lost = || BlobError::Unavailable("a piece of the blob was not written".to_owned());
        let begun = self.begun.ok_or_else(lost)?;
        off_the_runtime(move || begun.finish()).await
    }

    async fn abandon(self: Box<Self>) {
        drop(self.begun);
    }
}

/// Removes what a program that ended left unfinished, if it is old enough to be nobody's.
fn remove_left(folder: &Path) -> io::Result<()> {
    for tenant in fs::read_dir(folder)? {
        let tenant = tenant?.path();
        if !tenant.is_dir() {
            continue;
        }
        for entry in fs::read_dir(tenant)? {
            let entry = entry?;
            let unfinished = entry.path().extension().is_some_and(|extension| extension == UNFINISHED);
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if unfinished && age > LEFT {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
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
    use std::time::SystemTime;

    use super::*;

    #[tokio::test]
    async fn files_keep_what_a_blob_store_promises() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = FileBlobs::open(folder.path()).expect("a store");
        seva_clinic::testing::blob_store_contract(&blobs).await;
    }

    #[tokio::test]
    async fn what_was_left_unfinished_long_ago_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let tenant = folder.path().join("1");
        fs::create_dir(&tenant).expect("a folder of a tenant");
        let old = SystemTime::now() - 2 * LEFT;
        for (name, modified) in [("a.1.part", old), ("b.2.part", SystemTime::now()), ("c", old)] {
            File::create(tenant.join(name)).expect("a file").set_modified(modified).expect("its age");
        }
        FileBlobs::open(folder.path()).expect("a store");
        let mut left: Vec<_> =
            fs::read_dir(&tenant).expect("it").map(|entry| entry.expect("a file").file_name()).collect();
        left.sort();
        assert_eq!(left, ["b.2.part", "c"]);
    }
}
