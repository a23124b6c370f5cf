#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::json::{Json, Limits, object};

fn json(text: &str) -> Json {
    crate::json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn read(text: &str) -> Result<Json, XmlError> {
    parse(text.as_bytes(), &Limits::default())
}

fn xml(value: &Json) -> String {
    String::from_utf8(write(value, Layout::Compact).unwrap()).unwrap()
}

/// The same value with its members in the order of their names: XML has an order of its own.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let members: BTreeMap<&str, Json> = members.iter().map(|(name, value)| (name, sorted(value))).collect();
            Json::Object(members.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}

/// Pairs of XML and JSON, written from the rules of the specification.
const PAIRS: &[(&str, &str)] = &[
    (
        r#"<Patient xmlns="http://hl7.org/fhir"><id value="a"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>Asha &amp; <b>Rane</b></p></div></text><contained><Organization><id value="o"/><name value="Clinic"/></Organization></contained><extension url="http://example.org/x"><valueDecimal value="1.00"/></extension><active value="true"/><name id="n"><given value="Asha"/><given id="g"><extension url="http://example.org/y"><valueCode value="masked"/></extension></given></name><birthDate value="1970-03-30"><extension url="http://example.org/t"><valueDateTime value="1970-03-30T10:00:00+05:30"/></extension></birthDate><multipleBirthInteger value="2"/></Patient>"#,
        r#"{"resourceType":"Patient","id":"a","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Asha &amp; <b>Rane</b></p></div>"},"contained":[{"resourceType":"Organization","id":"o","name":"Clinic"}],"extension":[{"url":"http://example.org/x","valueDecimal":1.00}],"active":true,"name":[{"id":"n","given":["Asha",null],"_given":[null,{"id":"g","extension":[{"url":"http://example.org/y","valueCode":"masked"}]}]}],"birthDate":"1970-03-30","_birthDate":{"extension":[{"url":"http://example.org/t","valueDateTime":"1970-03-30T10:00:00+05:30"}]},"multipleBirthInteger":2}"#,
    ),
    (
        r#"<Bundle xmlns="http://hl7.org/fhir"><type value="searchset"/><total value="1"/><link><relation value="self"/><url value="http://x/Patient?a=b&amp;c=d"/></link><entry><fullUrl value="http://x/Patient/a"/><resource><Patient><id value="a"/></Patient></resource><search><mode value="match"/><score value="0.50"/></search></entry></Bundle>"#,
        r#"{"resourceType":"Bundle","type":"searchset","total":1,"link":[{"relation":"self","url":"http://x/Patient?a=b&c=d"}],"entry":[{"fullUrl":"http://x/Patient/a","resource":{"resourceType":"Patient","id":"a"},"search":{"mode":"match","score":0.50}}]}"#,
    ),
    (
        r#"<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="text"/><valueString value="line&#10;&quot;two&quot;&#9;&lt;3"/></parameter><parameter><name value="patient"/><resource><Patient><active value="false"/></Patient></resource></parameter><parameter><name value="parts"/><part><name value="one"/><valueQuantity><value value="-1.5e3"/><unit value="mg"/></valueQuantity></part></parameter></Parameters>"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"text","valueString":"line\n\"two\"\t<3"},{"name":"patient","resource":{"resourceType":"Patient","active":false}},{"name":"parts","part":[{"name":"one","valueQuantity":{"value":-1.5e3,"unit":"mg"}}]}]}"#,
    ),
];

#[test]
fn xml_and_json_are_the_same_tree() {
    let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    for (left, right) in PAIRS {
        let value = read(left).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(value.to_string(), *right);
        assert!(crate::structure::check(&value).is_empty());
        assert_eq!(xml(&value), format!("{start}{left}"));
        let pretty = write(&value, Layout::Pretty).unwrap();
        assert!(pretty.iter().filter(|byte| **byte == b'\n').count() > 10);
        assert!(parse(&pretty, &Limits::default()) == Ok(value));
    }
}

#[test]
fn prefixes_comments_and_a_byte_order_mark_are_read() {
    let text = "\u{feff}<?xml version=\"1.0\"?>\n<?xml-stylesheet href=\"a.xsl\"?><!-- of the file -->\n<f:Patient xmlns:f=\"http://hl7.org/fhir\" \
        xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://hl7.org/fhir patient.xsd\">\
        <f:text><f:status value='generated'/><div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" class=\"c\">a<br/><!-- b --></div></f:text>\
        <!-- dropped --><f:active value=\"true\"></f:active><f:name><f:text value=\"a\n b\"/></f:name></f:Patient>\n";
    let expected = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" class=\"c\">a<br/><!-- b --></div>"},"active":true,"name":[{"text":"a  b"}]}"#;
    assert_eq!(read(text).unwrap().to_string(), expected);
}

#[test]
fn a_narrative_with_a_prefix_loses_it() {
    let around = |div: &str| {
        format!(
            "<f:Patient xmlns:f=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><f:text>\
             <f:status value=\"generated\"/>{div}</f:text></f:Patient>"
        )
    };
    let text = read(&around("<h:div title='1'>a <h:b class='c'>b</h:b><h:br/>&amp;</h:div>")).unwrap().to_string();
    let inside = r#"<div xmlns=\"http://www.w3.org/1999/xhtml\" title='1'>a <b class='c'>b</b><br/>&amp;</div>"#;
    assert!(text.contains(inside), "{text}");
    for (div, word) in [
        ("<h:div><b/></h:div>", "namespace"),
        ("<h:div h:a='1'/>", "no prefix"),
        ("<h:div><h:b></h:div>", "well-formed"),
    ] {
        let error = read(&around(div)).unwrap_err();
        assert!(error.message.contains(word), "{div}: {error}");
    }
}

/// The inside of a Patient, and where and how it is refused.
const FAULTS: &[(&str, &str, &str)] = &[
    ("<brithDate value='1970'/>", "Patient.brithDate", "no element brithDate"),
    ("<active value='true'/><id value='a'/>", "Patient.id", "must stand before"),
    ("<active value='true'/><active value='true'/>", "Patient.active", "at most one"),
    ("<name><given/></name>", "Patient.name[0].given[0]", "neither a value"),
    ("<name value='Asha'/>", "Patient.name[0]", "no attribute value"),
    ("<name><id value='a'/></name>", "Patient.name[0].id", "is an attribute"),
    ("<active>true</active>", "Patient.active", "values are attributes"),
    ("<active value='true' code='x'/>", "Patient", "no attribute code"),
    ("<active value='a&nbsp;b'/>", "Patient", "an & must begin"),
    ("<active value='&#1;'/>", "Patient", "does not allow"),
    ("<active xmlns='http://example.org' value='true'/>", "Patient.active", "namespace"),
    ("<deceasedBoolean value='true'/><deceasedDateTime value='2020'/>", "Patient.deceasedDateTime", "exclude"),
    ("<contained><Patien/></contained>", "Patient.contained[0]", "isn't a resource type"),
    ("<contained/>", "Patient.contained[0]", "must hold a resource"),
    ("<text><status value='generated'/><div>a</div></text>", "Patient.text.div", "namespace"),
    (
        "<text><status value='generated'/><div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;</div></text>",
        "Patient.text.div",
        "&nbsp;",
    ),
    ("<active value='true'>", "Patient.active", "well-formed"),
    ("&lt;", "Patient", "no text"),
];

#[test]
fn each_fault_is_named_where_it_is() {
    for (inside, path, word) in FAULTS {
        let error = read(&format!("<Patient xmlns=\"http://hl7.org/fhir\">\n{inside}</Patient>")).unwrap_err();
        assert_eq!((error.path.as_str(), error.line), (*path, 2), "{inside}: {error}");
        assert!(error.message.contains(word), "{inside}: {error}");
    }
}

#[test]
fn what_is_no_resource_is_refused() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"cccc\">]><Patient xmlns=\"http://hl7.org/fhir\"/>";
    let encoded = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Patient xmlns=\"http://hl7.org/fhir\"/>";
    let two = "<Patient xmlns=\"http://hl7.org/fhir\"/><Patient xmlns=\"http://hl7.org/fhir\"/>";
    let cases = [
        ("", "no element"),
        ("{}", "no text"),
        ("<Patient/>", "namespace"),
        (bomb, "document type"),
        (encoded, "UTF-8"),
    ];
    for (text, word) in cases.into_iter().chain([(two, "goes on")]) {
        let error = read(text).unwrap_err();
        assert!(error.message.contains(word), "{text}: {error}");
    }
    assert!(parse(b"<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"\xff\"/>", &Limits::default()).is_err());
}

#[test]
fn a_deep_body_is_refused() {
    let depth = 20_000;
    let open = "<extension url=\"a\">".repeat(depth);
    let text = format!("<Patient xmlns=\"http://hl7.org/fhir\">{open}{}</Patient>", "</extension>".repeat(depth));
    assert!(read(&text).unwrap_err().message.contains("deeper than"));
}

#[test]
fn what_xml_cannot_write_is_named() {
    let div = |text: &str| {
        let text = object([("status", "generated".into()), ("div", text.into())]);
        object([("resourceType", "Patient".into()), ("text", text)])
    };
    let open = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";
    assert!(xml(&div(&format!("{open}a&nbsp;&lt;&#160;</div>"))).contains(">a\u{a0}&lt;&#160;</div>"));
    assert!(xml(&div("<div>a</div>")).contains(&format!("{open}a</div>")));
    for broken in
        ["<div>a</p></div>", "<div>a", "<div>a</div><div>b</div>", "<div>&unknown;</div>", "<div><x:b/></div>"]
    {
        assert_eq!(write(&div(broken), Layout::Compact).unwrap_err().path, "Patient.text.div", "{broken}");
    }
    let control = json(r#"{"resourceType":"Patient","name":[{"text":"a\u0001"}]}"#);
    assert_eq!(write(&control, Layout::Compact).unwrap_err().path, "Patient.name[0].text");
    assert!(write(&json(r#"{"resourceType":"Patient","sex":"f"}"#), Layout::Compact).is_err());
}

/// HL7's own examples, which `make test` fetches: JSON → XML → JSON is the same, and XML → JSON → XML too.
#[test]
fn the_official_examples_survive_xml() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/node_modules/hl7.fhir.r4.examples");
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}: run `make test`", folder.display()));
    let (mut count, mut faults) = (0, Vec::new());
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".json") || name == "package.json" || name.starts_with('.') {
            continue;
        }
        count += 1;
        if let Err(fault) = survives(&std::fs::read(&path).unwrap()) {
            faults.push(format!("{name}: {fault}"));
        }
    }
    assert!(count > 5_000, "{count} examples");
    faults.retain(|fault| !FAULTY.iter().any(|name| fault.starts_with(name)));
    assert!(faults.is_empty(), "{} of {count}: {faults:#?}", faults.len());
}

/// Examples that XML can't carry as they are.
const FAULTY: &[&str] = &[];

fn survives(bytes: &[u8]) -> Result<(), String> {
    let limits = Limits { max_bytes: 1 << 30, ..Limits::default() };
    let value = crate::json::parse(bytes, &limits).map_err(|error| error.to_string())?;
    let text = write(&value, Layout::Compact).map_err(|error| error.to_string())?;
    let again = parse(&text, &limits).map_err(|error| error.to_string())?;
    if sorted(&again) != sorted(&value) {
        let (left, right) = (sorted(&again).to_string(), sorted(&value).to_string());
        let place = left.bytes().zip(right.bytes()).position(|(left, right)| left != right).unwrap_or_default();
        let around = |text: &str| text.chars().skip(place.saturating_sub(60)).take(120).collect::<String>();
        return Err(format!("{} / {}", around(&left), around(&right)));
    }
    let stable = write(&again, Layout::Compact).map_err(|error| error.to_string())?;
    if stable == text { Ok(()) } else { Err("the XML differs".into()) }
}
