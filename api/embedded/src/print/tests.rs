#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use seva_clinic::printing::*;

use super::KrillaPrinter;

fn prescription(medicines: usize) -> PrintedPrescription {
    let medicine = PrintedMedicine {
        name: "Paracetamol".into(),
        strength: "500 mg".into(),
        form: "tablet".into(),
        line_en: "1 tablet twice a day after food for 5 days".into(),
        line_patient: "1 गोली दिन में दो बार खाने के बाद 5 दिन तक".into(),
        slots: Some(["1".into(), "0".into(), "0".into(), "1".into()]),
    };
    PrintedPrescription {
        hospital: PrintedHospital { name: "Test Hospital".into(), address: "Test Road 1".into(), phone: "000".into() },
        doctor: PrintedDoctor { name: "Dr Test".into(), qualification: "MBBS".into(), registration: "T-1".into() },
        patient: PrintedPatient {
            name: "Test Patient".into(),
            sex_age: "female, 40 years".into(),
            identifier: "P-1".into(),
        },
        date: "2025-01-02".into(),
        allergies: vec!["Penicillin".into()],
        diagnosis: "Fever".into(),
        instructions: vec![("Advice".into(), "Drink water".into())],
        medicines: vec![medicine; medicines],
        hash: Some("abc123".into()),
        state: PrintedState::Draft,
        language: HandoutLanguage::Hindi,
    }
}

async fn text_of(document: PrintedPrescription) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prescription.pdf");
    let bytes = KrillaPrinter.render(document).await.unwrap();
    std::fs::write(&file, bytes).unwrap();
    let output = Command::new("pdftotext").arg(&file).arg("-").output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

#[tokio::test]
async fn the_paper_carries_the_medicine_in_both_languages() {
    let text = text_of(prescription(1)).await;
    for word in [
        "Paracetamol 500 mg tablet",
        "गोली",
        "दिन",
        "में",
        "खाने",
        "ALLERGY: Penicillin",
        "Draft, not signed",
        "abc123",
        "page 1 of 1",
    ] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
}

#[tokio::test]
async fn many_medicines_go_over_pages_unbroken() {
    let text = text_of(prescription(20)).await;
    assert_eq!(text.matches("Paracetamol").count(), 20);
    assert!(text.contains("page 2 of"), "{text}");
    for page in text.split('\u{c}') {
        let names = page.matches("Paracetamol").count();
        assert_eq!(names, page.matches("twice a day").count());
    }
}

#[tokio::test]
async fn an_entry_taller_than_a_page_is_refused() {
    let mut document = prescription(1);
    document.instructions = vec![("Advice".into(), "Drink water. ".repeat(2000))];
    let refusal = KrillaPrinter.render(document).await;
    assert!(matches!(refusal, Err(PrintError::EntryTooLong)));
}
