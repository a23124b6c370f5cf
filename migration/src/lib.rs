//! seva-migration.
