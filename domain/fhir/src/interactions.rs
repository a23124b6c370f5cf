//! The one table of what the FHIR face offers: routes, CapabilityStatement and contract check are made from it.
//!
//! R4: <https://hl7.org/fhir/R4/http.html>.

use crate::access::Interaction;
use crate::types::ResourceType;

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// What it does.
    pub interaction: Interaction,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the base, with `{type}`, `{id}` and `{version}`.
    pub path: &'static str,
}

/// The interactions on a type, in the order of http.html.
pub const OFFERS: &[Offer] = &[
    Offer { interaction: Interaction::Read, method: "GET", path: "/{type}/{id}" },
    Offer { interaction: Interaction::Vread, method: "GET", path: "/{type}/{id}/_history/{version}" },
    Offer { interaction: Interaction::Update, method: "PUT", path: "/{type}/{id}" },
    Offer { interaction: Interaction::Patch, method: "PATCH", path: "/{type}/{id}" },
    Offer { interaction: Interaction::Delete, method: "DELETE", path: "/{type}/{id}" },
    Offer { interaction: Interaction::History, method: "GET", path: "/{type}/{id}/_history" },
    Offer { interaction: Interaction::TypeHistory, method: "GET", path: "/{type}/_history" },
    Offer { interaction: Interaction::Create, method: "POST", path: "/{type}" },
    Offer { interaction: Interaction::Update, method: "PUT", path: "/{type}" },
    Offer { interaction: Interaction::Patch, method: "PATCH", path: "/{type}" },
    Offer { interaction: Interaction::Delete, method: "DELETE", path: "/{type}" },
    Offer { interaction: Interaction::Search, method: "GET", path: "/{type}" },
    Offer { interaction: Interaction::Search, method: "POST", path: "/{type}/_search" },
];

/// The types that have an endpoint: all but Parameters, which only travels, and the two abstract ones.
pub fn served_types() -> impl Iterator<Item = ResourceType> {
    ResourceType::all().filter(|resource_type| is_served(*resource_type))
}

/// Whether a type has an endpoint.
pub fn is_served(resource_type: ResourceType) -> bool {
    !matches!(resource_type.as_str(), "Parameters" | "Resource" | "DomainResource")
}
