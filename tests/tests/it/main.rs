//! The integration tests: one binary, so that it links once.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod access;
mod architecture;
mod audit;
mod audit_chain;
mod aws;
mod browser;
mod bulk;
mod conditional;
mod contract;
mod crash;
mod dictation;
mod dictation_stages;
mod dictation_states;
mod durability;
mod errors;
mod every_parameter;
mod every_type;
mod explain;
mod external_issuer;
mod faults;
mod fetched_postgresql;
mod formats;
mod graphql;
mod instance;
mod leases;
mod levels;
mod operations;
mod operations_patient;
mod own_parameters;
mod pages;
mod peer;
mod prescription;
mod profiles;
mod quality;
mod search;
mod search_drivers;
mod search_joins;
mod secrets;
mod terminology;
mod terminology_import;
mod terminology_operations;
mod terminology_search;
mod transaction;
mod uploads;
