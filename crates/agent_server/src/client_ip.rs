//! Who is behind the proxies: the list of addresses is walked from our end, and only as far as it is trusted.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The networks of our own proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address. Each proxy appends the one it was asked by, so that only what ours have appended counts: the
    /// first address from the right that is not one of ours. Anything further left, the client may have written.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.contains(client) {
            return client;
        }
        for address in forwarded_for(headers).into_iter().rev() {
            // What cannot be read ends the trust.
            let Some(address) = address else { return client };
            client = address.to_canonical();
            if !self.contains(client) {
                return client;
            }
        }
        client
    }
}

/// The addresses that proxies have written, in the order of the way that the request took.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let elements = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        values.flat_map(|value| value.split(',')).map(|element| element.trim().to_owned()).collect()
    };
    if headers.contains_key(FORWARDED) {
        return elements(FORWARDED.as_str()).iter().map(|element| forwarded_element(element)).collect();
    }
    elements(X_FORWARDED_FOR).iter().map(|element| address(element)).collect()
}

/// The `for=` of one element of `Forwarded` (RFC 7239).
fn forwarded_element(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| address(value.trim().trim_matches('"')))?
    })
}

/// An address, with or without a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, header: &'static str, values: &[&str]) -> String {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "fd00::/8"].iter().map(|net| net.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header, HeaderValue::from_str(value).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_is_who_it_is() {
        assert_eq!(client("203.0.113.9", "x-forwarded-for", &["1.2.3.4"]), "203.0.113.9");
    }

    #[test]
    fn what_a_client_wrote_itself_does_not_count() {
        assert_eq!(client("10.0.0.1", "x-forwarded-for", &["1.2.3.4, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", "x-forwarded-for", &["1.2.3.4", "203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", "x-forwarded-for", &["203.0.113.9, nonsense"]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_wins_and_has_its_own_form() {
        let forwarded = ["for=1.2.3.4, For=\"[2001:db8::7]:4711\";proto=https, for=10.0.0.3"];
        assert_eq!(client("::ffff:10.0.0.1", "forwarded", &forwarded), "2001:db8::7");
        assert_eq!(client("10.0.0.1", "forwarded", &["for=unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", "forwarded", &["proto=https"]), "10.0.0.1");
    }

    #[test]
    fn without_a_header_the_proxy_is_the_client() {
        assert_eq!(client("fd00::1", "x-forwarded-for", &[]), "fd00::1");
    }
}
