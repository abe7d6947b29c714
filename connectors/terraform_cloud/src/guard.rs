//! The guard in front of downloads (SSRF): which URLs and addresses may be asked at all.
//!
//! Pure: classifies, never resolves. Must never let a form of an address through that the connector would read as
//! another one, so it looks at parsed hosts only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether the address is one that only the public internet routes.
///
/// Refused are the special-purpose ranges of RFC 6890 and its successors (IANA's IPv4 and IPv6 special-purpose
/// registries), multicast, and the platform address of Azure. IPv4 inside IPv6 counts as that IPv4.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// IPv4 ranges that are not public: network, prefix length, name.
const V4_REFUSED: &[([u8; 4], u32, &str)] = &[
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "carrier-grade NAT"),
    ([127, 0, 0, 0], 8, "loopback"),
    ([168, 63, 129, 16], 32, "Azure platform services"),
    ([169, 254, 0, 0], 16, "link-local, cloud metadata"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "IETF protocol assignments"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 88, 99, 0], 24, "6to4 relay"),
    ([192, 168, 0, 0], 16, "private"),
    ([198, 18, 0, 0], 15, "benchmarking"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved, broadcast"),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !V4_REFUSED
        .iter()
        .any(|(network, prefix, _)| (bits ^ u32::from(Ipv4Addr::from(*network))) >> (32 - prefix) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // IPv4-mapped, and NAT64 with the well-known prefix (RFC 6052): what an IPv6-only host sees of IPv4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // IETF protocol assignments, among them Teredo.
        [0x2001, second, ..] if second < 0x0200 => false,
        [0x2001, 0x0db8, ..] => false,
        // 6to4 carries an IPv4 address and is dead (RFC 7526).
        [0x2002, ..] => false,
        // Documentation (RFC 9637).
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Global unicast is 2000::/3; all else is loopback, ULA, link-local, multicast or not assigned.
        [first, ..] => first >> 13 == 0b001,
    }
}

/// What a download may do.
#[derive(Clone, Copy)]
pub(crate) struct Policy {
    /// Private addresses are fine.
    pub(crate) private: bool,
    /// Plain http is fine.
    pub(crate) http: bool,
}

/// Whether the URL may be asked, as far as it can be told without a name look-up: scheme, no credentials inside, a
/// public host when it is an address, no name that means this machine.
pub(crate) fn may_ask(url: &Url, policy: Policy) -> bool {
    has_allowed_shape(url, policy) && (policy.private || has_public_host(url))
}

/// Scheme, and nothing that would make the connector send credentials of somebody else's choice.
pub(crate) fn has_allowed_shape(url: &Url, policy: Policy) -> bool {
    let scheme = match url.scheme() {
        "https" => true,
        "http" => policy.http,
        _ => false,
    };
    scheme && url.username().is_empty() && url.password().is_none()
}

fn has_public_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => is_public_v6(address),
        Some(Host::Domain(name)) => !is_local_name(name),
        None => false,
    }
}

/// Names that mean this machine or this network whatever a resolver says (RFC 6761, RFC 6762, RFC 9476 alike).
fn is_local_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    // A name without a dot is completed by the search list of whoever resolves it.
    !name.contains('.')
        || ["localhost", "local", "internal", "localdomain"].iter().any(|l| last.eq_ignore_ascii_case(l))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, bool)], policy: Policy) {
        for (text, allowed) in cases {
            // What does not parse as a URL is refused before the guard is asked.
            let got = Url::parse(text).is_ok_and(|url| may_ask(&url, policy));
            assert_eq!(got, *allowed, "{text}");
        }
    }

    const STRICT: Policy = Policy { private: false, http: false };

    #[test]
    fn only_public_https_urls_without_credentials_may_be_asked() {
        check(
            &[
                ("https://archivist.terraform.io/v1/object/x", true),
                ("https://archivist.terraform.io.:8443/v1", true),
                ("https://8.8.8.8/x", true),
                ("https://[2606:4700::1111]/x", true),
                ("http://archivist.terraform.io/x", false),
                ("ftp://archivist.terraform.io/x", false),
                ("file:///etc/passwd", false),
                ("gopher://archivist.terraform.io", false),
                ("data:text/plain,x", false),
                ("https://user@archivist.terraform.io/", false),
                ("https://:pass@archivist.terraform.io/", false),
                ("https://app.terraform.io@127.0.0.1/", false),
                ("https://app.terraform.io\\@127.0.0.1/", true), // the host is app.terraform.io: all clients read it so
            ],
            STRICT,
        );
    }

    #[test]
    fn names_of_this_machine_or_network_are_refused() {
        check(
            &[
                ("https://localhost/", false),
                ("https://LOCALHOST./", false),
                ("https://a.localhost/", false),
                ("https://localhost.localdomain/", false),
                ("https://printer.local/", false),
                ("https://metadata.google.internal/", false),
                ("https://metadata/", false),
                ("https://kubernetes/", false),
                ("https://localhost.example.com/", true), // a look-up decides
                ("https://１２７.0.0.1/", false),         // full-width digits
                ("https://ⓛocalhost/", false),
            ],
            STRICT,
        );
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        check(
            &[
                ("https://127.0.0.1/", false),
                ("https://127.1/", false),
                ("https://2130706433/", false),
                ("https://0x7f000001/", false),
                ("https://0177.0.0.1/", false),
                ("https://0x7f.1/", false),
                ("https://0/", false),
                ("https://0.0.0.0/", false),
                ("https://10.0.0.1/", false),
                ("https://100.64.0.1/", false),
                ("https://100.100.100.200/", false),
                ("https://100.127.255.255/", false),
                ("https://100.128.0.1/", true),
                ("https://168.63.129.16/", false),
                ("https://169.254.169.254/latest/meta-data", false),
                ("https://2852039166/", false),
                ("https://172.15.0.1/", true),
                ("https://172.16.0.1/", false),
                ("https://172.31.255.255/", false),
                ("https://172.32.0.1/", true),
                ("https://192.0.0.192/", false),
                ("https://192.168.1.1/", false),
                ("https://198.18.0.1/", false),
                ("https://198.19.255.255/", false),
                ("https://203.0.113.9/", false),
                ("https://224.0.0.1/", false),
                ("https://255.255.255.255/", false),
                ("https://[::]/", false),
                ("https://[::1]/", false),
                ("https://[::127.0.0.1]/", false),
                ("https://[::ffff:127.0.0.1]/", false),
                ("https://[::ffff:7f00:1]/", false),
                ("https://[::ffff:169.254.169.254]/", false),
                ("https://[::ffff:8.8.8.8]/", true),
                ("https://[64:ff9b::10.0.0.1]/", false),
                ("https://[64:ff9b::8.8.8.8]/", true),
                ("https://[64:ff9b:1::8.8.8.8]/", false),
                ("https://[fe80::1]/", false),
                ("https://[fec0::1]/", false),
                ("https://[fc00::1]/", false),
                ("https://[fd00:ec2::254]/", false),
                ("https://[ff02::1]/", false),
                ("https://[2001::1]/", false),
                ("https://[2001:db8::1]/", false),
                ("https://[2002:7f00:1::]/", false),
                ("https://[3fff::1]/", false),
                ("https://[100::1]/", false),
                ("https://[2001:4860:4860::8888]/", true),
            ],
            STRICT,
        );
    }

    #[test]
    fn what_is_allowed_on_purpose_is_allowed_and_nothing_beside_it() {
        let private = Policy { private: true, http: false };
        check(
            &[("https://10.0.0.1/", true), ("https://localhost/", true), ("http://10.0.0.1/", false)],
            private,
        );
        let http = Policy { private: false, http: true };
        check(&[("http://8.8.8.8/", true), ("http://10.0.0.1/", false), ("ftp://8.8.8.8/", false)], http);
        let both = Policy { private: true, http: true };
        check(
            &[("http://127.0.0.1:1/", true), ("http://u:p@127.0.0.1:1/", false), ("file:///x", false)],
            both,
        );
    }
}
