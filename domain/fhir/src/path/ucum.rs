//! Units of UCUM as a factor and powers of base units (<https://ucum.org/ucum>), for the units that clinical data use.

use rust_decimal::Decimal;

/// The base units; amount of substance and international units count as bases of their own.
const BASES: [&str; 9] = ["m", "g", "s", "K", "cd", "C", "mol", "rad", "[iU]"];

/// Powers of the base units.
pub(super) type Dimensions = [i8; 9];

/// A unit in terms of the base units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    pub(crate) factor: Decimal,
    pub(super) dimensions: Dimensions,
}

const NONE: Dimensions = [0; 9];

/// Code, whether prefixes apply, factor's digits and decimals, powers.
type Atom = (&'static str, bool, (i64, u32), Dimensions);

const fn of(base: usize) -> Dimensions {
    let mut dimensions = NONE;
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
    {
        dimensions[base] = 1;
    }
    dimensions
}

const ATOMS: [Atom; 45] = [
    ("m", true, (1, 0), of(0)),
    ("g", true, (1, 0), of(1)),
    ("s", true, (1, 0), of(2)),
    ("K", true, (1, 0), of(3)),
    ("cd", true, (1, 0), of(4)),
    ("C", true, (1, 0), of(5)),
    ("mol", true, (1, 0), of(6)),
    ("rad", true, (1, 0), of(7)),
    ("[iU]", true, (1, 0), of(8)),
    ("[IU]", true, (1, 0), of(8)),
    ("L", true, (1, 3), [3, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("l", true, (1, 3), [3, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("t", true, (1_000_000, 0), of(1)),
    ("min", false, (60, 0), of(2)),
    ("h", false, (3_600, 0), of(2)),
    ("d", false, (86_400, 0), of(2)),
    ("wk", false, (604_800, 0), of(2)),
    ("mo", false, (2_629_800, 0), of(2)),
    ("a", false, (31_557_600, 0), of(2)),
    ("%", false, (1, 2), NONE),
    ("[ppth]", false, (1, 3), NONE),
    ("[ppm]", false, (1, 6), NONE),
    ("[in_i]", false, (254, 4), of(0)),
    ("[ft_i]", false, (3_048, 4), of(0)),
    ("[yd_i]", false, (9_144, 4), of(0)),
    ("[mi_i]", false, (1_609_344, 3), of(0)),
    ("[lb_av]", false, (45_359_237, 5), of(1)),
    ("[oz_av]", false, (28_349_523_125, 9), of(1)),
    ("[gr]", false, (6_479_891, 8), of(1)),
    ("[stone_av]", false, (635_029_318, 5), of(1)),
    ("[foz_us]", false, (295_735_295_625, 16), [3, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("[tsp_us]", false, (492_892_159_375, 17), [3, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("[tbs_us]", false, (1_478_676_478_125, 17), [3, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("N", true, (1_000, 0), [1, 1, -2, 0, 0, 0, 0, 0, 0]),
    ("Pa", true, (1_000, 0), [-1, 1, -2, 0, 0, 0, 0, 0, 0]),
    ("bar", true, (100_000_000, 0), [-1, 1, -2, 0, 0, 0, 0, 0, 0]),
    ("m[Hg]", true, (133_322_387, 0), [-1, 1, -2, 0, 0, 0, 0, 0, 0]),
    ("J", true, (1_000, 0), [2, 1, -2, 0, 0, 0, 0, 0, 0]),
    ("cal", true, (4_184, 0), [2, 1, -2, 0, 0, 0, 0, 0, 0]),
    ("W", true, (1_000, 0), [2, 1, -3, 0, 0, 0, 0, 0, 0]),
    ("A", true, (1, 0), [0, 0, -1, 0, 0, 1, 0, 0, 0]),
    ("V", true, (1_000, 0), [2, 1, -2, 0, 0, -1, 0, 0, 0]),
    ("Hz", true, (1, 0), [0, 0, -1, 0, 0, 0, 0, 0, 0]),
    ("Bq", true, (1, 0), [0, 0, -1, 0, 0, 0, 0, 0, 0]),
    ("kat", true, (1, 0), [0, 0, -1, 0, 0, 0, 1, 0, 0]),
];

const PREFIXES: [(&str, i32); 16] = [
    ("da", 1),
    ("Y", 24),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("P", 15),
];

/// Reads a unit's code; `None` for a unit that isn't known or that isn't proportional, such as `Cel`.
pub(crate) fn parse(code: &str) -> Option<Unit> {
    let mut unit = Unit { factor: Decimal::ONE, dimensions: NONE };
    let mut rest = code;
    let mut sign = 1;
    if let Some(after) = rest.strip_prefix('/') {
        (rest, sign) = (after, -1);
    }
    loop {
        let end = end_of_component(rest);
        let (component, after) = rest.split_at(end);
        unit = unit.times(self::component(component)?, sign)?;
        let mut letters = after.chars();
        sign = match letters.next() {
            None => return Some(unit),
            Some('.') => 1,
            Some(_) => -1,
        };
        rest = letters.as_str();
    }
}

/// Brackets and braces may hold full stops and strokes.
fn end_of_component(text: &str) -> usize {
    let mut depth = 0_u32;
    for (index, letter) in text.char_indices() {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            '.' | '/' if depth == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

fn component(text: &str) -> Option<Unit> {
    let one = Unit { factor: Decimal::ONE, dimensions: NONE };
    // An annotation means nothing.
    let text = text.split_once('{').map_or(text, |(before, _)| before);
    if text.is_empty() {
        return Some(one);
    }
    for ten in ["10*", "10^"] {
        if let Some(exponent) = text.strip_prefix(ten) {
            return Some(Unit { factor: power_of_ten(exponent.parse().ok()?)?, ..one });
        }
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Unit { factor: text.parse().ok()?, ..one });
    }
    let name = text.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '-' || letter == '+');
    if name.is_empty() {
        return None;
    }
    let exponent = text.get(name.len()..)?;
    let exponent: i8 = if exponent.is_empty() { 1 } else { exponent.parse().ok()? };
    one.times(atom(name)?, exponent)
}

fn atom(name: &str) -> Option<Unit> {
    let find = |code: &str| ATOMS.iter().find(|(own, ..)| *own == code);
    if let Some((_, _, (digits, decimals), dimensions)) = find(name) {
        return Some(Unit { factor: Decimal::new(*digits, *decimals), dimensions: *dimensions });
    }
    PREFIXES.iter().find_map(|(prefix, exponent)| {
        let (_, _, (digits, decimals), dimensions) = find(name.strip_prefix(prefix)?).filter(|atom| atom.1)?;
        let factor = Decimal::new(*digits, *decimals).checked_mul(power_of_ten(*exponent)?)?;
        Some(Unit { factor, dimensions: *dimensions })
    })
}

fn power_of_ten(exponent: i32) -> Option<Decimal> {
    let size = exponent.unsigned_abs();
    if size > 27 {
        None
    } else if exponent < 0 {
        Decimal::try_from_i128_with_scale(1, size).ok()
    } else {
        Decimal::try_from_i128_with_scale(10_i128.pow(size), 0).ok()
    }
}

impl Unit {
    /// Multiplies by a power of another unit.
    pub(super) fn times(mut self, other: Self, exponent: i8) -> Option<Self> {
        for _ in 0..exponent.unsigned_abs() {
            self.factor = if exponent < 0 {
                self.factor.checked_div(other.factor)?
            } else {
                self.factor.checked_mul(other.factor)?
            };
        }
        for (own, other) in self.dimensions.iter_mut().zip(other.dimensions) {
            *own = own.checked_add(other.checked_mul(exponent)?)?;
        }
        Some(self)
    }

    /// Writes the base units.
    pub(crate) fn base_code(&self) -> String {
        let powers = BASES.iter().zip(self.dimensions).filter(|(_, power)| *power != 0);
        let codes: Vec<String> = powers
            .map(|(base, power)| if power == 1 { (*base).to_owned() } else { format!("{base}{power}") })
            .collect();
        if codes.is_empty() { "1".to_owned() } else { codes.join(".") }
    }
}
