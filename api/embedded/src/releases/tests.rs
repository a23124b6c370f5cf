//! Small releases with codes of our own, in each format.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::path::Path;

use seva_fhir::terminology::Concept;

use super::*;

fn read(
    format: ReleaseFormat,
    path: &Path,
    version: Option<&str>,
) -> Result<(ImportHeader, Vec<ImportRow>), ReleaseError> {
    let release = Release::open(format, path, version)?;
    let mut rows = Vec::new();
    release.read(&mut |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok((release.header, rows))
}

fn concepts(rows: &[ImportRow]) -> Vec<&Concept> {
    let concept = |row: &'_ ImportRow| matches!(row.content, ImportContent::Concept(_));
    rows.iter()
        .filter(|row| concept(row))
        .filter_map(|row| match &row.content {
            ImportContent::Concept(concept) => Some(concept),
            _ => None,
        })
        .collect()
}

fn edges(rows: &[ImportRow]) -> Vec<(&str, &str)> {
    rows.iter()
        .filter_map(|row| match &row.content {
            ImportContent::IsA { child, parent } => Some((child.as_str(), parent.as_str())),
            _ => None,
        })
        .collect()
}

fn order_line(number: u32, code: &str, flag: &str, short: &str, long: &str) -> String {
    format!("{number:05} {code:<7} {flag} {short:<60} {long}\n")
}

#[test]
fn order_file_gives_dots_and_parents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("icd10cm_order_2031.txt");
    let lines = [
        order_line(1, "Q00", "0", "Odd ward fever", "Odd ward fever"),
        order_line(2, "Q001", "0", "Odd fever, mild", "Odd ward fever, of the mild kind"),
        order_line(3, "Q001XXA", "1", "Odd fever, mild, init", "Odd ward fever, of the mild kind, initial encounter"),
        order_line(4, "Q01", "1", "Even ward fever", "Even ward fever"),
    ];
    std::fs::write(&path, lines.concat()).unwrap();
    let (header, rows) = read(ReleaseFormat::Icd10Cm, &path, None).unwrap();
    assert_eq!((header.version.as_str(), header.url.as_str()), ("2031", "http://hl7.org/fhir/sid/icd-10-cm"));
    let found: Vec<(String, Vec<String>, bool)> =
        concepts(&rows).iter().map(|one| (one.code.clone(), one.parents.clone(), one.not_selectable)).collect();
    let expected =
        [("Q00", None, true), ("Q00.1", Some("Q00"), true), ("Q00.1XXA", Some("Q00.1"), false), ("Q01", None, false)];
    let expected: Vec<(String, Vec<String>, bool)> = expected
        .into_iter()
        .map(|(code, parent, header)| (code.to_owned(), parent.into_iter().map(str::to_owned).collect(), header))
        .collect();
    assert_eq!(found, expected);
    std::fs::write(&path, "00001 Q00     7 Odd\n").unwrap();
    let fault = read(ReleaseFormat::Icd10Cm, &path, None).unwrap_err().to_string();
    assert_eq!(fault, "icd10cm_order_2031.txt:1: column 15: \"7\" is neither 0 nor 1");
}

/// Lines of columns: a blank parts columns, an underscore is a blank.
fn columns(path: std::path::PathBuf, lines: &[&str]) {
    let text: String = lines.iter().map(|line| format!("{}\r\n", line.replace(' ', "\t").replace('_', " "))).collect();
    std::fs::write(path, text).unwrap();
}

fn write_snapshot(folder: &Path) {
    columns(
        folder.join("sct2_Concept_Snapshot_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId definitionStatusId",
            "1001 20310131 1 9 900000000000073002",
            "1002 20310131 1 9 9",
            "1003 20310131 0 9 9",
        ],
    );
    columns(
        folder.join("sct2_Description_Snapshot-en_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId conceptId languageCode typeId term case",
            "51 20310131 1 9 1001 en 900000000000003001 Ward_fever_(disorder) 9",
            "52 20310131 1 9 1001 en 900000000000013009 Ward_fever 9",
            "53 20310131 1 9 1001 en 900000000000013009 Bay_fever 9",
            "54 20310131 0 9 1001 en 900000000000013009 Old_fever 9",
        ],
    );
    columns(
        folder.join("sct2_Relationship_Snapshot_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId sourceId destinationId group typeId characteristicTypeId modifierId",
            "71 20310131 1 9 1001 1002 0 116680003 9 9",
            "72 20310131 1 9 1001 1003 0 363698007 9 9",
            "73 20310131 0 9 1003 1002 0 116680003 9 9",
        ],
    );
}

#[test]
fn snapshot_gives_names_by_preference_and_relationships() {
    let folder = tempfile::tempdir().unwrap();
    let terminology = folder.path().join("Snapshot/Terminology");
    let language = folder.path().join("Snapshot/Refset/Language");
    std::fs::create_dir_all(&terminology).unwrap();
    std::fs::create_dir_all(&language).unwrap();
    write_snapshot(&terminology);
    columns(
        language.join("der2_cRefset_LanguageSnapshot-en_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId",
            "a 20310131 1 9 900000000000509007 52 900000000000548007",
        ],
    );
    let (header, rows) = read(ReleaseFormat::SnomedRf2, folder.path(), None).unwrap();
    assert_eq!(header.version, "http://snomed.info/sct/900000000000207008/version/20310131");
    assert_eq!(
        concepts(&rows).iter().map(|one| (one.code.as_str(), one.inactive)).collect::<Vec<_>>(),
        [("1001", false), ("1002", false), ("1003", true)]
    );
    assert_eq!(edges(&rows), [("1001", "1002")]);
    let names: Vec<(String, i16)> = rows
        .iter()
        .filter_map(|row| match &row.content {
            ImportContent::Name { designation, rank, .. } => Some((designation.value.clone(), *rank)),
            _ => None,
        })
        .collect();
    let expected = [("Ward fever (disorder)", 1), ("Ward fever", 3), ("Bay fever", 0)];
    assert_eq!(names, expected.map(|(name, rank)| (name.to_owned(), rank)));
    std::fs::remove_dir_all(&terminology).unwrap();
    let fault = read(ReleaseFormat::SnomedRf2, folder.path(), Some("x")).unwrap_err().to_string();
    assert!(fault.contains("it has no snapshot of concepts"), "{fault}");
}

#[test]
fn loinc_table_is_read_from_a_zip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Loinc_9.99.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("LoincTable/Loinc.csv", options).unwrap();
    let table = "\"LOINC_NUM\",\"COMPONENT\",\"STATUS\",\"LONG_COMMON_NAME\",\"SHORTNAME\",\"DefinitionDescription\"\r\n\
        \"90001-1\",\"Ward \"\"heat\"\"\",\"ACTIVE\",\"Ward heat, day\",\"Heat\",\"Taken\nat noon\"\r\n\
        \"90002-9\",\"Ward\",\"DEPRECATED\",\"Ward heat, night\",\"\",\"\"\r\n";
    archive.write_all(table.as_bytes()).unwrap();
    archive.start_file("AccessoryFiles/ComponentHierarchyBySystem.csv", options).unwrap();
    archive
        .write_all(b"PATH_TO_ROOT,SEQUENCE,IMMEDIATE_PARENT,CODE,CODE_TEXT\n,1,,LP1-1,Wards\nLP1-1,1,LP1-1,90001-1,x\n")
        .unwrap();
    archive.finish().unwrap();
    let (header, rows) = read(ReleaseFormat::Loinc, &path, None).unwrap();
    assert_eq!(header.version, "9.99");
    let all = concepts(&rows);
    assert_eq!(
        all.iter().map(|one| (one.code.as_str(), one.inactive)).collect::<Vec<_>>(),
        [("90001-1", false), ("90002-9", true), ("LP1-1", false)]
    );
    assert_eq!(all.first().and_then(|one| one.definition.as_deref()), Some("Taken\nat noon"));
    assert_eq!(all.first().map(|one| one.values("COMPONENT")), Some(vec!["Ward \"heat\"".to_owned()]));
    assert_eq!(edges(&rows), [("90001-1", "LP1-1")]);
    let alone = folder.path().join("mine.csv");
    std::fs::write(&alone, "\"LOINC_NUM\",\"LONG_COMMON_NAME\"\n\"1\",\"a\",\"b\"\n").unwrap();
    let fault = read(ReleaseFormat::Loinc, &alone, Some("1")).unwrap_err().to_string();
    assert_eq!(fault, "mine.csv:2: the record has 3 columns, the head has 2");
    assert!(matches!(read(ReleaseFormat::Loinc, &alone, None), Err(ReleaseError::Version)));
}

#[test]
fn rich_release_format_gives_names_hierarchy_and_properties() {
    let folder = tempfile::tempdir().unwrap();
    let names = "501|ENG||||||9001||501||RXNORM|IN|501|wardol||N|4096|\n\
        501|ENG||||||9002||501||RXNORM|SY|501|wardolum||N||\n\
        502|ENG||||||9003||502||RXNORM|SCD|502|wardol 5 MG Oral Tablet||O||\n\
        501|ENG||||||9004||x||OTHER|IN|x|wardol||N||\n";
    let relations = "501||CUI|RN|502||CUI|has_part|1||RXNORM|RXNORM|||N||\n\
        501||CUI|RN|502||CUI|isa|2||RXNORM|RXNORM|||N||\n\
        502||CUI|RB|501||CUI|inverse_isa|3||RXNORM|RXNORM|||N||\n";
    std::fs::write(folder.path().join("RXNCONSO.RRF"), names).unwrap();
    std::fs::write(folder.path().join("RXNREL.RRF"), relations).unwrap();
    let (_, rows) = read(ReleaseFormat::RxNorm, folder.path(), Some("07012031")).unwrap();
    assert_eq!(
        concepts(&rows).iter().map(|one| (one.code.as_str(), one.inactive)).collect::<Vec<_>>(),
        [("501", false), ("502", true)]
    );
    assert_eq!(edges(&rows), [("502", "501")]);
    let property = rows.iter().find_map(|row| match &row.content {
        ImportContent::Property { code, property } if property.code == "has_part" => {
            Some((code.clone(), property.text()))
        }
        _ => None,
    });
    assert_eq!(property, Some(("502".to_owned(), Some("501".to_owned()))));
    std::fs::write(folder.path().join("RXNREL.RRF"), "501|x\n").unwrap();
    let fault = read(ReleaseFormat::RxNorm, folder.path(), Some("1")).unwrap_err().to_string();
    assert_eq!(fault, "RXNREL.RRF:1: the line has 2 columns, 15 are needed");
}
