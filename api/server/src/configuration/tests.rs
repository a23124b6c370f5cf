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
}

#[test]
fn incomplete_choices_name_the_missing_key() {
    for (text, place) in [
        ("[extraction]\nengine = \"comprehend-medical\"", "extraction.region: must be set"),
        ("[blobs]\nstore = \"s3\"\nbucket = \"b\"\nregion = \"Mumbai\"", "\"Mumbai\" is not the name"),
        ("[extraction]\ncodes = \"rxnorm\"", "extraction.codes: does something only when"),
        ("[extraction]\ncodes = \"rxnorm,loinc\"", "\"loinc\" is none of rxnorm"),
        ("[extraction]\nregion = \"us-east-1\"", "extraction.region: does something only when"),
        ("[blobs]\nstore = \"s3\"\nregion = \"ap-south-1\"", "blobs.bucket: must be set"),
        ("[blobs]\nstore = \"s3\"\nbucket = \"b\"", "blobs.region: must be set"),
        ("[blobs]\nbucket = \"b\"", "blobs.bucket: does something only when"),
        ("[identity]\nissuer = \"https://issuer.example\"", "identity.audience: must be set"),
        ("[identity]\nissuer = \"http://issuer.example\"\naudience = \"a\"", "identity.issuer: "),
        ("[identity]\naudience = \"a\"", "identity.audience: does something only when"),
        ("[speech]\nengine = \"openai\"", "speech.model: must be set when speech.engine is openai"),
        ("[speech]\nengine = \"openai\"\nmodel = \"m\"", "speech.endpoint: must be set"),
        ("[speech]\nengine = \"openai\"\nmodel = \"m\"\nendpoint = \"http://speech.example/v1\"", "speech.endpoint: "),
        ("[speech]\nengine = \"vosk\"\nendpoint = \"wss://speech.example\"", "speech.language: must be set"),
        ("[speech]\nengine = \"vosk\"\nlanguage = \"hi\"\nendpoint = \"https://speech.example\"", "begin with wss://"),
        ("[translation]\nengine = \"amazon-translate\"", "translation.region: must be set"),
        ("[translation]\nregion = \"ap-south-1\"", "translation.region: does something only when"),
        ("[translation]\nengine = \"libretranslate\"", "translation.endpoint: must be set when translation.engine is"),
        ("[translation]\nengine = \"libretranslate\"\nendpoint = \"http://mt.example\"", "must begin with https://"),
        ("[translation]\napi_key = \"k\"", "translation.api_key: does something only when translation.engine is libre"),
        ("[translation]\nterminologies = \"names\"", "translation.terminologies: does something only when"),
        ("[speech]\nengine = \"transcribe\"", "speech.region: must be set"),
        ("[speech]\nengine = \"transcribe\"\nregion = \"Mumbai\"", "\"Mumbai\" is not the name"),
        ("[speech]\nengine = \"transcribe-medical\"\nregion = \"us-east-1\"", "speech.language: must be set"),
        ("[speech]\nengine = \"transcribe-medical\"\nregion = \"us-east-1\"\nlanguage = \"en-IN\"", "must be en-US"),
        (
            "[speech]\nregion = \"us-east-1\"",
            "does something only when speech.engine is transcribe or transcribe-medical",
        ),
        ("[speech]\napi_key = \"k\"", "speech.api_key: does something only when"),
        ("[database]\nurl = \"secretsmanager:seva/url\"", "secrets.region: must be set when a setting names a secret"),
        ("[database]\nurl = \"secretsmanager:a\"\n[secrets]\nregion = \"Mumbai\"", "\"Mumbai\" is not the name"),
        ("[data]\nmaster_key = \"arn:aws:kms:ap-south-1:111122223333:key/1\"", "data.master_key: must be the ARN of a"),
        ("[data]\nmaster_key = \"secretsmanager:seva#\"", "data.master_key: must name a member"),
        ("[secrets]\nregion = \"ap-south-1\"", "secrets.region: does something only when"),
        ("[secrets]\nendpoint = \"https://vpce.example\"", "secrets.endpoint: does something only when"),
    ] {
        let error = Configuration::from_parts("", text, Vec::new()).expect_err(text).to_string();
        assert!(error.contains(place), "{text}: {error}");
    }
}

#[test]
fn complete_choices_are_taken() {
    let text = "[extraction]\nengine = \"comprehend-medical\"\nregion = \"us-east-1\"\n\
        [identity]\nissuer = \"https://issuer.example/pool\"\naudience = \"a\"\n\
        [blobs]\nstore = \"s3\"\nbucket = \"b\"\nregion = \"ap-south-1\"\nendpoint = \"http://127.0.0.1:9000\"\n";
    let configuration = Configuration::from_parts("seva.toml", text, Vec::new()).expect("complete");
    assert_eq!(configuration.blobs.store, BlobStoreKind::S3);
    assert_eq!(configuration.extraction.engine, ExtractionEngine::ComprehendMedical);
}

#[test]
fn complete_speech_engines_are_taken_and_their_keys_are_shown_to_nobody() {
    for text in [
        "engine = \"openai\"\nmodel = \"whisper-1\"\nendpoint = \"https://speech.example/v1\"\napi_key = \"hidden\"",
        "engine = \"vosk\"\nlanguage = \"en-IN\"\nendpoint = \"ws://127.0.0.1:2700\"\ncertificate = \"ca.pem\"",
        "engine = \"transcribe\"\nregion = \"ap-south-1\"\nvocabulary = \"drugs\"",
        "engine = \"transcribe-medical\"\nregion = \"us-east-1\"\nlanguage = \"en-US\"\nspecialty = \"CARDIOLOGY\"",
        "model = \"tiny.en\"",
    ] {
        let configuration = Configuration::from_parts("", &format!("[speech]\n{text}"), Vec::new()).expect(text);
        assert!(!format!("{configuration:?}").contains("hidden"));
    }
    assert_eq!(Configuration::default().speech.embedded_model(), "base");
}

#[test]
fn an_unknown_time_zone_is_named() {
    let text = "[server]\ntime_zone = \"Mars/Olympus\"\n";
    let error = Configuration::from_parts("seva.toml", text, Vec::new()).expect_err("no such zone").to_string();
    assert!(error.contains("Mars/Olympus") && error.contains("Asia/Kolkata"), "{error}");
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
        ("server", "time_zone") => "Asia/Kathmandu",
        ("server", "trusted_proxies") => "10.0.0.0/16",
        ("extraction" | "speech", "engine") => "embedded",
        ("translation", "engine") => "amazon-translate",
        ("extraction", "codes") => "rxnorm, snomedct",
        ("blobs", "store") => "s3",
        ("validation", "level") => "rules",
        ("log", "format") => "json",
        _ => "text",
    }
}

#[test]
fn the_example_and_the_documentation_list_each_key_with_its_default() {
    let example = include_str!("../../../../.env.example");
    let documentation = include_str!("../../../../docs/operations.md");
    let mut rows = Vec::new();
    for key in KEYS {
        let lines = format!("# {}\n#{}={}\n", key.about, key.variable(), key.default);
        assert!(example.contains(&lines), ".env.example lacks:\n{lines}");
        let default = if key.default.is_empty() { "(none)" } else { key.default };
        let row = format!("| {}.{} | {} | {default} | {} |", key.section, key.name, key.variable(), key.about);
        assert!(documentation.contains(&row), "docs/operations.md lacks:\n{row}");
        rows.push(row);
    }
    assert_eq!(example.matches("#SEVA_").count(), rows.len(), ".env.example lists no other key");
}
