//! `[env]`: variables that settings give to everything that cargo starts: compilers, linkers, build scripts, tests.
//!
//! A short list is known to load and run nothing. Names by which programs find programs, libraries or flags are told as
//! code; whatever is on neither list is told once for a file, since only the programs that read it know what it does.

use std::collections::BTreeMap;

use crate::model::{Code, Finding, Line, Severity};

use super::environment;
use super::file::{Entry, File, Value};
use super::flags;
use super::programs::{self, is_linker};
use super::told::{Source, short};
use super::tools::Tools;

/// Names, and starts of names with a `*`, that load and run nothing.
const HARMLESS: &[&str] = &[
    "CARGO_INCREMENTAL",
    "CARGO_TERM_*",
    "CARGO_WORKSPACE_DIR",
    "CMAKE_BUILD_PARALLEL_LEVEL",
    "CMAKE_BUILD_TYPE",
    "CMAKE_POLICY_VERSION_MINIMUM",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORTERM",
    "DEFMT_LOG",
    "FORCE_COLOR",
    "LANG",
    "LC_ALL",
    "MACOSX_DEPLOYMENT_TARGET",
    "IPHONEOS_DEPLOYMENT_TARGET",
    "LLVM_PROFILE_FILE",
    "NODE_ENV",
    "NO_COLOR",
    "PKG_CONFIG_ALLOW_*",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_LOG",
    "RUST_LOG_STYLE",
    "RUST_MIN_STACK",
    "RUST_TEST_*",
    "SOURCE_DATE_EPOCH",
    "TERM",
    "TZ",
];
/// Names by which a program finds what it loads or runs; a `*` stands for any text at its end of the name.
const LOADS: &[&str] = &[
    // The system's loader, and search paths of every program.
    "PATH",
    "LD_*",
    "DYLD_*",
    "*_PRELOAD",
    "GCONV_PATH",
    "LOCPATH",
    "GLIBC_TUNABLES",
    "HOME",
    "SHELL",
    "XDG_CONFIG_*",
    // Compilers and linkers.
    "COMPILER_PATH",
    "GCC_*",
    "LIBRARY_PATH",
    "CPATH",
    "*_INCLUDE_PATH",
    "*_INCLUDE_DIR",
    "*_INCLUDE_DIRS",
    "SDKROOT",
    "DEVELOPER_DIR",
    "LIB",
    "LIBPATH",
    "INCLUDE",
    "*_LIB_DIR",
    "*_LIB_DIRS",
    "*_LIB_PATH",
    "*_LIBDIR",
    "*_LIBRARY_PATH",
    "*_LIBRARIES",
    "*_LIBRARY_DIR",
    "OPENSSL_DIR",
    "*_OPENSSL_DIR",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "LIBCLANG_*",
    "CLANG_PATH",
    "LLVM_*",
    "*_SYSROOT",
    "SYSROOT*",
    "CROSS_COMPILE",
    "NVCC*",
    "CUDA_PATH",
    "CUDA_HOME",
    // Programs of builds.
    "CMAKE*",
    "MAKE*",
    "MFLAGS",
    "GNUMAKEFLAGS",
    "NINJA*",
    "PKG_CONFIG*",
    "*_PKG_CONFIG",
    "*_PKG_CONFIG_PATH",
    "PROTOC*",
    "FLATC*",
    "CAPNP*",
    "RUSTC*",
    "RUSTDOC*",
    "RUSTUP_*",
    "RUST_TARGET_PATH",
    "RUSTFLAGS",
    "CLIPPY_*",
    "SCCACHE_*",
    "CCACHE_*",
    "CARGO",
    "CARGO_HOME",
    "CARGO_BUILD_*",
    "CARGO_TARGET_*",
    "CARGO_HOST_*",
    "CARGO_UNSTABLE_*",
    "CARGO_ENCODED_*",
    "CARGO_ALIAS_*",
    "CARGO_SOURCE_*",
    "CARGO_REGISTR*",
    "CARGO_PATCH_*",
    // Interpreters.
    "BASH_ENV",
    "ENV",
    "PYTHON*",
    "PYO3_PYTHON",
    "PYO3_CONFIG_FILE",
    "PERL*",
    "RUBY*",
    "NODE_*",
    "NPM_*",
    "JAVA_*",
    "_JAVA_*",
    "JDK_*",
    "CLASSPATH",
    "LUA_*",
    "TCLLIBPATH",
    "PHPRC",
    "GEM_*",
    "BUNDLE_*",
    "GUILE_*",
    "ERL_*",
    // Version control, remote shells, viewers.
    "GIT_*",
    "SSH_*",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "*_EDITOR",
    "*_PAGER",
    // What such names are made of.
    "*_COMMAND",
    "*_CMD",
    "*_PROGRAM",
    "*_EXECUTABLE",
    "*_EXE",
    "*_BIN",
    "*_RUNNER",
    "*_LINKER",
    "*_WRAPPER",
    "*_LAUNCHER",
    "*_PLUGIN",
    "*_PLUGINS",
    "*_PLUGIN_PATH",
    "*_MODULES",
    "*_ASKPASS",
    "*_COMPILER",
    "*_INTERPRETER",
];
/// Programs of a tool chain that are named for a target too: `CC`, `CC_…` and `…_CC`.
const TARGETED: &[&str] = &["CC", "CXX", "AR", "RANLIB", "LD", "NM", "STRIP"];
/// Programs of a tool chain.
const TOOLS: &[&str] = &[
    "CPP", "AS", "OBJCOPY", "LINKER", "FC", "HOSTCC", "HOSTCXX", "DLLTOOL", "WINDRES", "CLANG",
    "GCC", "YACC", "LEX", "BISON", "FLEX", "M4", "TCLSH", "AWK", "SED", "SH", "BASH",
];
/// Parts of the names of variables that hold flags.
const FLAGS: &[&str] = &[
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "FFLAGS",
    "ARFLAGS",
    "ASFLAGS",
    "CLANG_ARGS",
];
/// Flags of C compilers that load nothing, by their start.
const QUIET: &[&str] = &[
    "-O",
    "-D",
    "-U",
    "-std=",
    "-march=",
    "-mcpu=",
    "-mtune=",
    "-mfpu=",
    "-mfloat-abi=",
    "-mmacosx-version-min=",
    "-fno-",
    "-fPIC",
    "-fpic",
    "-fPIE",
    "-fpie",
    "-fstack-",
    "-fvisibility=",
    "-ffunction-sections",
    "-fdata-sections",
    "-ffast-math",
    "-flto",
    "-fomit-frame-pointer",
    "-fexceptions",
    "-fsanitize=",
    "-fcommon",
    "-fsigned-char",
    "-funsigned-char",
    "-fwrapv",
    "-fopenmp",
    "-fdebug-prefix-map=",
    "-ffile-prefix-map=",
    "-fmacro-prefix-map=",
    "-fdiagnostics-color",
    "-ggdb",
    "-gdwarf",
    "-gz",
    "-gsplit-dwarf",
    "-gline-tables-only",
];
/// Such flags, whole.
const QUIET_WORDS: &[&str] = &[
    "-g", "-g0", "-g1", "-g2", "-g3", "-w", "-pipe", "-pthread", "-m32", "-m64", "-mthumb",
];
/// Warnings are quiet; these starts hand words on to other programs.
const HANDED_ON: &[&str] = &["-Wl,", "-Wa,", "-Wp,"];
/// Folders of the system's own programs.
const SYSTEM: &[&str] = &[
    "/bin/",
    "/usr/bin/",
    "/usr/local/bin/",
    "/opt/homebrew/bin/",
];

/// A variable of the table.
#[derive(Default)]
struct Given<'a> {
    value: &'a str,
    line: Option<Line>,
    /// Whether the value is made a path below the settings' folder.
    relative: bool,
}

/// The findings about the variables of a file.
pub(super) fn judge(file: &File, source: &Source, tools: &Tools<'_>) -> Vec<Finding> {
    let mut given: BTreeMap<&str, Given<'_>> = BTreeMap::new();
    for entry in &file.entries {
        match entry.parts().as_slice() {
            ["env", name] | ["env", name, "value"] => {
                let one = given.entry(*name).or_default();
                one.value = entry.value.text().unwrap_or_default();
                one.line = entry.line;
            }
            ["env", name, "relative"] if entry.value == Value::Switch(true) => {
                let one = given.entry(*name).or_default();
                one.relative = true;
                one.line = one.line.or(entry.line);
            }
            _ => {}
        }
    }
    let mut findings = Vec::new();
    let mut unknown: Vec<(&str, Option<Line>)> = Vec::new();
    for (name, one) in &given {
        if (one.value.is_empty() && !one.relative) || matches(name, HARMLESS) {
            continue;
        }
        match code(name, one, source, tools) {
            Known::Code(finding) => findings.push(*finding),
            Known::Nothing => {}
            Known::Unknown => unknown.push((name, one.line)),
        }
    }
    findings.extend(told_once(&unknown, source));
    findings
}

/// What is known of a variable.
enum Known {
    Code(Box<Finding>),
    Nothing,
    Unknown,
}

fn code(name: &str, one: &Given<'_>, source: &Source, tools: &Tools<'_>) -> Known {
    // A variable that cargo itself reads as a setting is that setting for whatever starts cargo again.
    if let Some(key) = environment::key(name) {
        let value = Value::Text(one.value.to_owned());
        let line = one.line;
        let entry = Entry { key, value, line };
        return programs::judge(&entry, source, tools)
            .map_or(Known::Nothing, |finding| Known::Code(Box::new(finding)));
    }
    let is_flags = FLAGS.iter().any(|part| name.contains(part));
    if is_flags && !one.relative && are_quiet(name, one.value) {
        return Known::Nothing;
    }
    let targeted = |tool: &&str| {
        let after = name.strip_prefix(*tool);
        let before = name.strip_suffix(*tool);
        after.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            || before.is_some_and(|rest| rest.ends_with('_'))
    };
    let is_tool = TOOLS.contains(&name) || TARGETED.iter().any(targeted);
    if !(is_flags || is_tool || matches(name, LOADS)) {
        return Known::Unknown;
    }
    let message = format!(
        "`env.{}` gives what cargo starts `{}`",
        short(name),
        short(one.value)
    );
    let mut finding = source.graded(Code::CodeInSettings, one.line, message);
    let switched = name == "RUSTC_BOOTSTRAP";
    if !one.relative && (switched || is_tool && is_usual(one.value, tools)) {
        finding.severity = Severity::Medium;
    }
    finding.remedy = Some(programs::remedy(source));
    Known::Code(Box::new(finding))
}

/// A program of the system's tool chain: naming it is no more than choosing it.
fn is_usual(value: &str, tools: &Tools<'_>) -> bool {
    let of_system = SYSTEM.iter().find_map(|folder| value.strip_prefix(folder));
    let name = of_system.unwrap_or(value);
    is_linker(name) && (of_system.is_some() || !tools.provided(name))
}

fn is_quiet(flag: &str) -> bool {
    let starts = |list: &[&str]| list.iter().any(|start| flag.starts_with(start));
    let warns = flag.starts_with("-W") && !starts(HANDED_ON);
    starts(QUIET) || QUIET_WORDS.contains(&flag) || warns
}

/// Whether flags of a compiler, or of a linker, load nothing.
fn are_quiet(name: &str, value: &str) -> bool {
    if name.contains("LDFLAGS") {
        return flags::judge(&[&format!("-Clink-args={value}")]).is_none();
    }
    value.split_whitespace().all(is_quiet)
}

fn matches(name: &str, patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| {
        if let Some(start) = pattern.strip_suffix('*') {
            name.starts_with(start)
        } else if let Some(end) = pattern.strip_prefix('*') {
            name.ends_with(end)
        } else {
            name == *pattern
        }
    })
}

/// One finding for all variables of a file that nobody knows.
fn told_once(unknown: &[(&str, Option<Line>)], source: &Source) -> Option<Finding> {
    let names: Vec<&str> = unknown.iter().map(|(name, _)| *name).collect();
    let line = unknown.iter().filter_map(|(_, line)| *line).min();
    (!names.is_empty()).then(|| {
        let message = format!(
            "`[env]` gives what cargo starts variables that untaint does not know: {}",
            short(&names.join(", "))
        );
        let mut finding = source.finding(Code::CodeInSettings, line, message);
        finding.severity = Severity::Low;
        finding.remedy = Some("look whether a build script loads or runs what they name".into());
        finding
    })
}
