//! `seva account`: adds an account to a hospital, or changes it.

use std::io::Read;

use anyhow::{Context, bail};
use seva_embedded::identity::Argon2Hasher;
use seva_fhir::access::{Account, AccountStore, Membership, Role, SecretHasher};
use seva_fhir::clock::{IdSource, RandomIds};
use seva_postgres::{Database, PostgresAccounts};

/// The shortest password that is taken (NIST SP 800-63B: at least 8; length is what counts).
const SHORTEST: usize = 12;

pub(super) struct Asked {
    pub(super) tenant: String,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) roles: Vec<String>,
    pub(super) practitioner: Option<String>,
}

pub(super) async fn run(database: &Database, asked: Asked) -> anyhow::Result<()> {
    let roles = asked.roles.iter().map(|role| role.parse::<Role>()).collect::<Result<Vec<_>, _>>()?;
    if roles.is_empty() {
        bail!("--roles names no role: an account without a role has no access");
    }
    let practitioner = asked.practitioner.map(|id| id.parse()).transpose().context("--practitioner")?;
    let password = password(&asked.username)?;
    let accounts = PostgresAccounts::new(database);
    let known = accounts.find(&asked.username).await?;
    let account = Account {
        id: known.as_ref().map_or_else(|| RandomIds.new_uuid(), |account| account.id),
        username: asked.username,
        display: asked.name,
        password: Argon2Hasher.hash(&password).await?,
        pin: known.and_then(|account| account.pin),
    };
    let tenant = accounts.tenant(&asked.tenant).await?;
    let membership = Membership { tenant, tenant_name: asked.tenant, roles, practitioner, patient: None };
    accounts.save(&account, &membership).await?;
    eprintln!("{} may log in to {}", account.username, membership.tenant_name);
    Ok(())
}

/// What is typed, or for an external identity something that nobody knows: its issuer lets it in.
fn password(username: &str) -> anyhow::Result<String> {
    if username.contains("://") && username.contains('#') {
        return Ok(format!("{}{}", RandomIds.new_uuid(), RandomIds.new_uuid()));
    }
    let mut secret = String::new();
    std::io::stdin().read_to_string(&mut secret)?;
    let secret = secret.trim_end_matches(['\n', '\r']);
    if secret.chars().count() < SHORTEST {
        bail!("the password has fewer than {SHORTEST} characters");
    }
    Ok(secret.to_owned())
}
