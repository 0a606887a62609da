//! Settings that make cargo run a program: wrappers, compilers, linkers, runners, credential helpers. A well-known name
//! without a path that no scanned tree provides is a choice among the machine's own programs, and shown as that.

use crate::model::{Code, Finding, Severity};

use super::file::{Entry, Value};
use super::flags::{self, Flagged};
use super::told::{Source, short};
use super::tools::Tools;

/// Linkers of tool chains, found on the search path: naming one is no more than choosing it.
const LINKERS: &[&str] = &[
    "cc",
    "c++",
    "ld",
    "lld",
    "ld.lld",
    "ld.bfd",
    "ld.gold",
    "rust-lld",
    "lld-link",
    "wasm-ld",
    "mold",
    "wild",
    "gcc",
    "g++",
    "clang",
    "clang++",
    "flip-link",
    "link",
    "link.exe",
    "bpf-linker",
    "wasm-component-ld",
];
/// Endings of the names of cross linkers.
const CROSS: &[&str] = &["-gcc", "-g++", "-clang", "-clang++", "-ld", "-cc"];
/// Runners of emulators and debug probes, found on the search path.
const RUNNERS: &[&str] = &[
    "probe-rs",
    "probe-run",
    "espflash",
    "wasmtime",
    "wasmer",
    "wasm-bindgen-test-runner",
    "node",
    "cargo-flash",
    "elf2uf2-rs",
    "picotool",
    "ravedude",
    "wine",
];

/// Caches that wrap the compiler.
const WRAPPERS: &[&str] = &["sccache", "cachepot", "ccache"];

/// The finding about a setting that runs a program, if it is one.
pub(super) fn judge(entry: &Entry, source: &Source, tools: &Tools<'_>) -> Option<Finding> {
    let name = entry.key.join(".");
    let name = short(&name);
    let (program, usual) = match entry.parts().as_slice() {
        ["build", "rustc-wrapper" | "rustc-workspace-wrapper"] | ["target", _, "rustc-wrapper"] => {
            let program = named(&entry.value)?;
            let usual = WRAPPERS.contains(&program.as_str());
            (program, usual)
        }
        ["build", "rustc" | "rustdoc"] | ["doc", "browser"] => (named(&entry.value)?, false),
        ["build", "target"] => return of_target(entry, source),
        ["target", _, "linker"] | ["host", "linker"] | ["host", _, "linker"] => {
            let program = named(&entry.value)?;
            let usual = is_linker(&program);
            (program, usual)
        }
        ["target", _, "runner"] | ["host", "runner"] | ["host", _, "runner"] => {
            let program = named(&entry.value)?;
            let usual = is_runner(&entry.value);
            (program, usual)
        }
        ["build", "rustflags" | "rustdocflags"]
        | ["target", _, "rustflags" | "rustdocflags"]
        | ["host", "rustflags"]
        | ["host", _, "rustflags"]
        | ["profile", .., "rustflags"] => {
            return of_flags(&entry.value.words(), &name, entry, source, tools);
        }
        ["target", _, links, _, ..] => return Some(instead_of_script(links, entry, source)),
        ["registry", "credential-provider"] | ["registries", _, "credential-provider"] => {
            (provider(&entry.value.words())?, false)
        }
        ["registry", "global-credential-providers"] => {
            let each = entry.value.words();
            let found = each
                .iter()
                .find_map(|one| provider(&one.split_whitespace().collect::<Vec<_>>()));
            (found?, false)
        }
        ["credential-alias", _] => (provider(&entry.value.words())?, false),
        _ => return None,
    };
    let mut finding = source.graded(
        Code::CodeInSettings,
        entry.line,
        format!("`{name}` makes cargo run `{}`", short(&program)),
    );
    let first = program.split_whitespace().next().unwrap_or_default();
    if usual && !tools.provided(first) {
        finding.severity = Severity::Medium;
    }
    finding.remedy = Some(remedy(source));
    Some(finding)
}

/// A description of a target of one's own may name a linker.
fn of_target(entry: &Entry, source: &Source) -> Option<Finding> {
    let words = entry.value.words();
    let described = words.iter().find(|word| word.ends_with(".json"))?;
    let message = format!("`build.target` is described by `{}`", short(described));
    let mut finding = source.graded(Code::CodeInSettings, entry.line, message);
    finding.severity = Severity::Medium;
    finding.remedy = Some("look whether it names a linker, or arguments for one".into());
    Some(finding)
}

pub(super) fn remedy(source: &Source) -> String {
    if source.scanned {
        "look at the program before building here, or remove the setting".into()
    } else {
        "if it is not yours, remove the setting".into()
    }
}

/// The first word of a program setting; empty values switch it off.
fn named(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::List(list) => list.join(" "),
        Value::Switch(_) => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

pub(super) fn is_linker(program: &str) -> bool {
    LINKERS.contains(&program)
        || (!program.contains(['/', '\\', ' ']) && CROSS.iter().any(|end| program.ends_with(end)))
}

fn is_runner(value: &Value) -> bool {
    let words = value.words();
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    let known = RUNNERS.contains(first) || (first.starts_with("qemu-") && !first.contains('/'));
    // What such a program is told to run beside the build's own output is code again.
    known && !rest.iter().any(|word| word.contains('/') || *word == "-e")
}

/// What compiler flags load or run; a known linker and a linker script are usual.
fn of_flags(
    words: &[&str],
    name: &str,
    entry: &Entry,
    source: &Source,
    tools: &Tools<'_>,
) -> Option<Finding> {
    let (what, verb, usual) = match flags::judge(words)? {
        Flagged::Runs(program) => {
            let usual = is_linker(&program) && !tools.provided(&program);
            (program, "makes cargo run", usual)
        }
        Flagged::Loads(flag) => (flag, "gives the compiler", false),
        Flagged::Script(flag) => (flag, "gives the linker", true),
    };
    let message = format!("`{name}` {verb} `{}`", short(&what));
    let mut finding = source.graded(Code::CodeInSettings, entry.line, message);
    if usual {
        finding.severity = Severity::Medium;
    }
    finding.remedy = Some(remedy(source));
    Some(finding)
}

/// `[target.<triple>.<links>]`: what a build script would have said, said by settings instead.
fn instead_of_script(links: &str, entry: &Entry, source: &Source) -> Finding {
    let message = format!(
        "settings stand in for the build script of what links `{}`",
        short(links)
    );
    let mut finding = source.graded(Code::CodeInSettings, entry.line, message);
    finding.remedy = Some(remedy(source));
    finding
}

/// The program behind a credential provider; cargo's own run none, except the one that reads a program's output.
fn provider(words: &[&str]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    match *first {
        "cargo:token-from-stdout" if !rest.is_empty() => Some(rest.join(" ")),
        own if own.starts_with("cargo:") => None,
        "" => None,
        _ => Some(words.join(" ")),
    }
}

#[cfg(test)]
#[path = "programs_tests.rs"]
mod tests;
