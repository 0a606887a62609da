//! Versions as the `go` command understands them: grammar, canonical form, pseudo-versions, order.
//!
//! A version is `v` and Semantic Versioning 2.0.0, where `v1` and `v1.2` stand for `v1.0.0` and `v1.2.0`. The order is
//! that of golang.org/x/mod/semver: build metadata (so also `+incompatible`) does not count, and numbers are compared
//! as digits, so that none is too long. A pseudo-version names a commit and sorts as the pre-release that it is.

use std::cmp::Ordering;

use crate::formats::semver_order::GoOrder;
use crate::model::version_order::VersionOrder;

/// Go's order of versions. What is no version by Go's grammar is not ordered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order;

impl VersionOrder for Order {
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        Parts::of(a)?;
        Parts::of(b)?;
        GoOrder.compare(a, b)
    }
}

/// A version taken apart. Numbers are kept as digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The major number.
    pub major: &'a str,
    /// The minor number; `0` if left out.
    pub minor: &'a str,
    /// The patch number; `0` if left out.
    pub patch: &'a str,
    /// What follows `-`, without it; empty if nothing does.
    pub prerelease: &'a str,
    /// What follows `+`, without it; empty if nothing does.
    pub build: &'a str,
    /// Whether all three numbers were written.
    pub complete: bool,
}

impl<'a> Parts<'a> {
    /// Takes a version apart; `None` when it is none by Go's grammar.
    pub fn of(version: &'a str) -> Option<Self> {
        let rest = version.strip_prefix('v')?;
        let (rest, build) = cut(rest, '+')?;
        let (numbers, prerelease) = cut(rest, '-')?;
        let mut parts = numbers.split('.');
        let major = number(parts.next()?)?;
        let minor = parts.next().map(number);
        let patch = parts.next().map(number);
        let complete = patch.is_some();
        if parts.next().is_some() || (!complete && numbers.len() + 1 != version.len()) {
            return None;
        }
        let identifiers = |text: &str| text.is_empty() || text.split('.').all(is_identifier);
        let padded = |id: &str| id.len() > 1 && id.starts_with('0') && is_digits(id);
        if !identifiers(build) || !identifiers(prerelease) || prerelease.split('.').any(padded) {
            return None;
        }
        Some(Self {
            major,
            minor: minor.unwrap_or(Some("0"))?,
            patch: patch.unwrap_or(Some("0"))?,
            prerelease,
            build,
            complete,
        })
    }

    /// Whether this is the `+incompatible` of a module whose path does not tell its major version.
    pub fn is_incompatible(&self) -> bool {
        self.build == "incompatible"
    }

    /// The commit that a pseudo-version names: its time, `yyyymmddhhmmss` in UTC, and the beginning of its hash
    /// (12 digits, as Go writes it; any letters and digits, as Go reads it).
    pub fn pseudo(&self) -> Option<Pseudo<'a>> {
        let (before, revision) = self.prerelease.rsplit_once('-')?;
        // `0.` comes before the time when the base is a tag; then a pre-release of it may come before that.
        let (head, time) = match before.rsplit_once('.') {
            Some((head, time)) => (head, time),
            None => ("", before),
        };
        let based = head == "0" || head.ends_with(".0");
        let untagged =
            head.is_empty() && !before.contains('.') && self.minor == "0" && self.patch == "0";
        let good = time.len() == 14
            && is_digits(time)
            && !revision.is_empty()
            && revision.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (good && (based || untagged)).then_some(Pseudo { time, revision })
    }
}

/// What a pseudo-version says of its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pseudo<'a> {
    /// When it was committed, `yyyymmddhhmmss` in UTC.
    pub time: &'a str,
    /// The beginning of its hash.
    pub revision: &'a str,
}

/// Whether this is a version by Go's grammar.
pub fn is_valid(version: &str) -> bool {
    Parts::of(version).is_some()
}

/// Whether this is a version in the one spelling in which it names a module: complete, and with no build metadata but
/// `+incompatible`.
pub fn is_canonical(version: &str) -> bool {
    Parts::of(version)
        .is_some_and(|parts| parts.complete && (parts.build.is_empty() || parts.is_incompatible()))
}

/// Cuts at a mark; what follows the mark must say something.
fn cut(text: &str, mark: char) -> Option<(&str, &str)> {
    match text.split_once(mark) {
        None => Some((text, "")),
        Some((_, "")) => None,
        Some(parts) => Some(parts),
    }
}

/// A number without leading zeroes.
fn number(text: &str) -> Option<&str> {
    (is_digits(text) && (text.len() == 1 || !text.starts_with('0'))).then_some(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_go() {
        let ascending = [
            "v0.0.0-20200101000000-0123456789ab",
            "v0.0.0-20200102000000-0123456789ab",
            "v0.0.0",
            "v0.0.1-0.20200101000000-0123456789ab",
            "v1.0.0-alpha",
            "v1.0.0-alpha.1",
            "v1.0.0-alpha.beta",
            "v1.0.0-beta.2",
            "v1.0.0-beta.11",
            "v1.0.0-rc.1",
            "v1.0.0-rc.1.0.20200101000000-0123456789ab",
            "v1",
            "v1.2.3-0.20200101000000-0123456789ab",
            "v1.2.3",
            "v1.2.10",
            "v1.10.0",
            "v2.0.0+incompatible",
            "v2.0.1+incompatible",
            "v99999999999999999999999999.0.0",
            "v100000000000000000000000000.0.0",
        ];
        for (n, a) in ascending.iter().enumerate() {
            for (m, b) in ascending.iter().enumerate() {
                assert_eq!(Order.compare(a, b), Some(n.cmp(&m)), "{a} {b}");
            }
        }
        assert_eq!(Order.compare("v1", "v1.0.0"), Some(Ordering::Equal));
        assert_eq!(Order.compare("v1.0.0+a", "v1.0.0+b"), Some(Ordering::Equal));
    }

    #[test]
    fn what_is_no_version_is_not_ordered() {
        for bad in [
            "",
            "v",
            "1.0.0",
            "V1.0.0",
            "v1.",
            "v1.2.",
            "v1.2.3.4",
            "v01.0.0",
            "v1.02.3",
            "v1.2.3-",
            "v1.2.3+",
            "v1.2.3-01",
            "v1.2.3-a..b",
            "v1.2.3-a_b",
            "v1-pre",
            "v1.2+meta",
            "v-1.0.0",
            "master",
            "v1.2.3-a+",
            "v1.2.3 ",
            "v1.2.x",
        ] {
            assert_eq!(Order.compare(bad, "v1.0.0"), None, "{bad:?}");
            assert_eq!(Order.compare("v1.0.0", bad), None, "{bad:?}");
            assert!(!is_valid(bad) && !is_canonical(bad));
        }
    }

    #[test]
    fn canonical_versions_have_one_spelling() {
        for (version, canonical) in [
            ("v1.2.3", true),
            ("v1", false),
            ("v1.2", false),
            ("v2.0.0+incompatible", true),
            ("v2.0.0+meta", false),
            ("v1.2.3-01a", true),
            ("v1.2.3-0-0", true),
        ] {
            assert!(is_valid(version), "{version}");
            assert_eq!(is_canonical(version), canonical, "{version}");
        }
    }

    #[test]
    fn pseudo_versions_name_their_commit() {
        for version in [
            "v0.0.0-20191109021931-daa7c04131f5",
            "v2.0.0-20191109021931-daa7c04131f5",
            "v1.2.4-0.20191109021931-daa7c04131f5",
            "v1.2.3-pre.0.20191109021931-daa7c04131f5",
            "v2.3.5-0.20191109021931-daa7c04131f5+incompatible",
        ] {
            let pseudo = Parts::of(version).unwrap().pseudo().unwrap();
            assert_eq!(
                (pseudo.time, pseudo.revision),
                ("20191109021931", "daa7c04131f5")
            );
        }
        for version in [
            "v1.2.3",
            "v1.2.3-20191109021931-daa7c04131f5",
            "v0.0.0-20191109021931",
            "v0.0.0-2019110902193-daa7c04131f5",
            "v0.0.1-20191109021931-daa7c04131f5",
            "v1.2.3-pre.1.20191109021931-daa7c04131f5",
        ] {
            assert_eq!(Parts::of(version).unwrap().pseudo(), None, "{version}");
        }
    }
}
