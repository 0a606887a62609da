//! Opened folders as the sources that the readers of [`crate::formats::git`] ask for. Any ecosystem with git sources uses it.
//!
//! Everything is opened relative to handles and no link is followed; a `.git` that is a link or a file is not entered. The last
//! folder and the last file stay open, because the readers ask for neighbours one after another.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt};

use crate::formats::git::{
    Fault, FaultKind, Files, Item, ItemKind, Repositories, Sources, Worktree,
};
use crate::world::{Dir, FileKind, PathError, ReadFile};

/// What was opened last, and where.
type Held<T> = RefCell<Option<(Vec<u8>, Box<T>)>>;

/// One folder: a repository (`.git` or a bare database) or a worktree.
pub struct Folder {
    root: Box<dyn Dir>,
    folder: Held<dyn Dir>,
    file: Held<dyn ReadFile>,
}

impl Folder {
    /// Reads below this folder.
    #[must_use]
    pub fn new(root: Box<dyn Dir>) -> Self {
        Self {
            root,
            folder: RefCell::new(None),
            file: RefCell::new(None),
        }
    }

    /// Runs `act` on the folder `rel`; `None` where it is not there.
    fn with<T>(
        &self,
        rel: &[u8],
        act: impl FnOnce(&dyn Dir) -> Result<T, PathError>,
    ) -> Result<Option<T>, Fault> {
        if rel.is_empty() {
            return present(act(self.root.as_ref()));
        }
        let mut held = self.folder.borrow_mut();
        if held.as_ref().is_none_or(|(path, _)| path != rel) {
            let names: Vec<&OsStr> = rel
                .split(|byte| *byte == b'/')
                .map(OsStr::from_bytes)
                .collect();
            *held = present(self.root.descend(&names))?.map(|folder| (rel.to_vec(), folder));
        }
        match held.as_ref() {
            Some((_, folder)) => present(act(folder.as_ref())),
            None => Ok(None),
        }
    }

    /// Runs `act` on the regular file `rel`; `None` where it is not there.
    fn with_file<T>(
        &self,
        rel: &[u8],
        act: impl FnOnce(&mut dyn ReadFile) -> io::Result<T>,
    ) -> Result<Option<T>, Fault> {
        let mut held = self.file.borrow_mut();
        if held.as_ref().is_none_or(|(path, _)| path != rel) {
            let (folder, name) = split(rel);
            *held = self
                .with(folder, |folder| folder.open_file(name))?
                .map(|file| (rel.to_vec(), file));
        }
        match held.as_mut() {
            Some((_, file)) => act(file.as_mut()).map(Some).map_err(|error| fault(&error)),
            None => Ok(None),
        }
    }

    fn items(&self, rel: &[u8]) -> Result<Option<Vec<Item>>, Fault> {
        self.with(rel, |folder| {
            let mut items = Vec::new();
            for entry in folder.list()? {
                let kind = match entry.kind {
                    FileKind::Dir => ItemKind::Directory,
                    FileKind::Link => ItemKind::Link,
                    FileKind::Other => ItemKind::Other,
                    FileKind::File => {
                        let stat = folder.stat_entry(&entry.name)?;
                        ItemKind::File {
                            size: stat.size,
                            executable: stat.mode & 0o100 != 0,
                        }
                    }
                };
                items.push(Item {
                    name: entry.name.into_vec(),
                    kind,
                });
            }
            Ok(items)
        })
    }
}

impl Files for Folder {
    fn size(&self, rel: &str) -> Result<Option<u64>, Fault> {
        self.with_file(rel.as_bytes(), |file| {
            file.stat()
                .map(|stat| stat.size)
                .map_err(|error| error.source)
        })
    }

    fn read_at(&self, rel: &str, offset: u64, len: usize) -> Result<Option<Vec<u8>>, Fault> {
        const STEP: usize = 256 << 10;
        self.with_file(rel.as_bytes(), |file| {
            // The buffer grows with what is there, not with what was asked for.
            let mut bytes = Vec::new();
            while bytes.len() < len {
                let start = bytes.len();
                bytes.resize(start.saturating_add(STEP).min(len), 0);
                let at = offset.saturating_add(start as u64);
                let got = file.read_at(bytes.get_mut(start..).unwrap_or_default(), at)?;
                bytes.truncate(start.saturating_add(got));
                if got == 0 {
                    break;
                }
            }
            Ok(bytes)
        })
    }

    fn list(&self, rel: &str) -> Result<Vec<Item>, Fault> {
        Ok(self.items(rel.as_bytes())?.unwrap_or_default())
    }
}

impl Worktree for Folder {
    fn list(&self, rel: &[u8]) -> Result<Vec<Item>, Fault> {
        self.items(rel)?.ok_or_else(gone)
    }

    fn read(&self, rel: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        let (folder, name) = split(rel);
        let mut file = self
            .with(folder, |folder| folder.open_file(name))?
            .ok_or_else(gone)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(got) => sink(buffer.get(..got).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fault(&error)),
            }
        }
    }

    fn link(&self, rel: &[u8]) -> Result<Vec<u8>, Fault> {
        let (folder, name) = split(rel);
        self.with(folder, |folder| folder.read_link(name))?
            .map(OsStringExt::into_vec)
            .ok_or_else(gone)
    }
}

/// A checkout's own repositories (its `.git`, those of its submodules) and databases that any of them may have come from.
pub struct Checkout<'a> {
    /// The checkout's folder.
    pub root: &'a dyn Dir,
    /// Databases, asked after a worktree's own repository, in this order.
    pub databases: &'a [Folder],
}

impl Repositories for Checkout<'_> {
    fn open(&self, rel: &[u8]) -> Sources<'_> {
        let mut sources = Sources::default();
        match self.own(rel) {
            Ok(own) => {
                sources.own = own.map(|folder| Box::new(Folder::new(folder)) as Box<dyn Files>);
            }
            Err(fault) => sources.fault = Some(fault),
        }
        for database in self.databases {
            sources.others.push(Box::new(database));
        }
        sources
    }
}

impl Checkout<'_> {
    /// The `.git` folder of a worktree folder. One that is a file, as git makes it for submodules, leads elsewhere and is
    /// not followed.
    fn own(&self, rel: &[u8]) -> Result<Option<Box<dyn Dir>>, Fault> {
        let name = OsStr::new(".git");
        let names: Vec<&OsStr> = rel
            .split(|byte| *byte == b'/')
            .map(OsStr::from_bytes)
            .collect();
        let below = if rel.is_empty() {
            None
        } else {
            Some(
                self.root
                    .descend(&names)
                    .map_err(|error| fault(&error.source))?,
            )
        };
        let folder = below.as_deref().unwrap_or(self.root);
        let Some(stat) = present(folder.stat_entry(name))? else {
            return Ok(None);
        };
        match stat.kind {
            FileKind::Dir => present(folder.open_dir(name)),
            FileKind::File => Ok(None),
            FileKind::Link | FileKind::Other => Err(Fault::new(
                FaultKind::Unreadable,
                "is a link or a device and was not entered",
            )),
        }
    }
}

fn split(rel: &[u8]) -> (&[u8], &OsStr) {
    let at = rel.iter().rposition(|byte| *byte == b'/');
    let folder = at.and_then(|at| rel.get(..at)).unwrap_or_default();
    let name = at.and_then(|at| rel.get(at + 1..)).unwrap_or(rel);
    (folder, OsStr::from_bytes(name))
}

fn present<T>(result: Result<T, PathError>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(fault(&error.source)),
    }
}

fn fault(error: &io::Error) -> Fault {
    Fault::new(FaultKind::Unreadable, format!("cannot be read ({error})"))
}

fn gone() -> Fault {
    Fault::new(FaultKind::Changed, "vanished while it was read")
}
