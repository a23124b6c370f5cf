//! The hospital that `--tenant` names: a mistyped name is told, and makes none.

use anyhow::bail;
use seva_fhir::types::TenantId;
use seva_postgres::{Database, PostgresAccounts};

/// Finds the hospital of a name; without a name what all hospitals share.
pub(super) async fn asked(database: &Database, name: Option<&str>) -> anyhow::Result<TenantId> {
    match name {
        Some(name) => named(database, name).await,
        None => Ok(TenantId::SHARED),
    }
}

/// Finds the hospital of a name.
pub(super) async fn named(database: &Database, name: &str) -> anyhow::Result<TenantId> {
    let accounts = PostgresAccounts::new(database);
    match accounts.hospital(name).await? {
        Some(tenant) => Ok(tenant),
        None => bail!("{}", unknown(name, &accounts.hospitals().await?)),
    }
}

fn unknown(name: &str, known: &[String]) -> String {
    let known: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
    match known.as_slice() {
        [] => format!("there is no hospital {name:?}, nor any other"),
        known => format!("there is no hospital {name:?}; there is {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_unknown_is_told_with_those_that_are_there() {
        let known = ["Asha".to_owned(), "Sahyadri Clinic".to_owned()];
        let told = "there is no hospital \"Sahyadry\"; there is \"Asha\", \"Sahyadri Clinic\"";
        assert_eq!(unknown("Sahyadry", &known), told);
        assert_eq!(unknown("x", &[]), "there is no hospital \"x\", nor any other");
    }
}
