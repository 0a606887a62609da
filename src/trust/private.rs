//! Private names: packages of the user's own that no public root is ever asked about.
//!
//! They come from our own configuration only (the user's trust file, `--trust`). A pattern is matched element by element
//! (between slashes) and covers everything below: `corp.example/*` covers `corp.example/a` and `corp.example/a/b`. `*`
//! stands for any text and `?` for any one character within an element. Matching is bounded: names come from scanned files.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Assurance;

/// The private names of one trust file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Private {
    /// Patterns by ecosystem, verbatim.
    pub patterns: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Assurance required of them, where the file says so.
    pub require: Option<Assurance>,
}

impl Private {
    /// Whether a package name is private by this file.
    pub fn covers(&self, ecosystem: &str, name: &str) -> bool {
        self.patterns
            .get(ecosystem)
            .is_some_and(|patterns| patterns.iter().any(|pattern| fits(pattern, name)))
    }
}

/// Whether a pattern is one: no empty element, some literal text (a bare `*` would make every name private).
pub fn is_pattern(pattern: &str) -> bool {
    pattern.len() <= 512
        && !pattern.split('/').any(str::is_empty)
        && pattern
            .split('/')
            .next()
            .is_some_and(|first| first.chars().any(|c| !matches!(c, '*' | '?')))
        && !pattern.chars().any(|c| c.is_control() || c == ',')
}

/// Whether the elements of a pattern fit the first elements of a name.
fn fits(pattern: &str, name: &str) -> bool {
    let mut elements = name.split('/');
    pattern.split('/').all(|p| {
        elements
            .next()
            .is_some_and(|element| element_fits(p, element))
    })
}

/// Wildcard match within one element: greedy with one place to come back to, so at most `pattern x name` steps.
fn element_fits(pattern: &str, element: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let element: Vec<char> = element.chars().collect();
    let (mut p, mut e) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(have) = element.get(e) {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p, e));
                p += 1;
            }
            Some(want) if *want == '?' || want == have => {
                p += 1;
                e += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    p = star + 1;
                    e = from + 1;
                    back = Some((star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_whole_elements_and_what_is_below() {
        for (pattern, name, covered) in [
            ("corp.example/*", "corp.example/a", true),
            ("corp.example/*", "corp.example/a/b/v2", true),
            ("corp.example/*", "corp.example", false),
            ("corp.example", "corp.example/a", true),
            ("corp.example", "corp.example.org/a", false),
            ("*.corp.example", "git.corp.example/a", true),
            ("*.corp.example", "corp.example/a", false),
            ("@corp/*", "@corp/x", true),
            ("@corp/*", "@corpx/x", false),
            ("corp-*", "corp-util", true),
            ("corp-*", "corp", false),
            ("c?rp", "corp", true),
            ("c?rp", "crp", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
        ] {
            assert_eq!(fits(pattern, name), covered, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_needs_literal_text() {
        assert!(is_pattern("corp.example/*"));
        for bad in ["", "*", "?*", "*/x", "a//b", "/a", "a/", "a\nb", "a,b"] {
            assert!(!is_pattern(bad), "{bad:?}");
        }
    }

    #[test]
    fn matching_is_bounded() {
        let pattern = "*a".repeat(200);
        let name = "a".repeat(20_000) + "b";
        assert!(!element_fits(&pattern, &name));
    }
}
