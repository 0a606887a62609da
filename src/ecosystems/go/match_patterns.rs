//! The globs of GOPRIVATE, GONOSUMDB, GONOPROXY and GOINSECURE, matched as `module.MatchPrefixPatterns` does.
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
    /// Whether this step takes this character. `Any` is not asked.
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

/// Whether the glob matches the whole text.
pub(super) fn matches(glob: &str, text: &str) -> bool {
    let Some(steps) = parse(glob) else {
        return false;
    };
    let text: Vec<char> = text.chars().collect();
    // Positions in the text that the steps so far can reach: no backtracking, so no glob is expensive.
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for step in &steps {
        let mut next = vec![false; text.len() + 1];
        let mut carried = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1).and_then(|at| text.get(at));
            *slot = match (step, before) {
                (Step::Any, Some(c)) => here || (carried && step.takes(*c)),
                (Step::Any, None) => here,
                (_, Some(c)) => {
                    let came = at.checked_sub(1).and_then(|at| reached.get(at));
                    came.copied().unwrap_or(false) && step.takes(*c)
                }
                (_, None) => false,
            };
            carried = *slot;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
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
    fn many_stars_are_not_expensive() {
        let glob = format!("{}b", "*".repeat(2000));
        assert!(!matches_prefix(&glob, &"a".repeat(2000)));
    }
}
