//! The session cookie (RFC 6265, <https://www.rfc-editor.org/rfc/rfc6265>) and the same-origin check of forms
//! (Fetch Metadata, <https://www.w3.org/TR/fetch-metadata/>).

use poem::Request;

const NAME: &str = "seva_session";
const SECURE_NAME: &str = "__Host-seva_session";

/// The session token that the browser sends.
pub(crate) fn token(request: &Request) -> Option<String> {
    let cookies = request.header("cookie")?;
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| (*name == NAME || *name == SECURE_NAME) && !value.is_empty()).map(|(_, v)| v.to_owned())
}

/// The cookie that sets a token, or ends it when the token is empty.
pub(crate) fn cookie(token: &str, url: &str) -> String {
    let (name, secure) = if url.starts_with("https:") { (SECURE_NAME, "; Secure") } else { (NAME, "") };
    let end = if token.is_empty() { "; Max-Age=0" } else { "" };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{end}")
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

#[cfg(test)]
mod tests {
    use poem::Request;

    use super::{cookie, same_origin, token};

    #[test]
    fn a_form_of_another_site_is_refused() {
        let of = |origin: &str| Request::builder().header("host", "a:1").header("origin", origin).finish();
        assert!(same_origin(&of("http://a:1")));
        assert!(!same_origin(&of("http://b:1")));
        assert!(!same_origin(&Request::builder().finish()));
    }

    #[test]
    fn the_cookie_comes_back_as_the_token() {
        assert!(cookie("t", "http://a").starts_with("seva_session=t;"));
        let request = Request::builder().header("cookie", "x=1; seva_session=t").finish();
        assert_eq!(token(&request).as_deref(), Some("t"));
    }
}
