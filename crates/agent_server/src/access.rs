//! Who may ask: API keys, each of a tenant; without keys, whoever is on this machine.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::ApiError;

/// Whose runs and threads a request may see.
#[derive(Clone, Debug)]
pub(crate) struct Tenant(pub(crate) Arc<str>);

#[derive(Debug)]
pub(crate) enum Access {
    /// On loopback only: no keys, one tenant.
    Local(Tenant),
    Keys(Vec<Key>),
}

#[derive(Debug)]
pub(crate) struct Key {
    tenant: Tenant,
    hash: [u8; 32],
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {reason}; each line is `tenant:hash`, as `agent_server new-key TENANT` prints it")]
pub struct BadKeys {
    line: usize,
    reason: &'static str,
}

impl Access {
    pub(crate) fn local() -> Self {
        Self::Local(Tenant("local".into()))
    }

    /// Reads `tenant:sha256` lines; empty ones and those that begin with `#` count for nothing.
    pub(crate) fn keys(text: &str) -> Result<Self, BadKeys> {
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let bad = |reason| BadKeys { line, reason };
            let (tenant, hash) = text.split_once(':').ok_or(bad("there is no `:`"))?;
            if tenant.is_empty() {
                return Err(bad("the tenant is empty"));
            }
            let hash = bytes(hash).ok_or(bad("the hash is not 64 hexadecimal digits"))?;
            keys.push(Key { tenant: Tenant(tenant.into()), hash });
        }
        if keys.is_empty() {
            return Err(BadKeys { line: 1, reason: "there are no keys" });
        }
        Ok(Self::Keys(keys))
    }

    /// The tenant of a request.
    pub(crate) fn tenant(&self, headers: &HeaderMap) -> Result<Tenant, ApiError> {
        match self {
            Self::Local(tenant) if is_same_site(headers) => Ok(tenant.clone()),
            // A page of another site in the user's browser, by a name that leads here or by a form.
            Self::Local(_) => Err(ApiError::ForeignOrigin),
            Self::Keys(keys) => {
                let value = headers.get(AUTHORIZATION).ok_or(ApiError::Unauthorized)?.as_bytes();
                let given = value.strip_prefix(b"Bearer ").ok_or(ApiError::Unauthorized)?;
                let given: [u8; 32] = Sha256::digest(given).into();
                // All are compared, each in constant time, so that the answer's delay tells nothing about any.
                let found = keys.iter().fold(None, |found, key| {
                    let is_equal: bool = key.hash.ct_eq(&given).into();
                    if is_equal { Some(&key.tenant) } else { found }
                });
                found.cloned().ok_or(ApiError::Unauthorized)
            }
        }
    }
}

/// Whether a request names this machine and comes from no other site's page.
fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_local = |authority: &str| {
        let uri: Result<Uri, _> = format!("http://{authority}/").parse();
        let host = uri.ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    };
    let Some(host) = text(HOST).filter(|host| is_local(host)) else { return false };
    text(ORIGIN).is_none_or(|origin| origin.split_once("://").is_some_and(|(_, authority)| authority == host))
}

/// Makes a key for a client, and the line for the server's file. 256 random bits need no slow hash.
pub fn new_key(tenant: &str) -> Result<(SecretString, String), getrandom::Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let key = SecretString::from(format!("ask_{}", hex(&random)));
    let line = format!("{tenant}:{}", hex(&Sha256::digest(key.expose_secret())));
    Ok((key, line))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_key_opens_its_tenant_and_no_other() {
        let ((ann, ann_line), (_, bob_line)) = (new_key("ann").unwrap(), new_key("bob").unwrap());
        let access = Access::keys(&format!("# keys\n\n{bob_line}\n{ann_line}\n")).unwrap();
        let bearer = format!("Bearer {}", ann.expose_secret());
        assert_eq!(&*access.tenant(&headers(&[("authorization", &bearer)])).unwrap().0, "ann");
        for wrong in ["Bearer ask_00", "Bearer ", "Basic x", ann_line.as_str()] {
            assert!(access.tenant(&headers(&[("authorization", wrong)])).is_err(), "{wrong}");
        }
        assert!(access.tenant(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_bad_file_says_where() {
        let line = |text: &str| Access::keys(text).unwrap_err().line;
        assert_eq!(line("# none"), 1);
        assert_eq!(line("\nann"), 2);
        assert_eq!(line("ann:12"), 1);
        assert_eq!(line(&format!("ann:{}", "é".repeat(32))), 1);
    }

    #[test]
    fn without_keys_other_sites_are_refused() {
        let access = Access::local();
        let fine = |pairs: &[(&'static str, &str)]| access.tenant(&headers(pairs)).is_ok();
        assert!(fine(&[("host", "localhost:8000")]));
        assert!(fine(&[("host", "[::1]:8000"), ("origin", "http://[::1]:8000")]));
        assert!(!fine(&[("host", "evil.test")]), "a name that was made to lead here");
        assert!(!fine(&[("host", "localhost:8000"), ("origin", "https://evil.test")]));
        assert!(!fine(&[("host", "localhost:8000"), ("origin", "null")]));
        assert!(!fine(&[]));
    }
}
