//! Units of doses in UCUM and routes in SNOMED CT, with the words that name them.
//!
//! UCUM: <https://ucum.org/ucum>. Routes: the R4 value set `route-codes` (<https://hl7.org/fhir/R4/valueset-route-codes.html>).

macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $display:literal, [$($word:literal),*];)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Lists all values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Returns the English name.
            #[must_use]
            pub const fn display(self) -> &'static str {
                match self { $(Self::$variant => $display,)* }
            }

            /// Returns the words that name it.
            #[must_use]
            pub const fn words(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($word),*],)* }
            }

            /// Finds the value with a code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }
    };
}

coded! {
    /// Is the unit of a dose.
    DoseUnit {
        /// Milligram.
        Milligram = "mg", "mg", ["mg", "mgs", "milligram", "milligrams", "milligramme", "mgm"];
        /// Microgram.
        Microgram = "ug", "mcg", ["mcg", "ug", "µg", "microgram", "micrograms"];
        /// Gram.
        Gram = "g", "g", ["g", "gm", "gms", "gram", "grams"];
        /// Millilitre.
        Millilitre = "mL", "ml", ["ml", "mls", "millilitre", "millilitres", "milliliter", "milliliters", "cc"];
        /// International unit.
        InternationalUnit = "[iU]", "IU", ["iu", "unit", "units"];
        /// Milliequivalent.
        Milliequivalent = "meq", "mEq", ["meq", "milliequivalent", "milliequivalents"];
        /// Percent.
        Percent = "%", "%", ["%", "percent", "per cent"];
        /// Tablet.
        Tablet = "{tablet}", "tablet", ["tablet", "tablets", "tab", "tabs", "goli", "goliyan"];
        /// Capsule.
        Capsule = "{capsule}", "capsule", ["capsule", "capsules", "cap", "caps"];
        /// Drop.
        Drop = "[drp]", "drop", ["drop", "drops", "gtt", "boond"];
        /// Puff.
        Puff = "{puff}", "puff", ["puff", "puffs", "inhalation", "inhalations"];
        /// Spray.
        Spray = "{spray}", "spray", ["spray", "sprays"];
        /// Sachet.
        Sachet = "{sachet}", "sachet", ["sachet", "sachets"];
        /// Suppository.
        Suppository = "{suppository}", "suppository", ["suppository", "suppositories"];
        /// Application.
        Application = "{application}", "application", ["application", "applications"];
        /// Patch.
        Patch = "{patch}", "patch", ["patch", "patches"];
        /// Ampoule.
        Ampoule = "{ampule}", "ampoule", ["ampoule", "ampoules", "amp"];
        /// Vial.
        Vial = "{vial}", "vial", ["vial", "vials"];
    }
}

impl DoseUnit {
    /// Tells whether the unit counts pieces of the product, whose strength is another quantity.
    #[must_use]
    pub const fn is_countable(self) -> bool {
        !matches!(
            self,
            Self::Milligram
                | Self::Microgram
                | Self::Gram
                | Self::Millilitre
                | Self::InternationalUnit
                | Self::Milliequivalent
                | Self::Percent
        )
    }
}

coded! {
    /// Is the way in which a medicine enters the body.
    Route {
        /// By mouth.
        Oral = "26643006", "Oral route", ["orally", "oral", "by mouth", "per oral", "po", "p.o", "p/o"];
        /// Into a vein.
        Intravenous = "47625008", "Intravenous route", ["intravenous", "intravenously", "iv", "i.v", "i/v"];
        /// Into a muscle.
        Intramuscular = "78421000", "Intramuscular route", ["intramuscular", "intramuscularly", "im", "i.m", "i/m"];
        /// Under the skin.
        Subcutaneous = "34206005", "Subcutaneous route", ["subcutaneous", "subcutaneously", "subcut", "sc", "s.c", "s/c"];
        /// Under the tongue.
        Sublingual = "37839007", "Sublingual route", ["sublingual", "sublingually", "under the tongue", "sl", "s/l"];
        /// On the skin.
        Topical = "6064005", "Topical route", ["topical", "topically", "local application", "locally", "apply", "on the skin"];
        /// Into the rectum.
        Rectal = "37161004", "Rectal route", ["rectal", "rectally", "per rectum"];
        /// Into the nose.
        Nasal = "46713006", "Nasal route", ["nasal", "nasally", "in the nose", "in each nostril", "each nostril", "both nostrils", "nasal spray", "nasal drops"];
        /// Into the eye.
        Ophthalmic = "54485002", "Ophthalmic route", ["ophthalmic", "eye drops", "eye drop", "eye ointment", "in both eyes", "in each eye", "in the right eye", "in the left eye", "in the eye", "in the eyes", "to both eyes", "to the right eye", "to the left eye", "in right eye", "in left eye", "right eye", "left eye", "both eyes"];
        /// Into the ear.
        Otic = "10547007", "Otic route", ["otic", "ear drops", "ear drop", "in the ear", "in both ears", "in the right ear", "in the left ear", "to the right ear", "to the left ear", "right ear", "left ear", "both ears"];
        /// Into the airways.
        Inhalation = "447694001", "Respiratory tract route", ["inhaled", "by inhalation", "inhaler", "nebulised", "nebulized", "nebulisation", "nebulization", "by nebuliser", "inhale", "nebulise", "nebulize"];
        /// Into the vagina.
        Vaginal = "16857009", "Vaginal route", ["vaginal", "vaginally", "per vaginum"];
        /// Through the skin.
        Transdermal = "45890007", "Transdermal route", ["transdermal"];
    }
}

/// Finds the unit that a word names.
#[must_use]
pub fn unit_named(word: &str) -> Option<DoseUnit> {
    DoseUnit::ALL.iter().copied().find(|unit| unit.words().contains(&word))
}

/// Finds the form that a word names.
#[must_use]
pub fn form_named(word: &str) -> Option<&'static str> {
    const FORMS: [(&str, &[&str]); 17] = [
        ("tablet", &["tablet", "tablets", "tab", "tabs"]),
        ("capsule", &["capsule", "capsules", "cap", "caps"]),
        ("syrup", &["syrup", "syp", "syr"]),
        ("suspension", &["suspension", "susp"]),
        ("injection", &["injection", "inj"]),
        ("ointment", &["ointment", "oint"]),
        ("cream", &["cream"]),
        ("gel", &["gel"]),
        ("lotion", &["lotion"]),
        ("drops", &["drops"]),
        ("inhaler", &["inhaler", "rotacap", "rotacaps", "respule", "respules"]),
        ("spray", &["spray"]),
        ("sachet", &["sachet", "sachets"]),
        ("powder", &["powder"]),
        ("suppository", &["suppository"]),
        ("patch", &["patch"]),
        ("shampoo", &["shampoo"]),
    ];
    FORMS.iter().find(|(_, words)| words.contains(&word)).map(|(form, _)| *form)
}
