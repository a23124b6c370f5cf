//! WCAG 2.2 contrast (<https://www.w3.org/TR/WCAG22/#contrast-minimum>) of every pair of colours that the styles use.

use std::collections::BTreeMap;

use crate::assets::stylesheet;

/// Text and what it stands on: at least 4.5.
const TEXTS: &[(&str, &[&str])] = &[
    ("ink", &["sheet", "sunk", "ground", "accent-wash", "ask-wash", "danger-wash", "info-wash"]),
    ("ink-2", &["sheet", "sunk", "ground", "accent-wash", "ask-wash", "danger-wash", "info-wash"]),
    ("pencil", &["sheet", "sunk", "ground", "ask-wash"]),
    ("accent", &["sheet", "sunk", "ground", "accent-wash"]),
    ("accent-hover", &["sheet", "sunk", "ground"]),
    ("on-accent", &["accent", "accent-hover"]),
    ("ask", &["sheet", "ground", "ask-wash"]),
    ("danger", &["sheet", "danger-wash"]),
    ("info", &["sheet", "info-wash"]),
    ("bar-ink", &["bar", "bar-2"]),
    ("bar-dim", &["bar", "bar-2"]),
    ("bar", &["bar-ink", "bar-dim"]),
    ("bar-ask", &["bar", "bar-2"]),
    ("on-rec", &["rec"]),
    ("sheet", &["ink"]),
    ("mark-medicine", &["sheet", "ask-wash"]),
    ("mark-symptom", &["sheet", "ask-wash"]),
    ("mark-diagnosis", &["sheet", "ask-wash"]),
    ("mark-vital", &["sheet", "ask-wash"]),
    ("mark-test", &["sheet", "ask-wash"]),
    ("mark-site", &["sheet", "ask-wash"]),
];

/// Controls, icons, lines that carry meaning, focus: at least 3.
const LINES: &[(&str, &[&str])] = &[
    ("rule-2", &["sheet", "sunk", "ground"]),
    ("accent", &["sheet", "accent-wash"]),
    ("ask-line", &["sheet", "ask-wash"]),
    ("danger-line", &["sheet", "danger-wash"]),
    ("focus", &["sheet", "sunk", "ground", "ask-wash", "danger-wash"]),
    ("bar-focus", &["bar", "bar-2"]),
    ("bar-dim", &["bar"]),
    ("meter", &["bar", "meter-off"]),
    ("meter-hot", &["bar"]),
];

type Colours = BTreeMap<String, [f64; 3]>;

fn colours(block: &str) -> Colours {
    let declarations = block.split(';').filter_map(|declaration| declaration.trim().split_once(": "));
    declarations
        .filter_map(|(name, value)| {
            let digits = value.trim().strip_prefix('#')?;
            let channel = |place: usize| u8::from_str_radix(digits.get(place..place + 2)?, 16).ok().map(f64::from);
            let name = name.rsplit("--").next()?;
            Some((name.to_owned(), [channel(0)?, channel(2)?, channel(4)?]))
        })
        .collect()
}

/// The light colours, and the two blocks of dark ones laid over them.
fn themes() -> Vec<(&'static str, Colours)> {
    let sheet = stylesheet();
    let block =
        |start: &str| sheet.split(start).nth(1).and_then(|rest| rest.split('}').next()).unwrap_or_default().to_owned();
    let light = colours(&block(":root {"));
    let over = |start: &str| light.clone().into_iter().chain(colours(&block(start))).collect();
    let device = over(":root:not([data-theme=\"light\"]) {");
    let chosen = over(":root[data-theme=\"dark\"] {");
    vec![("light", light), ("dark device", device), ("dark by choice", chosen)]
}

fn luminance(colour: [f64; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let part = channel / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_pair_of_colours_can_be_read() {
    let mut faults = Vec::new();
    for (theme, colours) in themes() {
        for (pairs, least) in [(TEXTS, 4.5), (LINES, 3.0)] {
            for (name, grounds) in pairs {
                for ground in *grounds {
                    let found = contrast(colours[*name], colours[*ground]);
                    if found < least {
                        faults.push(format!("{theme}: {name} on {ground} is {found:.2}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn dark_is_the_same_by_device_and_by_choice_and_every_colour_is_a_token() {
    let themes = themes();
    let [(_, light), (_, device), (_, chosen)] = themes.as_slice() else { panic!("three themes") };
    assert_eq!(device, chosen);
    assert_eq!(light.len(), device.len());
    let known: Vec<&str> = TEXTS.iter().chain(LINES).map(|(name, _)| *name).collect();
    let sheet = stylesheet();
    for used in sheet.split("color: var(--").skip(1) {
        let name = used.split(')').next().unwrap_or_default();
        assert!(light.contains_key(name), "{name} is no colour");
        let decorative = [
            "rule",
            "bar-rule",
            "margin-line",
            "sunk",
            "ground",
            "accent-wash",
            "ask-wash",
            "danger-wash",
            "info-wash",
            "bar",
            "bar-2",
            "rec",
            "meter-off",
        ];
        assert!(known.contains(&name) || decorative.contains(&name), "{name} is used and not checked");
    }
}

#[test]
fn the_known_worst_pair_is_computed_as_published() {
    let themes = themes();
    let (_, light) = &themes[0];
    assert_eq!(format!("{:.2}", contrast(light["pencil"], light["ground"])), "5.07");
    assert_eq!(format!("{:.2}", contrast(light["on-rec"], light["rec"])), "5.92");
}
