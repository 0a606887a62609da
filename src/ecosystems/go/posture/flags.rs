//! GOFLAGS: flags that every `go` command gets (cmd/go 1.26, `internal/work/build.go`, its test and run commands).
//!
//! Flags on a short list do no harm; those that are known to replace what is built, or to run what they name, are said as such;
//! all others count as code, since every release brings new ones. Pure.

/// What a flag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Runs or loads what it names.
    Code(&'static str),
    /// Builds something else than what is scanned.
    Elsewhere(&'static str),
    /// Takes what no lock names; the log judges its archive, and nobody its unpacked tree: so the whole cache is judged.
    Looser(&'static str),
    /// Nobody on the way is kept from changing what comes.
    Insecure(&'static str),
}

/// Flags whose values are no names of files.
const HARMLESS: &[&str] = &[
    "a",
    "asan",
    "benchmem",
    "buildmode",
    "buildvcs",
    "compiler",
    "count",
    "cover",
    "coverpkg",
    "covermode",
    "cpu",
    "failfast",
    "fullpath",
    "installsuffix",
    "json",
    "linkshared",
    "list",
    "modcacherw",
    "msan",
    "n",
    "p",
    "parallel",
    "pgo",
    "race",
    "reuse",
    "run",
    "short",
    "shuffle",
    "skip",
    "tags",
    "timeout",
    "trimpath",
    "v",
    "vet",
    "work",
    "x",
];
/// Flags of compiler and assembler that take no file.
const COMPILER: &[&str] = &[
    "-B",
    "-C",
    "-D",
    "-E",
    "-K",
    "-L",
    "-N",
    "-S",
    "-W",
    "-e",
    "-h",
    "-l",
    "-m",
    "-race",
    "-r",
    "-t",
    "-v",
    "-w",
    "-c",
    "-spectre",
    "-lang",
    "-p",
    "-std",
    "-shared",
    "-smallframes",
    "-d",
    "-trimpath",
    "-dwarf",
    "-dwarflocationlists",
    "-live",
    "-nolocalimports",
    "-complete",
    "-msan",
    "-asan",
    "-json",
    "-goversion",
    "-buildid",
    "-wb",
    "-j",
    "-%",
    "-+",
    "-U",
    "-dynlink",
    "-debug",
];
/// Flags of the linker that take no file that is run or loaded.
const LINKER: &[&str] = &[
    "-s",
    "-w",
    "-X",
    "-H",
    "-buildid",
    "-buildmode",
    "-c",
    "-compressdwarf",
    "-E",
    "-T",
    "-R",
    "-D",
    "-B",
    "-linkmode",
    "-n",
    "-race",
    "-msan",
    "-asan",
    "-v",
    "-checklinkname",
    "-aslr",
    "-a",
    "-d",
    "-dumpdep",
    "-g",
    "-h",
    "-k",
    "-libgcc",
    "-bindnow",
    "-strictdups",
    "-capturehostobjs",
    "-debugtramp",
    "-funcalign",
    "-randlayout",
];

/// What the flags do: the flag as written, and its effect. Harmless ones are left out.
pub(super) fn judge(flags: &str) -> Vec<(String, Effect)> {
    words(flags)
        .into_iter()
        .filter_map(|word| effect(&word).map(|effect| (word, effect)))
        .collect()
}

/// Whether the flags let Go take what no lock names.
pub(in super::super) fn takes_unlocked(flags: &str) -> bool {
    judge(flags)
        .iter()
        .any(|(_, effect)| matches!(effect, Effect::Looser(_)))
}

fn effect(word: &str) -> Option<Effect> {
    let flag = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
    // What is no flag stops Go.
    let flag = flag.filter(|flag| !flag.is_empty())?;
    let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
    match name {
        "toolexec" => Some(Effect::Code("runs a program for every tool")),
        "exec" => Some(Effect::Code("runs a program for every program and test")),
        "vettool" => Some(Effect::Code("runs a program as vet")),
        "pkgdir" => Some(Effect::Code("loads packages that were built elsewhere")),
        "overlay" => Some(Effect::Elsewhere("puts other files in place of sources")),
        "modfile" => Some(Effect::Elsewhere("reads another go.mod and go.sum")),
        "C" => Some(Effect::Elsewhere("builds in another folder")),
        "mod" if matches!(value, "readonly" | "vendor" | "") => None,
        "mod" => Some(Effect::Looser(
            "lets Go take modules that go.sum does not name",
        )),
        "insecure" => Some(Effect::Insecure(
            "lets Go fetch without encryption, and keeps it from asking the checksum database",
        )),
        "gcflags" | "asmflags" => tool(value, COMPILER, &["-I"]),
        "ldflags" => tool(value, LINKER, &[]),
        _ if HARMLESS.contains(&name) => None,
        _ => Some(Effect::Code("may run or load what it names")),
    }
}

/// Flags that are handed to a tool: `[pattern=]flags`.
fn tool(value: &str, known: &[&str], with_folder: &[&str]) -> Option<Effect> {
    let flags = match value.split_once('=') {
        Some((pattern, flags)) if !pattern.starts_with('-') => flags,
        _ => value,
    };
    let mut before = String::new();
    for word in words(flags) {
        let word = word.replacen("--", "-", usize::from(word.starts_with("--")));
        let (name, value) = word.split_once('=').unwrap_or((&word, ""));
        if !name.starts_with('-') {
            // A word that belongs to the flag before it; a known one says what it is.
            let taken = known.contains(&&*before) || with_folder.contains(&&*before);
            if !taken && !before.is_empty() {
                return Some(Effect::Code("hands a tool a file to load"));
            }
            continue;
        }
        let linker = matches!(name, "-extldflags" | "-gccgoflags");
        let joined = name.starts_with("-d=") || name.starts_with("-X=");
        let is_known = known.contains(&name)
            || joined
            || with_folder.iter().any(|flag| name.starts_with(flag))
            || (linker
                && words(value.trim_matches(['"', '\'']))
                    .iter()
                    .all(|w| is_plain(w)));
        if !is_known {
            return Some(Effect::Code(
                "hands a tool a flag that may run or load what it names",
            ));
        }
        name.clone_into(&mut before);
    }
    None
}

/// A flag of the outer linker that names no file.
fn is_plain(word: &str) -> bool {
    let loads = [
        "-B",
        "-fplugin",
        "-specs",
        "-wrapper",
        "@",
        "-Wl,-plugin",
        "-Wl,--plugin",
        "-Wl,-dynamic-linker",
    ];
    word.starts_with('-')
        && !word.contains('/')
        && !loads.iter().any(|start| word.starts_with(start))
}

/// Words parted by blanks; quotes keep blanks inside a word when it begins with one (Go's `quoted.Split`).
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if matches!(first, '"' | '\'') {
            let inner = rest.get(1..).unwrap_or_default();
            inner.split_once(first).unwrap_or((inner, ""))
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest.split_at_checked(end).unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_run_load_or_replace_are_said() {
        for (flags, code) in [
            ("-toolexec=/tmp/evil", true),
            ("--toolexec=evil", true),
            ("'-toolexec=evil with words' -v", true),
            ("-exec=/tmp/evil", true),
            ("-vettool=/tmp/evil", true),
            ("-pkgdir=/tmp/objects", true),
            ("-not-known-yet=1", true),
            ("-ldflags=-extld=/tmp/evil", true),
            ("\"-ldflags=-s -w -extldflags=-fplugin=x.so\"", true),
            ("\"-ldflags=-extldflags '-B /tmp/evil'\"", true),
            ("-gcflags=all=-importcfg=/tmp/x", true),
            ("-gccgoflags=-fplugin=x", true),
            ("-overlay=/tmp/o.json", false),
            ("-modfile=other.mod", false),
            ("-C=/tmp/other", false),
        ] {
            let found = judge(flags);
            assert_eq!(found.len(), 1, "{flags} {found:?}");
            assert_eq!(matches!(found[0].1, Effect::Code(_)), code, "{flags}");
        }
        let found = judge("-mod=mod -insecure");
        assert!(matches!(
            found.as_slice(),
            [(_, Effect::Looser(_)), (_, Effect::Insecure(_))]
        ));
    }

    #[test]
    fn usual_flags_are_quiet() {
        for flags in [
            "",
            "-mod=readonly",
            "-mod=vendor -trimpath",
            "-modcacherw",
            "-tags=netgo,osusergo -buildvcs=false",
            "-race -count=1 -timeout=30m -p=4 -v -x",
            "'-ldflags=-s -w'",
            "\"-ldflags=-X main.version=1.2 -X=main.commit=abc\"",
            "'-ldflags=-linkmode=external -extldflags=-static'",
            "'-gcflags=all=-N -l' -buildmode=pie",
            "-gcflags=-m -asmflags=-trimpath",
            "-asmflags=-I/usr/include",
        ] {
            assert_eq!(judge(flags), [], "{flags}");
        }
    }
}
