//! `seva account`: adds an account to a hospital, or changes it.

mod practitioner;

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};
use console::Term;
use seva_embedded::identity::Argon2Hasher;
use seva_fhir::access::{Account, AccountStore, Membership, Role, SecretHasher, check_password, check_pin};
use seva_fhir::clock::{IdSource, RandomIds};
use seva_fhir::types::ResourceId;
use seva_postgres::{Database, PostgresAccounts};

use super::hospital;
use crate::cli::AccountOptions;

pub(super) async fn run(database: &Database, asked: AccountOptions) -> anyhow::Result<()> {
    let roles = asked.roles.iter().map(|role| role.parse::<Role>()).collect::<Result<Vec<_>, _>>()?;
    if roles.is_empty() {
        bail!("--roles names no role: an account without a role has no access");
    }
    let accounts = PostgresAccounts::new(database);
    let known = accounts.find(&asked.username).await?;
    if !asked.new_hospital {
        let found = hospital::named(database, &asked.tenant).await;
        found.map_err(|error| anyhow::anyhow!("{error:#}; a hospital is made with --new-hospital"))?;
    }
    let account = account(&asked, known).await?;
    let tenant = accounts.tenant(&asked.tenant).await?;
    let before = accounts.memberships(account.id).await?.into_iter().find(|membership| membership.tenant == tenant);
    let (held, patient) = before.map(|before| (before.practitioner, before.patient)).unwrap_or_default();
    let named = asked.practitioner.practitioner.as_deref().map(str::parse::<ResourceId>);
    let practitioner = named.transpose().context("--practitioner")?.or(held);
    let wanted = practitioner::Wanted { tenant, name: &asked.name, details: &asked.practitioner };
    let practitioner = practitioner::write(database, practitioner, wanted).await?;
    let membership = Membership { tenant, tenant_name: asked.tenant, roles, practitioner, patient };
    accounts.save(&account, &membership).await?;
    eprintln!("{} may log in to {}", account.username, membership.tenant_name);
    if let Some(id) = &membership.practitioner {
        eprintln!("acts as Practitioner/{id}{}", if account.pin.is_some() { "" } else { ", without a signing PIN" });
    }
    Ok(())
}

async fn account(asked: &AccountOptions, known: Option<Account>) -> anyhow::Result<Account> {
    let external = asked.username.contains("://") && asked.username.contains('#');
    let present = known.as_ref().map(|account| account.password.clone());
    let password = match (external, present) {
        // Its issuer lets it in: what is stored is something that nobody knows.
        (true, None) => Argon2Hasher.hash(&format!("{}{}", RandomIds.new_uuid(), RandomIds.new_uuid())).await?,
        (true, Some(present)) => present,
        (false, present) => match (ask("Password").await?, present) {
            (typed, Some(present)) if typed.is_empty() => present,
            (typed, _) => {
                check_password(&typed)?;
                Argon2Hasher.hash(&typed).await?
            }
        },
    };
    let mut pin = known.as_ref().and_then(|account| account.pin.clone());
    if asked.pin {
        let typed = ask("Signing PIN").await?;
        check_pin(&typed)?;
        pin = Some(Argon2Hasher.hash(&typed).await?);
    }
    let id = known.map_or_else(|| RandomIds.new_uuid(), |account| account.id);
    Ok(Account { id, username: asked.username.clone(), display: asked.name.clone(), password, pin })
}

/// Asks in a thread of its own: nobody may answer, and a signal ends the waiting.
async fn ask(what: &'static str) -> anyhow::Result<String> {
    tokio::task::spawn_blocking(move || read_secret(what)).await?
}

/// Typed at a terminal without an echo and twice, or the next line of standard input.
fn read_secret(what: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
    }
    let terminal = Term::stderr();
    let typed = |prompt: String| -> anyhow::Result<String> {
        terminal.write_str(&prompt)?;
        Ok(terminal.read_secure_line()?)
    };
    let first = typed(format!("{what}: "))?;
    if !first.is_empty() && typed(format!("{what} again: "))? != first {
        bail!("the two are not the same");
    }
    Ok(first)
}
