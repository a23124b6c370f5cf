//! URIs, which compare as they are written (R4 <https://hl7.org/fhir/R4/search.html#uri>).

use super::IndexValue;
use crate::json::Json;

/// Appends a URI; a canonical with a version also without it.
pub(super) fn push(value: &Json, values: &mut Vec<IndexValue>) {
    let Some(uri) = value.as_str() else { return };
    values.push(IndexValue::Uri(uri.into()));
    if let Some((unversioned, _)) = uri.split_once('|') {
        values.push(IndexValue::Uri(unversioned.into()));
    }
}
