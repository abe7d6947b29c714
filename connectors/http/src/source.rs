//! Where a request comes from: the peer's address, or what proxies that are declared as trusted say stood before them.
//!
//! `X-Forwarded-For` is read from the right, because each proxy appends what it saw: whatever stands left of the first address that
//! is no trusted proxy was written by a stranger. Must never believe a proxy that is not declared, nor `Forwarded`, nor `X-Real-IP`.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Longest chain of proxies that is followed.
const HOPS_MAX: usize = 32;

/// The client's address; `None` where a trusted proxy says something that is no address.
pub(crate) fn source(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let mut client = peer.to_canonical();
    if !contains(trusted, client) {
        return Some(client);
    }
    // Lines of one name are one list, in their order (RFC 9110, section 5.3).
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    for (count, hop) in hops.enumerate() {
        if count >= HOPS_MAX {
            return None;
        }
        client = address(hop.trim())?;
        if !contains(trusted, client) {
            return Some(client);
        }
    }
    Some(client)
}

/// Whether one of the networks has the address.
pub(crate) fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// An address as proxies write it: bare, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok();
    let bare = text.parse::<IpAddr>().ok().or_else(|| bracketed().map(IpAddr::V6));
    let address = bare.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, peer: &str, lines: &[&str], expected: Option<&str>) {
        let trusted = ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7/32"].map(|net| net.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        headers.insert("forwarded", "for=198.51.100.99".parse().unwrap());
        headers.insert("x-real-ip", "198.51.100.98".parse().unwrap());
        let got = source(peer.parse().unwrap(), &headers, &trusted);
        assert_eq!(got, expected.map(|text| text.parse().unwrap()), "{name}");
    }

    #[test]
    fn what_trusted_proxies_appended_is_believed_and_nothing_else() {
        check("no proxy", "203.0.113.9", &[], Some("203.0.113.9"));
        check("a stranger who claims to be a proxy", "203.0.113.9", &["198.51.100.1"], Some("203.0.113.9"));
        check("a proxy", "10.1.1.1", &["198.51.100.1"], Some("198.51.100.1"));
        check(
            "what a stranger wrote before the proxy",
            "10.1.1.1",
            &["1.2.3.4, 198.51.100.1"],
            Some("198.51.100.1"),
        );
        check("garbage that a stranger wrote", "10.1.1.1", &["x,, 198.51.100.1"], Some("198.51.100.1"));
        check("two proxies", "10.1.1.1", &["1.2.3.4, 198.51.100.1, 10.2.2.2"], Some("198.51.100.1"));
        check(
            "a trusted address behind a stranger",
            "10.1.1.1",
            &["10.9.9.9, 198.51.100.1"],
            Some("198.51.100.1"),
        );
        check("two lines", "10.1.1.1", &["1.2.3.4", "198.51.100.1"], Some("198.51.100.1"));
        check("two lines of proxies", "10.1.1.1", &["198.51.100.1", "10.2.2.2"], Some("198.51.100.1"));
        check("proxies only", "10.1.1.1", &["10.3.3.3, 10.2.2.2"], Some("10.3.3.3"));
        check("a proxy that says nothing", "10.1.1.1", &[], Some("10.1.1.1"));
        check("a proxy by its one address", "192.0.2.7", &["198.51.100.1"], Some("198.51.100.1"));
        check("its neighbour", "192.0.2.8", &["198.51.100.1"], Some("192.0.2.8"));
        check("no address", "10.1.1.1", &["198.51.100.1, unknown"], None);
        check("empty", "10.1.1.1", &[""], None);
        check("an empty end", "10.1.1.1", &["198.51.100.1,"], None);
        check("no text", "10.1.1.1", &["198.51.100.1\u{e9}"], None);
        check("a port", "10.1.1.1", &["198.51.100.1:4711"], Some("198.51.100.1"));
        check("no port", "10.1.1.1", &["198.51.100.1:"], None);
        check("octal", "10.1.1.1", &["0306.051.0144.01"], None);
        check("a number", "10.1.1.1", &["3325256705"], None);
        check("a network", "10.1.1.1", &["198.51.100.0/24"], None);
        check("a zone", "10.1.1.1", &["fe80::1%eth0"], None);
        check("version 6", "10.1.1.1", &["2001:db8::1"], Some("2001:db8::1"));
        check("version 6 in brackets", "10.1.1.1", &["[2001:db8::1]"], Some("2001:db8::1"));
        check("version 6 with a port", "10.1.1.1", &["[2001:db8::1]:4711"], Some("2001:db8::1"));
        check("version 4 inside 6", "10.1.1.1", &["::ffff:198.51.100.1"], Some("198.51.100.1"));
        check("a proxy of version 4 inside 6", "::ffff:10.1.1.1", &["198.51.100.1"], Some("198.51.100.1"));
        check("a proxy of version 6", "2001:db8:1::5", &["198.51.100.1"], Some("198.51.100.1"));
        check("a chain without end", "10.1.1.1", &[&vec!["10.2.2.2"; 33].join(",")], None);
        check("a long chain", "10.1.1.1", &[&vec!["10.2.2.2"; 32].join(",")], Some("10.2.2.2"));
    }
}
