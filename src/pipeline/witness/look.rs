//! The second look: everything that was seen is asked for its attributes again, through handles, without following links.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Folder, Mark, Memory, Names, Witness, locked, sums};
use crate::world::{Dir, FileKind, ReadFs, Stat};

/// Folders that a thread takes at once.
const LOT: usize = 64;

/// Something that is no more as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where, absolute.
    pub path: PathBuf,
    /// What it was; `None`: nothing.
    pub was: Option<Stat>,
    /// What it is; `None`: nothing, or nothing that can be reached without a link.
    pub is: Option<Stat>,
    /// How.
    pub change: Change,
    /// Whether it was asked for by its name, as settings are.
    pub named: bool,
    /// Whether it holds what it held when it was read, and yet is not as it was: changed and put back, or written anew.
    pub put_back: bool,
}

/// How something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A folder holds other names, or younger files that nobody looked at; or nobody had listed it.
    Names,
    /// A folder's times, and nothing that explains it: the names in it are the same, and none of the unknown is younger.
    Touched,
    /// Times of a folder of settings, in which something was looked for that was not there: the names in it are the same.
    Around,
    /// Attributes of something that was only asked for them.
    Attributes,
    /// Something that was read.
    Content,
    /// It came, went, or another thing has its name.
    Place,
}

/// Something that was looked at and is to be looked at again.
type Lot<'m> = (&'m Path, &'m Path, &'m Folder);

impl Witness<'_> {
    /// Everything that differs, by path. What lies in `skip` is left out; `threads` look at once.
    pub fn differences(&self, skip: &[PathBuf], threads: usize) -> Vec<Difference> {
        let memory = locked(&self.memory);
        let left_out = |path: &Path| skip.iter().any(|skip| lies_below(path, skip));
        let mut found = Vec::new();
        let mut roots: Vec<&Path> = Vec::new();
        for (asked, was) in &memory.roots {
            let is = self.fs.open_root(asked).ok().map(|root| root.resolved);
            if is != *was {
                found.push(Difference {
                    path: was.clone().unwrap_or_else(|| asked.clone()),
                    was: None,
                    is: None,
                    change: Change::Place,
                    named: false,
                    put_back: false,
                });
            } else if let Some(root) = was {
                roots.push(root);
            }
        }
        let lots = lots(&memory, &roots, &left_out);
        let gathered = Mutex::new(found);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut mine = Vec::new();
            loop {
                let from = next.fetch_add(LOT, Ordering::Relaxed);
                let Some(lot) = lots.get(from..(from + LOT).min(lots.len())) else {
                    break;
                };
                if lot.is_empty() {
                    break;
                }
                look(self.fs, lot, &mut mine);
            }
            locked(&gathered).append(&mut mine);
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.clamp(1, 16) {
                scope.spawn(work);
            }
            work();
        });
        let mut found = locked(&gathered).drain(..).collect::<Vec<_>>();
        for (path, mark) in memory.named.iter().filter(|(path, _)| !left_out(path)) {
            let is = self.fs.stat_named(path).ok();
            let differs = compare(path.clone(), mark, is);
            found.extend(differs.map(|differs| Difference {
                named: mark.opened,
                ..differs
            }));
        }
        for (path, seen) in memory.around.iter().filter(|(path, _)| !left_out(path)) {
            found.extend(seen.as_ref().and_then(|seen| around(self.fs, path, seen)));
        }
        for differs in &mut found {
            differs.put_back =
                differs.change == Change::Content && sums::is_back(self.fs, &memory, &differs.path);
        }
        // A folder may be told of twice: by itself and by the one above. The graver word counts.
        found.sort_by(|a, b| (&a.path, b.change).cmp(&(&b.path, a.change)));
        found.dedup_by(|later, first| {
            let same = later.path == first.path;
            first.named |= same && later.named;
            same
        });
        found
    }
}

/// Every folder with the root that it is reached from: the innermost one.
fn lots<'m>(
    memory: &'m Memory,
    roots: &[&'m Path],
    left_out: &dyn Fn(&Path) -> bool,
) -> Vec<Lot<'m>> {
    let mut lots: Vec<Lot<'m>> = Vec::with_capacity(memory.folders.len());
    for (path, folder) in &memory.folders {
        let path = Path::new(path);
        if left_out(path) {
            continue;
        }
        let root = roots
            .iter()
            .filter(|root| lies_below(path, root))
            .max_by_key(|root| root.as_os_str().len());
        if let Some(root) = root {
            lots.push((*root, path, folder));
        }
    }
    lots
}

/// [`Path::starts_with`] for plain absolute paths, by their bytes.
fn lies_below(path: &Path, root: &Path) -> bool {
    let (path, root) = (path.as_os_str().as_bytes(), root.as_os_str().as_bytes());
    let rest = path.strip_prefix(root);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || root.ends_with(b"/"))
}

/// A way down from a root; what was opened for the last folder is kept for the next one.
struct Way<'m> {
    root: &'m Path,
    top: Option<Box<dyn Dir>>,
    below: Vec<(OsString, Option<Box<dyn Dir>>)>,
}

impl Way<'_> {
    /// The folder at a path below the root; `None` if it cannot be reached any more.
    fn to(&mut self, rel: &Path) -> Option<&dyn Dir> {
        let names: Vec<&OsStr> = rel.iter().collect();
        let common = self
            .below
            .iter()
            .zip(&names)
            .take_while(|((known, _), name)| known == *name)
            .count();
        self.below.truncate(common);
        for name in names.iter().skip(common) {
            let above = match self.below.last() {
                Some((_, above)) => above.as_deref(),
                None => self.top.as_deref(),
            };
            let opened = above.and_then(|above| above.open_dir(name).ok());
            self.below.push(((*name).to_owned(), opened));
        }
        match self.below.last() {
            Some((_, dir)) => dir.as_deref(),
            None => self.top.as_deref(),
        }
    }
}

fn look(fs: &dyn ReadFs, lots: &[Lot<'_>], found: &mut Vec<Difference>) {
    let mut way: Option<Way<'_>> = None;
    for (root, path, folder) in lots {
        if way.as_ref().is_none_or(|way| way.root != *root) {
            way = Some(Way {
                root,
                top: fs.open_root(root).ok().map(|opened| opened.dir),
                below: Vec::new(),
            });
        }
        let rel = path.strip_prefix(root).unwrap_or(Path::new(""));
        match way.as_mut().and_then(|way| way.to(rel)) {
            Some(dir) => folder_again(dir, path, folder, found),
            None => found.push(Difference {
                path: (*path).to_owned(),
                was: folder.listed.as_ref().map(|(stat, _)| *stat),
                is: None,
                change: Change::Place,
                named: false,
                put_back: false,
            }),
        }
    }
}

fn folder_again(dir: &dyn Dir, path: &Path, folder: &Folder, found: &mut Vec<Difference>) {
    if let Some((was, names)) = &folder.listed {
        let is = dir.stat().ok();
        if is != Some(*was) {
            found.push(Difference {
                path: path.to_owned(),
                was: Some(*was),
                is,
                change: listing_again(dir, was, is.as_ref(), names, folder),
                named: false,
                put_back: false,
            });
        }
    }
    for (name, mark) in &folder.marks {
        // What cannot be asked for is as good as gone.
        let is = dir.stat_entry(name).ok();
        if mark.unsteady || is != mark.stat {
            found.extend(compare(path.join(&**name), mark, is));
        }
    }
}

/// A folder of settings, asked again.
fn around(fs: &dyn ReadFs, path: &Path, (was, names): &(Stat, Names)) -> Option<Difference> {
    let root = fs.open_root(path).ok()?;
    let is = root.dir.stat().ok()?;
    let same = Names::of(&root.dir.list().ok()?) == *names;
    (is != *was && same && same_thing(was, &is)).then_some(Difference {
        path: root.resolved,
        was: Some(*was),
        is: Some(is),
        change: Change::Around,
        named: true,
        put_back: false,
    })
}

fn same_thing(was: &Stat, is: &Stat) -> bool {
    (was.kind, was.dev, was.inode) == (is.kind, is.dev, is.inode)
}

/// What a listed folder's other attributes come from.
fn listing_again(
    dir: &dyn Dir,
    was: &Stat,
    is: Option<&Stat>,
    names: &Names,
    folder: &Folder,
) -> Change {
    if !is.is_some_and(|is| same_thing(was, is)) {
        return Change::Place;
    }
    let entries = dir.list().unwrap_or_default();
    let same = Names::of(&entries) == *names;
    let younger = |name: &OsString| {
        let stat = dir.stat_entry(name);
        folder.find(name).is_err() && stat.is_ok_and(|stat| stat.ctime > was.ctime)
    };
    let files = entries.iter().filter(|entry| entry.kind == FileKind::File);
    if !same || files.map(|entry| &entry.name).any(younger) {
        Change::Names
    } else {
        Change::Touched
    }
}

/// What became of one thing; nothing to say of a folder whose times alone are others.
fn compare(path: PathBuf, mark: &Mark, is: Option<Stat>) -> Option<Difference> {
    let change = match (&mark.stat, &is) {
        (Some(was), Some(is)) if was == is && !mark.unsteady => return None,
        (None, None) if !mark.unsteady => return None,
        (Some(was), Some(is)) if same_thing(was, is) && is.kind == FileKind::Dir => Change::Names,
        (Some(was), Some(is)) if was.kind == is.kind && is.kind != FileKind::Dir => {
            if mark.opened {
                Change::Content
            } else {
                Change::Attributes
            }
        }
        _ => Change::Place,
    };
    Some(Difference {
        path,
        was: mark.stat,
        is,
        change,
        named: false,
        put_back: false,
    })
}
