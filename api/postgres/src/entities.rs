//! The rows of every table, as SeaORM entities. Rows, never wire types.

pub(crate) mod account;
pub(crate) mod audio_chunk;
pub(crate) mod audit;
pub(crate) mod audit_seal;
pub(crate) mod audit_sealer;
pub(crate) mod blob;
pub(crate) mod blob_key;
pub(crate) mod change;
pub(crate) mod closure;
pub(crate) mod closure_code;
pub(crate) mod closure_line;
pub(crate) mod concept;
pub(crate) mod concept_ancestor;
pub(crate) mod concept_designation;
pub(crate) mod concept_property;
pub(crate) mod concept_system;
pub(crate) mod dictation;
pub(crate) mod history;
pub(crate) mod idempotency;
pub(crate) mod index_date;
pub(crate) mod index_number;
pub(crate) mod index_reference;
pub(crate) mod index_string;
pub(crate) mod index_token;
pub(crate) mod index_uri;
pub(crate) mod indexed_set;
pub(crate) mod job;
pub(crate) mod job_file;
pub(crate) mod learnt_name;
pub(crate) mod membership;
pub(crate) mod parameter;
pub(crate) mod proposal;
pub(crate) mod resource;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod tenant;
pub(crate) mod ticket;
pub(crate) mod upload_part;
pub(crate) mod walk_mark;

#[cfg(test)]
mod tests;
