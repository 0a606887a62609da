//! Arguments that the compiler hands to a linker, or to the C compiler that drives one (GNU ld and gcc, LLVM's lld and clang,
//! Apple's ld, mold, by their manuals): a short list loads nothing, and whatever is not on it counts as code.

use super::flags::Flagged;

/// Arguments of a linker that take a word, never a file.
const LINK_WORDED: &[&str] = &[
    "-undefined",
    "-z",
    "-framework",
    "-arch",
    "-target",
    "-e",
    "-u",
    "-m",
    "--entry",
    "--exclude-libs",
    "-current_version",
    "-compatibility_version",
    "-stack_size",
    "-platform_version",
];
/// Arguments of linkers and of the compilers that drive them which load nothing, whole.
const LINK_ALONE: &[&str] = &[
    "-s",
    "-S",
    "-x",
    "-E",
    "-n",
    "-N",
    "-q",
    "-v",
    "-w",
    "-g",
    "-static",
    "-static-pie",
    "-pie",
    "-no-pie",
    "-no_pie",
    "-nopie",
    "-nostdlib",
    "-nostartfiles",
    "-nodefaultlibs",
    "-rdynamic",
    "-pthread",
    "-pthreads",
    "-shared",
    "-shared-libgcc",
    "-static-libgcc",
    "-static-libstdc++",
    "-nmagic",
    "-m32",
    "-m64",
    "-mthumb",
    "-mwindows",
    "-mconsole",
    "-Xlinker",
    "-Bstatic",
    "-Bdynamic",
    "-Bsymbolic",
    "-Bsymbolic-functions",
    "-dead_strip",
    "-dead_strip_dylibs",
    "-headerpad_max_install_names",
    "-no_compact_unwind",
    "-no_uuid",
    "-ld_classic",
    "-ld_new",
    "-ld64",
    "-ObjC",
    "-all_load",
    "-demangle",
    "--as-needed",
    "--no-as-needed",
    "--gc-sections",
    "--no-gc-sections",
    "--print-gc-sections",
    "--build-id",
    "--strip-all",
    "--strip-debug",
    "--discard-all",
    "--export-dynamic",
    "--no-export-dynamic",
    "--no-rosegment",
    "--rosegment",
    "--eh-frame-hdr",
    "--no-eh-frame-hdr",
    "--fatal-warnings",
    "--no-fatal-warnings",
    "--no-warn-mismatch",
    "--no-undefined",
    "--allow-multiple-definition",
    "--allow-shlib-undefined",
    "--start-group",
    "--end-group",
    "--whole-archive",
    "--no-whole-archive",
    "--omagic",
    "--nmagic",
    "--no-nmagic",
    "--emit-relocs",
    "--relax",
    "--no-relax",
    "--no-gdb-index",
    "--gdb-index",
    "--no-entry",
    "--import-memory",
    "--export-memory",
    "--shared-memory",
    "--export-table",
    "--growable-table",
    "--export-all",
    "--stack-first",
    "--allow-undefined",
    "--no-demangle",
    "--stats",
    "--time",
    "--verbose",
    "--no-insert-timestamp",
    "--large-address-aware",
];
/// Linkers that a compiler's driver knows by a short name.
const NAMED_LINKERS: &[&str] = &["lld", "mold", "gold", "bfd", "wild", "rust-lld", "lld-link"];
/// Starts of such arguments; what follows is a word or a number.
const LINK_STARTS: &[&str] = &[
    "-O",
    "-ggdb",
    "-gdwarf",
    "-W",
    "-march=",
    "-mcpu=",
    "-mtune=",
    "-mfpu=",
    "-mfloat-abi=",
    "-mmacosx-version-min=",
    "-miphoneos-version-min=",
    "-flto",
    "-fno-",
    "-fPIC",
    "-fPIE",
    "-fsanitize=",
    "-fvisibility=",
    "-fstack-",
    "-z",
    "--target=",
    "--build-id=",
    "--hash-style=",
    "--icf=",
    "--threads=",
    "--thread-count=",
    "--warn-",
    "--unresolved-symbols=",
    "--exclude-libs=",
    "--compress-debug-sections=",
    "--pack-dyn-relocs=",
    "--sort-",
    "--entry=",
    "--defsym=",
    "--image-base=",
    "--section-start=",
    "--undefined=",
    "--export=",
    "--max-memory=",
    "--initial-memory=",
    "--global-base=",
    "--stack=",
    "--subsystem,",
    "--color-diagnostics",
    "--error-limit=",
    "--lto-O",
    "--lto-partitions=",
    "-Map=",
    "--Map=",
];
/// Arguments of those starts that hand words on, or name what is loaded.
const LINK_HANDED_ON: &[&str] = &[
    "-Wl,",
    "-Wa,",
    "-Wp,",
    "-gcc-",
    "-specs",
    "-sectcreate",
    "-sub_",
    "-shared_",
];

/// The worst that a list of arguments does. `before` is the argument before, since a word may belong to it.
pub(super) fn link_arguments(value: &str, before: &mut String) -> Option<Flagged> {
    let mut script = None;
    for argument in value.split_whitespace() {
        let parts: Vec<&str> = match argument.strip_prefix("-Wl,") {
            Some(parts) => parts.split(',').collect(),
            None => vec![argument],
        };
        for part in parts {
            if let Some(found) = link_argument(part, before) {
                match found {
                    Flagged::Script(_) => script = script.or(Some(found)),
                    _ => return Some(found),
                }
            }
            part.clone_into(before);
        }
    }
    script
}

fn link_argument(argument: &str, before: &str) -> Option<Flagged> {
    let loads = || Some(Flagged::Loads(argument.to_owned()));
    if is_switch(argument) {
        return None;
    }
    let linker = ["-fuse-ld=", "--ld-path="]
        .iter()
        .find_map(|start| argument.strip_prefix(start));
    if let Some(linker) = linker {
        return (!NAMED_LINKERS.contains(&linker)).then(|| Flagged::Runs(linker.to_owned()));
    }
    if has_path(argument) {
        return loads();
    }
    let scripts = ["-T", "--script=", "--version-script=", "--dynamic-list="];
    if before == "-T" || scripts.iter().any(|start| argument.starts_with(start)) {
        return Some(Flagged::Script(argument.to_owned()));
    }
    let starts = |list: &[&str]| list.iter().any(|start| argument.starts_with(start));
    // `-sNAME=value` of one driver; its names are in capitals.
    let setting = argument.strip_prefix("-s");
    let setting = setting.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let harmless = argument.is_empty()
        || setting
        || LINK_ALONE.contains(&argument)
        || LINK_WORDED.contains(&argument)
        || (!argument.starts_with('-') && LINK_WORDED.contains(&before))
        || (starts(LINK_STARTS) && !starts(LINK_HANDED_ON));
    if harmless { None } else { loads() }
}

/// `/STACK:8388608` and the like: options of one vendor's linker, not paths.
fn is_switch(argument: &str) -> bool {
    let Some(rest) = argument.strip_prefix('/') else {
        return false;
    };
    let name = rest.split(':').next().unwrap_or_default();
    let known = [
        "STACK",
        "DEBUG",
        "OPT",
        "SUBSYSTEM",
        "ENTRY",
        "NODEFAULTLIB",
        "HEAP",
        "LTCG",
        "INCREMENTAL",
        "DYNAMICBASE",
        "NXCOMPAT",
        "GUARD",
        "BREPRO",
        "LARGEADDRESSAWARE",
    ];
    known.contains(&name.to_ascii_uppercase().as_str()) && !has_path(rest)
}

/// Whether a text could name a file elsewhere, or a file of arguments.
pub(super) fn has_path(text: &str) -> bool {
    text.contains(['/', '\\', '@'])
}
