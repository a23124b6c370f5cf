//! The table of configuration keys.

/// What variables begin with.
pub(super) const PREFIX: &str = "SEVA_";

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The section of the file.
    pub section: &'static str,
    /// The key in it.
    pub name: &'static str,
    /// The default, as text.
    pub default: &'static str,
    /// Whether the value is a number.
    pub numeric: bool,
    /// What it does.
    pub about: &'static str,
}

impl Key {
    /// The variable that overrides it: `SEVA_DATABASE_URL`.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}_{}", self.section, self.name).to_uppercase()
    }
}

const fn number(section: &'static str, name: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { section, name, default, numeric: true, about }
}

const fn key(section: &'static str, name: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { section, name, default, numeric: false, about }
}

/// Every key.
pub const KEYS: &[Key] = &[
    key("server", "listen", "127.0.0.1:8080", "address and port to listen on"),
    key("server", "public_url", "http://<listen>", "address that clients use, behind a proxy"),
    key(
        "server",
        "trusted_proxies",
        "",
        "addresses or networks of proxies, with commas, whose X-Forwarded-For names the client in the audit log",
    ),
    key("server", "time_zone", "Asia/Kolkata", "the hospital's time zone, for dates and times on the pages"),
    key("data", "folder", ".seva", "folder of the private database, audio, models"),
    key("data", "master_key", "<data folder>/master.key", "32 bytes in hexadecimal that wrap the keys of recordings"),
    key("database", "url", "", "postgres:// URL; none starts the private PostgreSQL"),
    key("database", "binaries", "", "folder with initdb and postgres"),
    number("database", "connections", "3 per core, at least 12", "connections that serve requests"),
    number("database", "statement_seconds", "60", "seconds that a statement of a request may run"),
    key(
        "secrets",
        "region",
        "",
        "AWS region of secrets that a setting names as secretsmanager:<name>; an ARN names its own; never guessed",
    ),
    key("secrets", "endpoint", "", "another address than the region's own, such as an interface endpoint"),
    key("speech", "engine", "embedded", "embedded, openai, vosk, transcribe or transcribe-medical"),
    key(
        "speech",
        "model",
        "base",
        "embedded: base, tiny.en, or the path of an official ggml file; openai: the service's model, which must be named",
    ),
    key("speech", "models", "<data folder>/models", "folder of speech models"),
    key(
        "speech",
        "endpoint",
        "",
        "openai: address that ends before /audio/transcriptions; vosk: ws:// or wss://; transcribe: another address than the region's own",
    ),
    key("speech", "api_key", "", "openai and vosk: key that the service wants"),
    key(
        "speech",
        "language",
        "",
        "vosk: language of the server's model; transcribe and transcribe-medical: variant that all variants are heard as, such as en-US",
    ),
    key("speech", "region", "", "AWS region of Transcribe; never guessed"),
    key(
        "speech",
        "certificate",
        "",
        "PEM file with certificates that are trusted beside the machine's own, for a private address",
    ),
    key("speech", "specialty", "PRIMARYCARE", "transcribe-medical: specialty that the service is told"),
    key("speech", "vocabulary", "", "transcribe and transcribe-medical: custom vocabulary of the AWS account"),
    number(
        "dictation",
        "abandon_seconds",
        "3600",
        "seconds without a first frame after which a dictation is abandoned; late audio opens it again",
    ),
    number("dictation", "pause_seconds", "30", "seconds without a frame after which a live dictation is paused"),
    number("dictation", "finish_seconds", "43200", "seconds after which a paused dictation is finished and worked on"),
    number(
        "dictation",
        "stage_seconds",
        "7200",
        "seconds that transcription, extraction or drafting may take before it is begun again",
    ),
    number("dictation", "attempts", "5", "how often a stage is begun before the dictation has failed"),
    number("dictation", "workers", "2", "dictations that this node works on at once; 0 leaves them to other nodes"),
    number(
        "dictation",
        "sessions",
        "8",
        "recordings that are transcribed while they go on; others get their text after their end",
    ),
    number(
        "dictation",
        "keep_audio_seconds",
        "0",
        "seconds that audio is kept after its prescription was signed, or nobody spoke; then its key is shredded; 0 keeps it",
    ),
    key("extraction", "engine", "embedded", "embedded or comprehend-medical"),
    key("extraction", "region", "", "AWS region of Comprehend Medical; never guessed"),
    key("extraction", "endpoint", "", "another address than the region's own, such as an interface endpoint"),
    key(
        "extraction",
        "codes",
        "",
        "code systems whose codes Comprehend Medical infers too, with commas: rxnorm, icd10cm, snomedct; each is paid for",
    ),
    key(
        "translation",
        "engine",
        "none",
        "none, amazon-translate or libretranslate: what translates advice, on request",
    ),
    key("translation", "region", "", "AWS region of Translate; never guessed"),
    key(
        "translation",
        "endpoint",
        "",
        "libretranslate: address that ends before /translate; amazon-translate: another address than the region's own",
    ),
    key("translation", "api_key", "", "libretranslate: key that the service wants"),
    key(
        "translation",
        "terminologies",
        "",
        "custom terminologies of the AWS account that keep names of medicines, with commas",
    ),
    key("blobs", "store", "files", "files or s3"),
    key("blobs", "bucket", "", "S3 bucket"),
    key("blobs", "prefix", "", "what names of objects in the bucket begin with"),
    key("blobs", "region", "", "AWS region of the bucket"),
    key("blobs", "endpoint", "", "another address than the region's own, for a service that speaks S3"),
    key("blobs", "kms_key", "", "KMS key that encrypts the objects; none leaves it to S3's own key"),
    key("identity", "issuer", "", "iss of tokens that are accepted beside our own"),
    key("identity", "audience", "", "their aud or client_id"),
    key("identity", "jwks_url", "as the issuer's discovery document says", "where the issuer publishes its keys"),
    key("validation", "level", "structure", "what a write must keep: structure, rules or profiles"),
    key(
        "import",
        "origins",
        "",
        "origins that files of $import are fetched from, separated by commas; none by default",
    ),
    key("log", "level", "info", "level or filter, such as info,seva_http=debug"),
    key("log", "format", "text", "text or json"),
];
