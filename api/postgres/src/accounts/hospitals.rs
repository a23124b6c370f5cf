//! Which hospitals there are.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use seva_fhir::ports::StoreError;
use seva_fhir::types::TenantId;

use super::PostgresAccounts;
use crate::entities::tenant;
use crate::failure::orm_unavailable;

impl PostgresAccounts {
    /// Finds a hospital by its name, and makes none.
    pub async fn hospital(&self, name: &str) -> Result<Option<TenantId>, StoreError> {
        let found = tenant::Entity::find().filter(tenant::Column::Name.eq(name)).one(&self.database.orm);
        let Some(row) = found.await.map_err(orm_unavailable)? else { return Ok(None) };
        TenantId::try_from(row.id).map(Some).map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Lists the names of the hospitals; what all share belongs to none.
    pub async fn hospitals(&self) -> Result<Vec<String>, StoreError> {
        let names = tenant::Entity::find()
            .select_only()
            .column(tenant::Column::Name)
            .filter(tenant::Column::Id.ne(TenantId::SHARED.get()))
            .order_by_asc(tenant::Column::Name)
            .into_tuple();
        names.all(&self.database.orm).await.map_err(orm_unavailable)
    }
}
