//! Dictations made from templates: the same number always gives the same dictation.

use std::collections::HashMap;

use anyhow::Context as _;
use seva_clinic::formulary::{Formulary, Medicine};

use super::corpus::{Half, Item, Labels, generic};
use crate::chance::Chance;

const FRAMES: &str = include_str!("../../data/quality/frames.tsv");
const ORDERS: &str = include_str!("../../data/quality/orders.tsv");
/// Which medicines are drawn: were they all of the formulary, each new one would make other dictations.
const MEDICINES: &str = include_str!("../../data/quality/medicines.tsv");
/// Which problems are drawn, for the same reason.
const PROBLEMS: &str = include_str!("../../data/quality/problems.tsv");
/// How many dictations each half gets.
const PER_HALF: u64 = 120;

struct Lists {
    frames: Vec<(Half, &'static str, &'static str)>,
    orders: Vec<(Half, &'static str, &'static str)>,
    problems: Vec<&'static str>,
    medicines: Vec<(&'static Medicine, Vec<&'static str>)>,
}

/// Makes all dictations of both halves.
pub fn generated() -> anyhow::Result<Vec<Item>> {
    let lists =
        Lists { frames: templates(FRAMES)?, orders: templates(ORDERS)?, problems: problems(), medicines: medicines()? };
    let mut items = Vec::new();
    for (half, name) in [(Half::Develop, "develop"), (Half::Report, "report")] {
        for number in 1..=PER_HALF {
            let seed = number + if half == Half::Report { 1_000_000 } else { 0 };
            items.push(dictation(&lists, half, format!("{name}-{number:03}"), seed)?);
        }
    }
    Ok(items)
}

fn templates(table: &'static str) -> anyhow::Result<Vec<(Half, &'static str, &'static str)>> {
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| {
        let mut cells = row.split('\t');
        let (half, text, labels) = (cells.next(), cells.next(), cells.next());
        let (Some(half), Some(text), Some(labels)) = (half, text, labels) else {
            anyhow::bail!("a template has three cells: {row}");
        };
        Ok((Half::named(half)?, text, labels))
    })
    .collect()
}

fn problems() -> Vec<&'static str> {
    PROBLEMS.lines().filter(|line| !line.starts_with('#')).skip(1).collect()
}

/// Tablets with strengths in whole milligrams, as they are said.
fn medicines() -> anyhow::Result<Vec<(&'static Medicine, Vec<&'static str>)>> {
    let names = MEDICINES.lines().filter(|line| !line.starts_with('#')).skip(1);
    let known = names.map(|name| {
        let medicine = Formulary::seed().find(name).with_context(|| format!("the formulary lacks {name}"))?;
        let whole = |strength: &&&str| strength.strip_suffix(" mg").is_some_and(|value| value.parse::<u32>().is_ok());
        Ok((medicine, medicine.strengths.iter().filter(whole).copied().collect()))
    });
    known.collect()
}

fn filled(template: &str, values: &HashMap<&str, String>) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

fn order(lists: &Lists, half: Half, draw: &mut Chance) -> anyhow::Result<(String, String)> {
    let own: Vec<_> = lists.orders.iter().filter(|order| order.0 == half).collect();
    let (_, text, label) = draw.one(&own)?;
    let (medicine, strengths) = draw.one(&lists.medicines)?;
    let names: Vec<&str> = medicine.names().collect();
    let (name, mass) = (*draw.one(&names)?, *draw.one(strengths)?);
    let said = if draw.between(0, 2) == 0 { mass.replace(' ', "") } else { mass.to_owned() };
    let values = HashMap::from([
        ("name", name.to_owned()),
        ("dose", said),
        ("mass", mass.to_owned()),
        ("d", draw.between(3, 14).to_string()),
    ]);
    Ok((filled(text, &values), format!("{}|{}", generic(name), filled(label, &values))))
}

/// Draws a problem that shares no words with those that were drawn before.
fn problem(lists: &Lists, others: &[String], draw: &mut Chance) -> anyhow::Result<String> {
    loop {
        let drawn = *draw.one(&lists.problems)?;
        if others.iter().all(|other| !other.contains(drawn) && !drawn.contains(other.as_str())) {
            return Ok(drawn.to_owned());
        }
    }
}

fn dictation(lists: &Lists, half: Half, id: String, seed: u64) -> anyhow::Result<Item> {
    let mut draw = Chance(seed);
    let own: Vec<_> = lists.frames.iter().filter(|frame| frame.0 == half).collect();
    let (_, frame, statements) = draw.one(&own)?;
    let mut drawn = Vec::new();
    for _ in 0..3 {
        let next = problem(lists, &drawn, &mut draw)?;
        drawn.push(next);
    }
    let orders = [order(lists, half, &mut draw)?, order(lists, half, &mut draw)?];
    let mut values: HashMap<&str, String> = ["p", "q", "n"].into_iter().zip(drawn).collect();
    let numbers =
        [("y", 19, 85), ("t", 98, 104), ("h", 58, 124), ("s", 104, 178), ("u", 62, 98), ("w", 41, 96), ("f", 2, 21)];
    for (name, low, high) in numbers {
        values.insert(name, draw.between(low, high).to_string());
    }
    values.insert("g", format!("{}.{}", draw.between(6, 15), draw.between(1, 9)));
    values.insert("c", format!("{}.{}", draw.between(0, 5), draw.between(1, 9)));
    let mut labels = labelled(statements, &values)?;
    for (name, (text, label)) in ["order", "order2"].into_iter().zip(orders) {
        if frame.contains(&format!("{{{name}}}")) {
            labels.medications.push(label);
        }
        values.insert(name, text);
    }
    Ok(Item { id, half, by_hand: false, text: filled(frame, &values), labels })
}

fn labelled(statements: &str, values: &HashMap<&str, String>) -> anyhow::Result<Labels> {
    let mut labels = Labels::default();
    for statement in statements.split(';') {
        let (kind, list) = statement.split_once('=').context("labels are kind=list")?;
        let list: Vec<String> = list.split('|').map(|label| filled(label, values)).collect();
        match kind {
            "problems" => labels.problems = list,
            "vitals" => labels.vitals = list,
            "labs" => labels.labs = list,
            "allergies" => labels.allergies = list,
            "follow_up" => labels.follow_up = list,
            "avoid" => labels.medications = list.iter().map(|name| format!("!{}", generic(name))).collect(),
            other => anyhow::bail!("there are no labels {other}"),
        }
    }
    Ok(labels)
}
