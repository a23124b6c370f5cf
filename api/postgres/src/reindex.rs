//! Own search parameters come into force, and rows get the index rows that they lack, while everything goes on
//! (decision D3). What is not wholly indexed is not searched by; that nothing is left is looked at, not assumed.

mod passes;

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, JoinType, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};
use seva_fhir::json::{Limits, parse};
use seva_fhir::parameters::{Definition, own_number, read_definitions};
use seva_fhir::types::{ResourceType, TenantId};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::entities::{indexed_set, resource, tenant};
use crate::{Database, DatabaseError};

/// How often definitions are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After so long every node knows a new definition, and what was being written without it is written.
const KNOWN_EVERYWHERE: Duration = Duration::from_secs(3);

/// Keeps the parameters in force, and the index complete.
pub struct Reindexing {
    database: Database,
    orm: DatabaseConnection,
    /// What there was when the definitions were last read.
    seen: Option<Seen>,
}

/// What decides about the parameters in force.
#[derive(Clone, PartialEq, Eq)]
struct Seen {
    /// How many definitions there are, and when the newest was written.
    definitions: (i64, i64),
    /// The set with which every row of a tenant is known to be indexed; another node may have done it.
    indexed: HashMap<TenantId, i32>,
}

/// What a tenant's rows lack.
struct Lack {
    tenant: TenantId,
    set: i32,
    /// Only rows of these types lack something; none means any.
    types: Option<Vec<i16>>,
    /// The registry's ids of the parameters that are new.
    numbers: Vec<i32>,
}

impl Reindexing {
    /// Puts the stored definitions in force.
    pub async fn begin(database: &Database) -> Result<Self, DatabaseError> {
        let mut own = Self { database: database.clone(), orm: database.background_orm.clone(), seen: None };
        own.refresh().await?;
        Ok(own)
    }

    /// Looks after the definitions until `closing` becomes true.
    pub async fn run(mut self, mut closing: watch::Receiver<bool>) {
        while !*closing.borrow() {
            tokio::select! {
                done = self.look() => {
                    if let Err(error) = done {
                        tracing::warn!(%error, "the search parameters were not looked at");
                    }
                    tokio::select! {
                        () = sleep(LOOK) => {}
                        _ = closing.changed() => {}
                    }
                }
                // A batch that is under way is rolled back, and done again by whoever comes next.
                _ = closing.changed() => {}
            }
        }
    }

    async fn look(&mut self) -> Result<(), DatabaseError> {
        self.refresh().await?;
        let lacking = self.lacking().await?;
        if !lacking.is_empty() && passes::complete_alone(&self.database, &lacking).await? {
            self.refresh().await?;
        }
        Ok(())
    }

    /// Reads the definitions again if one was written or more is indexed, and puts them in force.
    async fn refresh(&mut self) -> Result<(), DatabaseError> {
        let now = Seen { definitions: self.newest().await?, indexed: self.indexed().await? };
        if self.seen.as_ref() == Some(&now) {
            return Ok(());
        }
        let own = self.definitions().await?;
        let incomplete = self.incomplete(&now.indexed).await?;
        self.database.registry.put_in_force(&self.orm, &own, (&now.indexed, &incomplete)).await?;
        self.seen = Some(now);
        Ok(())
    }

    /// The tenants of which rows are left that were never indexed with R4's own set as it is now.
    async fn incomplete(&self, indexed: &HashMap<TenantId, i32>) -> Result<Vec<TenantId>, DatabaseError> {
        let set = self.database.registry.set();
        let mut incomplete = Vec::new();
        for tenant in self.tenants().await? {
            // A tenant that is new is not known to be indexed, and nothing of it is left.
            if indexed.get(&tenant).is_none_or(|known| *known < set)
                && passes::are_left(&self.database, tenant, set).await?
            {
                incomplete.push(tenant);
            }
        }
        Ok(incomplete)
    }

    /// The definitions of each tenant; those of the shared one are everybody's.
    async fn definitions(&self) -> Result<Vec<(TenantId, Definition)>, DbErr> {
        let rows: Vec<(i32, Vec<u8>)> = resource::Entity::find()
            .select_only()
            .columns([resource::Column::Tenant, resource::Column::Body])
            .filter(resource::Column::Tenant.in_subquery(tenants().into_query()))
            .filter(resource::Column::ResourceType.eq(definition_type().code()))
            .order_by_asc(resource::Column::Tenant)
            .order_by_asc(resource::Column::Id)
            .into_tuple()
            .all(&self.orm)
            .await?;
        let mut stored: Vec<(TenantId, Definition)> = Vec::new();
        for (tenant, body) in rows {
            let (Ok(tenant), Ok(resource)) = (TenantId::try_from(tenant), parse(&body, &Limits::default())) else {
                continue;
            };
            stored.extend(read_definitions(&resource).into_iter().map(|definition| (tenant, definition)));
        }
        let shared: Vec<Definition> =
            stored.iter().filter(|(tenant, _)| *tenant == TenantId::SHARED).map(|(_, own)| own.clone()).collect();
        for tenant in self.tenants().await?.into_iter().filter(|tenant| *tenant != TenantId::SHARED) {
            stored.extend(shared.iter().map(|definition| (tenant, definition.clone())));
        }
        // Of two with one name the first is meant, a tenant's own before a shared one.
        let mut seen = std::collections::HashSet::new();
        stored.retain(|(tenant, own)| seen.insert((*tenant, own.base, own.code.clone())));
        Ok(stored)
    }

    /// How many definitions there are, and when the newest was written.
    async fn newest(&self) -> Result<(i64, i64), DbErr> {
        let row = self.orm.query_one(&newest()).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a count".to_owned()))?;
        Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
    }

    /// The set with which every row of a tenant is known to be indexed.
    async fn indexed(&self) -> Result<HashMap<TenantId, i32>, DbErr> {
        let rows = indexed_set::Entity::find().all(&self.orm).await?;
        Ok(rows.into_iter().filter_map(|row| Some((TenantId::try_from(row.tenant).ok()?, row.set))).collect())
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, DbErr> {
        let numbers: Vec<i32> = tenants().order_by_asc(tenant::Column::Id).into_tuple().all(&self.orm).await?;
        Ok(numbers.into_iter().filter_map(|number| TenantId::try_from(number).ok()).collect())
    }

    async fn lacking(&self) -> Result<Vec<Lack>, DbErr> {
        // Read just before, with the definitions.
        let indexed = self.seen.as_ref().map(|seen| &seen.indexed);
        let registry = &self.database.registry;
        let mut lacking = Vec::new();
        for tenant in self.tenants().await? {
            let parameters = registry.parameters(tenant);
            let known = indexed.and_then(|indexed| indexed.get(&tenant)).copied().unwrap_or_default();
            if known >= parameters.set() {
                continue;
            }
            let new: Vec<_> = parameters
                .own()
                .filter_map(|(kind, parameter)| Some((kind, own_number(parameter.id)?)))
                .filter(|(_, number)| *number > known)
                .collect();
            let types = (known >= registry.set()).then(|| new.iter().map(|(kind, _)| kind.code()).collect());
            let numbers = new.iter().map(|(_, number)| *number).collect();
            lacking.push(Lack { tenant, set: parameters.set(), types, numbers });
        }
        Ok(lacking)
    }
}

/// Tenant by tenant, so that the index by tenant and type answers it: this is looked at every second.
fn newest() -> SelectStatement {
    let (count, newest) = ("count", "newest");
    let mut own = Query::select();
    own.expr_as(Expr::col(Asterisk).count(), count)
        .expr_as(resource::Column::Updated.max(), newest)
        .from(resource::Entity)
        .and_where(resource::Column::Tenant.into_expr().eq(tenant::Column::Id.into_expr()))
        .and_where(resource::Column::ResourceType.eq(definition_type().code()));
    let mut all = Query::select();
    all.expr(Func::coalesce([Expr::col(count).sum(), 0_i64.into()]).cast_as("int8"))
        .expr(Func::coalesce([Expr::col(newest).max(), 0_i64.into()]))
        .from(tenant::Entity)
        .join_lateral(JoinType::InnerJoin, own, "own", Expr::cust("TRUE"));
    all
}

/// The numbers of the tenants.
fn tenants() -> Select<tenant::Entity> {
    tenant::Entity::find().select_only().column(tenant::Column::Id)
}

fn definition_type() -> ResourceType {
    "SearchParameter".parse().expect("R4 has this type")
}
