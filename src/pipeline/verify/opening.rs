//! Opens what lies at a path below a root, folder by folder.

use std::ffi::OsStr;
use std::path::{Component, Path};

use crate::world::{Dir, PathError};

/// A folder (none: the root itself) and the name of something in it.
pub(super) type Parent<'p> = (Option<Box<dyn Dir>>, &'p OsStr);

/// Opens the folder that a path below a root lies in, and gives its last component.
pub(super) fn parent<'p>(root: &dyn Dir, rel: &'p Path) -> Result<Parent<'p>, PathError> {
    let parts: Vec<&OsStr> = rel
        .components()
        .filter_map(|c| match c {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    let Some((name, folders)) = parts.split_last() else {
        return Err(PathError {
            path: rel.to_owned(),
            source: std::io::ErrorKind::InvalidInput.into(),
        });
    };
    let dir = if folders.is_empty() {
        None
    } else {
        Some(root.descend(folders)?)
    };
    Ok((dir, name))
}

/// Opens a folder below a root; the root itself for an empty path.
pub(super) fn open_tree(root: &dyn Dir, rel: &Path) -> Result<Option<Box<dyn Dir>>, PathError> {
    let parts: Vec<&OsStr> = rel.iter().collect();
    if parts.is_empty() {
        Ok(None)
    } else {
        root.descend(&parts).map(Some)
    }
}
