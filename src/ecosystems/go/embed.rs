//! Which files of a package its sources embed (cmd/go 1.26, `go/build/read.go`, `load/pkg.go`).
//!
//! ```text
//! //go:embed data/*.sql "a b.txt" all:web      words, bare or quoted; a line that begins with it, outside of everything else
//! ```
//! A pattern takes a file, or all that lies below a folder; there what begins with `.` or `_` only after `all:`. Pure.

use super::match_patterns::Glob;

/// The patterns of a source file. Whether it imports `embed` is not asked: Go builds no file with them that does not.
pub(super) fn patterns(source: &[u8]) -> Vec<String> {
    let directive = b"//go:embed";
    let mut parts = source.windows(directive.len());
    if !parts.any(|part| part == directive) {
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

/// What a quoted word stands for; `None` where Go takes it for no string.
fn unquoted(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = if c != '\\' {
            c
        } else {
            match chars.next()? {
                'x' => {
                    out.push(u8::try_from(escaped(&mut chars, 2, 16)?).ok()?);
                    continue;
                }
                first @ '0'..='3' => {
                    let rest = escaped(&mut chars, 2, 8)?;
                    out.push(u8::try_from(first.to_digit(8)? * 64 + rest).ok()?);
                    continue;
                }
                'u' => char::from_u32(escaped(&mut chars, 4, 16)?)?,
                'U' => char::from_u32(escaped(&mut chars, 8, 16)?)?,
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                c @ ('\\' | '"') => c,
                _ => return None,
            }
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    // A path that is not UTF-8 is embedded by nothing.
    String::from_utf8(out).ok()
}

/// The number of an escape with so many digits.
fn escaped(chars: &mut std::str::Chars<'_>, digits: u32, radix: u32) -> Option<u32> {
    (0..digits).try_fold(0_u32, |value, _| {
        let digit = chars.next()?.to_digit(radix)?;
        value.checked_mul(radix)?.checked_add(digit)
    })
}

/// A pattern that was read once.
pub(super) struct Pattern {
    glob: Glob,
    all: bool,
}

impl Pattern {
    /// Reads it; `None` where Go refuses it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (glob, all) = match text.strip_prefix("all:") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let glob = Glob::read(glob)?;
        Some(Self { glob, all })
    }

    /// Whether it takes in a file at a path below the package's folder. What it costs is taken off `steps`; `None` once they
    /// are used up.
    pub(super) fn takes(&self, path: &Below, steps: &mut u64) -> Option<bool> {
        let ends = self.glob.ends(&path.text, steps)?;
        let mut ends = ends
            .into_iter()
            .filter(|end| matches!(path.text.get(*end), None | Some('/')));
        Some(ends.any(|end| self.all || path.hidden.is_none_or(|hidden| hidden < end)))
    }
}

/// A path below a package's folder.
pub(super) struct Below {
    text: Vec<char>,
    /// Where its last name begins that begins with `.` or `_`.
    hidden: Option<usize>,
}

impl Below {
    /// `None` for what is not UTF-8, which Go embeds by no pattern.
    pub(super) fn of(path: &[u8]) -> Option<Self> {
        let text: Vec<char> = std::str::from_utf8(path).ok()?.chars().collect();
        let before = [None].into_iter().chain(text.iter().copied().map(Some));
        let names = before.zip(&text).enumerate();
        let hidden = names
            .filter(|(_, (before, c))| matches!(before, None | Some('/')) && matches!(c, '.' | '_'))
            .map(|(at, _)| at)
            .last();
        Some(Self { text, hidden })
    }
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
        let escapes = "//go:embed \"\\x61\\142\\u00e9\\\"\\\\\" \"\\q\"\n//go:embed \"\\x61\\142\\u00e9\\\"\\\\\"\n";
        assert_eq!(patterns(escapes.as_bytes()), ["ab\u{e9}\"\\"]);
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
            ("*", ".DS_Store", true),
            ("*", "data/.DS_Store", false),
            ("*/*", "data/.DS_Store", true),
            (".*.swp", ".a.swp", true),
        ] {
            let below = Below::of(path.as_bytes()).unwrap();
            let takes = Pattern::read(pattern).unwrap().takes(&below, &mut { 1000 });
            assert_eq!(takes, Some(taken), "{pattern} {path}");
        }
    }

    proptest! {
        #[test]
        fn any_source_is_read_to_an_end(source in "(package p\n|import \"embed\"\n|//go:embed |\"|`|'|/\\*|\\*/|\\\\|[a-z]|\n| ){0,40}") {
            let _ = patterns(source.as_bytes());
        }
    }
}
