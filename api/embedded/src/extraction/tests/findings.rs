//! What is denied, asked, past or another's; what was measured; and what the patient is told.

use super::*;

fn finding(entity: &Entity) -> String {
    let marks = [
        (Trait::Negation, "!"),
        (Trait::PastHistory, "past-"),
        (Trait::FamilyHistory, "family-"),
        (Trait::LowConfidence, "?"),
    ];
    let marks: String = marks.into_iter().filter(|(mark, _)| entity.has(*mark)).map(|(_, text)| text).collect();
    format!("{marks}{}", entity.text.to_lowercase())
}

#[test]
fn the_polarity_of_a_finding_is_what_a_clinician_reads() {
    let cases: &[(&str, &[&str])] = &[
        ("Malaria and dengue ruled out.", &["!malaria", "!dengue"]),
        ("Pneumonia has been ruled out. Ruled out for MI.", &["!pneumonia", "!mi"]),
        ("Has fever and vomiting absent.", &["fever", "!vomiting"]),
        ("No polyuria, increased thirst present, weight loss.", &["!polyuria", "increased thirst", "weight loss"]),
        ("No cyanosis, no pedal edema, wheeze minimal.", &["!cyanosis", "!pedal edema", "wheeze"]),
        ("Diabetes: no, hypertension: yes.", &["!diabetes", "hypertension"]),
        ("Fever +, cough -, rash +.", &["fever", "!cough", "rash"]),
        ("Cough - 3 days.", &["cough"]),
        ("Seizure free. No contact with TB.", &["!seizure", "!tb"]),
        ("Not complaining of headache.", &["!headache"]),
        ("Fever subsided but cough persists. Headache has gone.", &["past-fever", "cough", "past-headache"]),
        ("Jaundice in 2015.", &["past-jaundice"]),
        ("Hypertension stopped medicines. Vomiting stopped.", &["hypertension", "past-vomiting"]),
        ("? dengue. Any fever? Cough present.", &["?dengue", "fever", "cough"]),
        ("Post cataract surgery. Cough post viral fever.", &["past-cataract", "cough", "viral fever"]),
        ("Itching, siblings also itching.", &["itching", "family-itching"]),
        ("Mother denies seizures. Father has asthma.", &["!seizures", "family-asthma"]),
        ("Not able to walk due to knee pain. Not on treatment for asthma.", &["knee pain", "asthma"]),
        ("No rash, there is swelling. No nausea, only vomiting.", &["!rash", "swelling", "!nausea", "vomiting"]),
        ("No pallor, mild icterus. No complaints other than fever.", &["!pallor", "icterus", "fever"]),
        ("Fever and cough resolved. No longer has fever.", &["past-fever", "past-cough", "!fever"]),
        ("Nothing to suggest meningitis. Without any relief from pain.", &["!meningitis", "pain"]),
        ("Flu vaccine yearly, fall precautions, pus cells 20.", &[]),
    ];
    check(cases, Category::MedicalCondition, finding);
}

fn measured(entity: &Entity) -> String {
    let code = entity.codings.first().map_or("", |coding| coding.code.as_str());
    let values: Vec<&str> =
        entity.attributes_of(AttributeType::TestValue).filter_map(|each| each.value.as_deref()).collect();
    format!("{code}={} {}", values.join("/"), value(entity, AttributeType::TestUnit).unwrap_or_default())
}

#[test]
fn what_was_measured_is_of_the_patient_and_of_now() {
    let cases: &[(&str, &[&str])] = &[
        ("GCS 15/15, BMI 24.5, RBS 140.", &["9269-2=15 {score}", "39156-5=24.5 kg/m2", "2339-0=140 mg/dL"]),
        ("Head circumference 34 cm.", &["9843-4=34 cm"]),
        ("BP 150 by 100, repeat 148 by 98.", &["85354-9=150/100 mm[Hg]", "85354-9=148/98 mm[Hg]"]),
        ("BP lying 130/80, standing 126/78.", &["85354-9=130/80 mm[Hg]", "85354-9=126/78 mm[Hg]"]),
        ("Foetal heart rate 144 per minute.", &[]),
        ("Child 4 years, 15 kg. Wound 4 cm.", &["29463-7=15 kg"]),
        ("SpO2: 98% RA.", &["59408-5=98 %"]),
        (
            "T 100.4, P 92, R 18, BP 110/70.",
            &["8310-5=100.4 [degF]", "8867-4=92 /min", "9279-1=18 /min", "85354-9=110/70 mm[Hg]"],
        ),
        ("G2 P 1, P 90.", &[]),
        ("BP systolic 130 diastolic 80, saturating 97 percent.", &["85354-9=130/80 mm[Hg]", "59408-5=97 %"]),
    ];
    check(cases, Category::Vital, measured);
    assert!(extract("SpO2: 98% RA.").iter().all(|entity| entity.category != Category::MedicalCondition));
    let urine = extract("Urine albumin 3 plus.");
    assert!(urine.iter().all(|entity| !entity.is_measured()), "{urine:?}");
}

#[test]
fn advice_is_what_the_patient_is_told_to_do() {
    let cases: &[(&str, &[&str])] = &[
        ("Quadriceps exercises, brisk walking.", &["quadriceps exercises", "brisk walking"]),
        ("Check sugar before meals. Check creatinine.", &["check sugar before meals"]),
        ("Not to drive. Rinse mouth after use.", &["not to drive", "rinse mouth after use"]),
        ("Walk for thirty minutes. Never walk barefoot.", &["walk for thirty minutes", "never walk barefoot"]),
        ("Never had pustules. Reduce to 18 units. Pain on exercise.", &[]),
        ("Boil on thigh. Cut on finger. Use of accessory muscles. Walk test normal. Sleep disturbed.", &[]),
        ("Rest of the examination normal. Does breathing exercises. Is on low salt diet.", &[]),
        (
            "Cut nails short. Boil drinking water. Use a mask. Walk daily.",
            &["cut nails short", "boil drinking water", "use a mask", "walk daily"],
        ),
        ("Exclusive breast feeding. Rest for a week.", &["exclusive breast feeding", "rest for a week"]),
        ("Review in OPD after one week.", &["review in opd after one week"]),
    ];
    check(cases, Category::CarePlan, |entity| entity.text.to_lowercase());
}
