//! Names of programs without a path: who provides them. A program of the tool chain is what its name says only as long as
//! nothing scanned lies on the search path.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::ecosystems::contract::PostureContext;
use crate::world::ReadFs;

use super::file::File;
use super::search::real;
use super::told::Source;

/// What a scanned tree has to say about names of programs.
#[derive(Default)]
pub(super) struct Tools<'a> {
    fs: Option<&'a dyn ReadFs>,
    /// Folders of the search path that lie in scanned trees.
    folders: Vec<PathBuf>,
    /// Whether settings of a scanned tree change the search path.
    moved: bool,
}

impl<'a> Tools<'a> {
    /// Looks at the search path of this run and at what settings do to it. `own`: the user's cargo home, whose programs are
    /// the user's own also where it is scanned.
    pub(super) fn of(
        context: &PostureContext<'a>,
        own: Option<&Path>,
        files: &[Rc<File>],
        source: &mut dyn FnMut(&File) -> Rc<Source>,
    ) -> Self {
        let path = context.env.var("PATH").unwrap_or_default();
        let mut folders = Vec::new();
        for part in std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).split(|b| *b == b':') {
            let part =
                Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(part));
            if part.is_absolute() {
                folders.push(real(context.fs, part));
            } else {
                // Relative to wherever cargo is started.
                let started = context.projects.iter().map(|(root, _)| root);
                let started = started.chain(context.folders);
                folders.extend(started.map(|folder| real(context.fs, &folder.join(part))));
            }
        }
        let in_tree = |folder: &PathBuf| {
            let mut roots = context.projects.iter();
            roots.any(|(root, _)| folder.starts_with(root))
                && !own.is_some_and(|own| folder.starts_with(own))
        };
        folders.retain(in_tree);
        let sets_path = |file: &File| {
            let mut entries = file.entries.iter();
            entries.any(|entry| matches!(entry.parts().as_slice(), ["env", "PATH", ..]))
        };
        let moved = files
            .iter()
            .any(|file| sets_path(file) && source(file).scanned);
        Self {
            fs: Some(context.fs),
            folders,
            moved,
        }
    }

    /// Whether a scanned tree may decide what a name without a path means.
    pub(super) fn provided(&self, name: &str) -> bool {
        let there = |folder: &PathBuf| {
            let path = folder.join(name);
            self.fs.is_some_and(|fs| fs.stat_named(&path).is_ok())
        };
        self.moved || self.folders.iter().any(there)
    }
}
