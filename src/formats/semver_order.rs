//! The order of Semantic Versioning 2.0.0, section 11, for numbers of any length.
//!
//! Digits are compared as text, so that a number beyond 64 bits is ordered instead of refused (registries hold such versions). Missing minor
//! and patch numbers count as zero, as advisory exports write `1.2`. Never used to test requirements.
//!
//! [`GoOrder`] is the same order with Go's leading `v` (`golang.org/x/mod/semver`): `+incompatible` is build metadata there and ignored, a
//! pseudo-version is a pre-release.

use crate::model::version_order::VersionOrder;
use std::cmp::Ordering;

/// Versions longer than this are no versions. The longest published one seen is under 200 bytes.
const LONGEST: usize = 1024;

/// SemVer precedence: `1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0`; build metadata is ignored.
#[derive(Debug, Clone, Copy, Default)]
pub struct SemverOrder;

/// SemVer precedence with or without Go's `v` in front.
#[derive(Debug, Clone, Copy, Default)]
pub struct GoOrder;

impl VersionOrder for SemverOrder {
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        Some(Parts::parse(a)?.cmp(&Parts::parse(b)?))
    }
}

impl VersionOrder for GoOrder {
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let bare = |v| Parts::parse(str::strip_prefix(v, "v").unwrap_or(v));
        Some(bare(a)?.cmp(&bare(b)?))
    }
}

/// A version taken apart; text is borrowed and already checked.
struct Parts<'a> {
    core: [&'a str; 3],
    pre: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn parse(version: &'a str) -> Option<Self> {
        if version.len() > LONGEST {
            return None;
        }
        let (rest, build) = match version.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (version, None),
        };
        let (numbers, pre) = match rest.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (rest, None),
        };
        let mut parts = numbers.split('.');
        let core = [
            parts.next()?,
            parts.next().unwrap_or("0"),
            parts.next().unwrap_or("0"),
        ];
        let sound = parts.next().is_none()
            && core.iter().all(|n| is_number(n))
            && pre.is_none_or(|pre| pre.split('.').all(is_pre_release_part))
            && build.is_none_or(|build| build.split('.').all(is_identifier));
        sound.then_some(Self { core, pre })
    }

    fn cmp(&self, other: &Self) -> Ordering {
        for (a, b) in self.core.iter().zip(other.core.iter()) {
            match compare_digits(a, b) {
                Ordering::Equal => {}
                decided => return decided,
            }
        }
        match (self.pre, other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_pre_release(a, b),
        }
    }
}

fn compare_pre_release(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let decided = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (is_digits(a), is_digits(b)) {
                (true, true) => compare_digits(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if decided != Ordering::Equal {
            return decided;
        }
    }
}

/// Compares two runs of ASCII digits as numbers of any length; leading zeros do not count.
pub(crate) fn compare_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Digits without a leading zero.
fn is_number(text: &str) -> bool {
    is_digits(text) && (text.len() == 1 || !text.starts_with('0'))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_pre_release_part(text: &str) -> bool {
    is_identifier(text) && (!is_digits(text) || is_number(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(a: &str, b: &str) -> Option<Ordering> {
        SemverOrder.compare(a, b)
    }

    #[test]
    fn the_chain_of_the_specification_ascends() {
        let chain = [
            "0.0.0-0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "2.0.0",
            "2.1.0",
            "2.1.1",
            "2.1.18446744073709551616",
            "2.1.18446744073709551617",
            "10.0.0",
        ];
        for (i, a) in chain.iter().enumerate() {
            for (j, b) in chain.iter().enumerate() {
                assert_eq!(order(a, b), Some(i.cmp(&j)), "{a} {b}");
            }
        }
    }

    #[test]
    fn build_metadata_and_missing_numbers_do_not_count() {
        assert_eq!(order("1.2.3+a", "1.2.3+b-c"), Some(Ordering::Equal));
        assert_eq!(order("1.2", "1.2.0"), Some(Ordering::Equal));
        assert_eq!(order("0", "0.0.0"), Some(Ordering::Equal));
    }

    #[test]
    fn what_is_no_version_has_no_order() {
        for bad in [
            "",
            "v1.0.0",
            "1.0.0.0",
            "01.0.0",
            "1.0.0-",
            "1.0.0-01",
            "1.0.0+",
            "1..0",
            "1.0.0-a..b",
            "1.0.x",
            "latest",
            "1.0.0 ",
        ] {
            assert_eq!(order(bad, "1.0.0"), None, "{bad}");
            assert_eq!(order("1.0.0", bad), None, "{bad}");
        }
        let long = format!("1.0.{}", "9".repeat(LONGEST));
        assert_eq!(order(&long, "1.0.0"), None);
    }

    #[test]
    fn go_takes_the_letter_or_leaves_it() {
        let chain = [
            "v0.0.0-20190101000000-abcdefabcdef",
            "v0.0.0-20200101000000-abcdefabcdef",
            "v1.2.3-0.20200101000000-abcdefabcdef",
            "v1.2.3-pre",
            "v1.2.3",
            "v1.2.4-0.20200101000000-abcdefabcdef",
            "v2.0.0+incompatible",
        ];
        for (i, a) in chain.iter().enumerate() {
            for (j, b) in chain.iter().enumerate() {
                assert_eq!(GoOrder.compare(a, b), Some(i.cmp(&j)), "{a} {b}");
                let bare = b.strip_prefix('v').unwrap();
                assert_eq!(GoOrder.compare(a, bare), Some(i.cmp(&j)), "{a} {bare}");
            }
        }
        assert_eq!(
            GoOrder.compare("v2.0.0+incompatible", "2.0.0"),
            Some(Ordering::Equal)
        );
        assert_eq!(GoOrder.compare("vv1.0.0", "1.0.0"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_the_semver_crate(
            a in r"[0-3]\.[0-9]{1,2}\.[0-9](-[0-9a-c-]{1,3}(\.[0-9a-c]{1,2}){0,2})?(\+[a-c0-9]{1,3})?",
            b in r"[0-3]\.[0-9]{1,2}\.[0-9](-[0-9a-c-]{1,3}(\.[0-9a-c]{1,2}){0,2})?(\+[a-c0-9]{1,3})?",
        ) {
            let theirs = match (semver::Version::parse(&a), semver::Version::parse(&b)) {
                (Ok(a), Ok(b)) => Some(a.cmp_precedence(&b)),
                _ => None,
            };
            prop_assert_eq!(order(&a, &b), theirs);
        }

        #[test]
        fn any_text_is_survived(a in ".{0,40}", b in ".{0,40}") {
            let forward = order(&a, &b);
            prop_assert_eq!(order(&b, &a), forward.map(Ordering::reverse));
            GoOrder.compare(&a, &b);
        }
    }
}
