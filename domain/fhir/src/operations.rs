//! The one table of operations: routing, CapabilityStatement and contract check are made from it
//! (R4 <https://hl7.org/fhir/R4/operations.html>).

mod definitions;

use crate::types::ResourceType;
pub(crate) use definitions::{is_own_definition, own_definition, own_definitions};

/// The definitions of own operations are resources of this server: their URLs begin with its base URL.
const OWN: &str = "OperationDefinition/seva-";

/// Where an operation is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `/$name`.
    System,
    /// `/Type/$name`.
    Type,
    /// `/Type/id/$name`.
    Instance,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The name without `$`.
    pub name: &'static str,
    /// Where it is called.
    pub scopes: &'static [Scope],
    /// On which types; none means on all.
    pub types: &'static [&'static str],
    /// Whether it changes the record, so that GET does not do.
    pub writes: bool,
    /// The canonical URL of its definition; of an own operation what follows the base URL.
    pub definition: &'static str,
}

impl Operation {
    /// The canonical URL of its definition, for a server at this base URL.
    #[must_use]
    pub fn definition_at(&self, base_url: &str) -> String {
        if self.definition.starts_with(OWN) {
            format!("{base_url}/{}", self.definition)
        } else {
            self.definition.to_owned()
        }
    }
}

/// Every operation that is offered.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "everything",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["Patient"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    },
    Operation {
        name: "everything",
        scopes: &[Scope::Instance],
        types: &["Encounter"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Encounter-everything",
    },
    Operation {
        name: "export",
        scopes: &[Scope::System],
        types: &[],
        writes: false,
        definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
    },
    Operation {
        name: "export",
        scopes: &[Scope::Type],
        types: &["Patient"],
        writes: false,
        definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
    },
    Operation {
        name: "export",
        scopes: &[Scope::Instance],
        types: &["Group"],
        writes: false,
        definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export",
    },
    Operation {
        name: "import",
        scopes: &[Scope::System],
        types: &[],
        writes: true,
        definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/import",
    },
    Operation {
        name: "meta",
        scopes: &[Scope::System, Scope::Type, Scope::Instance],
        types: &[],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta",
    },
    Operation {
        name: "meta-add",
        scopes: &[Scope::Instance],
        types: &[],
        writes: true,
        definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    },
    Operation {
        name: "meta-delete",
        scopes: &[Scope::Instance],
        types: &[],
        writes: true,
        definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    },
    Operation {
        name: "validate",
        scopes: &[Scope::Type, Scope::Instance],
        types: &[],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    },
    Operation {
        name: "lastn",
        scopes: &[Scope::Type],
        types: &["Observation"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    },
    Operation {
        name: "document",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["Composition"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Composition-document",
    },
    Operation {
        name: "expand",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["ValueSet"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
    },
    Operation {
        name: "validate-code",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["ValueSet"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
    },
    Operation {
        name: "validate-code",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["CodeSystem"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code",
    },
    Operation {
        name: "lookup",
        scopes: &[Scope::Type],
        types: &["CodeSystem"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
    },
    Operation {
        name: "subsumes",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["CodeSystem"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes",
    },
    Operation {
        name: "translate",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["ConceptMap"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
    },
    Operation {
        name: "closure",
        scopes: &[Scope::System],
        types: &[],
        writes: true,
        definition: "http://hl7.org/fhir/OperationDefinition/ConceptMap-closure",
    },
    Operation {
        name: "match",
        scopes: &[Scope::Type],
        types: &["Patient"],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Patient-match",
    },
    Operation {
        name: "member-match",
        scopes: &[Scope::Type],
        types: &["Patient"],
        writes: false,
        definition: "http://hl7.org/fhir/us/davinci-hrex/OperationDefinition/member-match",
    },
    Operation {
        name: "merge",
        scopes: &[Scope::Type],
        types: &["Patient"],
        writes: true,
        definition: "http://hl7.org/fhir/OperationDefinition/Patient-merge",
    },
    Operation {
        name: "summary",
        scopes: &[Scope::Type, Scope::Instance],
        types: &["Patient"],
        writes: false,
        definition: "http://hl7.org/fhir/uv/ips/OperationDefinition/summary",
    },
    Operation {
        name: "docref",
        scopes: &[Scope::Type],
        types: &["DocumentReference"],
        writes: false,
        definition: "http://hl7.org/fhir/us/core/OperationDefinition/docref",
    },
    Operation {
        name: "convert",
        scopes: &[Scope::System],
        types: &[],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Resource-convert",
    },
    Operation {
        name: "extract",
        scopes: &[Scope::System],
        types: &[],
        // It changes nothing; but a clinical text is not to stand in an address.
        writes: true,
        definition: "OperationDefinition/seva-extract",
    },
    Operation {
        name: "evidence",
        scopes: &[Scope::Instance],
        types: &[],
        writes: false,
        definition: "OperationDefinition/seva-evidence",
    },
    Operation {
        name: "explain",
        scopes: &[Scope::System, Scope::Type],
        types: &[],
        writes: false,
        definition: "OperationDefinition/seva-explain",
    },
    Operation {
        name: "graphql",
        scopes: &[Scope::System, Scope::Instance],
        types: &[],
        writes: false,
        definition: "http://hl7.org/fhir/OperationDefinition/Resource-graphql",
    },
];

/// Finds an operation by its name where it is called.
#[must_use]
pub fn operation(name: &str, scope: Scope, resource_type: Option<ResourceType>) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|one| {
        let fits = resource_type.is_none_or(|own| one.types.is_empty() || one.types.contains(&own.as_str()));
        one.name == name && one.scopes.contains(&scope) && fits
    })
}

/// The operations of the whole system.
pub fn of_system() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|one| one.scopes.contains(&Scope::System))
}

/// The operations of a type.
pub fn of_type(resource_type: ResourceType) -> impl Iterator<Item = &'static Operation> {
    let name = resource_type.as_str();
    OPERATIONS.iter().filter(move |one| {
        let beneath = one.scopes.iter().any(|scope| *scope != Scope::System);
        beneath && (one.types.is_empty() || one.types.contains(&name))
    })
}
