use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn nothing_set_is_the_embedded_default() {
    let configuration = Configuration::from_parts("", "", Vec::new()).expect("defaults are valid");
    assert_eq!(configuration.server.url(), "http://127.0.0.1:8080");
    assert!(configuration.database.url.is_none());
    assert_eq!(configuration.blobs.store, BlobStoreKind::Files);
}

#[test]
fn a_variable_goes_before_the_file() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\n";
    let set = variables(&[("SEVA_SERVER_LISTEN", "127.0.0.1:2"), ("SEVA_DATABASE_CONNECTIONS", "5")]);
    let configuration = Configuration::from_parts("seva.toml", text, set).expect("valid");
    assert_eq!(configuration.server.listen.port(), 2);
    assert_eq!(configuration.database.connections, 5);
}

#[test]
fn wrong_keys_and_values_are_named() {
    let unknown = Configuration::from_parts("seva.toml", "[server]\nlisten_on = \"x\"\n", Vec::new());
    assert!(unknown.expect_err("unknown key").to_string().contains("listen_on"));
    let variable = Configuration::from_parts("", "", variables(&[("SEVA_SERVER_PORT", "1")]));
    assert!(variable.expect_err("unknown variable").to_string().contains("SEVA_SERVER_PORT"));
    let value = Configuration::from_parts("", "", variables(&[("SEVA_BLOBS_STORE", "disk")]));
    assert!(value.expect_err("wrong value").to_string().contains("SEVA_BLOBS_STORE"));
    for (text, place) in [
        ("[extraction]\nengine = \"comprehend-medical\"", "extraction.engine"),
        ("[blobs]\nstore = \"s3\"", "blobs.store"),
        ("[identity]\nissuer = \"https://issuer.example\"", "identity.issuer"),
    ] {
        let absent = Configuration::from_parts("", text, Vec::new());
        assert!(absent.expect_err("not available").to_string().contains(place));
    }
}

#[test]
fn every_key_of_the_table_is_a_key_of_the_file() {
    for key in KEYS {
        let value = if key.numeric { "7".to_owned() } else { format!("{:?}", sample(key)) };
        let text = format!("[{}]\n{} = {value}\n", key.section, key.name);
        let read: Result<Configuration, _> = toml::from_str(&text);
        assert!(read.is_ok(), "{text}: {:?}", read.err());
    }
}

fn sample(key: &Key) -> &'static str {
    match (key.section, key.name) {
        ("server", "listen") => "127.0.0.1:80",
        ("extraction", "engine") => "embedded",
        ("blobs", "store") => "s3",
        ("log", "format") => "json",
        _ => "text",
    }
}
