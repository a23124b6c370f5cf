//! The synthetic demo data: one invented hospital, its doctor, its patients of today. Loaded through the FHIR service,
//! as any client would; a second load changes nothing.

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use seva_embedded::identity::Argon2Hasher;
use seva_fhir::FhirService;
use seva_fhir::access::{Account, AccountStore, Membership, Role, SecretHasher};
use seva_fhir::clock::{Clock, IdSource, RandomIds, SystemClock};
use seva_fhir::json::{Json, Limits, parse};
use seva_fhir::service::FhirError;
use seva_fhir::types::ResourceKey;
use seva_postgres::{Database, PostgresAccounts};

use crate::offline;
use crate::running::Running;

/// The demo doctor's username.
pub const USERNAME: &str = "dr.kelkar";
/// The demo doctor's password.
pub const PASSWORD: &str = "namaste-seva-demo";
/// The demo doctor's signing PIN.
pub const PIN: &str = "2468";
/// The demo hospital.
pub const TENANT: &str = "Sahyadri Clinic (demo)";

/// A transaction Bundle; `{{day:HH:MM}}` stands for a time of today, so that the worklist is never empty.
const BUNDLE: &str = include_str!("../data/demo.json");

/// Loads the demo data into a database.
pub(crate) async fn load(database: &Database) -> anyhow::Result<()> {
    let accounts = PostgresAccounts::new(database);
    offline::with_service(database, async |service| load_with(service, &accounts).await).await?;
    eprintln!("demo log-in: {USERNAME}, password {PASSWORD}, signing PIN {PIN}");
    Ok(())
}

/// Loads the demo data into a running server.
pub async fn load_into(running: &Running) -> anyhow::Result<()> {
    load_with(&running.fhir, running.accounts.as_ref()).await
}

async fn load_with(service: &FhirService, accounts: &dyn AccountStore) -> anyhow::Result<()> {
    let tenant = accounts.tenant(TENANT).await?;
    let caller = offline::program(tenant, "demo data");
    let hospital: ResourceKey = "Organization/sahyadri".parse()?;
    match service.read(&caller, &hospital).await {
        Ok(_) => {}
        Err(FhirError::NotFound(_)) => {
            let bundle = bundle(SystemClock.now().to_string().parse::<DateTime<Utc>>()?)?;
            service.transaction(&caller, bundle).await.map_err(explain).context("demo data")?;
        }
        Err(error) => return Err(explain(error)),
    }
    if accounts.find(USERNAME).await?.is_none() {
        let account = Account {
            id: RandomIds.new_uuid(),
            username: USERNAME.to_owned(),
            display: "Dr Anagha Kelkar".to_owned(),
            password: Argon2Hasher.hash(PASSWORD).await?,
            pin: Some(Argon2Hasher.hash(PIN).await?),
        };
        let membership = Membership {
            tenant,
            tenant_name: TENANT.to_owned(),
            roles: vec![Role::Doctor],
            practitioner: Some("kelkar".parse()?),
            patient: None,
        };
        accounts.save(&account, &membership).await?;
    }
    Ok(())
}

/// An error with its issues: the demo data is ours, so its faults may be shown whole.
fn explain(error: FhirError) -> anyhow::Error {
    match &error {
        FhirError::Invalid(issues) | FhirError::Unprocessable(issues) => {
            let lines: Vec<String> = issues.iter().map(|issue| format!("{issue:?}")).collect();
            anyhow::anyhow!("{error}: {}", lines.join("; "))
        }
        _ => error.into(),
    }
}

/// Fills in the times: hours count from the start of today in India, where the demo hospital lies.
fn bundle(now: DateTime<Utc>) -> anyhow::Result<Json> {
    let zone = Duration::minutes(330);
    let today = (now + zone).date_naive();
    let mut text = String::with_capacity(BUNDLE.len());
    let mut rest = BUNDLE;
    while let Some((before, after)) = rest.split_once("{{day:") {
        let (time, after) = after.split_once("}}").context("an unclosed time in the demo data")?;
        text.push_str(before);
        text.push_str(&format!("{today}T{time}:00+05:30"));
        rest = after;
    }
    text.push_str(rest);
    parse(text.as_bytes(), &Limits::default()).map_err(|error| anyhow::anyhow!("demo data: {error}"))
}
