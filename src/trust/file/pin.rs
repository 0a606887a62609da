//! `trust pin`: adds a root to the user's trust file and leaves every byte that is there as it is.

use super::super::address::Address;
use super::super::root::Role;
use super::{Source, TrustFile, TrustFileError};
use crate::model::Assurance;

/// A root to pin, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRequest<'a> {
    /// Ecosystem, as in reports.
    pub ecosystem: &'a str,
    /// What it is to be believed for.
    pub role: Role,
    /// Its address.
    pub url: &'a str,
    /// Of a log: its name.
    pub name: Option<&'a str>,
    /// Of a log: its verifier key.
    pub key: Option<&'a str>,
    /// Assurance to require of its packages.
    pub require: Option<Assurance>,
    /// `env:NAME` of a credential.
    pub token: Option<&'a str>,
}

/// The new text of the trust file with a root added at its end; `None` when the root is pinned there already.
///
/// `existing` is the file's present content, `name` its path for messages, `ecosystems` as in [`TrustFile::parse`].
///
/// # Errors
/// When the existing file or the request is not as the contract says (http beyond loopback, credentials in the address):
/// then nothing is to be written.
pub fn pin(
    existing: Option<&[u8]>,
    name: &str,
    request: &PinRequest<'_>,
    ecosystems: &[&str],
) -> Result<Option<Vec<u8>>, TrustFileError> {
    let old = existing.unwrap_or_default();
    let before = TrustFile::parse(old, name, Source::User, ecosystems)?;
    let typed = |message: String| TrustFileError {
        file: "command line".to_owned(),
        line: 0,
        message,
    };
    let address = Address::parse_written(request.url).map_err(|e| typed(e.to_string()))?;
    let entry = entry(request, &address);
    let added = TrustFile::parse(entry.as_bytes(), "command line", Source::User, ecosystems)
        .map_err(|e| typed(e.message))?;
    let already = added.roots.first().is_some_and(|new| {
        before.roots.iter().any(|old| {
            let mut old = old.clone();
            old.origin.clone_from(&new.origin);
            old == *new
        })
    });
    if already {
        return Ok(None);
    }
    let mut bytes = old.to_vec();
    if !bytes.is_empty() {
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(entry.as_bytes());
    let after =
        TrustFile::parse(&bytes, name, Source::User, ecosystems).map_err(|e| TrustFileError {
            message: format!(
                "a [[root]] cannot be added to this file as it is written ({}); add it by hand",
                e.message
            ),
            ..e
        })?;
    if after.roots.len() != before.roots.len() + 1 {
        return Err(TrustFileError {
            file: name.to_owned(),
            line: 0,
            message: "a [[root]] cannot be added to this file as it is written; add it by hand"
                .to_owned(),
        });
    }
    Ok(Some(bytes))
}

/// A `[[root]]` as text.
fn entry(request: &PinRequest<'_>, address: &Address) -> String {
    let mut out = format!(
        "[[root]]\necosystem = {}\nrole = {}\nurl = {}\n",
        quoted(request.ecosystem),
        quoted(request.role.as_str()),
        quoted(address.as_str())
    );
    for (key, value) in [
        ("name", request.name),
        ("key", request.key),
        ("require", request.require.map(Assurance::as_str)),
        ("token", request.token),
    ] {
        if let Some(value) = value {
            out.push_str(&format!("{key} = {}\n", quoted(value)));
        }
    }
    out
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
