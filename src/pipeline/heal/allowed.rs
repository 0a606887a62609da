//! Where something may be put back, or finished, by what a record says.
//!
//! Records lie in our own state, and whoever can write there can make one that reads like ours. So a record alone opens no
//! folder: it must be a cache of this user by the tools' own rules, or one that the user names now.

use std::path::{Path, PathBuf};

/// Folders that may be changed, links resolved, with everything below them.
#[derive(Debug, Clone, Default)]
pub struct Allowed(Vec<PathBuf>);

impl Allowed {
    /// These folders, by their resolved paths. The top of the file system is none: it would allow everything.
    pub fn of(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let real = |path: &PathBuf| path.is_absolute() && path.parent().is_some();
        Self(folders.into_iter().filter(real).collect())
    }

    /// Whether a folder is one of them, or lies below one.
    pub fn covers(&self, path: &Path) -> bool {
        let plain = path
            .components()
            .all(|part| !matches!(part, std::path::Component::ParentDir));
        // Below a folder that was named nothing hidden is meant: a home folder is easily named, and holds keys.
        let meant = |allowed: &PathBuf| {
            path.strip_prefix(allowed).is_ok_and(|below| {
                let mut parts = below.components();
                parts.all(|part| !part.as_os_str().to_string_lossy().starts_with('.'))
            })
        };
        plain && self.0.iter().any(meant)
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
}
