//! Who asks for a page and how it is shown to them: session, language (BCP 47, <https://www.rfc-editor.org/info/bcp47>),
//! colours, form token and the request's number.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use poem::Request;

use crate::client::Surroundings;
use crate::language::Language;
use crate::session::{self, FORM_TOKEN, FORM_TOKEN_HEADER, LANGUAGE, SESSION, THEME};

/// How many digits of a random number name a request: short enough to be read out on the telephone.
const REQUEST_DIGITS: usize = 12;

/// The colours that were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the device is set.
    Device,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Reads a choice; an unknown one is the device's.
    pub(crate) fn of(code: &str) -> Self {
        match code {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Device,
        }
    }

    /// The word that cookies, forms and styles use.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The person behind a request.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// The session token; empty before the log-in.
    pub(crate) token: String,
    /// The language of the page.
    pub(crate) language: Language,
    /// The colours.
    pub(crate) theme: Theme,
    /// What every form repeats.
    pub(crate) form_token: String,
    /// Whether the form token was made for this request and must be sent as a cookie.
    pub(crate) is_new: bool,
    /// The request's number, under which the API logs its calls.
    pub(crate) request: String,
    /// The address of the page, to come back to.
    pub(crate) place: String,
    /// When the request came.
    pub(crate) now: DateTime<Utc>,
}

impl Asker {
    /// Reads a request.
    pub(crate) fn of(request: &Request, surroundings: &dyn Surroundings) -> Self {
        let known = session::cookie_value(request, FORM_TOKEN).map(str::to_owned);
        let chosen = session::cookie_value(request, LANGUAGE).and_then(Language::of);
        let number = surroundings.chance();
        Self {
            token: session::cookie_value(request, SESSION).unwrap_or_default().to_owned(),
            language: chosen.unwrap_or_else(|| Language::accepted(request.header("accept-language"))),
            theme: Theme::of(session::cookie_value(request, THEME).unwrap_or_default()),
            is_new: known.is_none(),
            form_token: known.unwrap_or_else(|| surroundings.chance()),
            request: number.get(..REQUEST_DIGITS).unwrap_or(&number).to_owned(),
            place: request.uri().path_and_query().map_or("/", |place| place.as_str()).to_owned(),
            now: surroundings.now(),
        }
    }

    /// Today in the hospital.
    pub(crate) fn today(&self, zone: Tz) -> NaiveDate {
        self.now.with_timezone(&zone).date_naive()
    }

    /// Whether a form or script repeats the token of the cookie.
    pub(crate) fn sent(&self, given: &str) -> bool {
        !self.is_new && session::same_token(&self.form_token, given)
    }

    /// The same for a script, which repeats it in a header.
    pub(crate) fn sent_in_header(&self, request: &Request) -> bool {
        self.sent(request.header(FORM_TOKEN_HEADER).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use poem::Request;

    use chrono::{DateTime, Utc};

    use super::{Asker, Theme};
    use crate::client::Surroundings;
    use crate::language::Language;

    struct Still;

    impl Surroundings for Still {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn chance(&self) -> String {
            "0123456789abcdef".to_owned()
        }
    }

    #[test]
    fn a_request_tells_who_asks() {
        let cookies = "seva_session=s; seva_form=f; seva_language=mr; seva_theme=dark";
        let asker = Asker::of(&Request::builder().header("cookie", cookies).finish(), &Still);
        assert_eq!((asker.token.as_str(), asker.language, asker.theme), ("s", Language::Marathi, Theme::Dark));
        assert!(asker.sent("f") && !asker.sent("g"));
    }

    #[test]
    fn a_script_repeats_the_token_in_a_header() {
        let request = Request::builder().header("cookie", "seva_form=f").header("x-form-token", "f").finish();
        assert!(Asker::of(&request, &Still).sent_in_header(&request));
    }

    #[test]
    fn a_token_that_was_never_sent_proves_nothing() {
        let asker = Asker::of(&Request::builder().header("accept-language", "hi-IN,en;q=0.5").finish(), &Still);
        assert!(!asker.sent(&asker.form_token) && asker.is_new);
        assert_eq!(asker.language, Language::Hindi);
    }
}
