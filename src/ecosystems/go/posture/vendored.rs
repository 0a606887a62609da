//! Whether `vendor/modules.txt` fits the `go.mod` or `go.work` file beside its folder (cmd/go 1.26, `modload/vendor.go`).
//!
//! Go refuses to build from a folder that does not fit, and the next `go mod vendor` mends it; so this is no taint, but it says
//! that what is audited is not what would be built. Before go 1.14 only versions could be compared. What a workspace replaces
//! is not worked out: there only requirements are compared.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::ecosystems::contract::PostureContext;
use crate::formats::semver_order::GoOrder;
use crate::model::version_order::VersionOrder as _;
use crate::model::{Code, Finding, Line, Place, Severity, shell};

use super::super::gomod::{self, GoMod, Kind, Replacement};
use super::super::locks::semantic;
use super::super::modulestxt::{self, ModulesTxt, Vendored};
use super::told::{in_file, short};

/// Most differences that are named.
const NAMED: usize = 5;

/// Vendor folders of scanned projects that do not fit.
pub(super) fn judge(context: &PostureContext<'_>) -> Vec<Finding> {
    let mut folders: Vec<&Path> = context.folders.iter().map(|path| &**path).collect();
    folders.extend(context.projects.iter().map(|(path, _)| &**path));
    folders.sort_unstable();
    folders.dedup();
    folders
        .into_iter()
        .filter_map(|folder| of_folder(folder, context))
        .collect()
}

fn of_folder(folder: &Path, context: &PostureContext<'_>) -> Option<Finding> {
    let read = |path: &Path, most: usize| context.fs.read_named(path, most as u64).ok();
    let at = folder.join("vendor/modules.txt");
    let modules = modulestxt::parse(&read(&at, modulestxt::MAX_BYTES)?);
    let file = |path: &Path, kind| {
        let bytes = read(path, gomod::MAX_BYTES)?;
        Some(gomod::parse(&bytes, kind))
    };
    let differing = if modules.workspace {
        let work = file(&folder.join("go.work"), Kind::Work)?;
        let members: Vec<GoMod> = work
            .use_folders
            .iter()
            .filter_map(|used| file(&folder.join(&used.value).join("go.mod"), Kind::Mod))
            .collect();
        differences(&modules, &members.iter().collect::<Vec<_>>(), true)
    } else {
        let own = file(&folder.join("go.mod"), Kind::Mod)?;
        differences(&modules, &[&own], false)
    };
    let (line, _) = differing.first()?;
    let named: Vec<&str> = differing
        .iter()
        .take(NAMED)
        .map(|(_, what)| &**what)
        .collect();
    let more = differing.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    let what = format!(
        "the vendor folder does not fit what the project requires, and Go refuses it: {}{more}",
        named.join("; ")
    );
    let mut finding = in_file(Code::LockfileFactMismatch, &at, *line, what);
    finding.place = Place::Vendor;
    finding.severity = Severity::Medium;
    let mode = if modules.workspace { "work" } else { "mod" };
    let folder = shell::quote(folder.as_os_str().as_bytes());
    finding.remedy = Some(format!("go -C {folder} {mode} vendor"));
    Some(finding)
}

/// What does not fit, with lines of `modules.txt`.
fn differences(
    modules: &ModulesTxt,
    files: &[&GoMod],
    in_workspace: bool,
) -> Vec<(Option<Line>, String)> {
    let mut out = Vec::new();
    let mut listed: BTreeMap<&str, Vec<&Vendored>> = BTreeMap::new();
    for module in &modules.modules {
        listed.entry(&module.path).or_default().push(module);
    }
    let line = |module: &Vendored| Line::try_from(module.line).ok();
    // Up to 1.13 nothing was marked.
    let marked = in_workspace
        || files.iter().all(|file| {
            let go = file.go.as_ref().map_or("1.16", |go| &*go.value);
            GoOrder
                .compare(&semantic(go), "1.14.0")
                .is_some_and(|stands| stands != std::cmp::Ordering::Less)
        });
    for required in files.iter().flat_map(|file| &file.require) {
        let (path, version) = (&required.value.module.path, &required.value.module.version);
        let of_path = || listed.get(&**path).into_iter().flatten();
        let same = |m: &&&Vendored| m.version.as_deref() == Some(version.as_str());
        let fits = if marked {
            of_path().filter(same).any(|m| m.explicit)
        } else {
            of_path().count() == 0 || of_path().any(|m| same(&m))
        };
        // In a workspace a member may require another one.
        let is_member = in_workspace
            && files
                .iter()
                .any(|file| file.module.as_ref().is_some_and(|own| own.value == *path));
        if !fits && !is_member {
            let at = of_path().next().and_then(|m| line(m));
            let has = of_path().find_map(|m| m.version.as_deref());
            let has = has.map_or("none".to_owned(), short);
            let path = short(path);
            out.push((
                at,
                format!("{path} {} is required, {has} is there", short(version)),
            ));
        }
    }
    for module in modules
        .modules
        .iter()
        .filter(|m| m.explicit && m.version.is_some())
    {
        let required = files.iter().flat_map(|file| &file.require).any(|r| {
            r.value.module.path == module.path
                && Some(&r.value.module.version) == module.version.as_ref()
        });
        let known = files
            .iter()
            .flat_map(|file| &file.require)
            .any(|r| r.value.module.path == module.path);
        // Where the path is required in another version, that was said.
        if !required && !known {
            let path = short(&module.path);
            out.push((
                line(module),
                format!("{path} is marked as required, and is not"),
            ));
        }
    }
    if !in_workspace {
        for module in &modules.modules {
            let with = files.iter().find_map(|file| replaced(file, module));
            // A line without a version tells of a replacement of every version.
            let fits = match (&module.replacement, with) {
                (None, None) => true,
                (Some(a), Some(b)) => same_place(a, b),
                (None, Some(_)) => !marked,
                (Some(_), None) => false,
            };
            if !fits {
                let path = short(&module.path);
                out.push((
                    line(module),
                    format!("{path} is replaced otherwise than go.mod says"),
                ));
            }
        }
    }
    out
}

/// What go.mod puts in place of a module.
fn replaced<'a>(file: &'a GoMod, module: &Vendored) -> Option<&'a Replacement> {
    let of = |version: Option<&str>| {
        file.replace
            .iter()
            .map(|r| &r.value)
            .find(|r| r.path == module.path && r.version.as_deref() == version)
            .map(|r| &r.with)
    };
    module
        .version
        .as_deref()
        .and_then(|version| of(Some(version)))
        .or_else(|| of(None))
}

fn same_place(a: &Replacement, b: &Replacement) -> bool {
    match (a, b) {
        (Replacement::Folder(a), Replacement::Folder(b)) => {
            let plain = |text: &str| {
                let text = text.trim_end_matches('/');
                text.strip_prefix("./").unwrap_or(text).to_owned()
            };
            plain(a) == plain(b)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(gomod: &str, modules: &str) -> Vec<String> {
        let file = gomod::parse(gomod.as_bytes(), Kind::Mod);
        assert!(file.problems.is_empty(), "{:?}", file.problems);
        let modules = modulestxt::parse(modules.as_bytes());
        assert!(modules.problems.is_empty(), "{:?}", modules.problems);
        let found = differences(&modules, &[&file], false);
        found
            .into_iter()
            .map(|(line, what)| format!("{}:{what}", line.unwrap_or(0)))
            .collect()
    }

    #[test]
    fn what_go_refuses_is_said_and_what_it_takes_is_not() {
        let gomod =
            "module a.example/m\ngo 1.24\nrequire b.example/b v1.0.0\nrequire c.example/c v1.0.0\n";
        let good = "# b.example/b v1.0.0\n## explicit; go 1.20\nb.example/b\n# c.example/c v1.0.0\n## explicit\nc.example/c\n";
        assert_eq!(differing(gomod, good), [""; 0]);
        let indirect = format!("{good}# d.example/d v1.0.0\nd.example/d\n");
        assert_eq!(differing(gomod, &indirect), [""; 0]);
        let older = good.replace("c v1.0.0", "c v0.9.0");
        assert_eq!(
            differing(gomod, &older),
            ["4:c.example/c v1.0.0 is required, v0.9.0 is there"]
        );
        let unmarked = good.replace("## explicit\n", "");
        assert_eq!(differing(gomod, &unmarked).len(), 1);
        assert_eq!(
            differing(&gomod.replace("go 1.24", "go 1.13"), &unmarked),
            [""; 0]
        );
        let more = format!("{good}# d.example/d v1.0.0\n## explicit\nd.example/d\n");
        assert_eq!(
            differing(gomod, &more),
            ["7:d.example/d is marked as required, and is not"]
        );
    }

    #[test]
    fn replacements_must_be_those_of_go_mod() {
        let gomod =
            "module a.example/m\ngo 1.24\nrequire b.example/b v1.0.0\nreplace b.example/b => ./b\n";
        let good = "# b.example/b v1.0.0 => ./b\n## explicit\nb.example/b\n# b.example/b => ./b\n";
        assert_eq!(differing(gomod, good), [""; 0]);
        let other = good.replace("./b", "./evil");
        assert_eq!(differing(gomod, &other).len(), 2);
        let none = "# b.example/b v1.0.0\n## explicit\nb.example/b\n";
        assert_eq!(differing(gomod, none).len(), 1);
        let plain = gomod.replace("replace b.example/b => ./b\n", "");
        assert_eq!(differing(&plain, none), [""; 0]);
        assert_eq!(differing(&plain, good).len(), 2);
    }
}
