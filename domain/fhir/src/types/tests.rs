#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn types_are_sorted_and_keep_their_numbers() {
    let names: Vec<_> = ResourceType::all().map(ResourceType::as_str).collect();
    assert!(names.is_sorted());
    assert_eq!(names.len(), 146);
    for resource_type in ResourceType::all() {
        assert_eq!(resource_type.as_str().parse(), Ok(resource_type));
        assert_eq!(ResourceType::from_code(resource_type.code()), Some(resource_type));
    }
    assert_eq!("Account".parse::<ResourceType>().unwrap().code(), 1);
    assert!("patient".parse::<ResourceType>().is_err());
    assert_eq!(ResourceType::from_code(0), None);
    assert_eq!(ResourceType::from_code(147), None);
}

#[test]
fn keys_are_legal_once_they_exist() {
    assert_eq!("Patient/a-1.b".parse::<ResourceKey>().unwrap().to_string(), "Patient/a-1.b");
    for text in ["Patient", "Patient/", "Patient/a/b", "patient/a", "Patient/a_b"] {
        assert!(text.parse::<ResourceKey>().is_err(), "{text}");
    }
    assert!("a".repeat(65).parse::<ResourceId>().is_err());
    assert!("0".parse::<VersionId>().is_err());
    assert!("01".parse::<VersionId>().is_err());
}

#[test]
fn references_know_what_they_point_at() {
    let base = "https://seva.example/fhir";
    let key: ResourceKey = "Patient/a".parse().unwrap();
    let literal = |version| Some(ReferenceTarget::Literal { key: key.clone(), version });
    assert_eq!(parse_reference("Patient/a", base), literal(None));
    assert_eq!(parse_reference("https://seva.example/fhir/Patient/a/_history/2", base), literal(Some(VersionId(2))));
    assert_eq!(parse_reference("#p", base), Some(ReferenceTarget::Contained("p".into())));
    assert_eq!(parse_reference("urn:uuid:1", base), Some(ReferenceTarget::Urn("urn:uuid:1".into())));
    let other = "https://elsewhere.example/fhir/Patient/a";
    assert_eq!(parse_reference(other, base), Some(ReferenceTarget::Absolute(other.into())));
    assert_eq!(parse_reference("Patient?identifier=a", base), None);
}

#[test]
fn instants_are_written_in_utc() {
    let instant: Instant = "2026-07-14T15:00:00.123+05:30".parse().unwrap();
    assert_eq!(instant.to_string(), "2026-07-14T09:30:00.123Z");
    assert!("2026-07-14".parse::<Instant>().is_err());
}
