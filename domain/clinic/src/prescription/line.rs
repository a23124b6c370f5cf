//! A medicine as it is typed: name, then dosage (R4: <https://hl7.org/fhir/R4/dosage.html>).

use crate::dosage::{Dosage, form_named, parse};
use crate::formulary::{Medicine, Product};

/// A typed line, read.
pub struct TypedLine {
    /// The name as it was typed.
    pub name: String,
    /// The medicine, when the formulary knows the name; a brand of several has none.
    pub medicine: Option<&'static Medicine>,
    /// The form, when one was typed.
    pub form: Option<&'static str>,
    /// The dosage.
    pub steps: Vec<Dosage>,
}

impl TypedLine {
    /// Reads "tab azithromycin 500 mg OD x 3 days"; nothing when no name stands there.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let form = words.first().and_then(|word| form_named(word.trim_end_matches('.').to_lowercase().as_str()));
        if form.is_some() {
            words.remove(0);
        }
        let found = (1..=words.len().min(Product::LONGEST_NAME)).rev().find_map(|length| {
            let name = words.get(..length)?.join(" ");
            let product = Product::named(&name)?;
            Some((length, name, product.only()))
        });
        let (length, name, medicine) = match found {
            Some(found) => found,
            None => (1, (*words.first()?).to_owned(), None),
        };
        let rest = words.get(length..).unwrap_or_default().join(" ");
        let steps = if rest.is_empty() { Vec::new() } else { parse(&rest) };
        Some(Self { name, medicine, form, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_is_name_and_dosage() {
        let line = TypedLine::read("tab azithromycin 500 mg OD x 3 days");
        assert!(line.is_some_and(|line| line.name == "azithromycin"
            && line.medicine.is_some()
            && line.form.is_some()
            && line.steps.len() == 1
            && line.steps.iter().all(|step| step.duration.is_some())));
        assert!(TypedLine::read("  ").is_none());
        let generic =
            |text| TypedLine::read(text).map(|line| (line.name, line.medicine.map(|medicine| medicine.generic)));
        assert_eq!(generic("Telma 40 mg OD"), Some(("Telma".to_owned(), Some("telmisartan"))));
        assert_eq!(generic("Telma H 1 tab OD"), Some(("Telma H".to_owned(), None)));
    }
}
