//! `seva audit`: checks the chain that seals the audit log.

use std::io::Write;

use anyhow::bail;
use seva_fhir::access::Chain;
use seva_postgres::Database;

use super::hospital;
use crate::cli::AuditAction;
use crate::configuration::Configuration;
use crate::running;

pub(super) async fn run(configuration: &Configuration, database: &Database, action: AuditAction) -> anyhow::Result<()> {
    let AuditAction::Verify { tenant } = action;
    let sealer = running::sealer(configuration, database)?;
    if let Some(name) = &tenant {
        hospital::named(database, name).await?;
    }
    let chains = sealer.verify(tenant.as_deref()).await?;
    let mut output = std::io::stdout().lock();
    writeln!(output, "key {}, public half {}", sealer.key().id(), sealer.key().public_key())?;
    for chain in &chains {
        writeln!(output, "{}", line(chain))?;
    }
    match chains.iter().filter(|chain| chain.broken.is_some()).count() {
        0 => Ok(()),
        broken => bail!("{broken} of {} chains do not hold", chains.len()),
    }
}

/// What is told of a chain: its head is worth keeping elsewhere, since a later check must meet it again.
fn line(chain: &Chain) -> String {
    let mut text = format!(
        "{}: {} seals over {} records hold, head {}",
        chain.hospital,
        chain.seals,
        chain.records,
        hex::encode(chain.head)
    );
    for (first, last) in &chain.gaps {
        text.push_str(&format!("\n  gap: no record has the numbers {first} to {last}"));
    }
    if let Some(broken) = &chain.broken {
        text.push_str(&format!("\n  broken: {broken}"));
    }
    text
}
