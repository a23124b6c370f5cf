//! Brands and what they hold: who dictates "Pan D" orders pantoprazole and domperidone.
//!
//! The brand stays what was said; its ingredients code it where there is one, and all of them are checked
//! (R4 `Medication.ingredient`: <https://hl7.org/fhir/R4/medication-definitions.html#Medication.ingredient>).

use std::{collections::HashMap, sync::LazyLock};

use super::{Formulary, Medicine};
use crate::{dosage::DoseUnit, entities::Coding, lexicon::concepts::rows, lexicon::decimal::Decimal};

/// Is a brand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// Its name in lower case.
    pub name: &'static str,
    /// What it holds, of the formulary.
    pub ingredients: Vec<&'static Medicine>,
    /// Where the row comes from.
    pub source: &'static str,
}

impl Brand {
    /// Returns how the name is written: "pan d", "pan-d".
    pub fn names(&self) -> impl Iterator<Item = String> {
        let joined = self.name.contains(' ').then(|| self.name.replace(' ', "-"));
        std::iter::once(self.name.to_owned()).chain(joined)
    }
}

/// Is what a name of a medicine stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// A medicine of the formulary.
    Medicine(&'static Medicine),
    /// A brand.
    Brand(&'static Brand),
}

impl Product {
    /// No name that is typed or spoken as a line has more words.
    pub const LONGEST_NAME: usize = 4;

    /// Finds what a name stands for, whatever the case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let medicine = Formulary::seed().find(name).map(Self::Medicine);
        medicine.or_else(|| brand(name).map(Self::Brand))
    }

    /// Returns what it holds.
    #[must_use]
    pub fn ingredients(self) -> Vec<&'static Medicine> {
        match self {
            Self::Medicine(medicine) => vec![medicine],
            Self::Brand(brand) => brand.ingredients.clone(),
        }
    }

    /// Returns the one medicine that it is; a brand of several is none.
    #[must_use]
    pub fn only(self) -> Option<&'static Medicine> {
        match self.ingredients().as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Returns its codes: a combination has none that its ingredients have.
    #[must_use]
    pub fn codings(self) -> Vec<Coding> {
        self.only().map(Medicine::codings).unwrap_or_default()
    }

    /// Finds the unit of a bare number; of several ingredients nobody knows which one it counts.
    #[must_use]
    pub fn unit_of(self, value: Decimal) -> Option<DoseUnit> {
        self.only()?.unit_of(value)
    }
}

static BRANDS: LazyLock<Vec<Brand>> =
    LazyLock::new(|| rows(include_str!("../../data/brands.tsv")).filter_map(|row| read(&row)).collect());

static BY_NAME: LazyLock<HashMap<String, &'static Brand>> =
    LazyLock::new(|| BRANDS.iter().flat_map(|brand| brand.names().map(move |name| (name, brand))).collect());

/// Returns all brands.
#[must_use]
pub fn brands() -> &'static [Brand] {
    &BRANDS
}

/// Finds a brand by its name, whatever the case.
#[must_use]
pub fn brand(name: &str) -> Option<&'static Brand> {
    BY_NAME.get(name.trim().to_lowercase().as_str()).copied()
}

fn read(row: &[&'static str]) -> Option<Brand> {
    let [name, ingredients, source] = row else {
        return None;
    };
    let formulary = Formulary::seed();
    let ingredients = ingredients.split('|').map(|name| formulary.find(name)).collect::<Option<_>>()?;
    Some(Brand { name, ingredients, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_brand_is_whole_and_no_name_of_the_formulary() {
        assert_eq!(brands().len(), rows(include_str!("../../data/brands.tsv")).count(), "an ingredient is unknown");
        for brand in brands() {
            assert!(!brand.source.is_empty() && !brand.ingredients.is_empty(), "{}", brand.name);
            assert!(brand.names().all(|name| Formulary::seed().find(&name).is_none()), "{}", brand.name);
        }
        assert_eq!(BY_NAME.len(), brands().iter().map(|brand| brand.names().count()).sum::<usize>());
    }

    #[test]
    fn a_brand_is_its_only_ingredient_and_a_combination_is_none() {
        let dolo = Product::named("Dolo");
        assert_eq!(dolo.and_then(Product::only).map(|medicine| medicine.generic), Some("paracetamol"));
        assert_eq!(dolo.and_then(|dolo| dolo.unit_of(Decimal::whole(650))), Some(DoseUnit::Milligram));
        let pan_d = Product::named("Pan-D").map(Product::ingredients).unwrap_or_default();
        assert_eq!(pan_d.iter().map(|each| each.generic).collect::<Vec<_>>(), ["pantoprazole", "domperidone"]);
        let telma = Product::named("telma h");
        assert_eq!(
            telma.map(|telma| (telma.only(), telma.codings(), telma.unit_of(Decimal::whole(40)))),
            Some((None, vec![], None))
        );
    }
}
