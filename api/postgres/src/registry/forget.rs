//! The end of tenants' own parameters that are defined no more.

use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{
    Asterisk, CommonTableExpression, DeleteStatement, Expr, ExprTrait, Query, WithClause, WithQuery,
};
use sea_orm::{ColumnTrait, EntityName, EntityTrait, QueryFilter, QueryTrait};

use crate::entities::parameter::{self, Column};
use crate::entities::{index_date, index_number, index_reference, index_string, index_token, index_uri};

/// The name of what the first part deleted, within the statement.
const FORGOTTEN: &str = "forgotten";

/// Deletes parameters whose base begins so and is not one of these, with their index rows, in one round trip.
pub(super) fn forget(own: &str, bases: &[String]) -> WithQuery {
    let mut gone = parameter::Entity::delete_many()
        .filter(Column::Base.starts_with(own))
        .filter(Column::Base.into_expr().ne(PgFunc::all(bases.to_vec())))
        .into_query();
    let tenant = Expr::cust("split_part(base, '/', 2)::int4");
    gone.returning(Query::returning().exprs([tenant, Column::Id.into_expr()]));
    let mut forgotten = CommonTableExpression::new();
    forgotten.table_name(FORGOTTEN).columns(["tenant", "parameter"]).query(gone);
    let mut clause = WithClause::new();
    clause.cte(forgotten);
    for (name, delete) in [
        ("t", of_forgotten(index_token::Entity)),
        ("r", of_forgotten(index_reference::Entity)),
        ("u", of_forgotten(index_uri::Entity)),
        ("s", of_forgotten(index_string::Entity)),
        ("d", of_forgotten(index_date::Entity)),
        ("n", of_forgotten(index_number::Entity)),
    ] {
        let mut rows = CommonTableExpression::new();
        rows.table_name(name).query(delete);
        clause.cte(rows);
    }
    let mut number = Query::select();
    number.expr(Expr::col(Asterisk).count()).from(FORGOTTEN);
    clause.query(number)
}

fn of_forgotten(table: impl EntityName) -> DeleteStatement {
    let columns = ["tenant", "parameter"];
    let mut forgotten = Query::select();
    forgotten.columns(columns).from(FORGOTTEN);
    let mut delete = Query::delete();
    delete.from_table(table.table_ref()).and_where(Expr::tuple(columns.map(Expr::col)).in_subquery(forgotten));
    delete
}
