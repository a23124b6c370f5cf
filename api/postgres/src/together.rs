//! Several statements in one round trip, all or nothing.

use sea_orm::sea_query::{CommonTableExpression, SubQueryStatement, WithClause};

/// What is done together with the statement that follows.
pub(crate) fn together<const N: usize>(named: [(&'static str, SubQueryStatement); N]) -> WithClause {
    let mut clause = WithClause::new();
    for (name, statement) in named {
        let mut table = CommonTableExpression::new();
        table.table_name(name).query(statement);
        clause.cte(table);
    }
    clause
}
