//! History of a type and of a moment (R4 <https://hl7.org/fhir/R4/http.html#history>).

/// One narrow index for `Type/_history`: the feed is read backwards within a type.
pub(crate) const UP: &str = "CREATE INDEX change_type ON change (tenant, type, seq);";

pub(crate) const DOWN: &str = "DROP INDEX change_type;";
