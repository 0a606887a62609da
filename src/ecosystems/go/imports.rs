//! What a module's own sources import: the import clauses of its `.go` files, and `vendor/modules.txt` (cmd/go 1.26,
//! `go/parser` with ImportsOnly, `modload/vendor.go`).
//!
//! Build constraints are not weighed: a file for another system counts too. Folders that Go's patterns leave out (`testdata`,
//! names that begin with `.` or `_`, `vendor`, modules of their own) are left out. Nothing is followed and nothing is run.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::Imported;
use crate::world::{Dir, FileKind};

use super::modulestxt;

/// Most files that are read.
const FILES: usize = 50_000;
/// Most bytes of one file; import clauses stand at its beginning.
const BYTES: u64 = 4 << 20;
/// Deepest folder.
const DEPTH: usize = 64;

/// What the module in this folder imports.
pub(super) fn of(folder: &dyn Dir) -> Imported {
    let mut walk = Walk {
        imported: Imported {
            complete: true,
            programs: Some("cmd/"),
            ..Imported::default()
        },
        files: 0,
    };
    walk.folder(folder, Path::new(""), 0);
    let mut imported = walk.imported;
    imported.listed = vendored(folder).map(|paths| (paths, "vendor/modules.txt"));
    imported
}

/// The packages that a vendor folder lists.
fn vendored(folder: &dyn Dir) -> Option<BTreeSet<String>> {
    let vendor = folder.open_dir(OsStr::new("vendor")).ok()?;
    let max = u64::try_from(modulestxt::MAX_BYTES).ok()?;
    let (bytes, _) = vendor.read(OsStr::new("modules.txt"), max).ok()?;
    let packages = modulestxt::parse(&bytes)
        .modules
        .into_iter()
        .flat_map(|module| module.packages);
    Some(packages.map(|(_, path)| path).collect())
}

struct Walk {
    imported: Imported,
    files: usize,
}

impl Walk {
    fn folder(&mut self, dir: &dyn Dir, at: &Path, depth: usize) {
        let Ok(entries) = dir.list() else {
            self.imported.complete = false;
            return;
        };
        if depth > 0 && entries.iter().any(|e| e.name == "go.mod") {
            return;
        }
        for entry in &entries {
            let name = entry.name.to_string_lossy();
            let rel = at.join(&entry.name);
            match entry.kind {
                FileKind::File if name.ends_with(".go") && !name.starts_with(['.', '_']) => {
                    self.file(dir, &entry.name, rel);
                }
                FileKind::Dir if is_left_out(&name, depth) => {}
                FileKind::Dir if depth >= DEPTH || self.files >= FILES => {
                    self.imported.complete = false;
                }
                FileKind::Dir => match dir.open_dir(&entry.name) {
                    Ok(below) => self.folder(&*below, &rel, depth + 1),
                    Err(_) => self.imported.complete = false,
                },
                FileKind::File | FileKind::Link | FileKind::Other => {}
            }
        }
    }

    fn file(&mut self, dir: &dyn Dir, name: &OsStr, rel: PathBuf) {
        self.files += 1;
        if self.files > FILES {
            self.imported.complete = false;
            return;
        }
        let Ok((bytes, _)) = dir.read(name, BYTES) else {
            self.imported.complete = false;
            return;
        };
        let shown = rel.to_string_lossy();
        for path in import_paths(&bytes) {
            let by = self.imported.by_own.entry(path);
            by.or_insert_with(|| shown.to_string());
        }
    }
}

fn is_left_out(name: &str, depth: usize) -> bool {
    name.starts_with(['.', '_']) || name == "testdata" || (name == "vendor" && depth == 0)
}

/// The import paths of a source file, as far as it can be read.
pub(super) fn import_paths(source: &[u8]) -> Vec<String> {
    let mut scan = Scan { rest: source };
    let mut paths = Vec::new();
    if scan.word().as_deref() != Some("package") || scan.word().is_none() {
        return paths;
    }
    loop {
        scan.skip(true);
        if scan.word().as_deref() != Some("import") {
            return paths;
        }
        scan.skip(false);
        if scan.rest.first() == Some(&b'(') {
            scan.step(1);
            loop {
                scan.skip(true);
                match scan.rest.first() {
                    Some(b')') => {
                        scan.step(1);
                        break;
                    }
                    Some(_) => match scan.spec() {
                        Some(path) => paths.push(path),
                        None => return paths,
                    },
                    None => return paths,
                }
            }
        } else {
            match scan.spec() {
                Some(path) => paths.push(path),
                None => return paths,
            }
        }
    }
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl Scan<'_> {
    fn step(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Passes over blanks and comments, and over semicolons where a line may end.
    fn skip(&mut self, semicolons: bool) {
        loop {
            let blank = |b: &u8| b.is_ascii_whitespace() || (semicolons && *b == b';');
            let blanks = self.rest.iter().take_while(|b| blank(b)).count();
            self.step(blanks);
            if self.rest.starts_with("\u{feff}".as_bytes()) {
                self.step(3);
            } else if self.rest.starts_with(b"//") {
                let line = self.rest.iter().take_while(|b| **b != b'\n').count();
                self.step(line);
            } else if self.rest.starts_with(b"/*") {
                let inner = self.rest.get(2..).unwrap_or_default();
                let end = inner.windows(2).position(|two| two == b"*/");
                self.step(end.map_or(self.rest.len(), |end| end + 4));
            } else {
                return;
            }
        }
    }

    /// An identifier or keyword.
    fn word(&mut self) -> Option<String> {
        self.skip(false);
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80;
        let length = self.rest.iter().take_while(|b| is_part(b)).count();
        let word = self.rest.get(..length).filter(|word| !word.is_empty())?;
        let word = String::from_utf8_lossy(word).into_owned();
        self.step(length);
        Some(word)
    }

    /// `[name | . | _] "path"`.
    fn spec(&mut self) -> Option<String> {
        self.skip(false);
        if self.rest.first() == Some(&b'.') {
            self.step(1);
        } else if !matches!(self.rest.first(), Some(b'"' | b'`')) {
            self.word()?;
        }
        self.skip(false);
        let quote = *self.rest.first().filter(|b| matches!(b, b'"' | b'`'))?;
        self.step(1);
        let length = self.rest.iter().position(|b| *b == quote)?;
        let path = str::from_utf8(self.rest.get(..length)?).ok()?.to_owned();
        self.step(length + 1);
        // An escape in a path is allowed and never used; what it spells is not worked out.
        (!path.contains(['\\', '\n'])).then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::world::ReadFs as _;
    use crate::world::fake::Disk;

    #[test]
    fn clauses_of_every_form() {
        let source = "\u{feff}// Copyright\n//go:build linux\n\n/* doc */ package p; import \"a\"\n\
            import (\n\t\"b\" // c\n\tx \"c.example/c\"; . \"d\"\n\t_ `e.example/e/v2`\n\n/* import \"no\" */)\n\
            import y /* why */ \"f\"\nimport \"C\"\nvar s = `import \"g\"`\nimport \"h\"\n";
        assert_eq!(
            import_paths(source.as_bytes()),
            ["a", "b", "c.example/c", "d", "e.example/e/v2", "f", "C"]
        );
        for nothing in [
            "",
            "package",
            "import \"a\"",
            "package p\nimport",
            "package p\nimport (\"a",
        ] {
            assert!(import_paths(nothing.as_bytes()).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn only_the_modules_own_files_count() {
        let mut disk = Disk::of(1000, 1000);
        for (path, import) in [
            ("main.go", "a"),
            ("x/y/z_test.go", "b"),
            ("vendor/v/v.go", "no"),
            ("testdata/t.go", "no"),
            ("_old/o.go", "no"),
            (".git/g.go", "no"),
            ("nested/n.go", "no"),
            ("_skip.go", "no"),
            ("notes.txt", "no"),
        ] {
            disk.file(
                &format!("/p/{path}"),
                format!("package p\nimport \"{import}\"\n"),
            );
        }
        disk.file("/p/nested/go.mod", "module n\n");
        disk.file(
            "/p/vendor/modules.txt",
            "# c.example/c v1.0.0\n## explicit\nc.example/c/d\n",
        );
        let root = disk.open_root(Path::new("/p")).unwrap();
        let imported = of(&*root.dir);
        let own: Vec<(&str, &str)> = imported
            .by_own
            .iter()
            .map(|(path, file)| (&**path, &**file))
            .collect();
        assert_eq!(own, [("a", "main.go"), ("b", "x/y/z_test.go")]);
        let listed = imported.listed.unwrap().0;
        assert_eq!(listed, BTreeSet::from(["c.example/c/d".to_owned()]));
        assert!(imported.complete);
    }

    proptest! {
        #[test]
        fn any_source_is_read_to_an_end(source in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = import_paths(&source);
        }

        #[test]
        fn any_clauses_are_read_to_an_end(source in "(package|import|[a-z]|\"|`|/\\*|\\*/|//|\\(|\\)|;|\n| ){0,60}") {
            let _ = import_paths(source.as_bytes());
        }
    }
}
