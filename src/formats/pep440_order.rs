//! The order of Python versions (PEP 440): epoch, release, pre, post, development and local parts.
//!
//! Numbers have any length; spellings are normalised as the specification says (`1.0-beta_2` is `1.0b2`). What is no PEP 440 version has no
//! order: the caller must treat it as undecided. Never used to test requirements.

use super::semver_order::compare_digits;
use crate::model::version_order::VersionOrder;
use std::cmp::Ordering;

/// Versions longer than this are no versions.
const LONGEST: usize = 1024;

/// The order of PEP 440.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pep440Order;

impl VersionOrder for Pep440Order {
    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
        Some(Parts::parse(&a)?.cmp(&Parts::parse(&b)?))
    }
}

/// A version taken apart. Numbers stay text.
#[derive(Default)]
struct Parts<'a> {
    epoch: &'a str,
    release: Vec<&'a str>,
    /// 0 alpha, 1 beta, 2 release candidate
    pre: Option<(u8, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<&'a str>,
}

/// What is left to read of a version.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn eat(&mut self, prefix: &str) -> bool {
        match self.0.strip_prefix(prefix) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn separator(&mut self) -> bool {
        self.eat(".") || self.eat("-") || self.eat("_")
    }

    /// A run of digits, possibly empty.
    fn digits(&mut self) -> &'a str {
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        digits
    }

    /// `[separator] word [separator] digits`, or nothing is consumed.
    fn labelled<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<(T, &'a str)> {
        let before = self.0;
        self.separator();
        for (word, meaning) in words {
            if self.eat(word) {
                let after_word = self.0;
                self.separator();
                let number = self.digits();
                if number.is_empty() {
                    self.0 = after_word;
                }
                return Some((*meaning, number));
            }
        }
        self.0 = before;
        None
    }
}

impl<'a> Parts<'a> {
    fn parse(version: &'a str) -> Option<Self> {
        if version.len() > LONGEST {
            return None;
        }
        let mut parts = Self::default();
        let (public, local) = match version.trim().split_once('+') {
            Some((public, local)) => (public, Some(local)),
            None => (version.trim(), None),
        };
        if let Some(local) = local {
            let sound = local
                .split(['.', '-', '_'])
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
            if !sound {
                return None;
            }
            parts.local = Some(local);
        }
        let mut reader = Reader(public);
        reader.eat("v");
        let mut first = reader.digits();
        if !first.is_empty() && reader.eat("!") {
            parts.epoch = first;
            first = reader.digits();
        }
        if first.is_empty() {
            return None;
        }
        parts.release.push(first);
        loop {
            let before = reader.0;
            if !reader.eat(".") {
                break;
            }
            let number = reader.digits();
            if number.is_empty() {
                reader.0 = before;
                break;
            }
            parts.release.push(number);
        }
        const PRE: &[(&str, u8)] = &[
            ("alpha", 0),
            ("a", 0),
            ("beta", 1),
            ("b", 1),
            ("preview", 2),
            ("pre", 2),
            ("rc", 2),
            ("c", 2),
        ];
        parts.pre = reader.labelled(PRE);
        parts.post = reader
            .labelled(&[("post", ()), ("rev", ()), ("r", ())])
            .map(|(_, n)| n);
        if parts.post.is_none() {
            // The implicit form: `1.0-1` is `1.0.post1`.
            let before = reader.0;
            if reader.eat("-") {
                let number = reader.digits();
                if number.is_empty() {
                    reader.0 = before;
                } else {
                    parts.post = Some(number);
                }
            }
        }
        parts.dev = reader.labelled(&[("dev", ())]).map(|(_, n)| n);
        reader.0.is_empty().then_some(parts)
    }

    fn cmp(&self, other: &Self) -> Ordering {
        compare_digits(self.epoch, other.epoch)
            .then_with(|| compare_release(&self.release, &other.release))
            .then_with(|| self.pre_rank().cmp(&other.pre_rank()))
            .then_with(|| match (self.pre, other.pre) {
                (Some((_, a)), Some((_, b))) => compare_digits(a, b),
                _ => Ordering::Equal,
            })
            .then_with(|| compare_optional(self.post, other.post))
            // A development release stands before what it leads to.
            .then_with(|| match (self.dev, other.dev) {
                (None, None) => Ordering::Equal,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => compare_digits(a, b),
            })
            .then_with(|| compare_local(self.local, other.local))
    }

    /// Where the version stands among pre-releases: a bare development release before all of them, a final release after.
    fn pre_rank(&self) -> u8 {
        match (self.pre, self.post, self.dev) {
            (Some((letter, _)), _, _) => 1 + letter,
            (None, None, Some(_)) => 0,
            (None, _, _) => 4,
        }
    }
}

fn compare_release(a: &[&str], b: &[&str]) -> Ordering {
    for i in 0..a.len().max(b.len()) {
        let a = a.get(i).copied().unwrap_or("0");
        let b = b.get(i).copied().unwrap_or("0");
        match compare_digits(a, b) {
            Ordering::Equal => {}
            decided => return decided,
        }
    }
    Ordering::Equal
}

/// Absent before present; numbers otherwise (an empty one is zero).
fn compare_optional(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare_digits(a, b),
    }
}

fn compare_local(a: Option<&str>, b: Option<&str>) -> Ordering {
    let (a, b) = match (a, b) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return Ordering::Less,
        (Some(_), None) => return Ordering::Greater,
        (Some(a), Some(b)) => (a, b),
    };
    let (mut a, mut b) = (a.split(['.', '-', '_']), b.split(['.', '-', '_']));
    loop {
        let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let decided = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (numeric(a), numeric(b)) {
                (true, true) => compare_digits(a, b),
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => a.cmp(b),
            },
        };
        if decided != Ordering::Equal {
            return decided;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_chain_ascends() {
        let chain = [
            "0.0.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1.99999999999999999999999",
            "1!0.1",
        ];
        for (i, a) in chain.iter().enumerate() {
            for (j, b) in chain.iter().enumerate() {
                assert_eq!(Pep440Order.compare(a, b), Some(i.cmp(&j)), "{a} {b}");
            }
        }
    }

    #[test]
    fn spellings_of_one_version_are_equal() {
        for (a, b) in [
            ("1.0", "1.0.0"),
            ("v1.0", "1.0"),
            ("1.0-beta_2", "1.0b2"),
            ("1.0.RC1", "1.0rc1"),
            ("1.0c1", "1.0rc1"),
            ("1.0-1", "1.0.post1"),
            ("1.0.r4", "1.0.post4"),
            ("1.0a", "1.0a0"),
            ("1.0.dev", "1.0dev0"),
            ("1.0+a_b", "1.0+A.b"),
            (" 1.0 ", "1.0"),
            ("01.0", "1.0"),
        ] {
            assert_eq!(Pep440Order.compare(a, b), Some(Ordering::Equal), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_version_has_no_order() {
        for bad in [
            "",
            "1.0.x",
            "1.0+",
            "1.0+a..b",
            "french toast",
            "1.0-",
            "!1",
            "1.0a1a2",
            "2004d.1-x",
            "1.0é",
        ] {
            assert_eq!(Pep440Order.compare(bad, "1.0"), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(a in ".{0,40}", b in r"[0-9]!?[0-9a-z.+_-]{0,20}") {
            let forward = Pep440Order.compare(&a, &b);
            prop_assert_eq!(Pep440Order.compare(&b, &a), forward.map(Ordering::reverse));
        }
    }
}
