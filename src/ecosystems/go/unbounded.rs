//! Where Go takes modules from its cache that no lock names (cmd/go 1.26, `modload/init.go`, `modfetch/fetch.go`).
//!
//! ```text
//! go.work       Go completes go.work.sum by itself: a module without a line is held against the log by its `.ziphash` record
//! -mod=mod      the same with go.sum
//! ```
//! The record is all that is held against the log, never the unpacked tree. Which modules such a build takes is told by the
//! `go.mod` files of the modules themselves, so any module of the cache may be one of them. Nothing is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::LockView;
use crate::world::{Env, FileKind, ReadFs};

use super::posture::takes_unlocked;
use super::settings::Settings;

/// Lockfiles that do not bound what Go takes, by position, and why.
pub(super) fn of(locks: &[LockView<'_>], env: &dyn Env, fs: &dyn ReadFs) -> Vec<(usize, String)> {
    let settings = Settings::load(env, fs);
    let all = |why: String| (0..locks.len()).map(|at| (at, why.clone())).collect();
    let flags = settings.get("GOFLAGS");
    if let Some(setting) = flags.filter(|setting| takes_unlocked(&setting.value)) {
        return all(format!("GOFLAGS has -mod=mod ({})", setting.origin()));
    }
    match settings.get("GOWORK").map_or("auto", |s| &*s.value) {
        "off" => return Vec::new(),
        "auto" => {}
        named => return all(format!("GOWORK makes {named} the workspace")),
    }
    let mut known: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
    let mut unbounded = Vec::new();
    for (at, lock) in locks.iter().enumerate() {
        let file = lock.root_path.join(lock.rel);
        let folder = file.parent().unwrap_or(lock.root_path);
        let work = known
            .entry(folder.to_owned())
            .or_insert_with(|| workspace(folder, fs));
        if let Some(work) = work {
            unbounded.push((at, format!("{} makes a workspace", work.display())));
        }
    }
    unbounded
}

/// The nearest `go.work` in a folder or above, however far up, also where it cannot be told what it is.
fn workspace(folder: &Path, fs: &dyn ReadFs) -> Option<PathBuf> {
    let mut files = folder.ancestors().map(|above| above.join("go.work"));
    files.find(|file| match fs.stat_named(file) {
        Ok(stat) => stat.kind != FileKind::Dir,
        Err(error) => !error.is_not_found(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystems::contract::LockExtra;
    use crate::world::fake::{Disk, Given};

    /// Which of two lockfiles do not bound what Go takes, and why the first of these does not.
    fn unbounded(files: &[(&str, &str)], variables: &[(&str, &str)]) -> (Vec<usize>, String) {
        let mut disk = Disk::of(1000, 1000);
        disk.file("/p/w/a/go.mod", "").file("/p/b/go.mod", "");
        for (path, text) in files {
            disk.file(path, *text);
        }
        let mut env = Given::default();
        for (name, value) in variables {
            env.vars.insert((*name).into(), (*value).into());
        }
        let extra = LockExtra::default();
        let views: Vec<LockView<'_>> = ["w/a/go.mod", "b/go.mod"]
            .into_iter()
            .map(|rel| LockView {
                root: 0,
                root_path: Path::new("/p"),
                rel,
                kind: "go-mod",
                packages: Vec::new(),
                extra: &extra,
            })
            .collect();
        let found = of(&views, &env, &disk);
        let why = found.first().map(|(_, why)| why.clone());
        let at = found.into_iter().map(|(at, _)| at).collect();
        (at, why.unwrap_or_default())
    }

    #[test]
    fn a_workspace_in_a_folder_or_above_it_bounds_nothing() {
        let none = (vec![], String::new());
        assert_eq!(unbounded(&[], &[]), none);
        let below = unbounded(&[("/p/w/go.work", "go 1.24\n")], &[]);
        assert_eq!(
            below,
            (vec![0], "/p/w/go.work makes a workspace".to_owned())
        );
        let above = [("/go.work", "")];
        assert_eq!(unbounded(&above, &[]).0, [0, 1]);
        assert_eq!(unbounded(&above, &[("GOWORK", "off")]), none);
        let named = unbounded(&[], &[("GOWORK", "/elsewhere/go.work")]);
        assert_eq!(named.0, [0, 1]);
        assert_eq!(unbounded(&above, &[("GOWORK", "auto")]).0, [0, 1]);
        // A folder of that name is no workspace.
        assert_eq!(unbounded(&[("/p/go.work/file", "")], &[]), none);
    }

    #[test]
    fn flags_that_let_go_write_its_lock_bound_nothing() {
        for flags in ["-mod=mod", "--mod=mod", "-v '-mod=mod'", "-mod=later"] {
            let (at, why) = unbounded(&[], &[("GOFLAGS", flags)]);
            assert_eq!(
                (at, why.contains("environment")),
                (vec![0, 1], true),
                "{flags}"
            );
        }
        for flags in [
            "-mod=readonly",
            "-mod=vendor",
            "-modcacherw",
            "-tags=mod=mod",
        ] {
            assert_eq!(unbounded(&[], &[("GOFLAGS", flags)]).0, [0; 0], "{flags}");
        }
        let file = [("/etc/goenv", "GOFLAGS=-mod=mod\n")];
        assert_eq!(unbounded(&file, &[("GOENV", "/etc/goenv")]).0, [0, 1]);
        let shipped = [("/usr/local/go/go.env", "GOFLAGS=-mod=mod\n")];
        assert_eq!(unbounded(&shipped, &[]).0, [0, 1]);
        let hidden = [("GOFLAGS", "-mod=readonly")];
        assert_eq!(unbounded(&shipped, &hidden).0, [0; 0]);
    }
}
