#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn all_types_of_r4_are_known() {
    assert_eq!(definitions().resource_types().count(), 146);
    let unresolved: Vec<_> = definitions()
        .types()
        .flat_map(TypeDefinition::elements)
        .filter(|element| definitions().types().all(|each| each.members_of(element.name).next().is_none()))
        .map(|element| element.path)
        .collect();
    assert!(unresolved.is_empty(), "{unresolved:?}");
}

#[test]
fn a_choice_has_one_member_per_type() {
    let observation = definitions().type_named("Observation").unwrap();
    let child = observation.child("valueQuantity").unwrap();
    assert_eq!(definitions().type_at(child.type_id).unwrap().name, "Quantity");
    assert_eq!(observation.element_of(child).unwrap().name, "value");
    assert!(observation.child("value").is_none());
    assert_eq!(observation.members_of("value").count(), 11);
    assert!(observation.child("text").is_some() && observation.child("id").is_some());
}

#[test]
fn shared_content_leads_to_the_shared_type() {
    let component = definitions().type_named("Observation.component").unwrap();
    let child = component.child("referenceRange").unwrap();
    assert_eq!(definitions().type_at(child.type_id).unwrap().name, "Observation.referenceRange");
}

#[test]
fn parameters_have_numbers_and_those_of_resource() {
    let name = definitions().search_parameter("Patient", "name").unwrap();
    assert_eq!(name.expression, "Patient.name");
    assert_eq!(definitions().search_parameter_by_id(name.id).unwrap().url, name.url);
    let id = definitions().search_parameter("Patient", "_id").unwrap();
    assert_eq!(Some(id.id), definitions().search_parameter("Observation", "_id").map(|each| each.id));
    for code in ["_lastUpdated", "_tag", "_profile", "_security", "_source"] {
        assert!(definitions().search_parameter("Patient", code).is_some(), "{code}");
    }
}

#[test]
fn the_swapped_parts_of_relationship_are_mended() {
    let relationship = definitions().search_parameter("DocumentReference", "relationship").unwrap();
    let parts: Vec<_> = relationship.components.iter().map(|part| (part.code, part.expression)).collect();
    assert_eq!(parts, [("relatesto", "target"), ("relation", "code")]);
}

#[test]
fn required_codes_are_listed() {
    let genders = definitions().code_list("http://hl7.org/fhir/ValueSet/administrative-gender").unwrap();
    assert!(genders.contains("female") && !genders.contains("Female"));
    assert!(definitions().code_list("http://hl7.org/fhir/ValueSet/mimetypes").is_none());
}

#[test]
fn the_patient_compartment_names_its_parameters() {
    let patient = definitions().compartment("Patient").unwrap();
    assert_eq!(patient.parameters("Observation"), ["subject", "performer"]);
    assert_eq!(definitions().compartments().len(), 5);
}
