//! How a dose relates to meals (R4 `EventTiming`: <https://hl7.org/fhir/R4/valueset-event-timing.html>).

use super::{Food, TimeUnit, Timing, parts::Cursor};
use crate::lexicon::decimal::Decimal;

const FOOD: [(Food, &[&str]); 3] = [
    (
        Food::Before,
        &[
            "before food",
            "before meals",
            "before meal",
            "before eating",
            "before breakfast",
            "before lunch",
            "before dinner",
            "before each meal",
            "before every meal",
            "before the meal",
            "before the meals",
            "before supper",
            "before having food",
            "empty stomach",
            "on empty stomach",
            "on an empty stomach",
            "khali pet",
            "khane se pehle",
            "nashte se pehle",
            "ac",
            "a.c",
        ],
    ),
    (
        Food::After,
        &[
            "after food",
            "after meals",
            "after meal",
            "after eating",
            "after breakfast",
            "after lunch",
            "after dinner",
            "after each meal",
            "after every meal",
            "after the meal",
            "after the meals",
            "after supper",
            "after having food",
            "post food",
            "post meals",
            "khane ke baad",
            "khana khane ke baad",
            "nashte ke baad",
            "on a full stomach",
            "on full stomach",
            "pc",
            "p.c",
        ],
    ),
    (
        Food::With,
        &[
            "with food",
            "with meals",
            "with meal",
            "with a meal",
            "with each meal",
            "with every meal",
            "with breakfast",
            "with lunch",
            "with dinner",
            "with supper",
            "khane ke saath",
        ],
    ),
];

const MEALS: [&str; 4] = ["breakfast", "lunch", "dinner", "supper"];

/// Takes "with breakfast and dinner": at so many meals of each day.
pub fn take_meals(cursor: &mut Cursor<'_>) -> Option<(Food, Timing)> {
    let food = match cursor.word(0) {
        "before" => Food::Before,
        "with" => Food::With,
        "after" => Food::After,
        _ => return None,
    };
    let mut attempt = *cursor;
    attempt.advance(1);
    let between =
        [",", "and", ", and", "and after", "and before", "and with", "and one after", "and one before", "and one with"];
    let meals = attempt.take_series(|word| MEALS.contains(&word), &between);
    if meals < 2 {
        return None;
    }
    *cursor = attempt;
    Some((food, Timing::every(meals, Decimal::ONE, TimeUnit::Day)))
}

/// Takes a relation to meals.
pub fn take_food(cursor: &mut Cursor<'_>) -> Option<Food> {
    FOOD.iter().find(|(_, phrases)| cursor.take_any(phrases)).map(|(food, _)| *food)
}
