//! Moving something to another place, so that at every moment it lies whole in one of them.
//!
//! By rename where both places are on one file system: identity, links, modes and times stay. Else by copy under a
//! passing name, with the owners that this user may give and without set-id bits, everything put on disk and compared, one rename, and only then the removal, which begins with a rename
//! so that no tool ever finds half of a tree. Replaces nothing, writes into nothing.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::look;
use crate::world::write_fs::{Attributes, Root};
use crate::world::{FileKind, PathError, Stat, WriteFs};

/// From where, to where.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) from: Root,
    pub(super) old: &'a Path,
    pub(super) to: Root,
    pub(super) new: &'a Path,
    /// Name of our own for what is being removed or copied, beside the place.
    pub(super) passing: &'a str,
}

fn above(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn beside(path: &Path, passing: &str) -> PathBuf {
    above(path).join(passing)
}

/// Whether something is there.
pub(super) fn stat(fs: &dyn WriteFs, root: Root, rel: &Path) -> Result<Option<Stat>, PathError> {
    match fs.stat(root.at(rel)) {
        Ok(stat) => Ok(Some(stat)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Moves it. `digest` is what a copy must have; without one nothing is copied.
pub(super) fn relocate(
    fs: &dyn WriteFs,
    way: &Way<'_>,
    digest: Option<&str>,
) -> Result<(), PathError> {
    match fs.rename(way.from.at(way.old), way.to.at(way.new)) {
        Ok(()) => {
            fs.sync(way.to.at(above(way.new)))?;
            fs.sync(way.from.at(above(way.old)))
        }
        Err(error) if error.source.kind() == io::ErrorKind::CrossesDevices => {
            copy_over(fs, way, digest)
        }
        Err(error) => Err(error),
    }
}

fn copy_over(fs: &dyn WriteFs, way: &Way<'_>, digest: Option<&str>) -> Result<(), PathError> {
    let error = |source: io::Error| PathError {
        path: fs.shown(way.from.at(way.old)),
        source,
    };
    let Some(digest) = digest else {
        return Err(error(io::Error::other(
            "it lies on another file system and not all of it can be read: nothing was moved",
        )));
    };
    let part = beside(way.new, way.passing);
    discard(fs, way.to, &part)?;
    copy(fs, way.from, way.old, way.to, &part, 0)?;
    fs.sync(way.to.at(above(way.new)))?;
    let copied = look::at(fs, way.to, &part)?;
    if copied.digest.as_deref() != Some(digest) {
        discard(fs, way.to, &part)?;
        return Err(error(io::Error::other(
            "it changed while it was copied: nothing was moved",
        )));
    }
    fs.rename(way.to.at(&part), way.to.at(way.new))?;
    fs.sync(way.to.at(above(way.new)))?;
    clear(fs, way)
}

/// Takes away what has been copied, by a rename first.
pub(super) fn clear(fs: &dyn WriteFs, way: &Way<'_>) -> Result<(), PathError> {
    let gone = beside(way.old, way.passing);
    if stat(fs, way.from, way.old)?.is_some() {
        discard(fs, way.from, &gone)?;
        fs.rename(way.from.at(way.old), way.from.at(&gone))?;
        fs.sync(way.from.at(above(way.old)))?;
    }
    discard(fs, way.from, &gone)
}

/// Removes what an interrupted copy or removal left under the passing name, on both sides. Only to be called when what
/// was moved lies whole in one of the places, or is of no worth.
pub(super) fn tidy(fs: &dyn WriteFs, way: &Way<'_>) -> Result<(), PathError> {
    for (root, path) in [(way.from, way.old), (way.to, way.new)] {
        discard(fs, root, &beside(path, way.passing))?;
    }
    Ok(())
}

/// Removes what is ours under a passing name, if it is there.
pub(super) fn discard(fs: &dyn WriteFs, root: Root, rel: &Path) -> Result<(), PathError> {
    let Some(found) = stat(fs, root, rel)? else {
        return Ok(());
    };
    remove(fs, root, rel, &found, 0)?;
    fs.sync(root.at(above(rel)))
}

fn too_deep(fs: &dyn WriteFs, root: Root, rel: &Path) -> PathError {
    PathError {
        path: fs.shown(root.at(rel)),
        source: io::Error::other("folders lie too deep in one another"),
    }
}

fn remove(
    fs: &dyn WriteFs,
    root: Root,
    rel: &Path,
    found: &Stat,
    depth: usize,
) -> Result<(), PathError> {
    if found.kind != FileKind::Dir {
        return fs.remove(root.at(rel));
    }
    if depth > look::DEPTH {
        return Err(too_deep(fs, root, rel));
    }
    if found.mode & 0o700 != 0o700 {
        let mode = Some(found.mode | 0o700);
        fs.set(root.at(rel), Attributes { mode, mtime: None })?;
    }
    for entry in fs.list(root.at(rel))? {
        let path = rel.join(&entry.name);
        let below = fs.stat(root.at(&path))?;
        remove(fs, root, &path, &below, depth + 1)?;
    }
    fs.remove_dir(root.at(rel))
}

fn copy(
    fs: &dyn WriteFs,
    from: Root,
    old: &Path,
    to: Root,
    new: &Path,
    depth: usize,
) -> Result<(), PathError> {
    if depth > look::DEPTH {
        return Err(too_deep(fs, from, old));
    }
    let found = fs.stat(from.at(old))?;
    let times = Attributes {
        mode: None,
        mtime: Some(found.mtime),
    };
    match found.kind {
        FileKind::File => {
            let mut source = fs.read(from.at(old))?;
            let mut target = fs.create(to.at(new), 0o600)?;
            let mut buffer = vec![0u8; 128 << 10];
            let failed = |source| PathError {
                path: fs.shown(to.at(new)),
                source,
            };
            loop {
                let count = source.read(&mut buffer).map_err(failed)?;
                if count == 0 {
                    break;
                }
                let bytes = buffer.get(..count).unwrap_or_default();
                target.write_all(bytes).map_err(failed)?;
            }
            target.sync().map_err(failed)?;
            // The owner before the mode and what hangs on it: some of that goes with a new owner.
            own(fs, &found, to, new)?;
            xattrs(fs, from, old, to, new)?;
            let mode = Some(found.mode & 0o777);
            fs.set(to.at(new), Attributes { mode, ..times })
        }
        FileKind::Link => {
            fs.make_link(to.at(new), &fs.read_link(from.at(old))?)?;
            own(fs, &found, to, new)?;
            fs.set(to.at(new), times)
        }
        FileKind::Dir => {
            fs.make_dir(to.at(new), 0o700)?;
            for entry in fs.list(from.at(old))? {
                let name = &entry.name;
                copy(fs, from, &old.join(name), to, &new.join(name), depth + 1)?;
            }
            own(fs, &found, to, new)?;
            xattrs(fs, from, old, to, new)?;
            fs.sync(to.at(new))?;
            let mode = Some(found.mode & 0o1777);
            fs.set(to.at(new), Attributes { mode, ..times })
        }
        FileKind::Other => Err(PathError {
            path: fs.shown(from.at(old)),
            source: io::Error::other(
                "a pipe, socket or device cannot be taken to another file system: remove it by hand",
            ),
        }),
    }
}

/// Gives a copy the owner of what it is a copy of, where this user may. Where not, whoever puts it back says so.
fn own(fs: &dyn WriteFs, found: &Stat, to: Root, new: &Path) -> Result<(), PathError> {
    let copied = fs.stat(to.at(new))?;
    if (copied.uid, copied.gid) == (found.uid, found.gid) {
        return Ok(());
    }
    match fs.own(to.at(new), found.uid, found.gid) {
        Err(error) if is_denied(&error) => Ok(()),
        other => other,
    }
}

/// Whether an owner cannot be given: not by this user, not in this user namespace, not on this file system.
fn is_denied(error: &PathError) -> bool {
    matches!(
        error.source.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

fn xattrs(fs: &dyn WriteFs, from: Root, old: &Path, to: Root, new: &Path) -> Result<(), PathError> {
    for (name, value) in fs.xattrs(from.at(old))? {
        fs.set_xattr(to.at(new), &name, &value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake_disk::FakeDisk;

    /// Owner and mode of what lies in the quarantine after a set-id file of another user was copied there.
    fn copied(superuser: bool) -> (u32, u32) {
        let disk = FakeDisk::new();
        disk.file("/c/tree/f", b"evil", 0o4755);
        disk.owner("/c/tree/f", 7, 8);
        disk.dir("/q");
        disk.device("/c", 3);
        if superuser {
            disk.superuser();
        }
        let (from, to) = (disk.open(Path::new("/c")), disk.open(Path::new("/q")));
        let (from, to) = (from.unwrap(), to.unwrap());
        let old = Path::new("tree");
        let digest = look::at(&disk, from, old).unwrap().digest;
        let way = Way {
            from,
            old,
            to,
            new: Path::new("i1-0-x"),
            passing: ".untaint-x",
        };
        relocate(&disk, &way, digest.as_deref()).unwrap();
        assert!(stat(&disk, from, old).unwrap().is_none());
        let kept = stat(&disk, to, Path::new("i1-0-x/f")).unwrap().unwrap();
        (kept.uid, kept.mode)
    }

    #[test]
    fn owners_come_along_where_they_may_and_set_id_bits_never() {
        assert_eq!(copied(true), (7, 0o755));
        assert_eq!(copied(false), (1000, 0o755));
    }
}
