//! Whether a Go source can be part of any build, by the comments that it begins with (cmd/go 1.26, `internal/imports/build.go`,
//! `go/build/constraint`).
//!
//! ```text
//! //go:build (linux && !cgo) || ignore     one line, which alone counts
//! // +build linux,386 darwin               older: every line must hold; a blank is `or`, a comma is `and`
//! ```
//! Every tag counts as set and as not set, whichever helps, except `ignore`, which is never set: what remains false can never
//! be built. A line that cannot be read leaves its file out, as Go does. Nothing is followed, and bytes alone are read.

/// How much of a file is looked at; a longer header is taken for that of a file that is built.
pub const HEADER: usize = 64 << 10;

/// Most operands of a `//go:build` line.
const OPERANDS: usize = 1000;
/// Deepest parentheses that are followed; deeper ones are taken for those of a file that is built.
const DEPTH: usize = 100;
/// Most operators of a `+build` line.
const OPERATORS: usize = 100;

/// Whether no build can take in the file that begins with these bytes.
pub fn is_never_built(source: &[u8]) -> bool {
    let source = source.get(..HEADER).unwrap_or(source);
    let Some(header) = header(source) else {
        return true;
    };
    if let Some(line) = header.go_build {
        let Ok(line) = std::str::from_utf8(line) else {
            return true;
        };
        let text = line.strip_prefix("//go:build").unwrap_or_default().trim();
        return match Expression::read(text) {
            Ok(holds) => !holds,
            Err(Broken::Syntax) => true,
            Err(Broken::Deep) => false,
        };
    }
    header
        .leading
        .split(|b| *b == b'\n')
        .filter_map(plus_build)
        .any(|holds| !holds)
}

/// What a file begins with.
struct Header<'a> {
    /// Comments and blank lines up to the last blank line before anything else.
    leading: &'a [u8],
    /// The `//go:build` line, without blanks around it.
    go_build: Option<&'a [u8]>,
}

/// `None` if there are several `//go:build` lines.
fn header(source: &[u8]) -> Option<Header<'_>> {
    let mut end = 0;
    let mut at = 0;
    let mut ended = false;
    let mut in_comment = false;
    let mut go_build = None;
    'lines: while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|b| *b == b'\n');
        at += length.map_or(rest.len(), |length| length + 1);
        let mut line = trim(rest.get(..length.unwrap_or(rest.len())).unwrap_or_default());
        if line.is_empty() && !ended {
            end = at;
            continue;
        }
        ended |= !line.starts_with(b"//");
        if !in_comment && is_go_build(line) && go_build.replace(line).is_some() {
            return None;
        }
        while !line.is_empty() {
            if in_comment {
                let Some(close) = line.windows(2).position(|two| two == b"*/") else {
                    continue 'lines;
                };
                in_comment = false;
                line = trim(line.get(close + 2..).unwrap_or_default());
            } else if line.starts_with(b"//") {
                continue 'lines;
            } else if let Some(inner) = line.strip_prefix(b"/*") {
                in_comment = true;
                line = trim(inner);
            } else {
                break 'lines;
            }
        }
    }
    Some(Header {
        leading: source.get(..end).unwrap_or_default(),
        go_build,
    })
}

/// Without blanks at both ends, also those beyond ASCII.
fn trim(line: &[u8]) -> &[u8] {
    std::str::from_utf8(line).map_or_else(|_| line.trim_ascii(), |text| text.trim().as_bytes())
}

fn is_go_build(line: &[u8]) -> bool {
    line.strip_prefix(b"//go:build")
        .is_some_and(|rest| rest.is_empty() || trim(rest).len() < rest.len())
}

/// What a `+build` line says; `None` if it is none, or one that Go passes over.
fn plus_build(line: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(trim(line)).ok()?;
    let rest = text.strip_prefix("//")?.trim().strip_prefix("+build")?;
    let words = rest.trim();
    if !rest.is_empty() && words.len() == rest.len() {
        return None;
    }
    let literals = words.split_whitespace().flat_map(|word| word.split(','));
    if literals.count() > OPERATORS + 1 {
        return None;
    }
    Some(
        words
            .split_whitespace()
            .any(|word| word.split(',').all(literal)),
    )
}

/// One word of a `+build` line. A malformed one counts as `ignore`.
fn literal(word: &str) -> bool {
    if word.starts_with("!!") || word == "!" {
        return false;
    }
    let (negated, tag) = word.strip_prefix('!').map_or((false, word), |t| (true, t));
    let is_tag = !tag.is_empty() && tag.chars().all(is_tag_char);
    negated || (is_tag && tag != "ignore")
}

fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// Why an expression has no value.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    /// Go refuses it.
    Syntax,
    /// It is deeper than is followed here.
    Deep,
}

/// A `//go:build` expression, worked out while it is read. `wanted` is what helps at a place: false below an odd number of
/// negations.
struct Expression<'a> {
    rest: &'a str,
    operands: usize,
}

#[derive(PartialEq, Eq)]
enum Token<'a> {
    End,
    Sign(&'a str),
    Tag(&'a str),
}

impl<'a> Expression<'a> {
    fn read(text: &'a str) -> Result<bool, Broken> {
        let mut all = Self {
            rest: text,
            operands: 0,
        };
        let value = all.any(true, 0)?;
        match all.next()? {
            Token::End => Ok(value),
            Token::Sign(_) | Token::Tag(_) => Err(Broken::Syntax),
        }
    }

    fn any(&mut self, wanted: bool, depth: usize) -> Result<bool, Broken> {
        let mut value = self.all(wanted, depth)?;
        while self.takes("||")? {
            value |= self.all(wanted, depth)?;
        }
        Ok(value)
    }

    fn all(&mut self, wanted: bool, depth: usize) -> Result<bool, Broken> {
        let mut value = self.operand(wanted, depth)?;
        while self.takes("&&")? {
            value &= self.operand(wanted, depth)?;
        }
        Ok(value)
    }

    fn operand(&mut self, wanted: bool, depth: usize) -> Result<bool, Broken> {
        self.operands += 1;
        if self.operands > OPERANDS {
            return Err(Broken::Syntax);
        }
        if self.takes("!")? {
            // A second one is refused as no tag.
            Ok(!self.atom(!wanted, depth)?)
        } else {
            self.atom(wanted, depth)
        }
    }

    fn atom(&mut self, wanted: bool, depth: usize) -> Result<bool, Broken> {
        match self.next()? {
            Token::Tag(tag) => Ok(tag != "ignore" && wanted),
            Token::Sign("(") if depth < DEPTH => {
                let value = self.any(wanted, depth + 1)?;
                self.takes(")")?.then_some(value).ok_or(Broken::Syntax)
            }
            Token::Sign("(") => Err(Broken::Deep),
            Token::Sign(_) | Token::End => Err(Broken::Syntax),
        }
    }

    /// Takes a sign if it comes next.
    fn takes(&mut self, sign: &str) -> Result<bool, Broken> {
        let before = self.rest;
        let took = self.next()? == Token::Sign(sign);
        if !took {
            self.rest = before;
        }
        Ok(took)
    }

    fn next(&mut self) -> Result<Token<'a>, Broken> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token::End);
        };
        let length = match first {
            '(' | ')' | '!' => 1,
            '&' if self.rest.starts_with("&&") => 2,
            '|' if self.rest.starts_with("||") => 2,
            '&' | '|' => return Err(Broken::Syntax),
            _ => {
                let end = self.rest.find(|c| !is_tag_char(c));
                end.unwrap_or(self.rest.len())
            }
        };
        if length == 0 {
            return Err(Broken::Syntax);
        }
        let (token, rest) = self.rest.split_at_checked(length).ok_or(Broken::Syntax)?;
        self.rest = rest;
        Ok(if is_tag_char(first) {
            Token::Tag(token)
        } else {
            Token::Sign(token)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn never(source: &str) -> bool {
        is_never_built(source.as_bytes())
    }

    #[test]
    fn only_ignore_is_never_set() {
        for (line, left_out) in [
            ("//go:build ignore", true),
            ("//go:build  ignore ", true),
            ("//go:build\tignore", true),
            ("//go:build ignore && linux", true),
            ("//go:build ignore || linux", false),
            ("//go:build !ignore", false),
            ("//go:build linux && !linux", false),
            ("//go:build !(linux || ignore)", false),
            ("//go:build !(!ignore)", true),
            ("//go:build !(!ignore || x)", true),
            ("//go:build (ignore)", true),
            ("//go:build 386 && go1.18 && über", false),
            ("//go:build ignore_this", false),
            // What cannot be read leaves its file out.
            ("//go:build", true),
            ("//go:build !!linux", true),
            ("//go:build linux darwin", true),
            ("//go:build linux &", true),
            ("//go:build (linux", true),
            ("//go:build linux-gnu", true),
            // No constraints.
            ("//go:buildignore", false),
            ("// go:build ignore", false),
            ("// +build ignore", true),
            ("//+build ignore", true),
            ("// +build ignore linux", false),
            ("// +build ignore,linux", true),
            ("// +build !ignore", false),
            ("// +build", true),
            ("// +build !!linux", true),
            ("// +build linux\n// +build ignore", true),
            ("// +buildignore", false),
        ] {
            let source = format!("// Copyright\n\n{line}\n\npackage p\n");
            assert_eq!(never(&source), left_out, "{line}");
        }
    }

    #[test]
    fn constraints_count_where_go_looks_for_them() {
        // An old one must be followed by a blank line, a new one need not.
        assert!(!never("// +build ignore\npackage p\n"));
        assert!(never("//go:build ignore\npackage p\n"));
        assert!(!never("package p\n\n//go:build ignore\n"));
        assert!(never(
            "/* c */ // c\n/*\n c\n*/\n//go:build ignore\npackage p\n"
        ));
        assert!(!never("/*\n//go:build ignore\n*/\npackage p\n"));
        assert!(!never("/* c */\n// +build ignore\n\npackage p\n"));
        assert!(never("\r\n//go:build ignore\r\n\r\npackage p\r\n"));
        // The new one alone counts, and two are too many.
        assert!(!never("//go:build linux\n// +build ignore\n\npackage p\n"));
        assert!(never("//go:build linux\n//go:build linux\npackage p\n"));
        assert!(!never(""));
    }

    #[test]
    fn deep_and_long_expressions_end() {
        let deep = |depth: usize| {
            let (open, close) = ("(".repeat(depth), ")".repeat(depth));
            format!("//go:build {open}ignore{close}\npackage p\n")
        };
        assert!(never(&deep(50)));
        assert!(!never(&deep(100_000)));
        let long = format!("//go:build a{}\n", " || a".repeat(1000));
        assert!(never(&long));
        let old = format!("// +build ignore,a{}\n\n", ",a".repeat(200));
        assert!(!never(&old));
    }

    proptest! {
        #[test]
        fn any_header_is_read_to_an_end(source in "(//go:build|// \\+build|ignore|linux|[()!&| \n/*]){0,40}") {
            let _ = is_never_built(source.as_bytes());
        }
    }
}
