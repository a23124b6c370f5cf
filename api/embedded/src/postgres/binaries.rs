//! Finding PostgreSQL's programs: a configured folder, `PATH`, Debian's folders, the fetched package.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{OLDEST_SUPPORTED, PostgresError, PostgresSettings};

/// The folder under the data folder into which the fallback package is unpacked.
pub const FALLBACK_PACKAGE: &str = "postgresql-package";

/// A folder with `initdb` and `postgres` of a known major version.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds the first usable folder; a folder that the operator names is the only one tried.
    pub fn find(settings: &PostgresSettings) -> Result<Self, PostgresError> {
        let candidates = match &settings.binaries {
            Some(folder) => vec![folder.clone()],
            None => candidates(settings),
        };
        candidates
            .into_iter()
            .filter(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
            .find_map(|folder| {
                let major = major_version(&folder.join("postgres"))?;
                (major >= OLDEST_SUPPORTED).then_some(Self { folder, major })
            })
            .ok_or(PostgresError::NotFound)
    }

    /// The folder of the programs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version, for example 15.
    pub fn major(&self) -> u32 {
        self.major
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

fn candidates(settings: &PostgresSettings) -> Vec<PathBuf> {
    let mut found = settings.search_path.clone();
    // Debian keeps the programs out of PATH, one folder a major version: the newest first.
    let mut debian: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    debian.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.extend(debian.into_iter().map(|(_, folder)| folder));
    found.push(settings.data.join(FALLBACK_PACKAGE).join("native/bin"));
    found
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
