//! What is to happen next: the next visit ("review after five days") and advice ("plenty of fluids", "low salt diet").

use seva_clinic::{
    dosage::{Cursor, TimeUnit},
    entities::{Attribute, AttributeType, Category, EntityType},
    lexicon::{Span, decimal::Decimal, tokens::TokenKind},
};

use super::{
    document::Document,
    scores::{Evidence, Found},
};

mod phrases;

use phrases::{DIETS, ENDS, HABITS, MEASURED, MOVES, NOUNS, OBJECTS, PHRASES, REGULARLY, VERBS, VISITS};

/// Finds visits and advice that nothing else has claimed; `ordered` is where the first medicine ends.
pub fn find(document: &Document, claimed: &[Span], ordered: Option<usize>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut last = None;
    while at < document.tokens().len() {
        let opens = opens(document, at, last);
        let plan = visit(document, at)
            .or_else(|| advice(document, at, claimed))
            .or_else(|| told(document, at, claimed).filter(|_| opens))
            .or_else(|| exercises(document, at).filter(|_| opens))
            .or_else(|| left(document, at, ordered));
        match plan {
            Some((each, end)) if !claimed.iter().any(|span| span.overlaps(each.entity.span())) => {
                found.push(each);
                at = end.max(at + 1);
                last = Some(at);
            }
            _ => at += 1,
        }
    }
    found
}

/// Tells whether a statement begins here: a sentence, the next of a list of advice, or what follows "advised".
fn opens(document: &Document, at: usize, last: Option<usize>) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    let told = matches!(document.word(before), "advise" | "advised" | "advice");
    let listed = last == Some(before) && matches!(document.word(before), "," | "and");
    document.sentence(at).start == at || told || listed
}

/// Takes "keep the area dry", "do not share towels".
fn told(document: &Document, at: usize, claimed: &[Span]) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let moved = take_move(&mut cursor);
    if !moved && !cursor.take_any(&VERBS) && !is_checked(document, at) {
        return None;
    }
    if !moved && is_told_of_patient(document, at, cursor.word(0)) {
        return None;
    }
    // "Reduce to 18 units" is about a dose.
    if cursor.word_before() == "reduce" && (cursor.word(0) == "to" || cursor.number(0).is_some()) {
        return None;
    }
    let from = cursor.place();
    let free = |ahead: &usize| {
        let token = document.tokens().get(from + ahead);
        token.is_some_and(|token| {
            !matches!(token.kind, TokenKind::Stop | TokenKind::Mark)
                && !ENDS.contains(&token.word.as_str())
                && !claimed.iter().any(|span| span.overlaps(token.span))
        })
    };
    let words = (0..6).take_while(free).count();
    // "do not stop aspirin" is about a medicine.
    let next = document.tokens().get(from + words);
    if next.is_some_and(|next| claimed.iter().any(|span| span.overlaps(next.span))) {
        return None;
    }
    cursor.advance(words);
    if words == 0 && !moved && !take_time(&mut cursor) && document.word(at) != "isolate" {
        return None;
    }
    let entity = document.entity(cursor.span_from(at)?, Category::CarePlan, EntityType::Advice);
    Some((Found { entity, evidence: Evidence::Advice }, cursor.place()))
}

/// "Never had pustules", "cut on finger", "use of accessory muscles", "walk test normal" tell of the patient.
fn is_told_of_patient(document: &Document, at: usize, next: &str) -> bool {
    let verb = document.word(at);
    let named = OBJECTS.iter().find(|(ambiguous, _)| *ambiguous == verb);
    NOUNS.contains(&next) || named.is_some_and(|(_, objects)| !objects.contains(&next))
}

/// Takes "not to drive".
fn take_move(cursor: &mut Cursor<'_>) -> bool {
    let mut attempt = *cursor;
    let said = attempt.take_any(&["not to", "never to"]) && attempt.take_any(&MOVES);
    if said {
        *cursor = attempt;
    }
    said
}

/// "Check sugar before meals" is for the patient to do, "check creatinine" is not.
fn is_checked(document: &Document, at: usize) -> bool {
    let sentence = document.sentence(at);
    let mut near = (at + 1..sentence.end.min(at + 6)).map(|at| document.word(at));
    matches!(document.word(at), "check" | "record" | "measure")
        && near.next().is_some_and(|what| MEASURED.contains(&what))
        && near.any(|word| REGULARLY.contains(&word))
}

/// Takes "for thirty minutes" behind "walk".
fn take_time(cursor: &mut Cursor<'_>) -> bool {
    let mut attempt = *cursor;
    let said = attempt.take("for") && attempt.take_length().is_some();
    if said {
        *cursor = attempt;
    }
    said
}

/// Takes "quadriceps exercises", "deep breathing exercises".
fn exercises(document: &Document, at: usize) -> Option<(Found, usize)> {
    let is_word = |at: usize| document.tokens().get(at).is_some_and(|token| token.kind == TokenKind::Word);
    let end = (at + 1..at + 4).find(|end| matches!(document.word(*end), "exercise" | "exercises"))?;
    let plain = (at..end).all(|at| {
        is_word(at)
            && !ENDS.contains(&document.word(at))
            && !matches!(document.word(at), "on" | "during" | "after" | "no" | "does" | "did" | "doing")
    });
    let span = document.span(&(at..end + 1)).filter(|_| plain)?;
    let entity = document.entity(span, Category::CarePlan, EntityType::Advice);
    Some((Found { entity, evidence: Evidence::Advice }, end + 1))
}

/// Takes "no smoking" behind the first order; before it, it tells how the patient lives.
fn left(document: &Document, at: usize, ordered: Option<usize>) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let behind = ordered.is_some_and(|end| document.tokens().get(at).is_some_and(|token| token.span.begin > end));
    let taken = behind && cursor.take_any(&["no", "stop", "quit"]) && cursor.take_any(&HABITS);
    if !taken
        || matches!(cursor.word(0), "history" | "intake" | "use" | "abuse" | "habit" | "addiction" | "consumption")
    {
        return None;
    }
    let entity = document.entity(cursor.span_from(at)?, Category::CarePlan, EntityType::Advice);
    Some((Found { entity, evidence: Evidence::Advice }, cursor.place()))
}

fn visit(document: &Document, at: usize) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    if let Some(found) = visit_in_hindi(document, at) {
        return Some(found);
    }
    let past = at.checked_sub(1).is_some_and(|before| matches!(document.word(before), "last" | "previous" | "earlier"));
    if past || !cursor.take_any(&VISITS) {
        return None;
    }
    cursor.take_any(&[
        "in opd",
        "in the opd",
        "in clinic",
        "in the clinic",
        "at the clinic",
        "here",
        "with me",
        "to the hospital",
    ]);
    cursor.take_any(&["after", "in", "on", "within", "every", "after about", "again after", "again in", "after next"]);
    let from = cursor.place();
    let mut value = when(&mut cursor)?;
    if matches!(cursor.word(0), "back" | "ago" | "earlier") {
        return None;
    }
    if value == "report" {
        let mut later = cursor;
        later.take_any(&["after", "in", "within"]);
        if let Some(length) = later.take_length() {
            value = format!("{} {}", length.value, length.unit.code());
            cursor = later;
        }
    }
    let mut entity = document.entity(cursor.span_from(at)?, Category::CarePlan, EntityType::FollowUp);
    let place = document.span(&(from..cursor.place()))?;
    entity.attributes.push(document.attribute(place, AttributeType::Duration, Some(value)));
    Some((Found { entity, evidence: Evidence::Visit }, cursor.place()))
}

/// Takes "paanch din baad aana".
fn visit_in_hindi(document: &Document, at: usize) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let length = cursor.take_length()?;
    let end = cursor.place();
    let said = cursor.take("baad")
        && cursor.take_any(&["aana", "aaiye", "aayen", "aaye", "dikhana", "dikhaye", "dikhayen", "milna", "review"]);
    let mut entity = document.entity(cursor.span_from(at).filter(|_| said)?, Category::CarePlan, EntityType::FollowUp);
    let value = format!("{} {}", length.value, length.unit.code());
    entity.attributes.push(document.attribute(document.span(&(at..end))?, AttributeType::Duration, Some(value)));
    Some((Found { entity, evidence: Evidence::Visit }, cursor.place()))
}

/// Reads for when a test or procedure is planned: "after one week", "at the next visit".
pub fn planned(document: &Document, at: usize) -> Option<Attribute> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    cursor.advance(usize::from(cursor.word(0) == ","));
    let from = cursor.place();
    let introduced =
        cursor.take_any(&["after", "in", "within", "after about", "again after", "again in", "to be done after"]);
    let value = if introduced {
        let length = cursor.take_length()?;
        format!("{} {}", length.value, length.unit.code())
    } else if cursor.take_any(&["tomorrow", "tomorrow morning"]) {
        format!("{} {}", Decimal::ONE, TimeUnit::Day.code())
    } else if cursor.take_any(&["next week", "after a week"]) {
        format!("{} {}", Decimal::ONE, TimeUnit::Week.code())
    } else if cursor.take_any(&[
        "next visit",
        "on next visit",
        "on the next visit",
        "at the next visit",
        "at next visit",
    ]) {
        "visit".to_owned()
    } else {
        return None;
    };
    Some(document.attribute(document.span(&(from..cursor.place()))?, AttributeType::Duration, Some(value)))
}

/// Reads when a visit is: a length of time in UCUM, or the condition for it.
fn when(cursor: &mut Cursor<'_>) -> Option<String> {
    if let Some(length) = cursor.take_fraction().or_else(|| cursor.take_length()) {
        return Some(format!("{} {}", length.value, length.unit.code()));
    }
    let unit = |unit: TimeUnit| format!("{} {}", Decimal::ONE, unit.code());
    if cursor.take_any(&["tomorrow", "tomorrow morning", "next day"]) {
        return Some(unit(TimeUnit::Day));
    }
    if cursor.take_any(&["next week", "one week", "a week"]) {
        return Some(unit(TimeUnit::Week));
    }
    if cursor.take_any(&["next month", "a month"]) {
        return Some(unit(TimeUnit::Month));
    }
    if cursor.take_any(&["sos", "if needed", "if required", "as needed"]) {
        return Some("sos".to_owned());
    }
    if cursor.take_any(&["with report", "with reports", "with the report", "with the reports", "with results"]) {
        return Some("report".to_owned());
    }
    if cursor.word(0) == "day"
        && let Some(day) = cursor.number(1)
    {
        cursor.advance(2);
        return Some(format!("{day} {}", TimeUnit::Day.code()));
    }
    None
}

fn advice(document: &Document, at: usize, claimed: &[Span]) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let said = cursor.take_any(&PHRASES) || diet(&mut cursor) || avoided(document, &mut cursor, claimed);
    if said && !is_kept(document, at) {
        let entity = document.entity(cursor.span_from(at)?, Category::CarePlan, EntityType::Advice);
        return Some((Found { entity, evidence: Evidence::Advice }, cursor.place()));
    }
    None
}

/// "Is on low salt diet", "does breathing exercises": what the patient does already.
fn is_kept(document: &Document, at: usize) -> bool {
    let begin = (0..at).rev().find(|before| !DIETS.contains(&document.word(*before))).map_or(0, |before| before + 1);
    let word = |back: usize| begin.checked_sub(back).map_or("", |at| document.word(at));
    let on = word(1) == "on" && matches!(word(2), "is" | "was" | "already" | "currently");
    on || matches!(word(1), "does" | "doing" | "did")
}

/// Takes "low salt diet".
fn diet(cursor: &mut Cursor<'_>) -> bool {
    let words = (0..4).take_while(|ahead| DIETS.contains(&cursor.word(*ahead))).count();
    let named = words > 0 && cursor.word(words) == "diet";
    if named {
        cursor.advance(words + 1);
    }
    named
}

/// Takes "avoid spicy food", but not a medicine that is to be avoided: that is a stopped medicine.
fn avoided(document: &Document, cursor: &mut Cursor<'_>, claimed: &[Span]) -> bool {
    if cursor.word(0) != "avoid" {
        return false;
    }
    let from = cursor.place() + 1;
    let free = |ahead: &usize| {
        let token = document.tokens().get(from + ahead);
        token.is_some_and(|token| {
            token.kind == TokenKind::Word
                && !matches!(token.word.as_str(), "and" | "with" | "in" | "for" | "if" | "till" | "until")
                && !claimed.iter().any(|span| span.overlaps(token.span))
        })
    };
    let words = (0..3).take_while(free).count();
    if words > 0 {
        cursor.advance(words + 1);
    }
    words > 0
}
