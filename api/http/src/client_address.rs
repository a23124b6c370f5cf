//! The address of the machine that a request came from, for the audit log: the peer of the connection, or, where that is a
//! proxy of ours, what the proxy says (`X-Forwarded-For`). A header of anybody else says nothing.

use std::net::IpAddr;
use std::str::FromStr;

use poem::Request;
use poem::http::HeaderMap;

/// What proxies append the address of their peer to, the nearest last.
const FORWARDED: &str = "x-forwarded-for";

/// The address that a request of the pages, which reaches the API in process, came from.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub Option<IpAddr>);

/// Machines whose word about a client's address is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// Addresses with one beginning (RFC 4632 <https://www.rfc-editor.org/rfc/rfc4632>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Reads addresses and networks with commas between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no address or network: write 10.0.0.7, 10.0.0.0/16 or fd00::/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
        if bits <= most { Ok(Self { address, bits }) } else { Err(wrong()) }
    }
}

impl Network {
    fn has(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl TrustedProxies {
    /// The client's address; none where the connection does not tell.
    #[must_use]
    pub fn client(&self, request: &Request) -> Option<IpAddr> {
        if let Some(known) = request.data::<ClientAddress>() {
            return known.0;
        }
        let peer = request.remote_addr().as_socket_addr()?.ip().to_canonical();
        Some(self.behind(peer, request.headers()))
    }

    /// From the nearest machine on, the first one that is no proxy of ours; what stands before it anybody may have written.
    fn behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let mut nearest = peer;
        let lines = headers.get_all(FORWARDED).into_iter().rev();
        for name in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
            let Some(address) = read(name.trim()) else { break };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.has(address))
    }
}

/// An address, which some proxies write with a port.
fn read(name: &str) -> Option<IpAddr> {
    let with_port = || name.parse::<std::net::SocketAddr>().map(|socket| socket.ip());
    name.parse().or_else(|_| with_port()).map(|address: IpAddr| address.to_canonical()).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED, line.parse().unwrap());
        }
        trusted.parse::<TrustedProxies>().unwrap().behind(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_proxies_of_ours_are_believed() {
        assert_eq!(client("", "10.0.0.7", &["192.0.2.1"]), "10.0.0.7");
        assert_eq!(client("10.0.0.8", "10.0.0.7", &["192.0.2.1"]), "10.0.0.7");
        assert_eq!(client("10.0.0.7", "10.0.0.7", &["192.0.2.1"]), "192.0.2.1");
        // The client itself wrote the first one.
        assert_eq!(client("10.0.0.0/16", "10.0.0.7", &["198.51.100.1, 192.0.2.1, 10.0.3.3"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/16", "10.0.0.7", &["198.51.100.1", "192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/16", "10.0.0.7", &["192.0.2.1, unknown"]), "10.0.0.7");
        assert_eq!(client("10.0.0.0/16", "10.0.0.7", &[]), "10.0.0.7");
        assert_eq!(client("fd00::/8", "fd12::1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn networks_are_read_and_their_errors_told() {
        let all: TrustedProxies = "0.0.0.0/0".parse().unwrap();
        assert!(all.trusts("203.0.113.9".parse().unwrap()) && !all.trusts("::1".parse().unwrap()));
        for wrong in ["proxy.example", "10.0.0.0/33", "10.0.0.0/x", "::/129"] {
            assert!(
                wrong.parse::<TrustedProxies>().is_err_and(|text| text.contains("no address or network")),
                "{wrong}"
            );
        }
    }
}
