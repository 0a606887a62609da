//! Settings that name folders: where cargo builds and installs, and folders that stand in for packages (`paths`, `[patch]`).

use std::path::{Path, PathBuf};

use crate::ecosystems::cargo::derived;
use crate::ecosystems::contract::{NamedPlace, PostureContext, PostureReport};
use crate::model::{Code, Line};
use crate::world::FileKind;

use super::file::Entry;
use super::search::{normal, real};
use super::told::{Source, short};

/// Judges a setting that names a folder.
pub(super) fn judge(
    entry: &Entry,
    source: &Source,
    home: Option<&Path>,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    match entry.parts().as_slice() {
        ["build", key @ ("target-dir" | "build-dir")] | ["install", key @ "root"] => {
            let Some(written) = entry.value.text() else {
                return;
            };
            // Settings of the user are about every workspace, and of a scanned tree about each below them.
            for base in workspaces(written, context) {
                if let (Some(path), true) = (templated(written, base, home), *key != "root") {
                    place(&path, source, entry.line, context, report);
                }
            }
            let Some(path) = templated(written, &source.base, home) else {
                return;
            };
            moved(&path, entry, source, context, report);
            if *key != "root" {
                place(&path, source, entry.line, context, report);
            }
        }
        ["paths"] => {
            for written in entry.value.words() {
                stands_in(written, entry, source, context, report);
            }
        }
        ["patch", _, _, "path"] => {
            if let Some(written) = entry.value.text() {
                stands_in(written, entry, source, context, report);
            }
        }
        _ => {}
    }
}

/// Folders that `{workspace-root}` may mean.
fn workspaces<'a>(written: &str, context: &PostureContext<'a>) -> impl Iterator<Item = &'a Path> {
    let named = written.contains("{workspace-root}");
    let all = context.described.iter().map(PathBuf::as_path);
    all.filter(move |_| named)
}

/// Fills in what `build.build-dir` may hold; `None` where a part is made by cargo.
fn templated(written: &str, root: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let base = root.to_string_lossy();
    let home = home.map(Path::to_string_lossy).unwrap_or_default();
    let filled = written
        .replace("{workspace-root}", &base)
        .replace("{cargo-cache-home}", &home);
    let filled = filled
        .split("{workspace-path-hash}")
        .next()
        .unwrap_or_default();
    (!filled.is_empty() && !filled.contains('{')).then(|| root.join(filled))
}

/// A scanned tree that moves what cargo writes out of the project.
fn moved(
    path: &Path,
    entry: &Entry,
    source: &Source,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    let really = real(context.fs, path);
    let inside = context
        .projects
        .iter()
        .any(|(root, _)| really.starts_with(root));
    if !source.scanned || inside {
        return;
    }
    let mut finding = source.finding(
        Code::PlaceRedirected,
        entry.line,
        format!(
            "`{}` of a scanned tree makes cargo write to {}",
            short(&entry.key.join(".")),
            short(&path.display().to_string())
        ),
    );
    finding.remedy = Some("remove the setting, or look at what lies there".into());
    report.findings.push(finding);
}

/// A build folder, if it is there.
pub(super) fn place(
    path: &Path,
    source: &Source,
    line: Option<Line>,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    let there = context
        .fs
        .stat_named(path)
        .is_ok_and(|stat| stat.kind == FileKind::Dir);
    let really = real(context.fs, path);
    // A folder that holds what is scanned is no build folder, whatever a setting says.
    let holds = |roots: &[(PathBuf, crate::model::RootId)]| {
        roots.iter().any(|(root, _)| root.starts_with(&really))
    };
    if there && !holds(context.projects) && !holds(context.caches) {
        report.places.push(NamedPlace {
            kind: derived::KIND,
            path: path.to_owned(),
            named_by: source.at(line),
            stands_for: None,
        });
    }
}

/// A folder that settings put in the place of a package: first-party where settings of the scanned tree say so and the walk
/// saw its manifest. What the user's own settings put there, or what lies where nobody looks, is another's.
fn stands_in(
    written: &str,
    entry: &Entry,
    source: &Source,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    // Cargo resolves these by their spelling, unlike every other path; it must lead to the same by the system.
    let path = source.base.join(written);
    let seen = [normal(&path), path.clone()]
        .iter()
        .all(|path| context.described.contains(&real(context.fs, path)));
    if seen && source.scanned {
        return;
    }
    let what = if seen {
        "a folder of a scanned project, but by settings outside of it"
    } else {
        "which is not among the scanned packages"
    };
    let message = format!(
        "`{}` of settings builds with {}, {what}",
        short(&entry.key.join(".")),
        short(&path.display().to_string())
    );
    let mut finding = source.finding(Code::SourceRedirected, entry.line, message);
    finding.remedy = Some("remove the setting, or scan that folder too".into());
    report.findings.push(finding);
}
