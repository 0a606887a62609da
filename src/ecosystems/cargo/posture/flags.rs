//! Flags that settings hand to the compiler (rustc 1.95, its command line reference): which of them load or run what they name.
//!
//! A short list is known to be harmless; whatever is not on it counts as code, since every release brings new options. A word
//! that starts with `@` is a file of further flags.

use super::linker::{has_path, link_arguments};

/// What a flag does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flagged {
    /// Runs a program: a linker or a code generator.
    Runs(String),
    /// Loads a file, or may.
    Loads(String),
    /// Names a linker script, as bare-metal projects do.
    Script(String),
}

/// Options of `-C` whose values are no names of files.
const CODEGEN: &[&str] = &[
    "code-model",
    "codegen-units",
    "control-flow-guard",
    "debug-assertions",
    "debuginfo",
    "default-linker-libraries",
    "embed-bitcode",
    "force-frame-pointers",
    "force-unwind-tables",
    "inline-threshold",
    "instrument-coverage",
    "link-dead-code",
    "link-self-contained",
    "linker-flavor",
    "linker-plugin-lto",
    "lto",
    "metadata",
    "no-prepopulate-passes",
    "no-redzone",
    "no-vectorize-loops",
    "no-vectorize-slp",
    "opt-level",
    "overflow-checks",
    "panic",
    "prefer-dynamic",
    "relocation-model",
    "relro-level",
    "rpath",
    "save-temps",
    "soft-float",
    "split-debuginfo",
    "strip",
    "symbol-mangling-version",
    "target-cpu",
    "target-feature",
];
/// Flags that take a word which is not the name of a file that is loaded.
const WORDED: &[&str] = &[
    "-D",
    "-W",
    "-A",
    "-F",
    "--deny",
    "--warn",
    "--allow",
    "--forbid",
    "--force-warn",
    "--cap-lints",
    "--cfg",
    "--check-cfg",
    "--color",
    "--remap-path-prefix",
];
/// Flags that stand alone.
const ALONE: &[&str] = &[
    "-g",
    "-O",
    "-v",
    "--verbose",
    "--document-private-items",
    "--document-hidden-items",
];
/// Unstable options that only change how code is made.
const UNSTABLE: &[&str] = &["threads", "share-generics"];
/// The worst that the flags do.
pub(super) fn judge(words: &[&str]) -> Option<Flagged> {
    let mut script = None;
    // Also where an option before it would take a word: the compiler puts the file's lines in its place first.
    if let Some(file) = words.iter().find(|word| word.trim().starts_with('@')) {
        return Some(Flagged::Loads((*file).to_owned()));
    }
    let mut words = words.iter().map(|w| w.trim()).filter(|w| !w.is_empty());
    // The argument of the linker before, since a word may belong to it.
    let mut before = String::new();
    let mut runs = None;
    while let Some(word) = words.next() {
        let option = match word {
            "-C" | "--codegen" => Some(words.next().unwrap_or_default()),
            _ => word
                .strip_prefix("-C")
                .or_else(|| word.strip_prefix("--codegen=")),
        };
        let found = if let Some(option) = option {
            codegen(option.trim(), &mut before)
        } else if word == "-Z" || word.starts_with("-Z") {
            let option = match word.strip_prefix("-Z") {
                Some("") | None => words.next().unwrap_or_default(),
                Some(option) => option,
            };
            unstable(option)
        } else if WORDED.contains(&word) {
            words.next();
            None
        } else {
            (!harmless(word)).then(|| Flagged::Loads(word.to_owned()))
        };
        match found {
            // A linker may be a known one; what is loaded is never known.
            Some(Flagged::Loads(_)) => return found,
            Some(Flagged::Runs(_)) => runs = worse(runs, found),
            Some(Flagged::Script(_)) => script = script.or(found),
            None => {}
        }
    }
    runs.or(script)
}

/// Of two programs, the one that has a path.
fn worse(first: Option<Flagged>, second: Option<Flagged>) -> Option<Flagged> {
    match (&first, &second) {
        (Some(Flagged::Runs(a)), Some(Flagged::Runs(b))) if !has_path(a) && has_path(b) => second,
        (None, _) => second,
        _ => first,
    }
}

fn harmless(word: &str) -> bool {
    if ALONE.contains(&word) {
        return true;
    }
    let joined = |flag: &&&str| {
        let rest = word.strip_prefix(**flag);
        if flag.starts_with("--") {
            rest.is_some_and(|rest| rest.starts_with('='))
        } else {
            rest.is_some()
        }
    };
    WORDED.iter().any(|flag| joined(&flag))
}

fn codegen(option: &str, before: &mut String) -> Option<Flagged> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    match name {
        "linker" | "codegen-backend" | "dlltool" => {
            (!value.is_empty()).then(|| Flagged::Runs(value.to_owned()))
        }
        "link-arg" | "link-args" | "pre-link-arg" | "pre-link-args" => {
            link_arguments(value, before)
        }
        _ if CODEGEN.contains(&name) && !has_path(value) => None,
        _ => Some(Flagged::Loads(format!("-C {option}"))),
    }
}

fn unstable(option: &str) -> Option<Flagged> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    match name {
        "codegen-backend" if !value.is_empty() => Some(Flagged::Runs(value.to_owned())),
        "pre-link-arg" | "pre-link-args" | "link-arg" => link_arguments(value, &mut String::new()),
        _ if UNSTABLE.contains(&name) && !has_path(value) => None,
        _ => Some(Flagged::Loads(format!("-Z {option}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_load_or_run_what_they_name() {
        for words in [
            &["-Clink-arg=/tmp/evil.o"][..],
            &["-C", "link-arg=evil.o"],
            &["-C", "link-args=-s evil"],
            &["-Clink-arg=-Wl,--as-needed,/tmp/evil.so"],
            &["-Clink-arg=-Wl,-levil"],
            &["-Clink-arg=-levil"],
            &["-Clink-arg=@args"],
            &["-Clink-arg=-fplugin=evil"],
            &["--cfg", "@args"],
            &["-C", "opt-level=3", "--check-cfg", "@args"],
            &["-Clink-arg=-Wl,--dynamic-linker=evil"],
            &["-Clink-arg=-Wl,-dynamic-linker,evil"],
            &["-Clink-arg=-Wl,-rpath,evil"],
            &["-Clink-arg=--sysroot=evil"],
            &["-Clink-arg=-specs=evil"],
            &["-Clink-arg=-not-known-yet"],
            &["-Clink-arg=-Xlinker", "-Clink-arg=-plugin"],
            &["-Clink-arg=-syslibroot"],
            &["-C link-arg=/tmp/evil.o"],
            &["--sysroot=/tmp/evil"],
            &["--sysroot", "evil"],
            &["@/tmp/args"],
            &["@args"],
            &["-L", "native=/tmp/evil"],
            &["-Lnative=x"],
            &["-l", "evil"],
            &["-levil"],
            &["--extern=a=/tmp/liba.rlib"],
            &["--extern", "a"],
            &["-Zsomething"],
            &["-Z", "allow-features=x"],
            &["-Cprofile-use=/tmp/x"],
            &["-Cllvm-args=-load=evil.so"],
            &["-Ctarget-cpu=/tmp/x"],
            &["--not-known-yet"],
            &["-D", "warnings", "--cfg", "a", "-Lx"],
            &["-Clinker=clang", "-L", "/tmp/evil"],
            &["-Clink-arg=-Tlink.x", "-Clink-arg=/x.o"],
        ] {
            let found = judge(words);
            assert!(
                matches!(found, Some(Flagged::Loads(_))),
                "{words:?} {found:?}"
            );
        }
        for words in [
            &["-C", "linker=./x"][..],
            &["-Clinker=clang", "-Zcodegen-backend=./x"],
            &["-Clink-arg=-fuse-ld=/p/x"],
            &["-Clink-arg=-fuse-ld=./x", "-Clink-arg=-s"],
        ] {
            let Some(Flagged::Runs(program)) = judge(words) else {
                panic!("{words:?}");
            };
            assert!(has_path(&program), "{words:?}");
        }
    }

    #[test]
    fn usual_flags_are_quiet() {
        for words in [
            &["-C", "target-cpu=native"][..],
            &["-Ctarget-feature=+crt-static", "-Copt-level=3", "-Clto=fat"],
            &["-C codegen-units=1", "--codegen=debuginfo=0"],
            &["-D", "warnings", "-Wunused", "-Aclippy::all"],
            &["--cfg", "tokio_unstable", "--cfg=foo=\"a\""],
            &["--check-cfg", "cfg(foo)"],
            &["-C", "link-arg=-fuse-ld=mold"],
            &["-Clink-arg=-Wl,--as-needed,-z,relro", "-Clink-arg=-s"],
            &["-Clink-arg=-undefined", "-Clink-arg=dynamic_lookup"],
            &["-Clink-arg=-fuse-ld=lld", "-Clink-arg=-nostartfiles"],
            &["-Clink-args=-static -Wl,--gc-sections,--build-id=none"],
            &[
                "-Clink-arg=-Wl,--icf=all,-z,nodelete",
                "-Clink-arg=-sEXPORT_NAME=x",
            ],
            &["-Clink-arg=/STACK:8388608"],
            &["-Zshare-generics=y", "-Zthreads=8"],
            &["-g", "", "-O"],
            &["--remap-path-prefix", "/home/me=x"],
            &[],
        ] {
            assert_eq!(judge(words), None, "{words:?}");
        }
        let script = judge(&["-C", "link-arg=-Tlink.x"]);
        assert_eq!(script, Some(Flagged::Script("-Tlink.x".into())));
    }
}
