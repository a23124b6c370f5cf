//! The way in.

use super::{get, site, text};

#[tokio::test]
async fn who_is_not_logged_in_sees_the_log_in_and_gets_a_token() {
    let (site, _) = site(false, false);
    assert_eq!(get(&site, "/worklist", "").await.headers()["location"], "/log-in");
    let answer = get(&site, "/log-in", "").await;
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.starts_with("seva_form=7f3a91c0ffee") && cookie.contains("HttpOnly; SameSite=Strict"));
    assert!(text(answer).await.1.contains("name=\"form_token\" value=\"7f3a91c0ffee"));
}
