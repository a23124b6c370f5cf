//! The templates, compiled in; HTML is escaped (<https://html.spec.whatwg.org/>), and an unknown name, text or asset is
//! an error.

use chrono_tz::Tz;
use include_dir::{Dir, include_dir};
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use crate::language::{LANGUAGES, Language};
use crate::moment::{self, Moment};
use crate::{assets, wording};

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The templates in every language.
pub(crate) struct Templates {
    environments: Vec<(Language, Environment<'static>)>,
}

impl Templates {
    /// Compiles the templates for a hospital's time zone.
    pub(crate) fn new(zone: Tz) -> Self {
        Self { environments: LANGUAGES.map(|language| (language, environment(language, zone))).into() }
    }

    /// Renders a page.
    pub(crate) fn render(&self, name: &str, language: Language, context: &impl Serialize) -> Result<String, Error> {
        let found = self.environments.iter().find(|(known, _)| *known == language);
        let (_, environment) = found.ok_or_else(|| Error::new(ErrorKind::TemplateNotFound, "an unknown language"))?;
        environment.get_template(name)?.render(minijinja::value::Serde(context))
    }
}

fn environment(language: Language, zone: Tz) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    add_functions(&mut environment, language);
    add_filters(&mut environment, language, zone);
    for (name, source) in sources(&SOURCES) {
        environment.add_template(name, source).expect("the templates are compiled in and a test reads them");
    }
    environment
}

fn add_functions(environment: &mut Environment<'static>, language: Language) {
    environment.add_function("t", move |key: &str, places: Kwargs| -> Result<String, Error> {
        let text = language.text(key).ok_or_else(|| missing("text", key))?;
        let mut said = text.to_owned();
        for place in places.args() {
            let value: Value = places.get(place)?;
            said = said.replace(&format!("{{{place}}}"), &value.to_string());
        }
        Ok(said)
    });
    environment.add_function("asset", |path: &str| -> Result<Value, Error> {
        assets::address(path).map(Value::from_safe_string).ok_or_else(|| missing("asset", path))
    });
    environment.add_function("icon", |name: &str| -> Result<Value, Error> {
        let address = assets::address("icons.svg").ok_or_else(|| missing("asset", "icons.svg"))?;
        let known = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !known {
            return Err(missing("icon", name));
        }
        let svg = format!(
            "<svg class=\"icon\" aria-hidden=\"true\" focusable=\"false\"><use href=\"{address}#{name}\"/></svg>"
        );
        Ok(Value::from_safe_string(svg))
    });
}

fn add_filters(environment: &mut Environment<'static>, language: Language, zone: Tz) {
    let said = move |text: &str, say: fn(Moment, Language) -> String| -> String {
        Moment::of(text, zone).map_or_else(|| text.to_owned(), |moment| say(moment, language))
    };
    environment.add_filter("day", move |text: &str| said(text, Moment::day));
    environment.add_filter("short_day", move |text: &str| said(text, Moment::short_day));
    environment.add_filter("clock", move |text: &str| said(text, |moment, _| moment.clock()));
    environment.add_filter("is_on", move |text: &str, today: &str| {
        let date = Moment::of(text, zone).and_then(Moment::date);
        date.is_some_and(|date| date.to_string() == today)
    });
    environment.add_filter("age", move |born: &str, today: &str| -> String {
        let today = Moment::of(today, zone).and_then(Moment::date);
        let age = Moment::of(born, zone).zip(today).and_then(|(born, today)| moment::age(born, today));
        let words = age.and_then(|age| Some((language.text(age.key)?, age.count)));
        words.map(|(words, count)| words.replace("{count}", &count.to_string())).unwrap_or_default()
    });
    environment.add_filter("minutes", |milliseconds: i64| moment::minutes(u64::try_from(milliseconds).unwrap_or(0)));
    environment.add_filter("clinical", |text: &str| wording::clinical(text));
    environment.add_filter("medicine_name", |text: &str| wording::tall_man(text));
}

fn missing(kind: &str, name: &str) -> Error {
    Error::new(ErrorKind::UndefinedError, format!("there is no {kind} {name:?}"))
}

/// The templates by their path below the folder.
pub(crate) fn sources(folder: &'static Dir<'static>) -> Vec<(&'static str, &'static str)> {
    let own = folder.files().map(|file| {
        let name = file.path().to_str().expect("template names are text");
        (name, file.contents_utf8().expect("templates are text"))
    });
    own.chain(folder.dirs().flat_map(sources)).collect()
}

#[cfg(test)]
#[path = "templates_tests.rs"]
mod tests;
