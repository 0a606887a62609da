//! Which files of a package its sources embed (cmd/go 1.26, `go/build/read.go`, `load/pkg.go`).
//!
//! ```text
//! //go:embed data/*.sql "a b.txt" all:web      words, bare or quoted; a line that begins with it, outside of everything else
//! ```
//! A pattern takes a file, or all that lies below a folder; there what begins with `.` or `_` only after `all:`. Pure.

use super::imports::import_paths;
use super::match_patterns;

/// Longest pattern or path that is compared.
const LONGEST: usize = 4096;

/// The patterns of a source file.
pub(super) fn patterns(source: &[u8]) -> Vec<String> {
    let directive = b"//go:embed";
    let told = source
        .windows(directive.len())
        .any(|part| part == directive);
    if !told || !import_paths(source).iter().any(|path| path == "embed") {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut rest = source;
    let mut at_start = true;
    while let Some(first) = rest.first() {
        let length = match first {
            b'/' if rest.starts_with(b"//") => {
                let end = rest.iter().position(|b| *b == b'\n');
                let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                if at_start && let Some(words) = line.strip_prefix(directive) {
                    out.extend(arguments(words).unwrap_or_default());
                }
                line.len()
            }
            b'/' if rest.starts_with(b"/*") => {
                let inner = rest.get(2..).unwrap_or_default();
                let end = inner.windows(2).position(|two| two == b"*/");
                end.map_or(rest.len(), |end| end + 4)
            }
            b'`' => quoted(rest, b'`', false),
            b'"' | b'\'' => quoted(rest, *first, true),
            _ => 1,
        };
        at_start = *first == b'\n' || (at_start && matches!(first, b' ' | b'\t' | b'\r'));
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// Length of a literal; one that a line ends is no literal, and ends there.
fn quoted(text: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'\\' if escapes => at += 1,
            b'\n' if escapes => return at - 1,
            byte if *byte == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// The words behind the directive; `None` where Go refuses them.
fn arguments(text: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.starts_with(char::is_whitespace) {
        return None;
    }
    let mut rest = text.trim();
    let mut out = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '`' => {
                let inner = rest.get(1..)?;
                let end = inner.find('`')?;
                (inner.get(..end)?.to_owned(), end + 2)
            }
            '"' => {
                let length = quoted(rest.as_bytes(), b'"', true);
                (unquoted(rest.get(1..length.checked_sub(1)?)?)?, length)
            }
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest.get(..end)?.to_owned(), end)
            }
        };
        out.push(word);
        rest = rest.get(length..)?.trim_start();
    }
    Some(out)
}

/// What a quoted word stands for. Of escapes only those that a path could need.
fn unquoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => chars.next().filter(|c| matches!(c, '\\' | '"'))?,
            other => other,
        });
    }
    Some(out)
}

/// Whether a pattern takes in a file at a path below the package's folder.
pub(super) fn takes(pattern: &str, path: &[u8]) -> bool {
    let (pattern, all) = match pattern.strip_prefix("all:") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let Ok(path) = std::str::from_utf8(path) else {
        return false;
    };
    if pattern.len() > LONGEST || path.len() > LONGEST {
        return false;
    }
    let ends = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    ends.into_iter().any(|end| {
        let (Some(matched), Some(below)) = (path.get(..end), path.get(end..)) else {
            return false;
        };
        let hidden = || {
            let mut names = below.split('/').filter(|name| !name.is_empty());
            names.any(|name| name.starts_with(['.', '_']))
        };
        match_patterns::matches(pattern, matched) && (all || !hidden())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directives_count_where_go_reads_them() {
        let source = "package p\n\nimport \"embed\"\n\n//go:embed a.txt b/* \"c d\" `e f`\n\t//go:embed g\nvar f embed.FS\n\
            // //go:embed no\n/*\n//go:embed no\n*/\nvar s = `\n//go:embed no\n` + \"//go:embed no\" + \"\\\"\" //go:embed no\n\
            //go:embedno\nvar c = '\"'\n//go:embed last\n";
        assert_eq!(
            patterns(source.as_bytes()),
            ["a.txt", "b/*", "c d", "e f", "g", "last"]
        );
        assert!(patterns(source.replace("\"embed\"", "\"other\"").as_bytes()).is_empty());
        assert_eq!(
            patterns(b"package p\nimport _ \"embed\"\n//go:embed x\r\n"),
            ["x"]
        );
    }

    #[test]
    fn patterns_take_files_and_folders() {
        for (pattern, path, taken) in [
            ("a.txt", "a.txt", true),
            ("a.txt", "b/a.txt", false),
            ("data", "data/x/y", true),
            ("data/*", "data/x/y", true),
            ("*", "data/x/y", true),
            ("*.sql", "data/x.sql", false),
            ("data/*.sql", "data/x.sql", true),
            ("data", "data/_x", false),
            ("data", "data/.x/y", false),
            ("all:data", "data/.x/y", true),
            ("data/*", "data/_x", true),
            ("data/*", "data/_x/y", true),
            ("data/*", "data/x/_y", false),
            ("dat", "data/x", false),
        ] {
            assert_eq!(takes(pattern, path.as_bytes()), taken, "{pattern} {path}");
        }
    }

    proptest! {
        #[test]
        fn any_source_is_read_to_an_end(source in "(package p\n|import \"embed\"\n|//go:embed |\"|`|'|/\\*|\\*/|\\\\|[a-z]|\n| ){0,40}") {
            let _ = patterns(source.as_bytes());
        }
    }
}
