//! The rows of the tables that are not hot, as SeaORM entities. Rows, never wire types.

pub(crate) mod account;
pub(crate) mod membership;
pub(crate) mod session;
pub(crate) mod tenant;
pub(crate) mod ticket;
