//! The globs of GOPRIVATE, GONOSUMDB, GONOPROXY and GOINSECURE, matched as `module.MatchPrefixPatterns` does, and those of
//! `//go:embed`.
//!
//! A comma-separated list; a glob with N slashes is compared with the first N+1 elements of the module path. `*` and `?`
//! stop at slashes, `[a-z]` and `[^a-z]` are classes, `\` takes the next character literally. An empty or malformed
//! glob matches nothing, and one slash at the end of a glob does not count. Rules of Go's `path.Match` (1.26).

/// More steps than this on one glob and it is given up as not matching (the matching is quadratic at worst).
const MAX_LENGTH: usize = 4096;

/// Whether a prefix of `path` matches one of the globs.
pub fn matches_prefix(globs: &str, path: &str) -> bool {
    globs.split(',').any(|glob| {
        let glob = glob.strip_suffix('/').unwrap_or(glob);
        if glob.is_empty() || glob.len() > MAX_LENGTH || path.len() > MAX_LENGTH {
            return false;
        }
        let elements = glob.matches('/').count() + 1;
        let end = path.match_indices('/').nth(elements - 1).map(|(at, _)| at);
        let enough = path.matches('/').count() + 1 >= elements;
        let prefix = end.and_then(|end| path.get(..end)).unwrap_or(path);
        enough && matches(glob, prefix)
    })
}

/// One step of a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `*`
    Any,
    /// `?`
    One,
    /// A character that stands for itself.
    Exactly(char),
    /// `[…]`: ranges, and whether everything else is meant.
    Class(Vec<(char, char)>, bool),
}

impl Step {
    /// What it costs to ask it about one character.
    fn cost(&self) -> u64 {
        match self {
            Self::Class(ranges, _) => u64::try_from(ranges.len()).unwrap_or(u64::MAX),
            Self::Any | Self::One | Self::Exactly(_) => 1,
        }
    }

    /// Whether this step takes this character.
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => c != '/',
            Self::Exactly(own) => c == *own,
            Self::Class(ranges, negated) => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

/// A glob that was read once, to be matched with many texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<Step>);

impl Glob {
    /// Reads it; `None` when it is malformed.
    pub(super) fn read(glob: &str) -> Option<Self> {
        parse(glob).map(Self)
    }

    /// Where in a text what the glob matches can end, in characters and in order. What it costs is taken off `steps`; `None`
    /// once they are used up.
    pub(super) fn ends(&self, text: &[char], steps: &mut u64) -> Option<Vec<usize>> {
        // Positions that the steps so far can reach, in order: no backtracking, so the cost is at worst quadratic.
        let mut reached = vec![0];
        for step in &self.0 {
            let mut next = Vec::new();
            let mut free = 0;
            for from in reached {
                let mut at = from;
                match step {
                    // The positions of an earlier run end where those of this one would.
                    Step::Any if at < free => {}
                    Step::Any => {
                        next.push(at);
                        while text.get(at).is_some_and(|c| step.takes(*c)) {
                            at += 1;
                            next.push(at);
                        }
                        free = at + 1;
                    }
                    _ if text.get(at).is_some_and(|c| step.takes(*c)) => next.push(at + 1),
                    _ => {}
                }
                *steps = steps.checked_sub(step.cost())?;
            }
            *steps = steps.checked_sub(u64::try_from(next.len()).ok()?)?;
            reached = next;
            if reached.is_empty() {
                break;
            }
        }
        Some(reached)
    }
}

/// Whether the glob matches the whole text.
fn matches(glob: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let ends = Glob::read(glob).and_then(|glob| glob.ends(&text, &mut { u64::MAX }));
    ends.is_some_and(|ends| ends.last() == Some(&text.len()))
}

/// Reads a glob; `None` when it is malformed.
fn parse(glob: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut chars = glob.chars().peekable();
    while let Some(c) = chars.next() {
        steps.push(match c {
            '*' => Step::Any,
            '?' => Step::One,
            '\\' => Step::Exactly(chars.next()?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                // The first range may not be left out, so `[]a]` is malformed.
                while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                    let low = class_char(&mut chars)?;
                    let high = match chars.next_if_eq(&'-') {
                        Some(_) => class_char(&mut chars)?,
                        None => low,
                    };
                    ranges.push((low, high));
                }
                Step::Class(ranges, negated)
            }
            _ => Step::Exactly(c),
        });
    }
    Some(steps)
}

/// One end of a range in a class.
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_compared_with_as_many_elements_as_they_have() {
        for (globs, path, expected) in [
            ("*.corp.example", "git.corp.example", true),
            ("*.corp.example", "git.corp.example/team/x", true),
            ("*.corp.example", "corp.example/x", false),
            ("corp.example", "corp.example.evil/x", false),
            ("corp.example", "xcorp.example/x", false),
            ("corp.example/*", "corp.example/a/b", true),
            ("corp.example/*", "corp.example", false),
            ("corp.example/a", "corp.example/ab", false),
            ("corp.example/a", "corp.example/a/v2", true),
            ("corp.example/a/", "corp.example/a/v2", true),
            ("corp.example/a//", "corp.example/a/v2", false),
            ("*", "anything.example/x", true),
            ("*/*", "anything.example", false),
            ("a.example,b.example", "b.example/x", true),
            (",,b.example", "b.example/x", true),
            ("", "b.example/x", false),
            ("/", "b.example/x", false),
            ("rsc.example/q?ote", "rsc.example/quote", true),
            ("rsc.example/q?te", "rsc.example/q/te", false),
            (" corp.example", "corp.example", false),
            ("Corp.example", "corp.example", false),
        ] {
            assert_eq!(matches_prefix(globs, path), expected, "{globs} {path}");
        }
    }

    #[test]
    fn classes_and_escapes() {
        for (glob, text, expected) in [
            ("a[b-d]", "ac", true),
            ("a[b-d]", "ae", false),
            ("a[^b-d]", "ae", true),
            ("a[^b-d]", "ac", false),
            ("a[\\-]", "a-", true),
            ("a[xy\\]]", "a]", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("a[d-b]", "ac", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-", false),
            ("[^a]x", "/x", true),
            ("é?", "éü", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn malformed_globs_match_nothing() {
        for glob in [
            "[", "[]", "[]a]", "[a", "[a-", "[a-]", "[-a]", "[^]", "a\\", "[\\", "*[",
        ] {
            assert_eq!(parse(glob), None, "{glob}");
            assert!(!matches_prefix(glob, "a"));
        }
    }

    #[test]
    fn what_a_match_costs_is_counted() {
        let text: Vec<char> = "data/a.sql/x".chars().collect();
        let ends = |glob: &str, mut steps: u64| {
            let ends = Glob::read(glob).unwrap().ends(&text, &mut steps);
            (ends, steps)
        };
        assert_eq!(ends("d*", 1000).0, Some(vec![1, 2, 3, 4]));
        assert_eq!(ends("*/*", 1000).0, Some((5..11).collect()));
        assert_eq!(ends("data/*/x", 1000).0, Some(vec![12]));
        // What does not begin alike costs next to nothing.
        assert_eq!(ends("web/*", 1000), (Some(Vec::new()), 999));
        assert_eq!(ends(&"*".repeat(2000), 1000).0, None);
    }

    #[test]
    fn many_stars_are_not_expensive() {
        let glob = format!("{}b", "*".repeat(2000));
        assert!(!matches_prefix(&glob, &"a".repeat(2000)));
    }
}
