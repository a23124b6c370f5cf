//! Files of an import, fetched over HTTP from the origins that the configuration lists and from no other: nothing is
//! followed elsewhere, a listed name that leads to a private address is refused, and everything has its time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use seva_fhir::bulk::{FetchError, FetchStream, Fetcher, LINES};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(30);
/// How long one file may take.
const WHOLE: Duration = Duration::from_secs(60 * 60);

/// Why there is no fetcher.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// A text is no origin.
    #[error("{0:?} is not an origin: write https://host, https://host:port, or http:// and an address of this machine")]
    Shape(String),
    /// The HTTP client can't be made.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// Fetches from listed origins.
pub struct HttpFetcher {
    origins: Vec<Url>,
    client: reqwest::Client,
}

/// Resolves names to public addresses, and to those that are listed as such.
struct PublicOnly {
    listed: Vec<IpAddr>,
}

impl HttpFetcher {
    /// Over the origins that may be asked; none means that nothing is fetched.
    ///
    /// # Errors
    /// A text that is no origin.
    pub fn new(origins: &[String]) -> Result<Self, OriginError> {
        let origins = origins.iter().map(|text| origin(text)).collect::<Result<Vec<Url>, OriginError>>()?;
        let listed = origins.iter().filter_map(address).collect();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(WHOLE)
            // Another place would be one that nobody has listed.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(PublicOnly { listed }))
            .build()
            .map_err(|error| OriginError::Client(error.to_string()))?;
        Ok(Self { origins, client })
    }

    fn allowed(&self, url: &str) -> Result<Url, FetchError> {
        let refused = |reason: &str| FetchError::NotAllowed(format!("{url:?} is not fetched: {reason}"));
        let parsed = Url::parse(url).map_err(|_| refused("it is not a URL"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused("an address with a password is written down nowhere"));
        }
        if self.origins.is_empty() {
            return Err(refused("no origin is listed in import.origins"));
        }
        if self.origins.iter().any(|own| own.origin() == parsed.origin()) {
            return Ok(parsed);
        }
        Err(refused("its origin is not listed in import.origins"))
    }
}

#[async_trait]
impl Fetcher for HttpFetcher {
    fn check(&self, url: &str) -> Result<(), FetchError> {
        self.allowed(url).map(drop)
    }

    async fn open(&self, url: &str) -> Result<Box<dyn FetchStream>, FetchError> {
        let url = self.allowed(url)?;
        let response = self.client.get(url).header("accept", LINES).send().await.map_err(|error| failed(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Failed(format!("the answer was {}", response.status().as_u16())));
        }
        Ok(Box::new(Pieces(response)))
    }
}

struct Pieces(reqwest::Response);

#[async_trait]
impl FetchStream for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        self.0.chunk().await.map_err(|error| failed(&error))
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let listed = self.listed.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> =
                found.filter(|one| is_public(one.ip()) || listed.contains(&one.ip())).collect();
            if usable.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

fn origin(text: &str) -> Result<Url, OriginError> {
    let shape = || OriginError::Shape(text.to_owned());
    let url = Url::parse(text).map_err(|_| shape())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let local = address(&url).is_some_and(|address| address.is_loopback());
    let secure = url.scheme() == "https" || (url.scheme() == "http" && local);
    if bare && secure && url.host_str().is_some() { Ok(url) } else { Err(shape()) }
}

/// The address that a URL names without a name.
fn address(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Whether an address is one of the public internet (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, third, _] = v4.octets();
            let special = v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || first == 0
                || first >= 240
                || (first == 100 && (64..128).contains(&second))
                || (first == 192 && second == 0 && third == 0)
                || (first == 198 && (18..20).contains(&second));
            !special
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            // Only 2000::/3 is given out; of it, 2001:db8::/32 is for documentation, 2002::/16 and 64:ff9b:: hide other addresses.
            None => {
                let [first, second, ..] = v6.segments();
                (first & 0xe000) == 0x2000 && (first, second) != (0x2001, 0x0db8) && first != 0x2002
            }
        },
    }
}

/// What the client may know; the library's words name addresses.
fn failed(error: &reqwest::Error) -> FetchError {
    let text = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the answer broke off"
    };
    FetchError::Failed(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetcher(origins: &[&str]) -> Result<HttpFetcher, OriginError> {
        HttpFetcher::new(&origins.iter().map(|&one| one.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_listed_origins_are_asked() {
        let listed = fetcher(&["https://bulk.example", "http://127.0.0.1:9000"]).expect("origins");
        for url in ["https://bulk.example/a/b?c=d", "https://bulk.example:443/a", "http://127.0.0.1:9000/x"] {
            assert!(listed.check(url).is_ok(), "{url}");
        }
        for url in [
            "http://bulk.example/a",
            "https://bulk.example:444/a",
            "https://bulk.example.evil.example/a",
            "https://evil.example/https://bulk.example",
            "https://bulk.example@evil.example/",
            "https://user:secret@bulk.example/",
            "http://127.0.0.1:9001/x",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "bulk.example/a",
        ] {
            assert!(matches!(listed.check(url), Err(FetchError::NotAllowed(_))), "{url}");
        }
        let none = fetcher(&[]).expect("no origin");
        assert!(
            matches!(none.check("https://bulk.example/a"), Err(FetchError::NotAllowed(text)) if text.contains("no origin"))
        );
        for wrong in
            ["bulk.example", "http://bulk.example", "https://a.example/path", "ftp://a.example", "https://u@a.example"]
        {
            assert!(fetcher(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn private_addresses_are_known() {
        for private in [
            "10.1.2.3",
            "172.20.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2002:a00:1::1",
            "64:ff9b::a00:1",
            "::",
        ] {
            assert!(!is_public(private.parse().expect("an address")), "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_and_redirects_are_not_followed() {
        let server = wiremock::MockServer::start().await;
        let away = wiremock::ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:1/");
        wiremock::Mock::given(wiremock::matchers::path("/away")).respond_with(away).mount(&server).await;
        let listed = fetcher(&[&server.uri(), "https://localhost"]).expect("origins");
        let moved = listed.open(&format!("{}/away", server.uri())).await.err().expect("a redirect");
        assert!(moved.to_string().contains("302"), "{moved}");
        let inside = listed.open("https://localhost/").await.err().expect("a private address");
        assert!(inside.to_string().contains("no connection"), "{inside}");
    }
}
