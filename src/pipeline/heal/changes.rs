//! What was changed in one incident, held against the good copy: file by file where an archive says what each must be.
//!
//! Reads only, through the writing port; bounded in files, bytes and words.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::diff;
use super::evidence::Incident;
use super::grounds::Grounds;
use super::look;
use super::record::{Move, Role};
use crate::ecosystems::contract::{Copied, Extra, ExtraContext};
use crate::model::text;
use crate::world::FileKind;
use crate::world::write_fs::Root;

/// Longest account in bytes.
const LONGEST: usize = 1 << 20;
/// Bytes of content that are held of one side.
const HELD: u64 = 64 << 20;
/// Largest file that is read whole.
const FILE: u64 = 16 << 20;

/// Files by path; `None` where there was no room to hold the bytes, or they are no file's.
type Files = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The account of an incident.
pub(super) fn of(grounds: &Grounds<'_>, incident: &Incident<'_>) -> String {
    let mut account = Account {
        grounds,
        incident,
        out: String::new(),
        good: None,
    };
    for mv in incident
        .entry
        .moves
        .iter()
        .filter(|mv| mv.role != Role::Derived)
    {
        account.one(mv);
    }
    account.lacking();
    account.out
}

struct Account<'a> {
    grounds: &'a Grounds<'a>,
    incident: &'a Incident<'a>,
    out: String,
    /// What the good archive holds, once it was asked for.
    good: Option<Option<Files>>,
}

impl Account<'_> {
    fn one(&mut self, mv: &Move) {
        let Some((root, store)) = self.grounds.roots.get(mv.folder).copied() else {
            return;
        };
        let rel = mv.rel.path();
        let put = self
            .incident
            .entry
            .puts
            .iter()
            .find(|put| put.folder == mv.folder && put.rel == mv.rel)
            .map(|put| PathBuf::from(&put.staged));
        let kind = self.grounds.fs.stat(root.at(&rel)).map(|stat| stat.kind);
        let name = mv.rel.text.clone();
        match kind {
            Ok(FileKind::Dir) => {
                let mut found = self.tree(root, &rel);
                if let Some(copied) = self.copied(mv, &rel) {
                    found.retain(|path, _| !(copied.made)(path));
                    self.compare(&name, &found, &copied.files);
                } else if let Some(good) = self.good(root, &rel) {
                    self.compare(&name, &found, &good);
                } else {
                    self.say(&format!("{name}: a folder of {} files", found.len()));
                }
            }
            Ok(FileKind::File) => {
                let old = self.read(root, &rel);
                let new = put.as_deref().and_then(|staged| self.read(store, staged));
                match (&old, &new) {
                    (Some(old), Some(new)) if self.as_archives(&name, old, new) => {}
                    _ if self.room() => {
                        diff::write(&mut self.out, &name, old.as_deref(), new.as_deref());
                    }
                    _ => {}
                }
            }
            Ok(FileKind::Link) => {
                let target = self.grounds.fs.read_link(root.at(&rel)).unwrap_or_default();
                let target = text::printable(&target.to_string_lossy());
                self.say(&format!("{name}: a link to {target}"));
            }
            Ok(FileKind::Other) | Err(_) => self.say(&format!("{name}: no plain file")),
        }
    }

    fn copied(&self, mv: &Move, rel: &Path) -> Option<Copied> {
        let Incident {
            step,
            supply,
            folders,
            ..
        } = self.incident;
        let root = folders.get(mv.folder)?.path.path();
        supply.copied(step, &root, rel)
    }

    /// What was put where nothing lay.
    fn lacking(&mut self) {
        for put in &self.incident.entry.puts {
            let moved = self
                .incident
                .entry
                .moves
                .iter()
                .any(|mv| mv.folder == put.folder && mv.rel == put.rel);
            if !moved {
                self.say(&format!("{}: was missing", put.rel.text));
            }
        }
    }

    fn room(&self) -> bool {
        self.out.len() < LONGEST
    }

    fn say(&mut self, line: &str) {
        if self.room() {
            let _ = writeln!(self.out, "{}", text::printable(line));
        }
    }

    /// The files of the good archive: laid ready, or in the cache, where the tree that is moved would be unpacked from it.
    fn good(&mut self, root: Root, tree: &Path) -> Option<Files> {
        if let Some(known) = &self.good {
            return known.clone();
        }
        let files = self.archive(root, tree);
        self.good = Some(files.clone());
        files
    }

    fn archive(&self, root: Root, tree: &Path) -> Option<Files> {
        let healer = self.incident.step.healer();
        let (artifact, digest) = self.incident.step.good.as_ref()?;
        let laid = self.incident.entry.puts.iter().find_map(|put| {
            let (_, store) = self.grounds.roots.get(put.folder).copied()?;
            self.read(store, Path::new(&put.staged))
                .filter(|bytes| healer.fits(artifact, bytes, digest))
        });
        let beside = || {
            let path = healer.archive_of(tree)?;
            self.read(root, &path)
                .filter(|bytes| healer.fits(artifact, bytes, digest))
        };
        let bytes = laid.or_else(beside)?;
        self.unpacked(&bytes)
    }

    fn unpacked(&self, bytes: &[u8]) -> Option<Files> {
        let step = self.incident.step;
        let (artifact, _) = step.good.as_ref()?;
        let (mut files, mut held) = (Files::new(), 0u64);
        let read = step
            .healer()
            .unpack(artifact, bytes, &mut |path, _, bytes| {
                held = held.saturating_add(bytes.len() as u64);
                let kept = (held <= HELD).then(|| bytes.to_vec());
                if files.len() < look::MOST {
                    files.insert(path.to_vec(), kept);
                }
            });
        read.ok().map(|()| files)
    }

    /// Compares two archives by what they hold; says no where one of them cannot be read.
    fn as_archives(&mut self, name: &str, old: &[u8], new: &[u8]) -> bool {
        let (Some(found), Some(good)) = (self.unpacked(old), self.unpacked(new)) else {
            return false;
        };
        if found == good {
            return false;
        }
        self.compare(name, &found, &good);
        true
    }

    fn compare(&mut self, name: &str, found: &Files, good: &Files) {
        let mut paths: Vec<&Vec<u8>> = found.keys().chain(good.keys()).collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            let (old, new) = (found.get(path), good.get(path));
            if old == new || (new.is_none() && self.is_made(path, old)) {
                continue;
            }
            if !self.room() {
                self.out.push_str("and more that differs\n");
                return;
            }
            let shown = format!("{name}/{}", text::percent(path).0);
            match (old, new) {
                (Some(None), _) | (_, Some(None)) => self.say(&format!("{shown}: differs")),
                (old, new) => {
                    let (old, new) = (old.cloned().flatten(), new.cloned().flatten());
                    diff::write(&mut self.out, &shown, old.as_deref(), new.as_deref());
                }
            }
        }
    }

    /// Whether the tool itself writes such a file beside those of the archive.
    fn is_made(&self, path: &[u8], content: Option<&Option<Vec<u8>>>) -> bool {
        let step = self.incident.step;
        let (Some(projection), Some((_, digest))) = (step.projection, &step.good) else {
            return false;
        };
        let content = content.and_then(|bytes| bytes.as_deref());
        let context = ExtraContext {
            archive: digest,
            file_sha256: &|_| None,
            excused: &|_| false,
        };
        projection.extra(path, FileKind::File, content, &context) == Extra::Generated
    }

    fn read(&self, root: Root, rel: &Path) -> Option<Vec<u8>> {
        let stat = self.grounds.fs.stat(root.at(rel)).ok()?;
        if stat.kind != FileKind::File || stat.size > FILE.max(HELD) {
            return None;
        }
        let mut bytes = Vec::new();
        let file = self.grounds.fs.read(root.at(rel)).ok()?;
        file.take(HELD).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn tree(&self, root: Root, rel: &Path) -> Files {
        let (mut files, mut held) = (Files::new(), 0u64);
        let mut folders = vec![(PathBuf::new(), 0usize)];
        while let Some((below, depth)) = folders.pop() {
            let at = rel.join(&below);
            for entry in self.grounds.fs.list(root.at(&at)).unwrap_or_default() {
                let path = below.join(&entry.name);
                if files.len() >= look::MOST || depth > look::DEPTH {
                    return files;
                }
                if entry.kind == FileKind::Dir {
                    folders.push((path, depth + 1));
                    continue;
                }
                let name = path.as_os_str().as_bytes().to_vec();
                let bytes = self.read(root, &rel.join(&path)).filter(|bytes| {
                    held = held.saturating_add(bytes.len() as u64);
                    held <= HELD
                });
                files.insert(name, bytes);
            }
        }
        files
    }
}
