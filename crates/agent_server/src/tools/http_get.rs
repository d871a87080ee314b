//! `http_get`: reads a page of a host that is allowed, and reaches no private network through any name.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect};
use serde::Deserialize;
use serde_json::Value;
use url::{Host, Url};
use utoipa::ToSchema;

use super::Tool;
use crate::blocking::Blocking;
use crate::schema::{Schema, SchemaError};

/// The most bytes of a page that are read.
const LONGEST_PAGE: usize = 512 * 1024;

pub(crate) struct HttpGet {
    schema: Schema<Arguments>,
    client: Client,
    policy: Arc<Policy>,
    time: Duration,
    blocking: Blocking,
}

/// Where the tool may go.
#[derive(Debug)]
pub(crate) struct Policy {
    hosts: Vec<String>,
    /// Networks that are reached by no name, but where all allowed hosts are the operator's own.
    refused: Vec<IpNet>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// An http or https address.
    #[schema(min_length = 8, max_length = 2000)]
    url: String,
}

/// Addresses that are not of the public internet (IANA's special-purpose registries).
const PRIVATE: [&str; 26] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    // Translated and tunnelled IPv4: what is behind cannot be told from here.
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2002::/16",
    "2001::/23",
    "2001:db8::/32",
    "100::/64",
    "fc00::/7",
    "fe80::/9",
    "ff00::/8",
];

impl Policy {
    pub(crate) fn new(hosts: Vec<String>, allows_private: bool) -> Self {
        let refused = if allows_private { Vec::new() } else { PRIVATE.iter().filter_map(|net| net.parse().ok()).collect() };
        Self { hosts: hosts.into_iter().map(|host| host.to_lowercase()).collect(), refused }
    }

    fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("`{}` is not http or https", url.scheme()));
        }
        let Some(host) = url.host() else { return Err("the address names no host".to_owned()) };
        let name = host.to_string();
        if !self.hosts.contains(&name) {
            let hosts = if self.hosts.is_empty() { "none".to_owned() } else { self.hosts.join(", ") };
            return Err(format!("`{name}` is not an allowed host; allowed: {hosts}"));
        }
        let literal = match host {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        if self.admits(literal) { Ok(()) } else { Err(format!("`{name}` is a private address")) }
    }

    fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !self.refused.iter().any(|net| net.contains(&address))
    }
}

impl Resolve for Policy {
    fn resolve(&self, name: Name) -> Resolving {
        let refused = self.refused.clone();
        async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let policy = Self { hosts: Vec::new(), refused };
            // One private address among several is a trap, not a choice.
            if found.iter().all(|address| policy.admits(address.ip())) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(format!("`{}` leads to a private address", name.as_str()).into())
            }
        }
        .boxed()
    }
}

impl HttpGet {
    pub(crate) fn new(policy: Policy, time: Duration, blocking: Blocking) -> Result<Self, NewError> {
        let policy = Arc::new(policy);
        let client = Client::builder()
            .dns_resolver(Arc::clone(&policy))
            // Each hop would have to be checked again, and a proxy would resolve names by itself.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(time)
            .timeout(time)
            .user_agent(concat!("agent_server/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { schema: Schema::new()?, client, policy, time, blocking })
    }

    async fn get(&self, arguments: Value) -> Result<String, String> {
        let Arguments { url } = self.schema.read(arguments).map_err(|invalid| invalid.0)?;
        let url: Url = url.parse().map_err(|error| format!("`{url}` is not an address: {error}"))?;
        self.policy.check(&url)?;
        let response = self.client.get(url).send().await.map_err(|error| reason(&error))?;
        let status = response.status();
        let is_page = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/html"));
        let mut bytes = Vec::new();
        let mut body = response.bytes_stream();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| reason(&error))?;
            let room = LONGEST_PAGE.saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // A large page takes long enough to hold up the streams.
        let text = if is_page {
            self.blocking.run(move || nanohtml2text::html2text(&text)).await.map_err(|error| error.to_string())?
        } else {
            text
        };
        if status.is_success() { Ok(text) } else { Err(format!("status {}: {text}", status.as_u16())) }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum NewError {
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// The innermost reason of a failed request.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl fmt::Debug for HttpGet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpGet").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Tool for HttpGet {
    fn name(&self) -> &'static str {
        "http_get"
    }

    fn description(&self) -> &'static str {
        "Reads a page from one of the hosts that the operator has allowed. Redirects are not followed."
    }

    fn schema(&self) -> Value {
        self.schema.json.clone()
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn deadline(&self) -> Duration {
        self.time
    }

    fn call<'tool>(&'tool self, arguments: Value) -> BoxFuture<'tool, Result<String, String>> {
        self.get(arguments).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_private_network_is_a_network() {
        assert_eq!(Policy::new(Vec::new(), false).refused.len(), PRIVATE.len());
    }

    #[test]
    fn private_addresses_are_refused_in_every_spelling() {
        let hosts = ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "1.1.1.1"];
        let policy = Policy::new(hosts.iter().map(|host| (*host).to_owned()).collect(), false);
        let check = |url: &str| policy.check(&url.parse().unwrap());
        for url in ["http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/"] {
            assert!(check(url).is_err(), "{url}");
        }
        assert!(check("http://169.254.169.254/latest/meta-data").unwrap_err().contains("private"));
        assert_eq!(check("https://1.1.1.1/"), Ok(()));
        assert!(check("file:///etc/passwd").is_err());
        assert!(check("http://example.org@evil.test/").unwrap_err().contains("evil.test"));
    }
}
