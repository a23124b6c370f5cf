//! The commands of `seva`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// FHIR R4 server with a clinical voice pipeline.
#[derive(Parser)]
#[command(name = "seva", version, about)]
pub struct Cli {
    /// The configuration file; without it `seva.toml` here, if there is one.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `seva` can do.
#[derive(Subcommand)]
pub enum Command {
    /// Starts the server and, unless a database is configured, its own PostgreSQL.
    Serve {
        /// Loads synthetic demo data and a demo log-in first; only on a loopback address.
        #[arg(long)]
        demo: bool,
    },
    /// Brings the database's schema up to date.
    Migrate,
    /// Loads the synthetic demo data and prints the demo log-in.
    Demo,
    /// Obtains and authenticates the speech model.
    Model {
        /// `base`, `tiny.en`, or the path of an official ggml file.
        choice: Option<String>,
    },
    /// Prints the OpenAPI contract.
    Contract {
        /// As YAML instead of JSON.
        #[arg(long)]
        yaml: bool,
    },
    /// Checks everything that `seva` depends on and says what to do.
    Doctor {
        /// Also obtains what may be fetched without asking an administrator.
        #[arg(long)]
        fix: bool,
    },
    /// Adds an account to a hospital, or changes it. The password is asked for, or read from the first line of standard
    /// input; an empty one keeps the present one, and an external identity has none.
    Account(Box<AccountOptions>),
    /// Checks the chain that seals the audit log.
    #[command(subcommand)]
    Audit(AuditAction),
    /// Installs, lists and removes FHIR packages from files; validation finds their profiles and value sets.
    #[command(subcommand)]
    Package(PackageAction),
    /// Brings in code systems from the files of their publishers; whoever runs it must be entitled to use them.
    #[command(subcommand)]
    Terminology(TerminologyAction),
}

/// What is done with code systems.
#[derive(Subcommand)]
pub enum TerminologyAction {
    /// Reads a release into the database, all of it or nothing; the same version that was there is replaced.
    Import(ImportOptions),
}

/// A release of a code system.
#[derive(clap::Args)]
pub struct ImportOptions {
    /// The publisher's format.
    pub format: ReleaseKind,
    /// The file, folder or ZIP.
    pub path: PathBuf,
    /// The hospital's name; without it all hospitals share the code system.
    #[arg(long)]
    pub tenant: Option<String>,
    /// The version, where the names of the files don't tell it.
    #[arg(long = "version")]
    pub release_version: Option<String>,
}

/// A publisher's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReleaseKind {
    /// The order file of ICD-10-CM, `icd10cm_order_YYYY.txt`.
    #[value(name = "icd-10-cm")]
    Icd10Cm,
    /// A snapshot of SNOMED CT in Release Format 2.
    Rf2,
    /// `Loinc.csv`.
    Loinc,
    /// `RXNCONSO.RRF` and `RXNREL.RRF`.
    Rxnorm,
}

/// What is done with the audit log.
#[derive(Subcommand)]
pub enum AuditAction {
    /// Checks every seal and every sealed record, and names the first one that does not hold.
    Verify {
        /// The hospital's name; without it all.
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// What is done with packages, of a hospital or of all.
#[derive(Subcommand)]
pub enum PackageAction {
    /// Stores the conformance resources of a package; what is there already stays as it is.
    Install {
        /// The hospital's name; without it the package is for all hospitals.
        #[arg(long)]
        tenant: Option<String>,
        /// The package, a `.tgz` file.
        file: PathBuf,
    },
    /// Prints name and version of each package.
    List {
        /// The hospital's name; without it the package is for all hospitals.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Deletes what a package brought.
    Remove {
        /// The hospital's name; without it the package is for all hospitals.
        #[arg(long)]
        tenant: Option<String>,
        /// Name and version, such as `hl7.fhir.us.core#6.1.0`.
        package: String,
    },
}

/// An account in a hospital.
#[derive(clap::Args)]
pub struct AccountOptions {
    /// The hospital's name.
    #[arg(long)]
    pub tenant: String,
    /// Makes the hospital if there is none of this name.
    #[arg(long)]
    pub new_hospital: bool,
    /// The username, or `issuer#subject` of an external identity.
    #[arg(long)]
    pub username: String,
    /// The name to show.
    #[arg(long)]
    pub name: String,
    /// The roles, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub roles: Vec<String>,
    /// What is written about the doctor behind the account.
    #[command(flatten)]
    pub practitioner: PractitionerDetails,
    /// Also reads a signing PIN: the second line of standard input.
    #[arg(long)]
    pub pin: bool,
}

/// The doctor behind an account, as Practitioner and PractitionerRole have it.
#[derive(clap::Args)]
pub struct PractitionerDetails {
    /// The id of the Practitioner that the account acts as; with details and without an id a new one is made.
    #[arg(long)]
    pub practitioner: Option<String>,
    /// The number under which a medical council has registered the doctor; it stands on every prescription.
    #[arg(long)]
    pub registration: Option<String>,
    /// The namespace of that number, as a URI.
    #[arg(long, requires = "registration")]
    pub register: Option<String>,
    /// The qualification, as it stands on prescriptions: MBBS, MD (Medicine).
    #[arg(long)]
    pub qualification: Option<String>,
    /// The specialty in this hospital.
    #[arg(long)]
    pub specialty: Option<String>,
    /// The id of the hospital's Organization, whose head stands on prescriptions.
    #[arg(long)]
    pub organization: Option<String>,
}
