//! What a command line of Go (cmd/go 1.26) says of the module that it builds and of where packages come from.
//!
//! Go's flags have one hyphen or two and end at the first word that is none, or at `--`; `go run` and `go test` hand what
//! follows the package to the program. A flag that is not known here is taken to have no word of its own.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::ecosystems::contract::CommandLine;

/// Flags whose value may be a word of its own, beside those that are read here.
const VALUED: &[&str] = &[
    "asmflags",
    "bench",
    "benchtime",
    "blockprofile",
    "buildmode",
    "compiler",
    "count",
    "coverpkg",
    "covermode",
    "coverprofile",
    "cpu",
    "cpuprofile",
    "exec",
    "gccgoflags",
    "gcflags",
    "installsuffix",
    "ldflags",
    "memprofile",
    "o",
    "p",
    "parallel",
    "pgo",
    "pkgdir",
    "run",
    "skip",
    "tags",
    "timeout",
    "toolexec",
    "vet",
];

/// Reads the words behind `go`.
pub(super) fn read(words: &[OsString]) -> CommandLine {
    let mut line = CommandLine::default();
    let words: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut rest = words.iter().map(String::as_str).peekable();
    let mut command = None;
    let mut flags = true;
    while let Some(word) = rest.next() {
        let Some(flag) = flag(word).filter(|_| flags) else {
            let Some(command) = command else {
                command = Some(word);
                continue;
            };
            // Also where it might be the value of a flag that is not known here.
            if matches!(command, "run" | "install") && word.contains('@') {
                line.unlocked.push(word.to_owned());
            }
            if command == "run" {
                // The rest is the program's.
                break;
            }
            continue;
        };
        if flag.is_empty() {
            flags = false;
            continue;
        }
        if flag == "args" {
            break;
        }
        let (name, given) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        let mut value = || {
            given
                .clone()
                .or_else(|| rest.next().map(str::to_owned))
                .unwrap_or_default()
        };
        match name {
            "C" => {
                line.leaves = true;
                line.projects.push(PathBuf::from(value()));
            }
            "modfile" | "overlay" | "workfile" => line.unseen.push(format!("-{name} {}", value())),
            "mod" if value() == "mod" => line.unlocked.push("-mod=mod".to_owned()),
            "mod" => {}
            known if VALUED.contains(&known) => drop(value()),
            _ => {}
        }
    }
    line
}

fn flag(word: &str) -> Option<&str> {
    let one = word.strip_prefix('-')?;
    Some(one.strip_prefix('-').unwrap_or(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CommandLine {
        let words: Vec<OsString> = text.split(' ').map(OsString::from).collect();
        read(&words)
    }

    #[test]
    fn the_folder_to_work_in_is_the_project() {
        for text in [
            "-C ../app build ./...",
            "build -C ../app",
            "run -C=../app . -x",
        ] {
            let line = line(text);
            assert_eq!(
                (line.projects, line.leaves),
                (vec![PathBuf::from("../app")], true),
                "{text}"
            );
        }
        for text in [
            "build ./...",
            "run . -C ../app",
            "test ./... -args -C x",
            "build -o x -v .",
        ] {
            assert_eq!(line(text), CommandLine::default(), "{text}");
        }
    }

    #[test]
    fn files_that_replace_others_are_unseen() {
        for text in [
            "build -overlay /x.json .",
            "build -v --modfile=/x.mod",
            "run -tags a -overlay=x .",
        ] {
            assert_eq!(line(text).unseen.len(), 1, "{text}");
        }
        assert!(line("run . -overlay x").unseen.is_empty());
    }

    #[test]
    fn packages_by_version_and_a_free_choice_have_no_lock() {
        for text in [
            "run example.com/x@latest -v",
            "install -v example.com/x@v1.0.0",
            "build -mod=mod",
            "build -mod mod .",
        ] {
            assert_eq!(line(text).unlocked.len(), 1, "{text}");
        }
        for text in [
            "build -mod=vendor",
            "install ./...",
            "run . a@b",
            "run -ldflags a@b .",
            "run -- . x@y",
        ] {
            assert!(line(text).unlocked.is_empty(), "{text}");
        }
    }
}
