//! The cookies (RFC 6265, <https://www.rfc-editor.org/rfc/rfc6265>) and the two checks of every form: same origin
//! (Fetch Metadata, <https://www.w3.org/TR/fetch-metadata/>) and the double-submitted token.

use poem::Request;

/// The cookie of the session token.
pub(crate) const SESSION: &str = "seva_session";
/// The cookie of the token that every form repeats.
pub(crate) const FORM_TOKEN: &str = "seva_form";
/// The cookie of the chosen language.
pub(crate) const LANGUAGE: &str = "seva_language";
/// The cookie of the chosen colours.
pub(crate) const THEME: &str = "seva_theme";
/// The header in which a script repeats the form token.
pub(crate) const FORM_TOKEN_HEADER: &str = "x-form-token";
const SECURE: &str = "__Host-";
/// A choice lasts a year.
const CHOICE_SECONDS: u32 = 31_536_000;

/// How long a cookie lives.
#[derive(Clone, Copy)]
pub(crate) enum Life {
    /// Until the browser closes.
    Session,
    /// A year.
    Choice,
    /// It ends now.
    End,
}

/// The value of a cookie that the browser sends.
pub(crate) fn cookie_value<'r>(request: &'r Request, wanted: &str) -> Option<&'r str> {
    let mut pairs = request.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, value)| name.strip_prefix(SECURE).unwrap_or(name) == wanted && !value.is_empty());
    found.map(|(_, value)| value)
}

/// A cookie that only our own pages and no script can read.
pub(crate) fn cookie((name, value): (&str, &str), life: Life, url: &str) -> String {
    let (prefix, secure) = if url.starts_with("https:") { (SECURE, "; Secure") } else { ("", "") };
    let end = match life {
        Life::Session => String::new(),
        Life::Choice => format!("; Max-Age={CHOICE_SECONDS}"),
        Life::End => "; Max-Age=0".to_owned(),
    };
    format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{end}")
}

/// Whether a form was sent by our own page.
pub(crate) fn same_origin(request: &Request) -> bool {
    if let Some(site) = request.header("sec-fetch-site") {
        return site == "same-origin";
    }
    match (request.header("origin"), request.header("host")) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        _ => false,
    }
}

/// Whether two tokens are the same, in a time that does not tell where they differ.
pub(crate) fn same_token(one: &str, other: &str) -> bool {
    let differing = one.bytes().zip(other.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    !one.is_empty() && one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use poem::Request;

    use super::{Life, SESSION, cookie, cookie_value, same_origin, same_token};

    #[test]
    fn a_form_of_another_site_is_refused() {
        let of = |origin: &str| Request::builder().header("host", "a:1").header("origin", origin).finish();
        assert!(same_origin(&of("http://a:1")));
        assert!(!same_origin(&of("http://b:1")));
        assert!(!same_origin(&Request::builder().finish()));
    }

    #[test]
    fn the_cookie_comes_back_as_the_token() {
        assert!(cookie((SESSION, "t"), Life::Session, "http://a").starts_with("seva_session=t;"));
        assert!(cookie((SESSION, "t"), Life::End, "https://a").ends_with("; Secure; Max-Age=0"));
        for sent in ["x=1; seva_session=t", "__Host-seva_session=t"] {
            let request = Request::builder().header("cookie", sent).finish();
            assert_eq!(cookie_value(&request, SESSION), Some("t"));
        }
    }

    #[test]
    fn tokens_are_the_same_only_when_whole() {
        assert!(same_token("abc", "abc"));
        for (one, other) in [("abc", "abd"), ("abc", "ab"), ("", ""), ("", "a")] {
            assert!(!same_token(one, other));
        }
    }
}
