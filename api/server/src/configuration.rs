//! Configuration: one TOML file, overridden by `SEVA_*` variables; a wrong key or value is an error that names it.
//!
//! Every key has a default with which the program runs on a bare machine. The table of keys stands in [`KEYS`] and is what
//! the documentation and `.env.example` are checked against.

mod checks;
mod dictation;
mod keys;
mod secrets;
mod speech;
mod translation;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use seva_aws::extraction::Ontology;
use seva_fhir::validation::ValidationLevel;
use seva_http::TrustedProxies;
use toml::{Table, Value};

pub use dictation::Dictation;
pub use keys::{KEYS, Key};
pub use secrets::{Secret, Secrets};
pub use speech::{SPECIALTY, Speech, SpeechChoice};
pub use translation::{Translation, TranslationEngine};

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or a key or value is wrong.
    #[error("{place}: {message}")]
    Wrong {
        /// The file or the variable.
        place: String,
        /// What is wrong.
        message: String,
    },
}

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    /// Addresses.
    pub server: Server,
    /// Where files lie.
    pub data: Data,
    /// The database.
    pub database: Database,
    /// Where settings lie that are named and not written.
    pub secrets: Secrets,
    /// Speech recognition.
    pub speech: Speech,
    /// The states of dictations and the work on them.
    pub dictation: Dictation,
    /// Entity extraction.
    pub extraction: Extraction,
    /// Translation of advice.
    pub translation: Translation,
    /// Where large files lie.
    pub blobs: Blobs,
    /// An external issuer of tokens.
    pub identity: Identity,
    /// What is checked before a resource is stored.
    pub validation: Validation,
    /// Where the files of imports are fetched from.
    pub import: Import,
    /// Logging.
    pub log: Log,
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The address that clients use; by default `http://` and `listen`.
    pub public_url: Option<String>,
    /// Proxies whose word about a client's address is taken.
    pub trusted_proxies: Proxies,
    /// The hospital's time zone, in which the pages say dates and times.
    pub time_zone: TimeZone,
}

/// Addresses and networks with commas between them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxies(pub TrustedProxies);

impl TryFrom<String> for Proxies {
    type Error = String;

    fn try_from(names: String) -> Result<Self, String> {
        names.parse().map(Self)
    }
}

/// A time zone by its name in the IANA database.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeZone(pub chrono_tz::Tz);

impl TryFrom<String> for TimeZone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = name.parse().map(Self);
        found.map_err(|_| format!("there is no time zone {name:?}: name one such as Asia/Kolkata"))
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            trusted_proxies: Proxies::default(),
            time_zone: TimeZone(chrono_tz::Asia::Kolkata),
        }
    }
}

impl Server {
    /// The address that clients use, without a slash at its end.
    pub fn url(&self) -> String {
        let url = self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen));
        url.trim_end_matches('/').to_owned()
    }
}

/// `[data]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The folder of the private database, of audio and of models.
    pub folder: PathBuf,
    /// The key that wraps the keys of recordings, 32 bytes in hexadecimal; by default a file in the data folder.
    pub master_key: Option<Secret>,
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: PathBuf::from(".seva"), master_key: None }
    }
}

/// `[database]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// A `postgres://` URL; none starts the private PostgreSQL.
    pub url: Option<Secret>,
    /// A folder with `initdb` and `postgres`.
    pub binaries: Option<PathBuf>,
    /// How many connections serve requests.
    pub connections: u32,
    /// How many seconds a statement of a request may run.
    pub statement_seconds: u32,
}

impl Default for Database {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        // About three a core: more only wait for each other (decision D18).
        Self {
            url: None,
            binaries: None,
            connections: u32::try_from(cores * 3).unwrap_or(24).max(12),
            statement_seconds: 60,
        }
    }
}

/// `[extraction]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Extraction {
    /// Which engine.
    pub engine: ExtractionEngine,
    /// The AWS region of Comprehend Medical; needed by it, and never guessed.
    pub region: Option<String>,
    /// Another address than the region's own, such as an interface endpoint of the network.
    pub endpoint: Option<String>,
    /// The code systems whose codes Comprehend Medical infers too.
    pub codes: InferredCodes,
}

/// Code systems whose codes are inferred, by their names with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct InferredCodes(pub Vec<Ontology>);

impl TryFrom<String> for InferredCodes {
    type Error = String;

    fn try_from(names: String) -> Result<Self, String> {
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// The engines that find entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtractionEngine {
    /// Our own, on this machine.
    #[default]
    Embedded,
    /// Amazon Comprehend Medical.
    ComprehendMedical,
}

/// `[blobs]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blobs {
    /// Which store.
    pub store: BlobStoreKind,
    /// The S3 bucket.
    pub bucket: Option<String>,
    /// What names of objects begin with.
    pub prefix: Option<String>,
    /// The bucket's AWS region.
    pub region: Option<String>,
    /// Another address than the region's own, for a service that speaks S3.
    pub endpoint: Option<String>,
    /// The KMS key that encrypts the objects.
    pub kms_key: Option<String>,
}

/// Where large files lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlobStoreKind {
    /// The data folder.
    #[default]
    Files,
    /// Amazon S3.
    S3,
}

/// `[identity]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// The `iss` of tokens that are accepted beside our own.
    pub issuer: Option<String>,
    /// Their `aud` or `client_id`.
    pub audience: Option<String>,
    /// Where the issuer publishes its keys; by default as `<issuer>/.well-known/openid-configuration` says.
    pub jwks_url: Option<String>,
}

/// `[validation]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Validation {
    /// What a write must keep.
    pub level: Level,
}

/// A level by its name.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Level(pub ValidationLevel);

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse().map(Self)
    }
}

/// `[import]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Import {
    /// The origins that may be asked, separated by commas.
    pub origins: Origins,
}

/// Origins, such as `https://bulk.example`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "String")]
pub struct Origins(pub Vec<String>);

impl From<String> for Origins {
    fn from(text: String) -> Self {
        Self(text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect())
    }
}

/// `[log]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A level or a filter such as `info,seva_http=debug`.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

impl Configuration {
    /// Reads the file and the process's environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigurationError> {
        #[expect(clippy::disallowed_methods, reason = "the one home of the environment")]
        let variables = std::env::vars().filter(|(name, _)| name.starts_with(keys::PREFIX)).collect();
        let here = Path::new("seva.toml");
        let file = file.or_else(|| here.exists().then_some(here));
        let text = match file {
            Some(path) => Some((
                path,
                std::fs::read_to_string(path)
                    .map_err(|source| ConfigurationError::Read { path: path.display().to_string(), source })?,
            )),
            None => None,
        };
        let (place, text) = match &text {
            Some((path, text)) => (path.display().to_string(), text.as_str()),
            None => (String::new(), ""),
        };
        Self::from_parts(&place, text, variables)
    }

    /// Merges a file's text and variables.
    pub fn from_parts(place: &str, text: &str, variables: Vec<(String, String)>) -> Result<Self, ConfigurationError> {
        let wrong = |place: &str, message: String| ConfigurationError::Wrong { place: place.to_owned(), message };
        let mut table: Table = toml::from_str(text).map_err(|error| wrong(place, error.to_string()))?;
        Self::deserialize(table.clone()).map_err(|error| wrong(place, error.to_string()))?;
        for (name, value) in variables {
            let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
                return Err(wrong(&name, "there is no such variable: see docs/operations.md".to_owned()));
            };
            set(&mut table, key, value);
            // One at a time, so that an error names its variable.
            Self::deserialize(table.clone()).map_err(|error| wrong(&name, error.message().to_owned()))?;
        }
        let configuration = Self::deserialize(table).map_err(|error| wrong(place, error.to_string()))?;
        configuration.check()?;
        Ok(configuration)
    }

    /// The folder of speech models.
    pub fn models(&self) -> PathBuf {
        self.speech.models.clone().unwrap_or_else(|| self.data.folder.join("models"))
    }
}

fn set(table: &mut Table, key: &Key, value: String) {
    let value = match value.parse::<i64>() {
        Ok(number) if key.numeric => Value::Integer(number),
        _ => Value::String(value),
    };
    let section = table.entry(key.section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        section.insert(key.name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
