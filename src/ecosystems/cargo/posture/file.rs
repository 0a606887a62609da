//! One settings file (`config.toml`, TOML) as flat keys with lines. Syntax is read by the `toml` crate; values that cargo's
//! settings do not have (dates, numbers) are left out. A file is hostile: its size and the number of its keys are bounded.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::Line;

/// Largest file that is read, in bytes.
pub(super) const LARGEST: u64 = 1 << 20;
/// Most keys of one top-level table that are kept: a table that is filled up hides nothing in the others.
const MOST: usize = 20_000;
/// Keys of a `[source]` or `[registries]` entry that anybody judges; cargo passes over others, and so do we.
const OF_SOURCE: &[&str] = &[
    "credential-provider",
    "directory",
    "git",
    "index",
    "local-registry",
    "registry",
    "replace-with",
    "secret-key",
    "token",
];
/// Deepest table.
const DEPTH: usize = 16;
/// Tables whose keys are judged; what fills up the others hides nothing.
const JUDGED: &[&str] = &[
    "alias",
    "build",
    "credential-alias",
    "doc",
    "env",
    "host",
    "http",
    "install",
    "patch",
    "paths",
    "profile",
    "registries",
    "registry",
    "source",
    "target",
];

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A list of texts; anything else in it is left out.
    List(Vec<String>),
    /// True or false.
    Switch(bool),
}

impl Value {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Switch(_) => None,
        }
    }

    /// Its words: a text split at white space, or the list.
    pub(super) fn words(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.split_whitespace().collect(),
            Self::List(list) => list.iter().map(String::as_str).collect(),
            Self::Switch(_) => Vec::new(),
        }
    }
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its key, part by part.
    pub(super) key: Vec<String>,
    /// Its value.
    pub(super) value: Value,
    /// Where it stands; `None` for an environment variable.
    pub(super) line: Option<Line>,
}

impl Entry {
    /// The key's parts.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.key.iter().map(String::as_str).collect()
    }
}

/// Another file that a file includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Include {
    /// Path as written, relative to the including file.
    pub(super) path: String,
    /// Whether it may be missing.
    pub(super) optional: bool,
}

/// A settings file that was read.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// Its path.
    pub(super) path: PathBuf,
    /// What relative paths in it are relative to.
    pub(super) base: PathBuf,
    /// Its settings, in the file's order.
    pub(super) entries: Vec<Entry>,
    /// What it includes.
    pub(super) includes: Vec<Include>,
    /// Whether more settings of judged tables are there than are kept.
    pub(super) cut: bool,
}

/// Why a file could not be understood: line and a message without any of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: Option<Line>,
    pub(super) message: &'static str,
}

/// Reads the bytes of a settings file.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<File, Broken> {
    let text = std::str::from_utf8(bytes).map_err(|error| Broken {
        line: Some(lines(bytes.get(..error.valid_up_to()).unwrap_or_default())),
        message: "is not UTF-8",
    })?;
    let table = DeTable::parse(text).map_err(|error| Broken {
        line: error
            .span()
            .map(|span| lines(bytes.get(..span.start).unwrap_or_default())),
        message: "is no TOML",
    })?;
    // `.cargo/config.toml` and CARGO_HOME's alike: relative to the parent of the folder that it lies in.
    let base = path.parent().and_then(Path::parent).unwrap_or(path);
    let mut flat = Flat {
        ends: bytes
            .iter()
            .enumerate()
            .filter_map(|(at, b)| (*b == b'\n').then_some(at))
            .collect(),
        entries: Vec::new(),
        before: 0,
        cut: false,
    };
    flat.table(table.get_ref(), &mut Vec::new());
    let cut = flat.cut;
    let mut entries = flat.entries;
    // The parser keeps tables in the order of their names.
    entries.sort_by(|a, b| (a.line, &a.key).cmp(&(b.line, &b.key)));
    Ok(File {
        path: path.to_owned(),
        base: base.to_owned(),
        entries,
        includes: includes(table.get_ref()),
        cut,
    })
}

fn lines(before: &[u8]) -> Line {
    Line::try_from(before.iter().filter(|b| **b == b'\n').count() + 1).unwrap_or(Line::MAX)
}

struct Flat {
    /// Offsets of line ends.
    ends: Vec<usize>,
    entries: Vec<Entry>,
    /// How many of them belong to earlier top-level tables.
    before: usize,
    /// Whether a limit was reached.
    cut: bool,
}

impl Flat {
    fn table(&mut self, table: &DeTable<'_>, above: &mut Vec<String>) {
        if above.len() >= DEPTH {
            self.cut = true;
            return;
        }
        let mut entries: Vec<_> = table.iter().collect();
        if above.len() == 1 && above.iter().all(|key| key == "source") {
            let chain = chain(table);
            let rank = |name: &str| chain.iter().position(|link| *link == name);
            entries.sort_by_key(|(key, _)| rank(key.get_ref()).unwrap_or(usize::MAX));
        }
        for (key, value) in entries {
            if above.is_empty() {
                if !JUDGED.contains(&key.get_ref().as_ref()) {
                    continue;
                }
                self.before = self.entries.len();
            }
            above.push(key.get_ref().to_string());
            self.value(key.span().start, value, above);
            above.pop();
        }
    }

    fn value(&mut self, at: usize, value: &Spanned<DeValue<'_>>, key: &mut Vec<String>) {
        let value = match value.get_ref() {
            DeValue::Table(table) => return self.table(table, key),
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Boolean(on) => Value::Switch(*on),
            DeValue::Array(list) => Value::List(
                list.iter()
                    .filter_map(|item| item.get_ref().as_str().map(str::to_owned))
                    .collect(),
            ),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => return,
        };
        if !is_judged(key) {
            return;
        }
        if self.entries.len() - self.before < MOST {
            let line = self.ends.partition_point(|end| *end < at) + 1;
            self.entries.push(Entry {
                key: key.clone(),
                value,
                line: Some(Line::try_from(line).unwrap_or(Line::MAX)),
            });
        } else {
            self.cut = true;
        }
    }
}

/// The sources that the default registry is replaced by, one by the other: they are kept before all others.
fn chain<'a>(sources: &'a DeTable<'_>) -> Vec<&'a str> {
    let next = |name: &str| {
        let source = sources.get(name)?.get_ref().as_table()?;
        source.get("replace-with")?.get_ref().as_str()
    };
    let mut names = vec!["crates-io"];
    while let Some(name) = names.last().and_then(|name| next(name))
        && names.len() < DEPTH
        && !names.contains(&name)
    {
        names.push(name);
    }
    names
}

/// Whether a key could matter: what is made up fills no place.
fn is_judged(key: &[String]) -> bool {
    match key {
        [table, _, key, ..] if table == "source" || table == "registries" => {
            OF_SOURCE.contains(&key.as_str())
        }
        _ => true,
    }
}

/// `include = "a.toml"`, a list of those, or of `{ path = "a.toml", optional = true }` (stable since cargo 1.94).
fn includes(table: &DeTable<'_>) -> Vec<Include> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(Include {
            path: text.to_string(),
            optional: false,
        }),
        DeValue::Table(table) => Some(Include {
            path: table.get("path")?.get_ref().as_str()?.to_owned(),
            optional: matches!(
                table.get("optional").map(Spanned::get_ref),
                Some(DeValue::Boolean(true))
            ),
        }),
        _ => None,
    };
    match table.get("include").map(Spanned::get_ref) {
        Some(DeValue::Array(list)) => list.iter().filter_map(|v| one(v.get_ref())).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> File {
        parse(Path::new("/p/.cargo/config.toml"), text.as_bytes()).unwrap()
    }

    #[test]
    fn keys_are_flat_and_carry_their_line() {
        let file = read(
            "[build]\nrustc-wrapper = \"x\"\n[target.'cfg(unix)']\nrunner = [\"a\", 1, \"b\"]\nz.y = true\nn = 1\n",
        );
        assert_eq!(file.base, Path::new("/p"));
        let shown: Vec<_> = file
            .entries
            .iter()
            .map(|e| (e.key.join("|"), e.line.unwrap()))
            .collect();
        assert_eq!(
            shown,
            [
                ("build|rustc-wrapper".into(), 2),
                ("target|cfg(unix)|runner".into(), 4),
                ("target|cfg(unix)|z|y".into(), 5)
            ]
        );
        assert_eq!(file.entries[1].value.words(), ["a", "b"]);
    }

    #[test]
    fn includes_in_all_their_forms() {
        let one = |path: &str, optional| Include {
            path: path.into(),
            optional,
        };
        assert_eq!(
            read("include = \"a.toml\"").includes,
            [one("a.toml", false)]
        );
        assert_eq!(
            read("include = [\"a.toml\", {path = \"b.toml\", optional = true}, 7]").includes,
            [one("a.toml", false), one("b.toml", true)]
        );
        assert_eq!(
            read("[[include]]\npath = \"c.toml\"\n").includes,
            [one("c.toml", false)]
        );
    }

    #[test]
    fn broken_files_name_the_line_and_nothing_of_their_content() {
        let broken = |bytes: &[u8]| parse(Path::new("/a/b"), bytes).unwrap_err();
        assert_eq!(broken(b"a = 1\nsecret\n").line, Some(2));
        assert_eq!(broken(b"a = 1\n\xff").line, Some(2));
        assert_eq!(broken(b"\xff").message, "is not UTF-8");
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = read(&format!("build.{} = 'x'", vec!["a"; 60].join(".")));
        assert!(deep.entries.is_empty() && deep.cut);
        let many: String = (0..30_000).map(|n| format!("k{n} = 'x'\n")).collect();
        let full = read(&format!("[env]\n{many}"));
        assert!(full.entries.len() == MOST && full.cut);
        // What nobody judges does not fill up the place of what is.
        let padded = read(&format!("[a]\n{many}[build]\nrustc-wrapper = 'x'\n"));
        assert!(padded.entries.len() == 1 && !padded.cut);
        // Nor does a judged table fill up the place of another, nor made-up keys that of a source's own.
        let redirect = "[source.crates-io]\nreplace-with = 'x'\n";
        let beside = read(&format!("[env]\n{many}{redirect}"));
        assert!(beside.entries.len() == MOST + 1 && beside.cut);
        assert_eq!(beside.entries.last().unwrap().key[0], "source");
        let inside = read(&format!("[source.a]\n{many}{redirect}"));
        assert!(inside.entries.len() == 1 && !inside.cut);
        let many: String = (0..30_000).map(|n| format!("k{n}.git = 'x'\n")).collect();
        let chain = "crates-io.replace-with = 'z'\nz.registry = 'y'\n";
        let real = read(&format!("[source]\n{many}{chain}"));
        assert!(real.entries.len() == MOST && real.cut);
        let last: Vec<_> = real.entries.iter().rev().take(2).collect();
        assert!(last[0].key[1] == "z" && last[1].key[1] == "crates-io");
        let nested = format!("a = {}{}", "[".repeat(5000), "]".repeat(5000));
        let _ = parse(Path::new("/a/b"), nested.as_bytes());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(Path::new("/a/b"), &bytes);
        }

        #[test]
        fn arbitrary_settings_never_panic(text in "(\\[(build|source\\.x|target\\.y|http|registry)\\]\n|(rustc-wrapper|replace-with|registry|index|cainfo|include|a\\.b) = |\"[a-z/:+]{0,9}\"|\\[|\\]|\\{|\\}|,|true|\n){0,40}") {
            let _ = parse(Path::new("x"), text.as_bytes());
        }
    }
}
