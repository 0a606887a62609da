//! The canonical text of an address, and the fingerprint by which a trust root is recognised.
//!
//! Canonical: scheme, lower-case host, port unless it is the scheme's default, path with `.` and `..` resolved and
//! exactly one final slash; no `sparse+` or `registry+`, no user, query or fragment. Percent escapes of unreserved
//! characters are decoded, other escapes written in upper case; nothing else is folded, and an escape is decoded at
//! most once, so that two addresses that a server tells apart (`/a` and `/a.git`, `/a%2Fb` and `/a/b`) never share a
//! fingerprint. Requests are made from the canonical text alone: what is recognised is what is asked.
//!
//! Resolving follows the WHATWG URL rules by the `url` crate 2.5. What those rules would silently repair (spaces, tabs,
//! line ends, backslashes, missing slashes, host names with escapes) is refused here instead. This file never asks a
//! network or a file system.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use crate::model::Fingerprint;

/// Longest address that is read, in bytes.
const LONGEST: usize = 2048;

/// Why a text is not the address of a trust root. Messages never repeat the text: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Empty, too long, or with characters that no address holds.
    #[error(
        "not an address: write `https://host/path/` in plain ASCII, without spaces or backslashes"
    )]
    Malformed,
    /// A percent sign that is not followed by two hex digits, or an escape in the host.
    #[error("not an address: a percent escape is broken or stands in the host name")]
    Escape,
    /// Another scheme than https, or http beyond loopback.
    #[error("not allowed as a trust root: the address must be https (http only for loopback)")]
    Scheme,
    /// User or password in an address that was written for us.
    #[error(
        "credentials do not belong into an address: use `token = \"env:NAME\"` beside it instead"
    )]
    Credentials,
    /// Query or fragment in an address that was written for us.
    #[error("the address of a trust root has no `?` query and no `#` fragment: leave them out")]
    Query,
}

/// A canonical address. Equal addresses have equal text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(Arc<str>);

impl Address {
    /// Reads an address as tools' settings and lockfiles have it: a `sparse+` or `registry+` before it, a user, query or
    /// fragment in it are dropped.
    ///
    /// # Errors
    /// [`AddressError`] for anything that is not https, or http on loopback.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = read(text)?;
        canonical(&url)
    }

    /// Reads an address that a person wrote for us: user, query and fragment are errors instead of being dropped.
    ///
    /// # Errors
    /// As [`Address::parse`], and [`AddressError::Credentials`], [`AddressError::Query`].
    pub fn parse_written(text: &str) -> Result<Self, AddressError> {
        let url = read(text)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Query);
        }
        canonical(&url)
    }

    /// The canonical text; ends with a slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical text, shared.
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// SHA-256 of the canonical text.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.0)
    }

    /// `scheme://host[:port]`, without a final slash.
    pub fn origin(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let end = self
            .0
            .get(after_scheme..)
            .and_then(|rest| rest.find('/'))
            .map_or(self.0.len(), |at| after_scheme + at);
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// Whether it lies on this machine (127/8, ::1, localhost).
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| on_loopback(&url))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a canonical address or of a log's name.
pub fn fingerprint(canonical: &str) -> Fingerprint {
    Fingerprint(Sha256::digest(canonical.as_bytes()).into())
}

/// The origin of any address that a request might go to, spelled as [`Address::origin`]; `None` when the address would
/// not be allowed at all.
pub fn origin_of(url: &str) -> Option<String> {
    Address::parse(url)
        .ok()
        .map(|address| address.origin().to_owned())
}

/// Parses after refusing what the URL rules would repair.
fn read(text: &str) -> Result<Url, AddressError> {
    let text = ["sparse+", "registry+"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(text);
    if text.is_empty()
        || text.len() > LONGEST
        || !text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'`'))
    {
        return Err(AddressError::Malformed);
    }
    let (scheme, rest) = text.split_once("://").ok_or(AddressError::Malformed)?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(AddressError::Scheme);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(AddressError::Malformed);
    }
    if host.contains('%') || !escapes_are_whole(rest) {
        return Err(AddressError::Escape);
    }
    let url = Url::parse(text).map_err(|_| AddressError::Malformed)?;
    if url.port() == Some(0) {
        return Err(AddressError::Malformed);
    }
    Ok(url)
}

/// Makes the canonical text.
fn canonical(url: &Url) -> Result<Address, AddressError> {
    let host = url.host_str().ok_or(AddressError::Malformed)?;
    if url.scheme() != "https" && !on_loopback(url) {
        return Err(AddressError::Scheme);
    }
    let mut out = format!("{}://{}", url.scheme(), host.to_ascii_lowercase());
    if let Some(port) = url.port() {
        out.push(':');
        out.push_str(&port.to_string());
    }
    out.push_str(normalise_escapes(url.path()).trim_end_matches('/'));
    out.push('/');
    Ok(Address(Arc::from(out)))
}

/// Whether the host is this machine by its own spelling; names are not looked up.
fn on_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Whether every `%` is followed by two hex digits.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut hex = || digits.next().is_some_and(|b| b.is_ascii_hexdigit());
        hex() && hex()
    })
}

/// Decodes escapes of unreserved characters (RFC 3986 section 2.3), once; writes the others in upper case.
fn normalise_escapes(path: &str) -> String {
    let mut pieces = path.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        match u8::from_str_radix(digits, 16) {
            Ok(b) if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') => {
                out.push(char::from(b));
            }
            _ => {
                out.push('%');
                out.push_str(&digits.to_ascii_uppercase());
            }
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
