//! Orders as they are dictated in Indian outpatient clinics, each with what a clinician reads in it.

use seva_clinic::testing::dosage_label;

use super::*;

/// Name, then the dosage, then the words that no element of it states.
fn summary(entity: &Entity) -> String {
    let steps = dosage_label(&entity.dosage_text());
    let words: Vec<&str> =
        entity.attributes_of(AttributeType::Instruction).map(|attribute| attribute.text.as_str()).collect();
    let name = entity.text.to_lowercase();
    let doubt = if entity.has(Trait::LowConfidence) { "?" } else { "" };
    let said = [vec![format!("{name}{doubt}")], vec![steps], words.iter().map(|one| format!("\"{one}\"")).collect()];
    said.concat().into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ")
}

const ORDERS: &[(&str, &[&str])] = &[
    // Words that no element of Dosage states stay as they were said.
    (
        "Ciprofloxacin eye drops one drop every four hours while awake.",
        &["ciprofloxacin | 1 drop 1/4h ophthalmic | \"while awake\""],
    ),
    ("Levothyroxine 50 mcg one tablet on waking.", &["levothyroxine | 1 tablet of 50 mcg | \"on waking\""]),
    ("Clonazepam 0.25 mg at bedtime if needed.", &["clonazepam | 0.25 mg 1/1d HS SOS"]),
    (
        "Tab pantoprazole 40 mg once daily half an hour before breakfast for 14 days.",
        &["pantoprazole | 40 mg 1/1d AC 14d"],
    ),
    (
        "Tab alendronic acid 70 mg once a week on empty stomach, do not lie down for half an hour.",
        &["alendronic acid | 70 mg 1/1wk AC | \"do not lie down for half an hour\""],
    ),
    (
        "ORS one sachet dissolved in one litre of water after each loose stool.",
        &["ors | 1 sachet | \"dissolved in one litre of water after each loose stool\""],
    ),
    (
        "Montelukast 4 mg at night, chew before swallowing.",
        &["montelukast | 4 mg 1/1d NIGHT | \"chew before swallowing\""],
    ),
    ("Metformin sustained release 500 mg twice daily after food.", &["metformin | 500 mg 2/1d PC"]),
    ("Tab prednisolone 20 mg once daily with milk for five days.", &["prednisolone | 20 mg 1/1d 5d"]),
    ("Mupirocin ointment locally twice a day over the wound.", &["mupirocin | 2/1d topical | \"over the wound\""]),
    (
        "Tab aspirin 75 mg after lunch, not to be stopped without asking.",
        &["aspirin | 75 mg PC | \"not to be stopped without asking\""],
    ),
    ("Paracetamol 650 mg tds for 3 days if fever persists come back.", &["paracetamol | 650 mg 3/1d 3d"]),
    ("Tab paracetamol 500 mg sos for fever not more than four times a day.", &["paracetamol | 500 mg 4/1d SOS(fever)"]),
    ("Paracetamol 500 mg tds for 3 days chest is clear.", &["paracetamol | 500 mg 3/1d 3d"]),
    ("Tab cetirizine 10 mg at night for 5 days will refer to the ENT surgeon.", &["cetirizine | 10 mg 1/1d NIGHT 5d"]),
    // Amounts and forms.
    ("Syrup paracetamol 5 ml thrice daily for three days.", &["paracetamol | 5 ml 3/1d 3d"]),
    (
        "Amoxicillin 500 mg one capsule three times a day for seven days.",
        &["amoxicillin | 1 capsule of 500 mg 3/1d 7d"],
    ),
    ("Salbutamol inhaler two puffs as and when required.", &["salbutamol | 2 puff respiratory SOS"]),
    ("Tab atorvastatin ten milligrams at bed time.", &["atorvastatin | 10 mg 1/1d HS"]),
    ("Cap omeprazole 20 mg one before breakfast and one before dinner.", &["omeprazole | 20 mg 2/1d AC"]),
    ("Inj ceftriaxone one gram IV twice daily for three days.", &["ceftriaxone | 1 g 2/1d 3d intravenous"]),
    ("Insulin glargine ten units subcutaneously at bedtime.", &["insulin glargine | 10 IU 1/1d HS subcutaneous"]),
    ("Tab folic acid 5 mg OD for three months.", &["folic acid | 5 mg 1/1d 3mo"]),
    (
        "Vitamin D3 sixty thousand units once a week for eight weeks with milk.",
        &["vitamin d3 | 60000 IU 1/1wk 8wk | \"with milk\""],
    ),
    ("Tab metoprolol 25 mg half tablet BD.", &["metoprolol | 0.5 tablet of 25 mg 2/1d"]),
    ("Tab telmisartan 40 one in the morning.", &["telmisartan | 40 mg 1/1d MORN"]),
    (
        "Dolo is not in the list, tab paracetamol 650 1-1-1 for three days.",
        &["paracetamol | 1 tablet of 650 mg 3/1d MORN+NOON+NIGHT 3d"],
    ),
    ("Tab ofloxacin 200 mg 1-0-1 five days after food.", &["ofloxacin | 1 tablet of 200 mg 2/1d MORN+NIGHT PC 5d"]),
    ("Tab diclofenac 50 mg BD x 5 days SOS for pain.", &["diclofenac | 50 mg 2/1d 5d SOS(pain)"]),
    ("Tab domperidone 10 mg TDS before meals for 2 days.", &["domperidone | 10 mg 3/1d AC 2d"]),
    ("Tab ivermectin 12 mg stat.", &["ivermectin | 12 mg STAT x1"]),
    ("Tab albendazole 400 mg single dose at night.", &["albendazole | 400 mg 1/1d NIGHT x1"]),
    ("Clotrimazole cream apply twice daily for four weeks.", &["clotrimazole | 2/1d 4wk topical"]),
    (
        "Xylometazoline nasal drops two drops in each nostril three times a day for five days.",
        &["xylometazoline | 2 drop 3/1d 5d nasal"],
    ),
    ("Betahistine 16 mg TDS for one week then BD for one week.", &["betahistine | 16 mg 3/1d 1wk > 16 mg 2/1d 1wk"]),
    (
        "Prednisolone 40 mg daily for five days, then 20 mg daily for five days, then stop.",
        &["prednisolone | 40 mg 1/1d 5d > 20 mg 1/1d 5d"],
    ),
    (
        "Tab azithromycin 500 mg OD for three days and tab paracetamol 650 mg SOS.",
        &["azithromycin | 500 mg 1/1d 3d", "paracetamol | 650 mg SOS"],
    ),
    (
        "Start amlodipine 5 mg every morning. Continue telmisartan 40 mg at night.",
        &["amlodipine | 5 mg 1/1d MORN", "telmisartan | 40 mg 1/1d NIGHT"],
    ),
    (
        "Ferrous ascorbate one tablet daily at bedtime with lemon water for 3 months.",
        &["ferrous ascorbate | 1 tablet 1/1d HS 3mo"],
    ),
    (
        "Tab ibuprofen 400 mg TDS after food for three days, stop if there is any bleeding.",
        &["ibuprofen | 400 mg 3/1d PC 3d"],
    ),
    (
        "Budesonide respules 0.5 mg by nebulisation twice a day for five days.",
        &["budesonide | 0.5 mg 2/1d 5d respiratory"],
    ),
    ("Lactulose 15 ml at night if constipated.", &["lactulose | 15 ml 1/1d NIGHT SOS(constipated)"]),
    ("Tab glimepiride 1 mg fifteen minutes before breakfast.", &["glimepiride | 1 mg AC"]),
    ("Tab clopidogrel 75 mg HS to continue lifelong.", &["clopidogrel | 75 mg 1/1d HS | \"to continue lifelong\""]),
    (
        "Timolol eye drops one drop in both eyes twice a day, wait five minutes between drops.",
        &["timolol | 1 drop 2/1d ophthalmic"],
    ),
    (
        "Hydroxyzine 25 mg at night until the itching settles.",
        &["hydroxyzine | 25 mg 1/1d NIGHT | \"until the itching settles\""],
    ),
];

#[test]
fn orders_are_read_as_clinicians_mean_them() {
    check(ORDERS, Category::Medication, summary);
}

#[test]
fn a_procedure_for_another_day_is_planned_and_a_result_is_no_order() {
    let found = extract("Wax in both ears. Ear syringing after one week.");
    let syringing = named(&found, "ear syringing");
    assert_eq!(syringing.kind, EntityType::ProcedureName);
    assert_eq!((syringing.planned(), syringing.is_measured()), (Some("after one week"), false));
    assert_eq!(value(syringing, AttributeType::Duration).as_deref(), Some("1 wk"));
    for text in [
        "HbA1c 8.2 percent",
        "HbA1c is 8.2 per cent.",
        "hba1c eight point two percent",
        "HbA1c of 8.2",
        "A1C 8.2%",
        "HbA one C 8.2 percent",
    ] {
        let found = extract(text);
        let result = found.iter().find(|each| each.category == Category::TestTreatmentProcedure).unwrap();
        assert_eq!(value(result, AttributeType::TestValue).as_deref(), Some("8.2"), "{text}");
        assert_eq!(value(result, AttributeType::TestUnit).as_deref(), Some("%"), "{text}");
        assert_eq!(result.codings.first().map(|coding| coding.code.as_str()), Some("4548-4"), "{text}");
    }
    let found = extract("Repeat HbA1c after three months. Vitamin B12 180.");
    let test = named(&found, "hba1c");
    assert_eq!(
        (test.kind, test.planned(), test.is_measured()),
        (EntityType::TestName, Some("after three months"), false)
    );
    assert!(named(&found, "vitamin b12 180").is_measured());
}
