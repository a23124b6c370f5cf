//! Who stands behind the accounts that the logs name: read when the log is read, in two statements for a page.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use seva_fhir::access::Agent;
use seva_fhir::ports::StoreError;
use seva_fhir::types::TenantId;
use uuid::Uuid;

use crate::Database;
use crate::entities::{account, membership, tenant};
use crate::failure::orm_unavailable;

pub(super) struct People {
    /// The hospital's name.
    pub(super) hospital: String,
    accounts: HashMap<Uuid, Agent>,
}

impl People {
    pub(super) async fn of(
        database: &Database,
        tenant: TenantId,
        names: impl IntoIterator<Item = &str>,
    ) -> Result<Self, StoreError> {
        let orm = &database.orm;
        let hospital = tenant::Entity::find_by_id(tenant.get()).one(orm).await.map_err(orm_unavailable)?;
        let mut ids: Vec<Uuid> = names.into_iter().filter_map(|name| Uuid::try_parse(name).ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut accounts = HashMap::new();
        let known = account::Entity::find().filter(account::Column::Id.is_in(ids.clone()));
        for row in known.all(orm).await.map_err(orm_unavailable)? {
            let agent = Agent {
                account: row.id.to_string().into(),
                display: Some(row.display.into()),
                practitioner: None,
                patient: None,
            };
            accounts.insert(row.id, agent);
        }
        // Of those who have left too.
        let members = membership::Entity::find()
            .filter(membership::Column::Account.is_in(ids))
            .filter(membership::Column::Tenant.eq(tenant.get()));
        for row in members.all(orm).await.map_err(orm_unavailable)? {
            if let Some(agent) = accounts.get_mut(&row.account) {
                agent.practitioner = row.practitioner.map(String::into_boxed_str);
                agent.patient = row.patient.map(String::into_boxed_str);
            }
        }
        Ok(Self { hospital: hospital.map(|row| row.name).unwrap_or_default(), accounts })
    }

    pub(super) fn agent(&self, name: &str) -> Agent {
        let known = Uuid::try_parse(name).ok().and_then(|id| self.accounts.get(&id));
        known.cloned().unwrap_or_else(|| Agent { account: name.into(), display: Some(name.into()), ..Agent::default() })
    }
}
