//! The archive of a FHIR package, read one file at a time
//! (<https://confluence.hl7.org/display/FHIR/NPM+Package+Specification>).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use seva_fhir::json::{Json, Limits, parse};
use tar::{Archive, Entry};

/// The largest file of a package that is read.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;
/// So many bytes are unpacked at most; more is no package but an attack.
const LARGEST_PACKAGE: u64 = 4 * 1024 * 1024 * 1024;

type Unpacked = std::io::Take<GzDecoder<File>>;

/// Name and version of a package.
pub(super) struct Manifest {
    name: String,
    version: String,
}

impl Manifest {
    /// As packages are named everywhere: `hl7.fhir.us.core#6.1.0`.
    pub(super) fn name(&self) -> String {
        format!("{}#{}", self.name, self.version)
    }
}

/// Opens a package.
pub(super) fn open(file: &Path) -> anyhow::Result<Archive<Unpacked>> {
    let opened = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    Ok(Archive::new(GzDecoder::new(opened).take(LARGEST_PACKAGE)))
}

/// Reads what a package says about itself; one for another version of FHIR is refused.
pub(super) fn manifest(file: &Path) -> anyhow::Result<Manifest> {
    let mut archive = open(file)?;
    let not_a_package = || format!("{} isn't a FHIR package (a .tgz with package/package.json)", file.display());
    for entry in archive.entries().with_context(not_a_package)? {
        let mut entry = entry.with_context(not_a_package)?;
        if path_of(&entry) != "package/package.json" {
            continue;
        }
        let manifest = parse(&bytes_of(&mut entry)?, &Limits::default()).context("package/package.json")?;
        let text = |name: &str| manifest.get_str(name).map(str::to_owned);
        let versions = manifest.get("fhirVersions").or_else(|| manifest.get("fhir-version-list"));
        let versions: Vec<&str> = versions.map_or(&[][..], Json::items).iter().filter_map(Json::as_str).collect();
        if !versions.is_empty() && !versions.iter().any(|version| version.starts_with("4.0")) {
            bail!("{} is for FHIR {}; this server speaks 4.0.1", file.display(), versions.join(", "));
        }
        let name = text("name").context("package/package.json names no name")?;
        let version = text("version").context("package/package.json names no version")?;
        return Ok(Manifest { name, version });
    }
    bail!(not_a_package())
}

/// The JSON files of the package's own folder, with their paths; examples lie in folders of their own.
pub(super) fn resources(
    archive: &mut Archive<Unpacked>,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<(String, Vec<u8>)>>> {
    let entries = archive.entries().context("the archive can't be read")?;
    Ok(entries.filter_map(|entry| {
        let mut entry = match entry.context("the archive is damaged") {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error)),
        };
        let path = path_of(&entry);
        let name = path.strip_prefix("package/")?;
        let is_resource = name.ends_with(".json") && !name.contains('/') && !name.starts_with('.');
        if !is_resource || name == "package.json" {
            return None;
        }
        Some(bytes_of(&mut entry).with_context(|| path.clone()).map(|bytes| (path, bytes)))
    }))
}

fn path_of(entry: &Entry<'_, Unpacked>) -> String {
    String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned()
}

fn bytes_of(entry: &mut Entry<'_, Unpacked>) -> anyhow::Result<Vec<u8>> {
    if entry.size() > LARGEST_FILE {
        bail!("the file has {} bytes, {LARGEST_FILE} are allowed", entry.size());
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}
