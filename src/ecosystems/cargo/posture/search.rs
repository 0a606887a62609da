//! Which settings files cargo reads, and in which order (cargo 1.95, `util/context`): `.cargo/config` or `.cargo/config.toml`
//! from the working folder upward, then CARGO_HOME's; the nearer one wins. Included files come right after the file that
//! includes them, the last one first. Paths stay as they are spelled: the system resolves them, as it does for cargo, and
//! what a file's own paths are relative to follows from the spelling of its path.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::model::{Problem, text};
use crate::world::ReadFs;

use super::file::{self, File};

/// Longest chain of includes.
const CHAIN: usize = 16;
/// Most files of one run.
const MOST: usize = 2000;

/// Reads settings files, each once.
pub(super) struct Search<'a> {
    fs: &'a dyn ReadFs,
    seen: BTreeMap<PathBuf, Option<Rc<File>>>,
    /// Whether it was told that there are too many files.
    full: bool,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Search<'a> {
    pub(super) fn new(fs: &'a dyn ReadFs) -> Self {
        Self {
            fs,
            seen: BTreeMap::new(),
            full: false,
            problems: Vec::new(),
        }
    }

    /// Every file that was read, by path.
    pub(super) fn files(&self) -> Vec<Rc<File>> {
        self.seen.values().flatten().cloned().collect()
    }

    /// The files that count in a folder, the strongest first.
    pub(super) fn path(&mut self, folder: Option<&Path>, home: Option<&Path>) -> Vec<Rc<File>> {
        let mut files = Vec::new();
        let mut passed = false;
        let above = folder.into_iter().flat_map(Path::ancestors);
        for folder in above.map(|f| f.join(".cargo")) {
            let before = files.len();
            self.folder(&folder, &mut files);
            // The home is not read again where it was met on the way up, under whatever name.
            passed |= files.len() > before && home.is_some_and(|home| self.same(&folder, home));
        }
        if let Some(home) = home
            && !passed
        {
            self.folder(home, &mut files);
        }
        files
    }

    fn same(&self, folder: &Path, home: &Path) -> bool {
        let resolved = |path: &Path| self.fs.open_root(path).ok().map(|opened| opened.resolved);
        folder == home || resolved(folder).is_some_and(|one| resolved(home) == Some(one))
    }

    /// The file of one `.cargo` folder: the name without extension wins where both are there.
    fn folder(&mut self, folder: &Path, files: &mut Vec<Rc<File>>) {
        for name in ["config", "config.toml"] {
            let path = folder.join(name);
            if files.iter().any(|file| file.path == path) {
                return;
            }
            if self.fs.stat_named(&path).is_ok() {
                return self.with_includes(&path, false, 0, files);
            }
        }
    }

    fn with_includes(
        &mut self,
        path: &Path,
        optional: bool,
        depth: usize,
        files: &mut Vec<Rc<File>>,
    ) {
        if files.iter().any(|file| file.path == path) {
            return;
        }
        if depth > CHAIN {
            let why = "is included through more files than untaint follows: include it directly";
            return self.partial(path, why);
        }
        let Some(file) = self.read(path, optional) else {
            return;
        };
        files.push(Rc::clone(&file));
        let folder = path.parent().unwrap_or(path);
        for include in file.includes.iter().rev() {
            let path = folder.join(&include.path);
            self.with_includes(&path, include.optional, depth + 1, files);
        }
    }

    /// A limit that was reached.
    fn partial(&mut self, path: &Path, why: &str) {
        let shown = text::printable(&path.display().to_string());
        self.problems.push(Problem::partial(shown, why));
    }

    fn read(&mut self, path: &Path, optional: bool) -> Option<Rc<File>> {
        if let Some(known) = self.seen.get(path) {
            return known.clone();
        }
        if self.seen.len() >= MOST {
            if !std::mem::replace(&mut self.full, true) {
                let why = "and more settings files than untaint reads: scan fewer projects at once";
                self.partial(path, why);
            }
            return None;
        }
        let shown = text::printable(&path.display().to_string());
        let read = match self.fs.read_named(path, file::LARGEST) {
            Ok(bytes) => match file::parse(path, &bytes) {
                Ok(file) => {
                    if file.cut {
                        let why = "holds more settings, or deeper ones, than untaint judges: look at them yourself";
                        self.partial(path, why);
                    }
                    Some(Rc::new(file))
                }
                Err(broken) => {
                    let at = broken
                        .line
                        .map_or_else(|| shown.clone(), |line| format!("{shown}:{line}"));
                    let why = format!("{}; mend it, cargo refuses it too", broken.message);
                    self.problems.push(Problem::partial(at, why));
                    None
                }
            },
            Err(error) => {
                if !(optional && error.is_not_found()) {
                    let why = format!("cannot be read: {}", error.source);
                    self.problems.push(Problem::partial(shown, why));
                }
                None
            }
        };
        self.seen.insert(path.to_owned(), read.clone());
        read
    }
}

/// Where a path really leads: as the system resolves it as far as it is there, the rest by its spelling.
pub(super) fn real(fs: &dyn ReadFs, path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut at = path.components();
    loop {
        if let Ok(opened) = fs.open_root(at.as_path()) {
            let rest: PathBuf = missing.iter().rev().collect();
            return normal(&opened.resolved.join(rest));
        }
        match at.next_back() {
            Some(part) => missing.push(part),
            None => return normal(path),
        }
    }
}

/// Resolves `.` and `..` by their spelling.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    out.push("..");
                }
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake::Disk;

    fn paths(files: &[Rc<File>]) -> Vec<String> {
        files.iter().map(|f| f.path.display().to_string()).collect()
    }

    #[test]
    fn the_nearer_file_comes_first_and_home_last() {
        let mut disk = Disk::of(1000, 1000);
        disk.file("/h/.cargo/config.toml", "")
            .file(
                "/h/w/p/.cargo/config.toml",
                "include = ['../more.toml', 'gone.toml', {path = 'maybe.toml', optional = true}]",
            )
            .file("/h/w/p/more.toml", "include = '/h/w/p/.cargo/config.toml'")
            .file("/h/w/.cargo/config", "")
            .file("/h/w/.cargo/config.toml", "broken");
        let mut search = Search::new(&disk);
        let files = search.path(Some(Path::new("/h/w/p")), Some(Path::new("/h/.cargo")));
        assert_eq!(
            paths(&files),
            [
                "/h/w/p/.cargo/config.toml",
                "/h/w/p/.cargo/../more.toml",
                "/h/w/.cargo/config",
                "/h/.cargo/config.toml"
            ]
        );
        assert_eq!(search.problems.len(), 1, "{:?}", search.problems);
        assert!(search.problems[0].path.ends_with("gone.toml"));
    }

    #[test]
    fn a_broken_file_is_told_once_with_its_line() {
        let mut disk = Disk::of(1000, 1000);
        disk.file("/p/.cargo/config.toml", "[build]\nx = = 1\n");
        let mut search = Search::new(&disk);
        search.path(Some(Path::new("/p")), None);
        search.path(Some(Path::new("/p/q")), None);
        assert_eq!(search.problems.len(), 1);
        assert_eq!(search.problems[0].path, "/p/.cargo/config.toml:2");
        assert!(search.files().is_empty());
    }

    #[test]
    fn every_limit_that_is_reached_is_told() {
        let mut disk = Disk::of(1000, 1000);
        disk.file("/p/.cargo/config.toml", "include = '1.toml'");
        for n in 1..30 {
            let next = format!("include = '{}.toml'", n + 1);
            disk.file(&format!("/p/.cargo/{n}.toml"), &next);
        }
        let mut search = Search::new(&disk);
        search.path(Some(Path::new("/p")), None);
        let told: Vec<_> = search.problems.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(told, ["/p/.cargo/17.toml"]);

        let many: Vec<String> = (0..MOST).map(|n| format!("'{n}.toml'")).collect();
        let text = format!("include = [{}]", many.join(", "));
        let mut disk = Disk::of(1000, 1000);
        disk.file("/p/.cargo/config.toml", &text);
        for n in 0..MOST {
            disk.file(&format!("/p/.cargo/{n}.toml"), "");
        }
        let mut search = Search::new(&disk);
        search.path(Some(Path::new("/p")), None);
        assert_eq!(search.problems.len(), 1, "{:?}", search.problems);

        let many: String = (0..20_001).map(|n| format!("k{n} = 'x'\n")).collect();
        let mut disk = Disk::of(1000, 1000);
        disk.file("/p/.cargo/config.toml", format!("[env]\n{many}"));
        let mut search = Search::new(&disk);
        search.path(Some(Path::new("/p")), None);
        assert_eq!(search.problems.len(), 1, "{:?}", search.problems);
    }

    #[test]
    fn the_system_resolves_what_is_spelled() {
        let mut disk = Disk::of(1000, 1000);
        disk.file("/h/p/.cargo/config.toml", "include = 'lnk/../i.toml'")
            .file("/h/p/.cargo/i.toml", "")
            .file("/h/p/.git/i.toml", "")
            .folder("/h/p/.git/x")
            .link("/h/p/.cargo/lnk", "../.git/x")
            .file("/srv/home/config.toml", "")
            .link("/h/.cargo", "/srv/home");
        let mut search = Search::new(&disk);
        let files = search.path(Some(Path::new("/h/p")), Some(Path::new("/srv/home")));
        // The home is met as `/h/.cargo`, and not once more.
        assert_eq!(
            paths(&files),
            [
                "/h/p/.cargo/config.toml",
                "/h/p/.cargo/lnk/../i.toml",
                "/h/.cargo/config.toml"
            ]
        );
        assert_eq!(files[2].base, Path::new("/h"));
        let at = |path: &str| real(&disk, Path::new(path));
        assert_eq!(
            at("/h/p/.cargo/lnk/../i.toml"),
            Path::new("/h/p/.git/i.toml")
        );
        assert_eq!(at("/h/p/gone/../../x"), Path::new("/h/x"));
        assert_eq!(
            at("/h/.cargo/config.toml"),
            Path::new("/srv/home/config.toml")
        );
    }

    #[test]
    fn paths_are_resolved_by_spelling() {
        assert_eq!(normal(Path::new("/a/./b/../c")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("/../a")), Path::new("/../a"));
    }
}
