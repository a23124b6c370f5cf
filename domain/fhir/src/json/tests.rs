#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Json, JsonError> {
    parse(text.as_bytes(), &Limits::default())
}

#[test]
fn numbers_keep_their_digits() {
    let text = r#"{"a":1.00,"b":1e2,"c":-0.0,"d":[1,2]}"#;
    assert_eq!(read(text).unwrap().to_bytes(), text.as_bytes());
}

#[test]
fn an_error_names_the_place_in_the_terms_of_fhir() {
    let error = read("{\"resourceType\":\"Patient\",\n\"name\":[{\"given\":[\"a\",tru]}]}").unwrap_err();
    assert_eq!((error.path.as_str(), error.line), ("Patient.name[0].given[1]", 2));
    let error = read(r#"{"x":{"y":01}}"#).unwrap_err();
    assert_eq!(error.path, "$.x.y");
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "1.",
        "+1",
        "\"\\ud800\"",
        "\"\u{1}\"",
        "nulls",
        "1 2",
        "{\"a\":1,\"a\":2}",
        "\"\\x\"",
        "'a'",
        "NaN",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    assert!(parse(b"\"\xff\"", &Limits::default()).is_err());
}

#[test]
fn a_deep_body_is_refused_as_a_limit() {
    let error = read(&"[".repeat(100_000)).unwrap_err();
    assert_eq!(error.kind, JsonErrorKind::Limit);
}

#[test]
fn debug_shows_no_text() {
    assert_eq!(format!("{:?}", object([("name", "Asha".into())])), "Json(object of 1)");
}

#[test]
fn members_keep_their_place_when_replaced() {
    let mut value = read(r#"{"b":1,"c":2}"#).unwrap();
    let members = value.as_object_mut().unwrap();
    members.insert("b", 3);
    members.insert_first("a", true);
    assert_eq!(value.to_string(), r#"{"a":true,"b":3,"c":2}"#);
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,4}([eE][+-]?[0-9]{1,2})?".prop_map(|digits| Json::Number(digits.into())),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Json::Array),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_what_was_printed_gives_the_same_value(value in any_json()) {
        prop_assert!(parse(&value.to_bytes(), &Limits::default()) == Ok(value));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes, &Limits::default());
    }

    #[test]
    fn almost_json_never_panics(text in "[\\[\\]{}:,\"\\\\0-9eE.\\-+a-u ]{0,40}") {
        let _ = read(&text);
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    assert_eq!(parse("\u{feff}{\"a\":1}".as_bytes(), &Limits::default()), parse(b"{\"a\":1}", &Limits::default()));
    assert!(parse("\u{feff}\u{feff}1".as_bytes(), &Limits::default()).is_err());
}
