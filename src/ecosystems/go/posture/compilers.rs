//! Programs and flags that cgo takes from settings: compilers, linkers, and what they load (cmd/go 1.26, `internal/work/exec.go`).
//!
//! Go checks the flags that packages bring along, but not those of the user's settings. A compiler that is found by its plain
//! name is what any build would take; one that a path names, and a flag that makes it run or load something, is listed.

use std::path::Path;

use crate::ecosystems::contract::PostureContext;
use crate::model::{Code, Finding};

use super::super::settings::Settings;
use super::flags::words;
use super::told::{graded, is_audited, normal, short};

/// Variables that name programs, with what follows them on the command line.
const PROGRAMS: [&str; 6] = ["AR", "CC", "CXX", "FC", "GCCGO", "PKG_CONFIG"];
/// Variables with flags.
const FLAGS: [&str; 5] = [
    "CGO_CFLAGS",
    "CGO_CPPFLAGS",
    "CGO_CXXFLAGS",
    "CGO_FFLAGS",
    "CGO_LDFLAGS",
];
/// Variables that lift the check of flags that packages bring along.
const ALLOWED: [&str; 5] = [
    "CGO_CFLAGS_ALLOW",
    "CGO_CPPFLAGS_ALLOW",
    "CGO_CXXFLAGS_ALLOW",
    "CGO_FFLAGS_ALLOW",
    "CGO_LDFLAGS_ALLOW",
];
/// Starts of flags that make a compiler or linker run or load something beside headers and libraries.
const LOADS: [&str; 13] = [
    "-B",
    "-fplugin",
    "-fpass-plugin",
    "-Xclang",
    "-load",
    "-specs",
    "--specs",
    "-wrapper",
    "-Wl,-plugin",
    "-Wl,--plugin",
    "-Wl,-T",
    "@",
    "--config",
];
/// Starts of flags that name folders and files of libraries and headers, as native code needs them.
const USUAL: [&str; 10] = [
    "-I",
    "-L",
    "-l",
    "-F",
    "-isystem",
    "-isysroot",
    "-iquote",
    "--sysroot",
    "-Wl,-rpath",
    "-D",
];

/// Flags that name a folder or file of headers and libraries, in the same word or in the next one.
const SOUGHT: [&str; 13] = [
    "-isystem",
    "-isysroot",
    "-iquote",
    "-idirafter",
    "-include",
    "-imacros",
    "--sysroot",
    "-Wl,-rpath",
    "-Wl,-L",
    "-Xlinker",
    "-I",
    "-L",
    "-F",
];

/// What compilers are told by settings.
pub(super) fn judge(settings: &Settings, context: &PostureContext<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |name: &str, message: String| {
        if let Some(setting) = settings.get(name) {
            findings.push(graded(
                Code::CodeInSettings,
                name,
                setting,
                context,
                message,
            ));
        }
    };
    for name in PROGRAMS {
        let Some(setting) = settings.get(name) else {
            continue;
        };
        let words = words(&setting.value);
        let program = words.first().map_or("", String::as_str);
        let loads = words.iter().skip(1).find(|word| is_loading(word));
        if program.contains(['/', '\\']) && !is_of_the_system(program) {
            tell(name, format!("{name} runs `{}`", short(program)));
        } else if let Some(flag) = loads {
            tell(
                name,
                format!("{name} has `{}`, which may run code", short(flag)),
            );
        }
    }
    for name in FLAGS {
        let Some(setting) = settings.get(name) else {
            continue;
        };
        if let Some(flag) = words(&setting.value).iter().find(|word| is_loading(word)) {
            tell(
                name,
                format!("{name} has `{}`, which may run code", short(flag)),
            );
        } else if let Some(path) = sought(&words(&setting.value), context) {
            tell(
                name,
                format!(
                    "{name} has compilers and linkers look in `{}`, which others fill",
                    short(&path)
                ),
            );
        }
    }
    for name in ALLOWED {
        let Some(setting) = settings.get(name) else {
            continue;
        };
        let value = short(&setting.value);
        tell(
            name,
            format!("{name} lets packages hand `{value}` to the compiler, which Go would refuse"),
        );
    }
    findings
}

/// The first place that flags name and that whoever fills a scanned tree, a cache or a module decides about. A relative one is
/// sought in the folder of each package.
fn sought(words: &[String], context: &PostureContext<'_>) -> Option<String> {
    let mut follows = false;
    words.iter().find_map(|word| {
        let flag = SOUGHT.iter().find(|flag| word.starts_with(**flag));
        let path = match flag {
            Some(flag) => word.get(flag.len()..).unwrap_or_default(),
            // A file that is linked in as it is.
            None if follows || (!word.starts_with('-') && word.contains(['/', '.'])) => word,
            None => "",
        };
        let path = path.trim_start_matches(['=', ',']);
        follows = flag.is_some() && path.is_empty();
        let of_others =
            !Path::new(path).is_absolute() || is_audited(&normal(Path::new(path)), context);
        (!path.is_empty() && !path.starts_with('-') && of_others).then(|| path.to_owned())
    })
}

/// Programs in folders that only the system's administrator fills.
fn is_of_the_system(program: &str) -> bool {
    let folders = ["/usr/bin/", "/bin/", "/usr/local/bin/"];
    folders
        .iter()
        .filter_map(|folder| program.strip_prefix(folder))
        .any(|name| !name.contains('/'))
}

fn is_loading(flag: &str) -> bool {
    if LOADS.iter().any(|start| flag.starts_with(start)) {
        return true;
    }
    if let Some(linker) = flag
        .strip_prefix("-fuse-ld=")
        .or_else(|| flag.strip_prefix("--ld-path="))
    {
        return linker.contains('/');
    }
    let usual = USUAL.iter().any(|start| flag.starts_with(start));
    // A flag that is not known and names a file.
    flag.starts_with('-') && flag.contains('/') && !usual && !flag.starts_with("-f")
}
