//! The data folder, and the master key in it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};

use crate::configuration::Secret;

/// The key that wraps the keys of recordings.
pub(crate) type MasterKey = [u8; 32];

/// Makes the folder where it is missing.
pub(crate) fn ensure(folder: &Path) -> anyhow::Result<()> {
    // Others may pass through: PostgreSQL runs as another user when root starts us.
    let made = DirBuilder::new().recursive(true).mode(0o711).create(folder);
    made.with_context(|| format!("data.folder {}", folder.display()))
}

/// Reads the configured master key, or the one of the data folder, made on the first start.
pub(crate) fn master_key(folder: &Path, configured: Option<&Secret>) -> anyhow::Result<MasterKey> {
    if let Some(text) = configured {
        return parse(text.reveal()).context("data.master_key");
    }
    let path = folder.join("master.key");
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let mut key = MasterKey::default();
            std::fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut key))?;
            file.write_all(hex::encode(key).as_bytes())?;
            file.sync_all()?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            parse(text.trim()).with_context(|| path.display().to_string())
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn parse(text: &str) -> anyhow::Result<MasterKey> {
    match hex::decode(text).ok().and_then(|bytes| MasterKey::try_from(bytes).ok()) {
        Some(key) => Ok(key),
        None => bail!("the key must be 32 bytes in hexadecimal"),
    }
}
