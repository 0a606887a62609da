//! `go.mod`: which module this is, what it requires, and what it says about others. `go.work` has the same grammar.
//!
//! Directives: `module go toolchain require replace exclude retract tool ignore godebug`, and `use` in `go.work`; each on
//! a line of its own or in a block. As golang.org/x/mod/modfile reads the main module's file (Go 1.26). Where Go would
//! stop, a problem with the line is returned and the rest is read: somebody who scans must see what stands after a
//! mistake too. What a file says here is the project's declaration and no evidence of anything.

use super::gomod_lexer::{Token, tokens};
use super::gomod_remarks::Remarks;
use super::gosum::LineProblem;
use super::version::{is_canonical, is_valid};

/// Longer files are not read; module zips allow no more either.
pub const MAX_BYTES: usize = 16 << 20;
/// More lines are not read.
pub const MAX_LINES: usize = 500_000;
/// More problems are counted only.
const MAX_PROBLEMS: usize = 100;

/// A module at a version, as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// Module path.
    pub path: String,
    /// Version.
    pub version: String,
}

/// A value and the line where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// Line number, from 1.
    pub line: usize,
    /// The value.
    pub value: T,
}

/// What this module needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Require {
    /// The module and its least version.
    pub module: Module,
    /// Marked as needed only by others.
    pub indirect: bool,
}

/// What takes the place of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// Another published module.
    Module(Module),
    /// A folder, relative to the file or rooted.
    Folder(String),
}

/// A module, or one version of it, and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    /// The path of the module replaced.
    pub path: String,
    /// The version replaced; all of them if there is none.
    pub version: Option<String>,
    /// What takes its place.
    pub with: Replacement,
}

/// Versions of this module that its author took back, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retract {
    /// The lowest.
    pub low: String,
    /// The highest.
    pub high: String,
    /// What the comment beside or above it says; empty if there is none.
    pub rationale: String,
}

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoMod {
    /// The module's path.
    pub module: Option<At<String>>,
    /// What the comment at the module's path says after `Deprecated:`.
    pub deprecated: Option<String>,
    /// The language version.
    pub go: Option<At<String>>,
    /// The toolchain that is proposed.
    pub toolchain: Option<At<String>>,
    /// Requirements.
    pub require: Vec<At<Require>>,
    /// Replacements.
    pub replace: Vec<At<Replace>>,
    /// Versions never to be used.
    pub exclude: Vec<At<Module>>,
    /// Versions taken back.
    pub retract: Vec<At<Retract>>,
    /// Packages that are tools.
    pub tool: Vec<At<String>>,
    /// Folders that package patterns leave out.
    pub ignore: Vec<At<String>>,
    /// Run-time settings, `key=value` taken apart.
    pub godebug: Vec<At<(String, String)>>,
    /// Folders of a workspace (`go.work` only).
    pub use_folders: Vec<At<String>>,
    /// What could not be read, in order; the first hundred.
    pub problems: Vec<LineProblem>,
    /// Further problems that are not listed.
    pub more_problems: usize,
}

/// Which file is read: they differ in a few directives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `go.mod`
    Mod,
    /// `go.work`
    Work,
}

/// An open block.
struct Block {
    verb: String,
    line: usize,
    known: bool,
    comments: Vec<String>,
}

/// Reads a file.
pub fn parse(bytes: &[u8], kind: Kind) -> GoMod {
    let mut file = GoMod::default();
    if bytes.len() > MAX_BYTES {
        file.problem(
            1,
            format!(
                "the file has {} bytes, more than {MAX_BYTES} are not read",
                bytes.len()
            ),
        );
        return file;
    }
    let bytes = bytes
        .strip_prefix(b"\xef\xbb\xbf".as_slice())
        .unwrap_or(bytes);
    let mut block: Option<Block> = None;
    let mut above: Vec<String> = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if number > MAX_LINES {
            file.problem(number, format!("more than {MAX_LINES} lines are not read"));
            break;
        }
        let found = str::from_utf8(line)
            .map_err(|_| "not UTF-8".to_owned())
            .and_then(tokens);
        let found = match found {
            Ok(found) => found,
            Err(message) => {
                file.problem(number, message);
                continue;
            }
        };
        if found.tokens.is_empty() {
            match found.comment {
                Some(comment) => above.push(comment),
                None => above.clear(),
            }
            continue;
        }
        let suffix = found.comment;
        let comments: Vec<String> = above.drain(..).chain(suffix.clone()).collect();
        let words = found.tokens;
        if let Some(open) = block.take_if(|_| words.first() == Some(&Token::Sign(')'))) {
            if words.len() > 1 {
                file.problem(
                    number,
                    format!("words after the end of the `{}` block", open.verb),
                );
            }
            continue;
        }
        if let Some(open) = &block {
            if open.known {
                // What is said of a whole block is said of its lines that say nothing themselves.
                let all = if comments.is_empty() {
                    &open.comments
                } else {
                    &comments
                };
                let remarks = Remarks {
                    all,
                    suffix: suffix.as_deref(),
                };
                file.directive(kind, number, &open.verb, &words, remarks);
            }
            continue;
        }
        let Some((Token::Word(verb), arguments)) = words.split_first() else {
            file.problem(
                number,
                "a line begins with a sign instead of a directive".to_owned(),
            );
            continue;
        };
        match arguments {
            [Token::Sign('(')] => {
                let known = is_block(verb, kind);
                if !known {
                    file.problem(number, format!("unknown block `{}`", verb.escape_default()));
                }
                block = Some(Block {
                    verb: verb.clone(),
                    line: number,
                    known,
                    comments,
                });
            }
            [Token::Sign('('), Token::Sign(')')] if is_block(verb, kind) => {}
            _ => {
                let remarks = Remarks {
                    all: &comments,
                    suffix: suffix.as_deref(),
                };
                file.directive(kind, number, verb, arguments, remarks);
            }
        }
    }
    if let Some(open) = block {
        file.problem(
            open.line,
            format!("the `{}` block does not end", open.verb.escape_default()),
        );
    }
    file
}

/// Whether directives of this name may stand in a block.
fn is_block(verb: &str, kind: Kind) -> bool {
    match kind {
        Kind::Mod => matches!(
            verb,
            "module"
                | "godebug"
                | "require"
                | "exclude"
                | "replace"
                | "retract"
                | "tool"
                | "ignore"
        ),
        Kind::Work => matches!(verb, "godebug" | "use" | "replace"),
    }
}

impl GoMod {
    fn problem(&mut self, line: usize, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(LineProblem { line, message });
        } else {
            self.more_problems += 1;
        }
    }

    /// Reads one directive, and notes what is wrong with it.
    fn directive(
        &mut self,
        kind: Kind,
        line: usize,
        verb: &str,
        words: &[Token],
        remarks: Remarks<'_>,
    ) {
        let here = match (kind, verb) {
            (_, "go" | "toolchain" | "godebug" | "replace") | (Kind::Work, "use") => true,
            (Kind::Mod, _) => verb != "use",
            (Kind::Work, _) => false,
        };
        let read = if here {
            self.read(line, verb, words, remarks)
        } else {
            Err(unknown(verb))
        };
        if let Err(message) = read {
            self.problem(line, message);
        }
    }

    fn read(
        &mut self,
        line: usize,
        verb: &str,
        words: &[Token],
        remarks: Remarks<'_>,
    ) -> Result<(), String> {
        match verb {
            "module" => {
                self.deprecated = remarks.deprecation();
                once(&mut self.module, line, verb, one(verb, words)?)
            }
            "go" => once(&mut self.go, line, verb, one(verb, words)?),
            "toolchain" => once(&mut self.toolchain, line, verb, one(verb, words)?),
            "require" => {
                let module = module(verb, words)?;
                let indirect = remarks.is_indirect();
                check_version(&module.version)?;
                self.require.push(At {
                    line,
                    value: Require { module, indirect },
                });
                Ok(())
            }
            "exclude" => {
                let value = module(verb, words)?;
                check_version(&value.version)?;
                self.exclude.push(At { line, value });
                Ok(())
            }
            "replace" => {
                self.replace.push(At {
                    line,
                    value: replace(words)?,
                });
                Ok(())
            }
            "retract" => {
                self.retract.push(At {
                    line,
                    value: retract(words, remarks)?,
                });
                Ok(())
            }
            "tool" => push(&mut self.tool, line, one(verb, words)?),
            "ignore" => push(&mut self.ignore, line, one(verb, words)?),
            "use" => push(&mut self.use_folders, line, one(verb, words)?),
            "godebug" => {
                let setting = one(verb, words)?;
                let (key, value) = setting
                    .split_once('=')
                    .ok_or("a godebug setting without `=`")?;
                let value = (key.to_owned(), value.to_owned());
                self.godebug.push(At { line, value });
                Ok(())
            }
            _ => Err(unknown(verb)),
        }
    }
}

fn unknown(verb: &str) -> String {
    format!("unknown directive `{}`", verb.escape_default())
}

/// Sets what may be said once. The first word counts, as for Go, which stops at the second.
fn once(
    slot: &mut Option<At<String>>,
    line: usize,
    verb: &str,
    value: String,
) -> Result<(), String> {
    if let Some(first) = slot {
        return Err(format!(
            "a second `{verb}` line, the first is line {}",
            first.line
        ));
    }
    *slot = Some(At { line, value });
    Ok(())
}

fn push(list: &mut Vec<At<String>>, line: usize, value: String) -> Result<(), String> {
    list.push(At { line, value });
    Ok(())
}

/// The one word of a directive.
fn one(verb: &str, words: &[Token]) -> Result<String, String> {
    match words {
        [Token::Word(word)] if !word.is_empty() => Ok(word.clone()),
        _ => Err(format!("`{verb}` takes one word")),
    }
}

/// The module path and version of a directive.
fn module(verb: &str, words: &[Token]) -> Result<Module, String> {
    match words {
        [Token::Word(path), Token::Word(version)] if !path.is_empty() => Ok(Module {
            path: path.clone(),
            version: version.clone(),
        }),
        _ => Err(format!("`{verb}` takes a module path and a version")),
    }
}

/// Refuses what is no version. Go would ask its proxy what `master` is; we do not.
fn check_version(version: &str) -> Result<(), String> {
    if is_canonical(version) {
        return Ok(());
    }
    let what = if is_valid(version) {
        "not in its canonical form"
    } else {
        "no version"
    };
    Err(format!("`{}` is {what}", version.escape_default()))
}

fn replace(words: &[Token]) -> Result<Replace, String> {
    let usage =
        || "`replace` takes a module, `=>`, and a module with a version or a folder".to_owned();
    let words: Option<Vec<&str>> = words.iter().map(Token::word).collect();
    let words = words.ok_or_else(usage)?;
    let (path, version, with) = match words.as_slice() {
        [path, "=>", with @ ..] => (*path, None, with),
        [path, version, "=>", with @ ..] => (*path, Some(*version), with),
        _ => return Err(usage()),
    };
    if let Some(version) = version {
        check_version(version)?;
    }
    let with = match with {
        [folder] if is_folder(folder) => Replacement::Folder((*folder).to_owned()),
        [other, version] if !is_folder(other) => {
            check_version(version)?;
            Replacement::Module(Module {
                path: (*other).to_owned(),
                version: (*version).to_owned(),
            })
        }
        [_] => {
            return Err(
                "a replacement without version must be a folder: rooted, or from `.` or `..`"
                    .to_owned(),
            );
        }
        [_, _] => return Err("a folder that replaces a module has no version".to_owned()),
        _ => return Err(usage()),
    };
    Ok(Replace {
        path: path.to_owned(),
        version: version.map(str::to_owned),
        with,
    })
}

/// Whether Go takes a replacement for a folder, on any system.
pub fn is_folder(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let starts = ["./", ".\\", "../", "..\\", "/", "\\"];
    drive || path == "." || path == ".." || starts.iter().any(|start| path.starts_with(start))
}

fn retract(words: &[Token], remarks: Remarks<'_>) -> Result<Retract, String> {
    let (low, high) = match words {
        [Token::Word(one)] => (one, one),
        [
            Token::Sign('['),
            Token::Word(low),
            Token::Sign(','),
            Token::Word(high),
            Token::Sign(']'),
        ] => (low, high),
        _ => return Err("`retract` takes a version or `[lowest, highest]`".to_owned()),
    };
    check_version(low)?;
    check_version(high)?;
    Ok(Retract {
        low: low.clone(),
        high: high.clone(),
        rationale: remarks.all.join("\n"),
    })
}

#[cfg(test)]
#[path = "gomod_tests.rs"]
mod tests;
