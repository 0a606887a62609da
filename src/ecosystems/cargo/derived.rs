//! Build folders (`target/`, `CARGO_TARGET_DIR`, `build.target-dir`, `build.build-dir`): what was built from the rest.
//!
//! Nothing in them can be held against anything published: each folder is one subject, `derived`, with its size.

use std::path::PathBuf;

use crate::ecosystems::contract::{Binding, InspectContext, Inspection, Inspector, Session, Unit};
use crate::model::{Outcome, Place, Reason};
use crate::world::{Dir, FileKind};

/// Kind of the place.
pub(super) const KIND: &str = "target";
/// Most entries that are counted.
const MOST: u64 = 2_000_000;
/// Deepest folder that is counted.
const DEPTH: usize = 64;

/// Opens a build folder.
pub(super) fn open() -> Session {
    let mut session = Session::default();
    session.units.push(Unit {
        binding: Binding::Nothing,
        place: Place::Build,
        archive: None,
        tree: None,
        inspector: Some(Box::new(BuildFolder)),
    });
    session.sources.push(("cargo-target", String::new(), 1));
    session
}

/// Whether a folder of a project is cargo's build folder: its name and what cargo leaves in it.
pub(super) fn is_one(dir: &dyn Dir, names: &[&str]) -> bool {
    dir.path().file_name().is_some_and(|name| name == "target")
        && (names.contains(&"CACHEDIR.TAG") || names.contains(&".rustc_info.json"))
}

struct BuildFolder;

/// What was counted.
#[derive(Default)]
struct Size {
    entries: u64,
    files: u64,
    bytes: u64,
    whole: bool,
}

impl Inspector for BuildFolder {
    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let outcome = Outcome::Unverifiable(Reason::Derived);
        let mut inspection = Inspection::new("derived", PathBuf::new(), outcome);
        let mut size = Size {
            whole: true,
            ..Size::default()
        };
        count(context.root, 0, context, &mut size);
        let least = if size.whole { "" } else { "at least " };
        inspection.size = Some(size.bytes);
        inspection.note = Some(format!(
            "{least}{} in {} files, built from the rest",
            people(size.bytes),
            size.files
        ));
        vec![inspection]
    }

    fn weight(&self) -> u64 {
        1 << 24
    }
}

fn count(dir: &dyn Dir, depth: usize, context: &InspectContext<'_>, size: &mut Size) {
    let Ok(entries) = dir.list() else {
        size.whole = false;
        return;
    };
    for entry in entries {
        size.entries += 1;
        if size.entries > MOST || depth > DEPTH || (context.cancelled)() {
            size.whole = false;
            return;
        }
        match entry.kind {
            FileKind::File => match dir.stat_entry(&entry.name) {
                Ok(stat) => {
                    size.files += 1;
                    size.bytes = size.bytes.saturating_add(stat.size);
                }
                Err(_) => size.whole = false,
            },
            FileKind::Dir => match dir.open_dir(&entry.name) {
                Ok(below) => count(&*below, depth + 1, context, size),
                Err(_) => size.whole = false,
            },
            FileKind::Link | FileKind::Other => {}
        }
    }
}

/// A size for people: three digits and a unit.
fn people(bytes: u64) -> String {
    let mut unit = "B";
    let (mut whole, mut tenth) = (bytes, 0);
    for next in ["kB", "MB", "GB", "TB"] {
        if whole < 1000 {
            break;
        }
        tenth = whole % 1000 / 100;
        whole /= 1000;
        unit = next;
    }
    if unit == "B" || whole >= 100 {
        format!("{whole} {unit}")
    } else {
        format!("{whole}.{tenth} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RootId;
    use crate::world::fake::Disk;

    #[test]
    fn a_build_folder_is_one_subject_with_its_size() {
        let mut disk = Disk::of(0, 0);
        disk.file("/p/target/debug/a", vec![0; 1500])
            .file("/p/target/debug/deps/b", vec![0; 500])
            .link("/p/target/loop", "/p/target");
        let root = disk.dir("/p/target");
        let context = InspectContext {
            root: &*root,
            fs: &disk,
            root_id: &RootId::new("target"),
            listing: None,
            gap: None,
            now: 0,
            full: false,
            proofs: None,
            cancelled: &|| false,
        };
        let seen = BuildFolder.inspect(&context);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].outcome, Outcome::Unverifiable(Reason::Derived));
        assert_eq!(seen[0].size, Some(2000));
        assert_eq!(
            seen[0].note.as_deref(),
            Some("2.0 kB in 2 files, built from the rest")
        );
        let stopped = InspectContext {
            cancelled: &|| true,
            ..context
        };
        let note = BuildFolder.inspect(&stopped)[0].note.clone();
        assert!(note.unwrap().starts_with("at least"));
    }

    #[test]
    fn only_what_cargo_made_under_that_name_is_one() {
        let disk = Disk::of(0, 0);
        let (target, other) = (disk.dir("/p/target"), disk.dir("/p/other"));
        assert!(is_one(&*target, &["CACHEDIR.TAG", "debug"]));
        assert!(is_one(&*target, &[".rustc_info.json"]));
        assert!(!is_one(&*target, &["src"]));
        assert!(!is_one(&*other, &["CACHEDIR.TAG", ".rustc_info.json"]));
    }

    #[test]
    fn sizes_are_short() {
        let shown: Vec<String> = [0, 999, 1000, 1550, 123_456, 9_876_543_210]
            .into_iter()
            .map(people)
            .collect();
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 kB", "1.5 kB", "123 kB", "9.8 GB"]
        );
    }
}
