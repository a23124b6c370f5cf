//! Recordings that come as a file, in parts: each part is sealed and committed as it comes, and a worker decodes them one
//! by one. Neither the file nor the audio is ever whole in memory.

use std::io::{Error, Read, Result, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

use seva_fhir::access::Caller;
use seva_fhir::types::TenantId;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::ports::{DictationStoreError, WrappedKey};
use super::service::DictationService;
use super::{Dictation, DictationMode, PartPlace};
use crate::failure::ClinicError;

/// The largest part, in bytes.
pub const LARGEST_PART: usize = 1024 * 1024;
/// The most parts of a file: 20 GB of the largest.
const MOST_PARTS: u32 = 20_000;
/// Parts are sealed under places that no frame has.
const PART_PLACE: u32 = 1 << 31;

impl DictationService {
    /// The dictation that a file is sent to, with how many bytes of it are committed.
    pub async fn uploading(&self, caller: &Caller, id: Uuid) -> std::result::Result<Dictation, ClinicError> {
        let dictation = self.own(caller, id).await?;
        if dictation.settings.mode != DictationMode::Upload {
            return Err(ClinicError::Conflict("only a dictation with the mode upload takes a file".to_owned()));
        }
        Ok(dictation)
    }

    /// Commits the next bytes of a file, [`LARGEST_PART`] at most, which begin at `at`; returns where the next ones begin.
    pub async fn upload(
        &self,
        caller: &Caller,
        id: Uuid,
        (at, bytes): (u64, &[u8]),
    ) -> std::result::Result<u64, ClinicError> {
        self.taking_file(caller, id).await?;
        let last = self.parts.uploads.last(caller.tenant, id).await?;
        let number = last.map_or(0, |last| last.number + 1);
        if bytes.len() > LARGEST_PART || number >= MOST_PARTS {
            return Err(ClinicError::Invalid(format!("a file has {MOST_PARTS} parts at most: send larger ones")));
        }
        let key = self.parts.keys.find(caller.tenant, id).await?.ok_or(ClinicError::NotFound("the recording's key"))?;
        let sealed = (self.parts.cipher.encrypt(id, &key, number | PART_PLACE, bytes))
            .map_err(|error| ClinicError::Unavailable(error.to_string()))?;
        let place = PartPlace { number, at, size: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
        self.parts.uploads.keep(caller.tenant, id, place, sealed).await?;
        Ok(place.end())
    }

    /// Refuses one of the caller's dictations that takes no file.
    async fn taking_file(&self, caller: &Caller, id: Uuid) -> std::result::Result<(), ClinicError> {
        let state = self.own(caller, id).await?.state;
        if state.takes_file() {
            return Ok(());
        }
        Err(ClinicError::Conflict(format!("the dictation takes no file: it is {state}")))
    }

    /// Forgets what came of the file: it is sent anew.
    pub async fn forget_upload(&self, caller: &Caller, id: Uuid) -> std::result::Result<(), ClinicError> {
        self.taking_file(caller, id).await?;
        Ok(self.parts.uploads.remove(caller.tenant, id).await?)
    }

    /// The file as a decoder reads it, off the async threads; `trouble` tells what the store said where it failed.
    pub(super) async fn uploaded_file(
        &self,
        (tenant, id): (TenantId, Uuid),
        trouble: Arc<OnceLock<String>>,
    ) -> std::result::Result<UploadedFile, ClinicError> {
        let key = self.parts.keys.find(tenant, id).await?.ok_or(ClinicError::NotFound("the recording's key"))?;
        let places = self.parts.uploads.parts(tenant, id).await?;
        let (service, runtime) = (self.clone(), Handle::current());
        Ok(UploadedFile { service, runtime, tenant, id, key, places, trouble, at: 0, held: None })
    }
}

/// An uploaded file: one part of it is held at a time. Its reads block, and wait for the database.
pub struct UploadedFile {
    service: DictationService,
    runtime: Handle,
    tenant: TenantId,
    id: Uuid,
    key: WrappedKey,
    places: Vec<PartPlace>,
    /// A failure that is not the file's.
    trouble: Arc<OnceLock<String>>,
    at: u64,
    held: Option<(PartPlace, Vec<u8>)>,
}

impl UploadedFile {
    fn size(&self) -> u64 {
        self.places.last().map_or(0, PartPlace::end)
    }

    /// The bytes from here to the end of their part.
    fn rest(&mut self) -> Result<&[u8]> {
        if !self.held.as_ref().is_some_and(|(place, _)| place.holds(self.at)) {
            let Some(place) = self.places.iter().find(|place| place.holds(self.at)).copied() else { return Ok(&[]) };
            self.held = Some((place, self.open(place)?));
        }
        let Some((place, plain)) = &self.held else { return Ok(&[]) };
        let from = usize::try_from(self.at - place.at).unwrap_or(usize::MAX);
        Ok(plain.get(from..).unwrap_or_default())
    }

    fn open(&self, place: PartPlace) -> Result<Vec<u8>> {
        let parts = &self.service.parts;
        let read = parts.uploads.part(self.tenant, self.id, place.number);
        let sealed = self.runtime.block_on(read).map_err(|error: DictationStoreError| {
            let text = error.to_string();
            // The first failure is the cause of those that follow.
            let _ = self.trouble.set(text.clone());
            Error::other(text)
        })?;
        let sealed = sealed.ok_or_else(|| Error::other("a part of the file is gone"))?;
        parts.cipher.decrypt(self.id, &self.key, place.number | PART_PLACE, &sealed).map_err(Error::other)
    }
}

impl Read for UploadedFile {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut rest = self.rest()?;
        let read = rest.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for UploadedFile {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
            SeekFrom::End(distance) => self.size().checked_add_signed(distance),
        };
        self.at = place.ok_or_else(|| Error::other("the place lies before the file"))?;
        Ok(self.at)
    }
}
