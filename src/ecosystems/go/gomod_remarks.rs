//! What the comments of a `go.mod` file say: which requirements are indirect, and that the module is deprecated.
//!
//! Only these two remarks mean something to Go, and the words of a retraction; everything else is for people.

/// The comments of a directive: all of them, those above it first, and the one on its line.
#[derive(Clone, Copy)]
pub(super) struct Remarks<'a> {
    /// All of them, without `//`.
    pub(super) all: &'a [String],
    /// The one on its line.
    pub(super) suffix: Option<&'a str>,
}

impl Remarks<'_> {
    /// Whether a requirement is marked as needed only by others. Comments above it do not count.
    pub(super) fn is_indirect(self) -> bool {
        let mut words = self.suffix.unwrap_or_default().split_whitespace();
        matches!(
            (words.next(), words.next()),
            (Some("indirect"), None) | (Some("indirect;"), Some(_))
        )
    }

    /// The paragraph after `Deprecated:`.
    pub(super) fn deprecation(self) -> Option<String> {
        let mut lines = self
            .all
            .iter()
            .skip_while(|line| !line.starts_with("Deprecated:"));
        let first = lines.next()?.strip_prefix("Deprecated:")?.trim();
        let rest = lines
            .take_while(|line| !line.is_empty())
            .map(String::as_str);
        Some(
            std::iter::once(first)
                .chain(rest)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indirect_is_one_word_or_ends_with_a_semicolon() {
        let marked = |suffix| Remarks { all: &[], suffix }.is_indirect();
        for suffix in ["indirect", " indirect ", "indirect; why"] {
            assert!(marked(Some(suffix)), "{suffix}");
        }
        for suffix in ["indirect why", "indirect;", "not indirect", "Indirect", ""] {
            assert!(!marked(Some(suffix)), "{suffix}");
        }
        assert!(!marked(None));
    }

    #[test]
    fn a_deprecation_is_the_paragraph_after_the_word() {
        let said = |lines: &[&str]| {
            let all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            Remarks {
                all: &all,
                suffix: None,
            }
            .deprecation()
        };
        assert_eq!(
            said(&["hello", "Deprecated: use v2", "instead", "", "more"]).as_deref(),
            Some("use v2\ninstead")
        );
        assert_eq!(said(&["is Deprecated: no", "deprecated: no"]), None);
    }
}
