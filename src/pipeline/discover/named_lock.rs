//! A lockfile that the user named on the command line.

use std::path::Path;

use crate::model::RootOrigin;
use crate::pipeline::flow::{Discovered, FoundLock, Own};

use super::walk::{LARGEST, format_of};
use super::{NotThere, Targets, not_there, open};

/// A lockfile that the user named: links are followed, since the user meant it.
pub(super) fn named_lockfile(
    targets: &Targets<'_>,
    path: &Path,
    found: &mut Discovered,
) -> Result<(), NotThere> {
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    let Some((ecosystem, format)) = format_of(&targets.ecosystems, name) else {
        return Err(not_there(path, "is no lockfile that untaint reads"));
    };
    let bytes = targets
        .fs
        .read_named(path, LARGEST)
        .map_err(|e| not_there(path, &e.source.to_string()))?;
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let count = found.roots.iter().filter(|r| r.is_project).count();
    let id = if count == 0 {
        "project".to_owned()
    } else {
        format!("project-{}", count + 1)
    };
    let root = open(targets.fs, parent, &id, RootOrigin::CommandLine, true)
        .map_err(|e| not_there(parent, &e))?;
    let folder = root.path.clone();
    found.roots.push(root);
    found.locks.push(FoundLock {
        ecosystem,
        format,
        root: found.roots.len() - 1,
        rel: name.to_owned(),
        folder,
        bytes,
        own: Own::default(),
    });
    Ok(())
}
