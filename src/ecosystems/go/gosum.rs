//! `go.sum` and `go.work.sum`: what hashes a project has recorded, line by line.
//!
//! ```text
//! <module path> <version> h1:<base64>            the module's zip
//! <module path> <version>/go.mod h1:<base64>     its go.mod file
//! ```
//!
//! Fields are kept apart by white space; empty lines are skipped; the same key may have several hashes; hashes of
//! other kinds are kept and never compared; the hash of an empty go.mod file is an old mistake that Go drops. Where Go
//! (1.26, `modfetch`) gives up on a line, here a problem is returned and the rest is read. A go.sum is a declaration of
//! the project: nothing in it is evidence.

use std::fmt;

use crate::model::digest::Digest;

/// Longer files are not read (the largest seen is 2 MB).
pub const MAX_BYTES: usize = 64 << 20;
/// More lines are not read.
pub const MAX_LINES: usize = 1_000_000;
/// Longer lines are problems.
const MAX_LINE: usize = 16 << 10;
/// More problems are counted only.
const MAX_PROBLEMS: usize = 100;
/// The `h1` of a go.mod file without content.
const EMPTY_GO_MOD: &str = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/// Which of a module's two hashes a line states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Of its zip.
    Zip,
    /// Of its `go.mod` file.
    GoMod,
}

/// A recorded hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// An `h1` in its one spelling.
    H1(Digest),
    /// Another kind, as written.
    Other(String),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Line number, from 1.
    pub number: usize,
    /// Module path, as written.
    pub module: String,
    /// Version, as written, without `/go.mod`.
    pub version: String,
    /// What the hash is of.
    pub part: Part,
    /// The hash.
    pub hash: Recorded,
}

/// Something in a line-based file of Go's that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong, as a fragment.
    pub message: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoSum {
    /// Its lines, in order, without empty ones and without those that Go drops.
    pub lines: Vec<Line>,
    /// What could not be read, in order; the first hundred.
    pub problems: Vec<LineProblem>,
    /// Further problems that are not listed.
    pub more_problems: usize,
}

/// Reads a `go.sum` or `go.work.sum`.
pub fn parse(bytes: &[u8]) -> GoSum {
    let mut sum = GoSum::default();
    if bytes.len() > MAX_BYTES {
        sum.problem(
            1,
            format!(
                "the file has {} bytes, more than {MAX_BYTES} are not read",
                bytes.len()
            ),
        );
        return sum;
    }
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if number > MAX_LINES {
            sum.problem(number, format!("more than {MAX_LINES} lines are not read"));
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match read(number, line) {
            Ok(line) => sum.lines.extend(line),
            Err(message) => sum.problem(number, message),
        }
    }
    sum
}

impl GoSum {
    fn problem(&mut self, line: usize, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(LineProblem { line, message });
        } else {
            self.more_problems += 1;
        }
    }
}

/// Reads one line that is not empty. `None` for one that Go drops.
fn read(number: usize, line: &[u8]) -> Result<Option<Line>, String> {
    if line.len() > MAX_LINE {
        return Err(format!("more than {MAX_LINE} bytes long"));
    }
    let line = str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [module, version, hash] = fields.as_slice() else {
        return Err(format!(
            "{} fields instead of a module path, a version and a hash",
            fields.len()
        ));
    };
    if module.chars().chain(version.chars()).any(char::is_control) {
        return Err("control characters in a name".to_owned());
    }
    if *hash == EMPTY_GO_MOD {
        return Ok(None);
    }
    let (version, part) = match version.strip_suffix("/go.mod") {
        Some(version) => (version, Part::GoMod),
        None => (*version, Part::Zip),
    };
    let hash = if hash.starts_with("h1:") {
        Recorded::H1(
            hash.parse()
                .map_err(|_| format!("`{}` is no h1 hash", hash.escape_default()))?,
        )
    } else {
        Recorded::Other((*hash).to_owned())
    };
    let (module, version) = ((*module).to_owned(), version.to_owned());
    Ok(Some(Line {
        number,
        module,
        version,
        part,
        hash,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZIP: &str = "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=";
    const MOD: &str = "h1:DuHFTR/T1U+R+7hIifGaU/MKbuUR3XKsRWVFj+5Y9KA=";

    #[test]
    fn lines_keep_their_numbers() {
        let text = format!(
            "example.com/A v1.0.0 {ZIP}\r\n\n   \nexample.com/A v1.0.0/go.mod\t{MOD}\n\
             example.com/A v1.0.0 h2:future\nexample.com/B v1.0.0/go.mod {EMPTY_GO_MOD}\n\
             example.com/A v1.0.0 {MOD}"
        );
        let sum = parse(text.as_bytes());
        assert_eq!(sum.problems, []);
        let seen: Vec<_> = sum
            .lines
            .iter()
            .map(|line| (line.number, line.part))
            .collect();
        assert_eq!(
            seen,
            [
                (1, Part::Zip),
                (4, Part::GoMod),
                (5, Part::Zip),
                (7, Part::Zip)
            ]
        );
        assert_eq!(sum.lines[0].hash, Recorded::H1(ZIP.parse().unwrap()));
        assert_eq!(sum.lines[1].version, "v1.0.0");
        assert_eq!(sum.lines[2].hash, Recorded::Other("h2:future".to_owned()));
        assert_eq!(
            sum.lines[3].hash,
            Recorded::H1(MOD.parse().unwrap()),
            "several hashes for one key"
        );
    }

    #[test]
    fn what_go_would_stop_at_is_a_problem_and_the_rest_is_read() {
        let text = format!(
            "example.com/A v1.0.0\nexample.com/A v1.0.0 {ZIP} x\nexample.com/A v1.0.0 {}\n\
             <<<<<<< HEAD\n\0\0\0\nexample.com/\u{1b}A v1.0.0 {ZIP}\nexample.com/B v1.0.0 {ZIP}\n",
            ZIP.replace("0=", "1=")
        );
        let sum = parse(&[text.as_bytes(), b"\xff v1 h1:x\n"].concat());
        let lines: Vec<usize> = sum.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 6, 8]);
        assert_eq!(sum.lines.len(), 1);
        assert_eq!(sum.lines[0].number, 7);
    }

    #[test]
    fn problems_are_bounded_and_counted() {
        let sum = parse("x\n".repeat(250).as_bytes());
        assert_eq!((sum.problems.len(), sum.more_problems), (100, 150));
        let long = format!("example.com/{} v1.0.0 {ZIP}\n", "a".repeat(MAX_LINE));
        assert_eq!(parse(long.as_bytes()).problems.len(), 1);
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert_eq!(parse(b""), GoSum::default());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(0u8..=255, 0..300)) {
            let sum = parse(&bytes);
            proptest::prop_assert!(sum.lines.len() + sum.problems.len() <= 301);
        }
    }
}
