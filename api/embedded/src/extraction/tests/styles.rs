//! Orders, denials and allergies in the many ways in which they are dictated, each with what a clinician reads in it.

use seva_clinic::testing::dosage_label;

use super::*;

fn marks(entity: &Entity) -> String {
    let marks = [(Trait::Negation, "!"), (Trait::PastHistory, "past-"), (Trait::FamilyHistory, "family-")];
    marks.into_iter().filter(|(mark, _)| entity.has(*mark)).map(|(_, text)| text).collect()
}

/// The mark and name of what is not ordered; the name and the dosage of what is; `?` for a dosage that is doubtful.
fn order(entity: &Entity) -> String {
    let (marks, name) = (marks(entity), entity.text.to_lowercase());
    if !marks.is_empty() {
        return format!("{marks}{name}");
    }
    let doubtful = entity.has(Trait::LowConfidence);
    format!("{name}|{}", if doubtful { "?".to_owned() } else { dosage_label(&entity.dosage_text()) })
}

const DOSAGES: &[(&str, &[&str])] = &[
    (
        "Metformin 500 mg, one tablet in the morning and one at night, for 10 days.",
        &["metformin|1 tablet of 500 mg 2/1d MORN+NIGHT 10d"],
    ),
    (
        "Metformin 500 mg two tablets stat then one tablet twice daily for 5 days.",
        &["metformin|2 tablet of 500 mg STAT x1 > 1 tablet of 500 mg 2/1d 5d"],
    ),
    (
        "Metformin 500 mg one tablet in the morning, half at night.",
        &["metformin|1 tablet of 500 mg 1/1d MORN > 0.5 tablet of 500 mg 1/1d NIGHT"],
    ),
    (
        "Metformin 500 mg, 2 tablets in the morning, 1 in the afternoon and 1 at night.",
        &["metformin|2 tablet of 500 mg 1/1d MORN > 1 tablet of 500 mg 2/1d NOON+NIGHT"],
    ),
    (
        "Metformin 500 mg twice daily for 5 days. Then once daily for 5 days.",
        &["metformin|500 mg 2/1d 5d > 500 mg 1/1d 5d"],
    ),
    (
        "Metformin 500 mg half a tablet in the morning for 5 days, then one tablet.",
        &["metformin|0.5 tablet of 500 mg 1/1d MORN 5d > 1 tablet of 500 mg 1/1d MORN"],
    ),
    ("Metformin 500 mg 1/2-0-1/2 for 5 days.", &["metformin|0.5 tablet of 500 mg 2/1d MORN+NIGHT 5d"]),
    ("Metformin 500 mg every night at bedtime.", &["metformin|500 mg 1/1d HS"]),
    ("Metformin 500 mg at onset, then 250 mg after 3 hours.", &["metformin|?"]),
    (
        "Levetiracetam 500 mg in the morning and 750 mg at night.",
        &["levetiracetam|500 mg 1/1d MORN > 750 mg 1/1d NIGHT"],
    ),
    (
        "Premixed insulin sixteen units in the morning and ten units at night before food.",
        &["premixed insulin|16 IU 1/1d MORN AC > 10 IU 1/1d NIGHT AC"],
    ),
    ("Increase metformin from 500 to 1000 mg twice daily.", &["metformin|1000 mg 2/1d"]),
    ("Metformin 500 mg increased to 1000 mg twice daily.", &["metformin|1000 mg 2/1d"]),
    ("Reduce digoxin to 0.125 mg once daily.", &["digoxin|0.125 mg 1/1d"]),
    ("Paracetamol 15 mg/kg six hourly.", &["paracetamol|?"]),
    ("Paracetamol 500 to 1000 mg six hourly.", &["paracetamol|?"]),
    ("Amoxicillin 250 mg per 5 ml, 7.5 ml tds for 5 days.", &["amoxicillin|7.5 ml 3/1d 5d"]),
    ("Inj ceftriaxone 1 g in 50 ml normal saline iv bd over 30 minutes.", &["ceftriaxone|1 g 2/1d intravenous"]),
    ("Nebulise with budesonide 0.5 mg in 3 ml normal saline twice daily.", &["budesonide|0.5 mg 2/1d respiratory"]),
    ("Apply mupirocin ointment twice daily for 5 days.", &["mupirocin|2/1d 5d topical"]),
    ("Put two drops of ofloxacin in the left ear thrice daily.", &["ofloxacin|2 drop 3/1d otic"]),
    ("Three times a day one tablet of ofloxacin 200 mg for five days.", &["ofloxacin|1 tablet of 200 mg 3/1d 5d"]),
    ("For seven days twice a day after meals cefixime 200 mg.", &["cefixime|200 mg 2/1d PC 7d"]),
    ("Fever for 2 days. Twice daily paracetamol 650 mg.", &["paracetamol|650 mg 2/1d"]),
    (
        "Prednisolone 40 mg for 5 days, 30 mg for 5 days, 20 mg for 5 days.",
        &["prednisolone|40 mg 5d > 30 mg 5d > 20 mg 5d"],
    ),
    (
        "Prednisolone 40 od x 5 days, 20 od x 5 days, 10 od x 5 days.",
        &["prednisolone|40 mg 1/1d 5d > 20 mg 1/1d 5d > 10 mg 1/1d 5d"],
    ),
    ("Prednisolone 40 mg for 3 days then 20 for 3 days and stop.", &["prednisolone|40 mg 3d > 20 mg 3d"]),
    ("Loperamide 2 mg two stat then one after each loose stool.", &["loperamide|?"]),
    ("Rabies vaccine 0.5 ml IM stat, then on day 3 and day 7.", &["rabies vaccine|?"]),
    ("Azithromycin 250, no sorry, 500 mg once daily for 3 days.", &["azithromycin|500 mg 1/1d 3d"]),
    ("Paracetamol 650 mg tds for five days, I mean three days.", &["paracetamol|650 mg 3/1d 3d"]),
    ("Paracetamol 650 mg, sorry, not sure, tds.", &["paracetamol|?"]),
    (
        "Paracetamol 650 mg sos only if temperature is more than 101, max 4 a day.",
        &["paracetamol|650 mg SOS(fever) max 4 tablet"],
    ),
    ("Paracetamol six fifty subah shaam khane ke baad paanch din.", &["paracetamol|650 mg 2/1d MORN+EVE PC 5d"]),
    ("Domperidone 10 mg din mein teen baar khane se pehle.", &["domperidone|10 mg 3/1d AC"]),
    ("Calcitriol 0.25 mcg on Monday, Wednesday and Friday.", &["calcitriol|0.25 mcg 3/1wk"]),
    ("Warfarin 5 mg on Monday to Friday and 2.5 mg on weekends.", &["warfarin|?"]),
    ("Iron sucrose 200 mg iv on alternate days for 5 doses.", &["iron sucrose|200 mg 1/2d intravenous x5"]),
    ("Amlodipine 5 mg since two years.", &["amlodipine|5 mg"]),
    ("Levothyroxine 75 mcg empty stomach, continue same for six months.", &["levothyroxine|75 mcg AC 6mo"]),
    ("Doxycycline hundred mg bd.", &["doxycycline|100 mg 2/1d"]),
];

const NOT_ORDERED: &[(&str, &[&str])] = &[
    ("Do not stop aspirin.", &["aspirin|"]),
    ("Stop aspirin and clopidogrel.", &["!aspirin", "!clopidogrel"]),
    ("Stop aspirin and start clopidogrel 75 mg od.", &["!aspirin", "clopidogrel|75 mg 1/1d"]),
    ("Avoid ibuprofen, diclofenac and aspirin.", &["!ibuprofen", "!diclofenac", "!aspirin"]),
    ("No ibuprofen, paracetamol 650 mg tds.", &["!ibuprofen", "paracetamol|650 mg 3/1d"]),
    ("Do not give ibuprofen.", &["!ibuprofen"]),
    ("Atenolol 50 mg stopped, telmisartan 40 mg od.", &["!atenolol", "telmisartan|40 mg 1/1d"]),
    ("Instead of atenolol give telmisartan 40 mg od.", &["!atenolol", "telmisartan|40 mg 1/1d"]),
    ("Replace diclofenac with paracetamol 1 gram tds.", &["!diclofenac", "paracetamol|1 g 3/1d"]),
    ("Change from losartan 50 mg to telmisartan 40 mg od.", &["!losartan", "telmisartan|40 mg 1/1d"]),
    ("Ornidazole not needed.", &["!ornidazole"]),
    ("Methotrexate ruled out because of liver disease.", &["!methotrexate"]),
    ("He took one tablet of paracetamol at home.", &["past-paracetamol"]),
    ("Was given ciprofloxacin outside.", &["past-ciprofloxacin"]),
    ("No relief with ibuprofen. Tramadol 50 mg bd.", &["past-ibuprofen", "tramadol|50 mg 2/1d"]),
    ("Metformin 500 mg to be taken twice daily.", &["metformin|500 mg 2/1d"]),
    ("Aspirin 75 mg od stopped smoking two years back.", &["aspirin|75 mg 1/1d"]),
    ("Give ibuprofen, sorry, paracetamol 500 mg tds.", &["!ibuprofen", "paracetamol|500 mg 3/1d"]),
    ("Give alprazolam, no, not alprazolam.", &["!alprazolam", "!alprazolam"]),
    ("Paracetamol 500 mg tds, no ibuprofen.", &["paracetamol|500 mg 3/1d", "!ibuprofen"]),
];

const FINDINGS: &[(&str, &[&str])] = &[
    ("Not a known diabetic, loose stools since yesterday.", &["!known diabetic", "loose stools"]),
    ("Not a diabetic or hypertensive.", &["!diabetic", "!hypertensive"]),
    ("Non-diabetic, hypertensive since two years.", &["!diabetic", "hypertensive"]),
    ("No fever, cough or cold for three days.", &["!fever", "!cough", "!cold"]),
    ("No fever, cough since two days.", &["!fever", "cough"]),
    ("No fever, headache present.", &["!fever", "headache"]),
    ("Non productive cough, no fever.", &["productive cough", "!fever"]),
    ("H/o asthma, no h/o epilepsy.", &["past-asthma", "!epilepsy"]),
    (
        "No pallor, icterus, cyanosis, clubbing, lymphadenopathy or edema.",
        &["!pallor", "!icterus", "!cyanosis", "!clubbing", "!lymphadenopathy", "!edema"],
    ),
    ("Malaria ruled out, bukhar hai, khansi nahi hai.", &["!malaria", "bukhar", "!khansi"]),
    ("Do not squeeze pimples.", &[]),
];

const ALLERGIES: &[(&str, &[&str])] = &[
    ("No history of allergy to penicillin.", &["!penicillin"]),
    ("No h/o any drug allergy.", &["!no h/o any drug allergy"]),
    ("Had reaction to diclofenac injection last year.", &["diclofenac"]),
    ("Father has dust allergy.", &[]),
    ("Allergic to sulfa drugs and penicillin.", &["sulfa drugs", "penicillin"]),
];

const PLANS: &[(&str, &[&str])] = &[
    (
        "Keep the area dry. Do not share towels, wash hands and walk daily.",
        &["keep the area dry", "do not share towels", "wash hands", "walk daily"],
    ),
    ("Steam inhalation, tepid sponging.", &["steam inhalation", "tepid sponging"]),
    ("Cetirizine 10 mg. No smoking.", &["no smoking"]),
    ("No smoking, no alcohol. Cetirizine 10 mg.", &[]),
    ("Cetirizine 10 mg od. No alcohol history.", &[]),
    ("Last visit two weeks back. Review with reports after 5 days.", &["review with reports after 5 days"]),
    ("Review in 3/7. Paanch din baad aana.", &["review in 3/7", "paanch din baad aana"]),
];

#[test]
fn dosages_are_read_in_whatever_order_they_are_said() {
    check(DOSAGES, Category::Medication, order);
}

#[test]
fn what_is_stopped_taken_back_or_past_is_no_order() {
    check(NOT_ORDERED, Category::Medication, order);
}

#[test]
fn denials_reach_what_they_deny_and_no_further() {
    check(FINDINGS, Category::MedicalCondition, |entity| format!("{}{}", marks(entity), entity.text.to_lowercase()));
}

#[test]
fn allergies_are_those_of_the_patient() {
    check(ALLERGIES, Category::Allergy, |entity| format!("{}{}", marks(entity), entity.text.to_lowercase()));
}

#[test]
fn advice_and_visits_are_found_where_a_statement_begins() {
    check(PLANS, Category::CarePlan, |entity| entity.text.to_lowercase());
}

#[test]
fn a_flow_of_oxygen_is_no_saturation() {
    assert!(extract("Oxygen 2 litres per minute.").iter().all(|each| each.category != Category::Vital));
}
