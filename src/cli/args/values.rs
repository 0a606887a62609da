//! Values as they are typed: durations, sizes, files with an expected digest.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::model::{Digest, Scheme};

/// A duration in seconds: `90s`, `90m`, `26h`, `7d`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

/// A size in bytes: `500MB` (decimal), `512MiB` (binary), `1000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// A file, and the digest that its bytes must have: `FILE` or `FILE@sha256:HEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// The file.
    pub path: PathBuf,
    /// What its bytes must hash to.
    pub digest: Option<Digest>,
}

/// Reads a duration.
///
/// # Errors
/// A line that says how durations are written.
pub fn parse_seconds(text: &str) -> Result<Seconds, String> {
    let units = [
        ("s", 1),
        ("m", 60),
        ("h", 3600),
        ("d", 86_400),
        ("w", 604_800),
    ];
    scaled(text, &units)
        .map(Seconds)
        .ok_or_else(|| "not a duration: write for example 90s, 30m, 26h or 7d".to_owned())
}

/// Reads a size.
///
/// # Errors
/// A line that says how sizes are written.
pub fn parse_bytes(text: &str) -> Result<Bytes, String> {
    let units = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1000),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
        ("", 1),
    ];
    scaled(text, &units)
        .map(Bytes)
        .ok_or_else(|| "not a size: write for example 500MB or 512MiB".to_owned())
}

/// Digits and a unit, nothing between or around them.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    units.iter().find_map(|(unit, factor)| {
        let digits = text.strip_suffix(unit)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse::<u64>().ok()?.checked_mul(*factor)
    })
}

/// Reads `FILE` or `FILE@sha256:HEX`; the file name need not be UTF-8.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedFileParser;

impl clap::builder::TypedValueParser for NamedFileParser {
    type Value = NamedFile;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<NamedFile, clap::Error> {
        named_file(value).map_err(|why| invalid(command, argument, value, &why))
    }
}

fn named_file(value: &OsStr) -> Result<NamedFile, String> {
    const MARK: &[u8] = b"@sha256:";
    let bytes = value.as_bytes();
    let at = bytes.windows(MARK.len()).rposition(|w| w == MARK);
    let (path, digest) = match at.and_then(|at| bytes.split_at_checked(at)) {
        None => (bytes, None),
        Some((path, rest)) => {
            let hex = rest.get(MARK.len()..).unwrap_or_default();
            let digest = std::str::from_utf8(hex)
                .ok()
                .and_then(|hex| Digest::from_hex(Scheme::Sha256, hex).ok())
                .ok_or("after @sha256: there must be 64 lower-case hex digits")?;
            (path, Some(digest))
        }
    };
    if path.is_empty() {
        return Err("no file is named".to_owned());
    }
    Ok(NamedFile {
        path: PathBuf::from(OsStr::from_bytes(path)),
        digest,
    })
}

/// A usage error that names the option, the value and the reason.
pub(super) fn invalid(
    command: &clap::Command,
    argument: Option<&clap::Arg>,
    value: &OsStr,
    why: &str,
) -> clap::Error {
    let option = argument.map_or_else(String::new, |a| format!(" for '{a}'"));
    let value = crate::model::text::printable(&value.to_string_lossy());
    clap::Error::raw(
        clap::error::ErrorKind::ValueValidation,
        format!("invalid value '{value}'{option}: {why}\n"),
    )
    .with_cmd(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1800),
            ("26h", 93_600),
            ("7d", 604_800),
            ("0d", 0),
        ] {
            assert_eq!(parse_seconds(text), Ok(Seconds(seconds)));
        }
        for text in [
            "",
            "7",
            "d",
            "-1d",
            "1.5h",
            " 7d",
            "7 d",
            "7D",
            "99999999999999999999d",
            "18446744073709551615w",
        ] {
            assert!(parse_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_decimal_unless_binary() {
        for (text, bytes) in [
            ("500MB", 500_000_000),
            ("1MiB", 1 << 20),
            ("7", 7),
            ("7B", 7),
            ("2kB", 2000),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(parse_bytes(text), Ok(Bytes(bytes)));
        }
        for text in ["", "MB", "-1", "1.5GB", "1mb", "1 MB", "99999999TB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_with_their_digest() {
        let hex = "ab".repeat(32);
        let typed = format!("dir/a@b@sha256:{hex}");
        let named = named_file(OsStr::new(&typed)).unwrap();
        assert_eq!(named.path, PathBuf::from("dir/a@b"));
        assert_eq!(named.digest.unwrap().hex(), hex);
        assert_eq!(named_file(OsStr::new("a@b")).unwrap().digest, None);
        for bad in [
            "",
            "@sha256:00",
            "a@sha256:",
            "a@sha256:AB",
            &format!("a@sha256:{}", hex.to_uppercase()),
        ] {
            assert!(named_file(OsStr::new(bad)).is_err(), "{bad}");
        }
        assert!(named_file(OsStr::from_bytes(b"\xff")).is_ok());
    }
}
