//! Where something may be put back, or finished, by what a record says.
//!
//! Records lie in our own state, and whoever can write there can make one that reads like ours. So a record alone opens no
//! folder: it must be a cache of this user by the tools' own rules, or one that the user names now.

use std::path::{Component, Path, PathBuf};

use super::record::{Entry, Folder, Role};
use crate::ecosystems::contract::CacheKind;

/// Names that no part of a package's place has: what lies in them is run or read by other tools.
const NEVER: [&str; 4] = [".git", ".hg", ".svn", ".ssh"];

/// Folders that may be changed, links resolved: caches as far as their tools' own places go, named folders with what is
/// below them.
#[derive(Clone, Default)]
pub struct Allowed {
    caches: Vec<(PathBuf, &'static dyn CacheKind)>,
    named: Vec<PathBuf>,
}

impl std::fmt::Debug for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let caches = self.caches.iter().map(|(path, _)| path);
        f.debug_list().entries(caches.chain(&self.named)).finish()
    }
}

impl Allowed {
    /// These folders, by their resolved paths. The top of the file system is none: it would allow everything.
    pub fn of(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let real = |path: &PathBuf| path.is_absolute() && path.parent().is_some();
        Self {
            caches: Vec::new(),
            named: folders.into_iter().filter(real).collect(),
        }
    }

    /// These caches too, each by its resolved path.
    #[must_use]
    pub fn and_caches(
        mut self,
        caches: impl IntoIterator<Item = (PathBuf, &'static dyn CacheKind)>,
    ) -> Self {
        self.caches.extend(caches);
        self
    }

    /// The folders themselves.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        let caches = self.caches.iter().map(|(path, _)| &**path);
        caches.chain(self.named.iter().map(|path| &**path))
    }

    /// Whether everything that a record changes lies where its kind of folder has such things.
    ///
    /// # Errors
    /// The first path that does not.
    pub fn permits(&self, folders: &[Folder], entry: &Entry) -> Result<(), String> {
        let moves = entry.moves.iter();
        let moves = moves.map(|mv| (mv.folder, &mv.rel, mv.role == Role::Derived));
        let puts = entry.puts.iter();
        let puts = puts.map(|put| (put.folder, &put.rel, false));
        // Folders are made only on the way to what is put there.
        let astray = entry.puts.iter().find_map(|put| {
            let (place, mut made) = (put.rel.path(), put.made.iter());
            made.find(|made| !place.starts_with(made.path()) || place == made.path())
        });
        if let Some(made) = astray {
            return Err(format!(
                "{}: its record makes this folder, where nothing is put",
                made.path().display()
            ));
        }
        let marks = entry
            .marks
            .iter()
            .map(|mark| (mark.folder, &mark.rel, false));
        let made = entry.made.iter().flat_map(|made| {
            let names = made.made.iter().chain([&made.lock]);
            names.map(|name| (made.folder, name, false))
        });
        for (folder, rel, derived) in moves.chain(puts).chain(marks).chain(made) {
            let Some(folder) = folders.get(folder) else {
                continue;
            };
            let (path, rel) = (folder.path.path(), rel.path());
            if !self.is_place(&path, &rel, derived) {
                return Err(format!(
                    "{}: its record names this path, where no heal changes anything",
                    path.join(rel).display()
                ));
            }
        }
        Ok(())
    }

    fn is_place(&self, folder: &Path, rel: &Path, derived: bool) -> bool {
        let hidden = |part: Component<'_>| part.as_os_str().to_string_lossy().starts_with('.');
        let never = |part: Component<'_>| {
            let name = part.as_os_str().to_string_lossy().to_ascii_lowercase();
            NEVER.contains(&&*name)
        };
        let mut caches = self.caches.iter().filter(|(path, _)| path == folder);
        if let Some((_, first)) = caches.next() {
            return first.holds(rel) || caches.any(|(_, kind)| kind.holds(rel));
        }
        let mut parts = rel.components();
        !rel.components().any(never) && (derived || !parts.next().is_some_and(hidden))
    }

    /// Whether a folder is one of them, or lies below one.
    pub fn covers(&self, path: &Path) -> bool {
        let plain = path
            .components()
            .all(|part| !matches!(part, Component::ParentDir));
        // Below a folder that was named nothing hidden is meant: a home folder is easily named, and holds keys.
        let meant = |allowed: &PathBuf| {
            path.strip_prefix(allowed).is_ok_and(|below| {
                let mut parts = below.components();
                parts.all(|part| !part.as_os_str().to_string_lossy().starts_with('.'))
            })
        };
        plain
            && (self.caches.iter().any(|(cache, _)| cache == path) || self.named.iter().any(meant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_named_is_covered() {
        let allowed = Allowed::of(["/h/.cargo", "/", "p"].map(PathBuf::from));
        assert!(allowed.covers(Path::new("/h/.cargo")));
        assert!(allowed.covers(Path::new("/h/.cargo/registry")));
        assert!(!Allowed::of([PathBuf::from("/h")]).covers(Path::new("/h/.ssh")));
        for other in ["/h", "/h/.cargo2", "/h/.cargo/../.ssh", "/", "p/x"] {
            assert!(!allowed.covers(Path::new(other)), "{other}");
        }
    }

    fn entry(rel: &str, role: Role) -> (Vec<Folder>, Entry) {
        use crate::pipeline::heal::record::{Move, Name, Was};
        let was = Was {
            dev: 1,
            inode: 2,
            mode: 0o644,
            uid: 1,
            gid: 1,
            links: 1,
            size: 1,
            seconds: 1,
            nanoseconds: 0,
        };
        let folder = Folder {
            path: Name::of(Path::new("/h")),
            dev: 1,
            inode: 1,
            store: Name::of(Path::new("/s")),
            store_dev: 1,
            store_inode: 2,
        };
        let mv = Move {
            folder: 0,
            rel: Name::of(Path::new(rel)),
            item: "i1-0-x".to_owned(),
            role,
            was,
            above: was,
            digest: None,
            bytes: None,
            odd: Vec::new(),
            remade: None,
            armed: Vec::new(),
        };
        let entry = Entry {
            number: 1,
            ecosystem: "cargo".to_owned(),
            package: "a@1".to_owned(),
            findings: Vec::new(),
            codes: Vec::new(),
            locks: Vec::new(),
            made: Vec::new(),
            marks: Vec::new(),
            moves: vec![mv],
            puts: Vec::new(),
        };
        (vec![folder], entry)
    }

    #[test]
    fn in_a_cache_only_the_places_of_its_tool_are_changed() {
        let kinds = || crate::ecosystems::all().iter().flat_map(|e| e.caches());
        let cargo = kinds()
            .copied()
            .find(|kind| kind.name() == "cargo")
            .unwrap();
        let cache = Allowed::of([]).and_caches([(PathBuf::from("/h"), cargo)]);
        assert!(cache.covers(Path::new("/h")) && !cache.covers(Path::new("/h/bin")));
        let named = Allowed::of(["/h".into()]);
        let allows = |allowed: &Allowed, rel: &str, role| {
            let (folders, entry) = entry(rel, role);
            allowed.permits(&folders, &entry).is_ok()
        };
        for good in [
            "registry/cache/r-1/a-1.0.0.crate",
            "registry/src/r-1/a-1.0.0",
            "registry/index/r-1/.cache/a/b/ab",
            "git/db/x",
        ] {
            assert!(allows(&cache, good, Role::Tainted), "{good}");
        }
        for bad in [
            "bin/cargo",
            "config.toml",
            "env",
            "registry",
            "registry/cache",
            ".crates.toml",
        ] {
            assert!(!allows(&cache, bad, Role::Tainted), "{bad}");
        }
        assert!(allows(&named, "vendor/a/src/lib.rs", Role::Tainted));
        assert!(allows(&named, "debug/.fingerprint/a-1", Role::Derived));
        for bad in [
            ".git/hooks/pre-commit",
            "x/.GIT/config",
            ".cargo/config.toml",
            ".bashrc",
        ] {
            assert!(!allows(&named, bad, Role::Tainted), "{bad}");
        }
    }
}
