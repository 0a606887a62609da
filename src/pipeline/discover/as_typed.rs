//! Folders above a project by the path that was typed, where that leads through a link.
//!
//! A scan looks at what is really there. Tools that look for a workspace upward go by the spelling of the path: Go by `$PWD`
//! (`os.Getwd`, go 1.26), cargo by the text of `--manifest-path` (1.95, `find_workspace_root`), so a link can put the files of
//! another folder above a project. What those say is not judged here, and never passed over in silence.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::ecosystems::contract::FileAbove;
use crate::model::Problem;
use crate::model::text::printable;
use crate::pipeline::flow::Discovered;
use crate::world::{Dir, Env, FileKind, ReadFs};

use super::Targets;
use super::walk::format_of;

/// Largest file that is read there, in bytes.
const LARGEST: u64 = 1 << 20;

/// Says which files above the projects only those find who go by the path as it was typed.
pub(super) fn judge(targets: &Targets<'_>, found: &mut Discovered) {
    let real = targets.env.current_dir().unwrap_or_default();
    let shell = here(targets.env, targets.fs);
    let mut files: BTreeSet<PathBuf> = BTreeSet::new();
    let lockfiles = targets.lockfiles.iter().filter_map(|file| file.parent());
    for path in lockfiles.chain(targets.paths.iter().map(PathBuf::as_path)) {
        for (base, by_shell) in [(&real, false), (&shell, true)] {
            files.extend(above(&spelled(base, path), by_shell, targets, found));
        }
    }
    for file in files {
        let folder = file.parent().unwrap_or(&file).display().to_string();
        found.problems.push(Problem::partial(
            printable(&file.display().to_string()),
            printable(&format!(
                "lies above a project by the path that was typed, which leads through a link: a tool that goes by that path builds \
                 with it, and it was not scanned; scan {folder} as well"
            )),
        ));
    }
}

/// The working folder as a shell spells it, if that is where we are.
fn here(env: &dyn Env, fs: &dyn ReadFs) -> PathBuf {
    let real = env.current_dir().unwrap_or_default();
    let spelled = env.var("PWD").map(PathBuf::from);
    let same = |path: &Path| match (fs.stat_named(path), fs.stat_named(&real)) {
        (Ok(one), Ok(other)) => (one.dev, one.inode) == (other.dev, other.inode),
        _ => false,
    };
    spelled
        .filter(|path| path.is_absolute() && same(path))
        .unwrap_or(real)
}

/// A path by its spelling alone.
fn spelled(here: &Path, path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}

/// Files in folders above `path` that do not lie above what it leads to, and decide how that is built.
fn above(path: &Path, by_shell: bool, targets: &Targets<'_>, found: &Discovered) -> Vec<PathBuf> {
    let Ok(root) = targets.fs.open_root(path) else {
        return Vec::new();
    };
    if root.resolved == path {
        return Vec::new();
    }
    let names = |dir: &dyn Dir| -> Vec<String> {
        let entries = dir.list().unwrap_or_default().into_iter();
        let files = entries.filter(|entry| entry.kind != FileKind::Dir);
        files
            .filter_map(|entry| entry.name.into_string().ok())
            .collect()
    };
    let project = names(&*root.dir);
    let project: Vec<&str> = project.iter().map(String::as_str).collect();
    let mut files = Vec::new();
    for folder in path.ancestors().skip(1) {
        let Ok(opened) = targets.fs.open_root(folder) else {
            continue;
        };
        let mut roots = found.roots.iter().filter(|root| root.is_project);
        if root.resolved.starts_with(&opened.resolved)
            || roots.any(|root| opened.resolved.starts_with(&root.path))
        {
            continue;
        }
        for name in names(&*opened.dir) {
            let file = folder.join(&name);
            let known =
                format_of(&targets.ecosystems, &name).is_some() || is_manifest(targets, &name);
            // What cannot be read decides all the same, by its name.
            let text = if known {
                targets.fs.read_named(&file, LARGEST).unwrap_or_default()
            } else {
                continue;
            };
            let above = FileAbove {
                name: &name,
                text: &text,
                project: &project,
                by_shell,
            };
            if targets.ecosystems.iter().any(|e| e.adopts(&above)) {
                files.push(file);
            }
        }
    }
    files
}

fn is_manifest(targets: &Targets<'_>, name: &str) -> bool {
    let formats = targets.ecosystems.iter().flat_map(|e| e.lockfiles());
    formats
        .filter_map(|format| format.manifest())
        .any(|known| known == name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests make the folders")]

    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::ecosystems;
    use crate::world::fake::Given;
    use crate::world::real::SystemFs;

    /// `real/a` is a module, and so is what `link/a` leads to; `file` lies beside the link. Files that are told.
    fn told(file: &str, path: &str, at: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("real/a/in")).unwrap();
        fs::create_dir_all(top.join("link")).unwrap();
        symlink("../real/a", top.join("link/a")).unwrap();
        fs::write(top.join("real/a/go.mod"), "module a\n").unwrap();
        fs::write(top.join("real/a/Cargo.toml"), "[package]\nname = \"a\"\n").unwrap();
        fs::write(top.join("real/go.work"), "go 1.24\n").unwrap();
        fs::write(top.join(file), "[workspace]\n").unwrap();
        let env = Given {
            current_dir: top.join(at).canonicalize().ok(),
            ..Given::default()
        }
        .set("PWD", top.join(at).to_str().unwrap());
        let targets = Targets {
            paths: vec![path.into()],
            lockfiles: Vec::new(),
            caches: false,
            named_caches: Vec::new(),
            ecosystems: ecosystems::all().to_vec(),
            only: None,
            exclude: globset::GlobSet::empty(),
            own: Vec::new(),
            env: &env,
            fs: &SystemFs,
        };
        let mut found = Discovered::default();
        judge(&targets, &mut found);
        let problems = found.problems.into_iter();
        let below = |path: String| {
            path.strip_prefix(&format!("{}/", top.display()))
                .map(str::to_owned)
        };
        problems.filter_map(|problem| below(problem.path)).collect()
    }

    #[test]
    fn what_a_tool_finds_above_the_typed_path_alone_is_told() {
        for (path, at) in [("link/a", "."), (".", "link/a"), ("..", "link/a/in")] {
            assert_eq!(
                told("link/go.work", path, at),
                ["link/go.work"],
                "{path} at {at}"
            );
        }
        // Cargo asks the system where it is, and goes by the text of what is named.
        assert_eq!(told("link/Cargo.toml", "link/a", "."), ["link/Cargo.toml"]);
        assert_eq!(told("link/Cargo.toml", ".", "link/a"), [""; 0]);
    }

    #[test]
    fn what_no_tool_goes_by_is_not_told() {
        for file in [
            "link/notes",
            "link/go.mod",
            "link/go.sum",
            "link/Cargo.lock",
        ] {
            assert_eq!(told(file, "link/a", "."), [""; 0], "{file}");
        }
        assert_eq!(told("link/go.work", "real/a", "."), [""; 0]);
        assert_eq!(told("go.work", "link/a", "."), [""; 0]);
        assert_eq!(told("link/go.work", "../link/../real/a", "link"), [""; 0]);
    }
}
