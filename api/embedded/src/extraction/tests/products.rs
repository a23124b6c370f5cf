//! Brands, combinations, and what several orders share.

use seva_clinic::testing::dosage_label;

use super::*;

/// The mark and name of what is not ordered; the name and the dosage of what is; `?` for a dosage that is doubtful.
fn order(entity: &Entity) -> String {
    let name = entity.text.to_lowercase();
    let marks = [(Trait::Negation, "!"), (Trait::PastHistory, "past-")];
    if let Some((_, mark)) = marks.into_iter().find(|(mark, _)| entity.has(*mark)) {
        return format!("{mark}{name}");
    }
    let doubtful = entity.has(Trait::LowConfidence);
    format!("{name}|{}", if doubtful { "?".to_owned() } else { dosage_label(&entity.dosage_text()) })
}

#[test]
fn a_brand_is_ordered_as_it_was_said_and_coded_by_what_it_holds() {
    let cases: &[(&str, &[&str])] = &[
        ("Tab Crocin 650 one TDS for 3 days.", &["crocin|650 mg 3/1d 3d"]),
        ("Tab Pan-D one before breakfast, cap Pan D OD.", &["pan-d|AC", "pan d|1/1d"]),
        ("Thyronorm 50 mcg empty stomach.", &["thyronorm|50 mcg AC"]),
        // Which ingredient the number counts is not known.
        ("Telma H 40 once daily.", &["telma h|?"]),
        ("Glycomet GP 2 BD.", &["glycomet gp|?"]),
        ("Zerodol SP one BD for five days.", &["zerodol sp|2/1d 5d"]),
        ("Stop Combiflam.", &["!combiflam"]),
        // Short brands are words of their own.
        ("Pan pain on chewing.", &[]),
        ("Tab Pan 40 OD.", &["pan|40 mg 1/1d"]),
    ];
    check(cases, Category::Medication, order);
    let found = extract("Crocin 650 TDS, Pan D OD. Allergic to Augmentin.");
    let codes = |name: &str| named(&found, name).codings.iter().map(|code| code.display.clone()).collect::<Vec<_>>();
    assert!(
        named(&found, "crocin").kind == EntityType::BrandName && codes("crocin").contains(&"paracetamol".to_owned())
    );
    assert!(codes("pan d").is_empty(), "no code of one ingredient is that of both");
    assert!(codes("augmentin").contains(&"amoxicillin and clavulanic acid".to_owned()));
}

#[test]
fn a_combination_may_be_said_the_other_way_round() {
    let found = extract("Formoterol and budesonide two puffs BD.");
    let display = found.first().and_then(|first| first.codings.first()).map(|code| code.display.as_str());
    assert_eq!((found.len(), display), (1, Some("budesonide and formoterol")));
}

#[test]
fn what_is_said_of_both_or_all_is_said_of_each() {
    let cases: &[(&str, &[&str])] = &[
        (
            "Cefixime 200 mg BD and metronidazole 400 mg TDS, both for five days.",
            &["cefixime|200 mg 2/1d 5d", "metronidazole|400 mg 3/1d 5d"],
        ),
        (
            "Isoniazid 300 mg, ethambutol 800 mg and pyrazinamide 1500 mg, all once daily for two months.",
            &["isoniazid|300 mg 1/1d 2mo", "ethambutol|800 mg 1/1d 2mo", "pyrazinamide|1500 mg 1/1d 2mo"],
        ),
        (
            "Aspirin 75 mg OD. Cefixime 200 mg BD, metronidazole 400 mg TDS, both for 5 days.",
            &["aspirin|75 mg 1/1d", "cefixime|200 mg 2/1d 5d", "metronidazole|400 mg 3/1d 5d"],
        ),
        // A length of its own is not contradicted, and eyes are no orders.
        (
            "Cefixime 200 mg BD for 3 days, metronidazole 400 mg TDS, both for 5 days.",
            &["cefixime|200 mg 2/1d 3d", "metronidazole|400 mg 3/1d 5d"],
        ),
        (
            "Timolol one drop twice daily, latanoprost one drop at night, both eyes.",
            &["timolol|1 drop 2/1d", "latanoprost|1 drop 1/1d NIGHT ophthalmic"],
        ),
        ("Treated with ceftriaxone and azithromycin.", &["past-ceftriaxone", "past-azithromycin"]),
        ("Change amlodipine 5 mg to telmisartan 40 mg OD.", &["!amlodipine", "telmisartan|40 mg 1/1d"]),
        ("Change amlodipine to 10 mg once daily.", &["amlodipine|10 mg 1/1d"]),
        ("Fever not responding to paracetamol.", &["past-paracetamol"]),
        ("Morning metformin 500 mg, night metformin 1 g.", &["metformin|500 mg 1/1d MORN", "metformin|1 g 1/1d NIGHT"]),
        (
            "Ceftriaxone 2 g IV OD x 5 days then oral cefixime 200 mg BD.",
            &["ceftriaxone|2 g 1/1d 5d intravenous", "cefixime|200 mg 2/1d oral"],
        ),
        ("CBNAAT rifampicin sensitive, paracetamol overdose.", &[]),
    ];
    check(cases, Category::Medication, order);
}

#[test]
fn what_an_order_leaves_open_is_doubtful_and_not_guessed() {
    let cases: &[(&str, &[&str])] = &[
        ("Ibuprofen 400 mg 1-2 tablets SOS.", &["ibuprofen|?"]),
        ("Loperamide 4 mg stat followed by 2 mg after each loose stool.", &["loperamide|?"]),
        ("Prednisolone start with 40 mg OD for 7 days, reduce by 10 mg every week.", &["prednisolone|?"]),
        (
            "Metformin 500 mg 2 tab stat and 1 tab BD for 5 days.",
            &["metformin|2 tablet of 500 mg STAT x1 > 1 tablet of 500 mg 2/1d 5d"],
        ),
        ("Metformin 500 mg stat and SOS.", &["metformin|500 mg STAT x1 > 500 mg SOS"]),
        ("Metformin 500 mg BD for 5 days, SOS thereafter.", &["metformin|500 mg 2/1d 5d > 500 mg SOS"]),
        ("Metformin 500 mg at 8 am and 8 pm.", &["metformin|500 mg 2/1d"]),
        ("Metformin 500 mg for pain as needed.", &["metformin|500 mg SOS(pain)"]),
        ("Ivermectin 12 mg every third day for 3 doses.", &["ivermectin|12 mg 1/3d x3"]),
        ("Paracetamol 650 mg 1/0/1, 3x/day.", &["paracetamol|1 tablet of 650 mg 2/1d MORN+NIGHT"]),
        ("Labetalol 100 mg BD, increase to 200 mg if BP above 150.", &["labetalol|?"]),
        ("Ramipril 2.5 mg OD, increase to 5 mg after 2 weeks.", &["ramipril|?"]),
        ("Amitriptyline 10 mg HS, can increase to 25 mg.", &["amitriptyline|?"]),
        ("Furosemide 40 mg 1 tab in the morning and 1 tab at 4 pm.", &["furosemide|?"]),
        ("Anti rabies vaccine 0.5 ml IM on day 0, 3, 7.", &["anti rabies vaccine|?"]),
        // And what it says plainly is read.
        ("Tranexamic acid 500 mg BD for 5 days from day 1 of periods.", &["tranexamic acid|500 mg 2/1d 5d"]),
        ("Glimepiride 2 at night.", &["glimepiride|2 mg 1/1d NIGHT"]),
        ("Prednisolone 5 two BD.", &["prednisolone|2 tablet of 5 mg 2/1d"]),
        ("Vitamin b complex one daily for one month.", &["vitamin b complex|1/1d 1mo"]),
        ("Warfarin 5 mg Monday Wednesday Friday.", &["warfarin|5 mg 3/1wk"]),
        ("Paracetamol 650 mg 1 1 1 three days.", &["paracetamol|1 tablet of 650 mg 3/1d MORN+NOON+NIGHT 3d"]),
        (
            "Furosemide 40 mg one in the morning and half at noon.",
            &["furosemide|1 tablet of 40 mg 1/1d MORN > 0.5 tablet of 40 mg 1/1d NOON"],
        ),
        (
            "Pregabalin 75 mg half tablet at night for one week then full tablet at night.",
            &["pregabalin|0.5 tablet of 75 mg 1/1d NIGHT 1wk > 1 tablet of 75 mg 1/1d NIGHT"],
        ),
        ("Levetiracetam 500 BD, seizure free since one year.", &["levetiracetam|500 mg 2/1d"]),
    ];
    check(cases, Category::Medication, order);
}
