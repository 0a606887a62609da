//! Reads small files that stand beside archives: a module's `go.mod`, and the cache's own record of a hash.
//!
//! Records are read each time; of a `go.mod` the ledger remembers the SHA-256, from which its hash follows.

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{ArchiveFormat, ArchivePart};
use crate::formats::h1;
use crate::model::{Digest, Reason, Scheme};
use crate::trust::ledger::Ledger;
use crate::world::{Dir, FileKind, PathError};

use super::observe::{ArchiveSeen, identity};
use super::opening::parent;

/// Largest `go.mod` file (golang.org/x/mod, `zip.MaxGoMod`).
const LARGEST: u64 = 16 << 20;
/// Length of a recorded hash: `h1:` and 44 digits.
const RECORD: usize = 47;

/// Reads one.
pub(super) fn read(
    root: &dyn Dir,
    part: &ArchivePart,
    ledger: Option<&Ledger>,
    now: i64,
) -> ArchiveSeen {
    let mut seen = ArchiveSeen::default();
    let ledger = ledger.filter(|_| part.format == ArchiveFormat::GoMod);
    match bytes(root, part, ledger, now, &mut seen) {
        Ok(Some(bytes)) => {
            seen.hashed = bytes.len() as u64;
            judge(part, &bytes, &mut seen);
        }
        Ok(None) => {}
        Err(error) if error.is_not_found() => seen.absent = true,
        Err(error) => {
            seen.gap = Some(Reason::Unreadable);
            seen.problem = Some(error.source.to_string());
        }
    }
    seen
}

fn bytes(
    root: &dyn Dir,
    part: &ArchivePart,
    ledger: Option<&Ledger>,
    now: i64,
    seen: &mut ArchiveSeen,
) -> Result<Option<Vec<u8>>, PathError> {
    let (dir, name) = parent(root, &part.rel)?;
    let dir: &dyn Dir = dir.as_deref().unwrap_or(root);
    let listed = dir.stat_entry(name)?;
    seen.size = listed.size;
    if listed.kind != FileKind::File {
        seen.irregular = Some(listed.kind);
        seen.gap = Some(Reason::Unreadable);
        return Ok(None);
    }
    let Some(ledger) = ledger else {
        return dir.read(name, LARGEST).map(|(bytes, _)| Some(bytes));
    };
    if let Some(sum) = ledger
        .file(&identity(&listed))
        .and_then(|known| sum(&known))
    {
        seen.recipe = Some(h1::of_go_mod_with(sum));
        seen.from_ledger = true;
        return Ok(None);
    }
    let (bytes, before) = dir.read(name, LARGEST)?;
    // Only what is there before and after reading, by the same identity, was read.
    if before == listed && dir.stat_entry(name)? == before {
        let sum = Digest::sha256(Sha256::digest(&bytes).into());
        ledger.put_file(&identity(&before), &sum, now);
    }
    Ok(Some(bytes))
}

fn sum(digest: &Digest) -> Option<[u8; 32]> {
    (digest.scheme() == Scheme::Sha256).then(|| digest.bytes().try_into().ok())?
}

fn judge(part: &ArchivePart, bytes: &[u8], seen: &mut ArchiveSeen) {
    if part.format == ArchiveFormat::GoMod {
        seen.recipe = Some(h1::of_go_mod(bytes));
        return;
    }
    // As Go does (`modfetch/fetch.go`, `isValidSum`): white space around it does not count. What Go does not take for a
    // record is one that was not written to its end: it hashes the zip anew.
    let bytes = str::from_utf8(bytes).map_or(bytes.trim_ascii(), |text| text.trim().as_bytes());
    let text = str::from_utf8(bytes).ok().filter(|t| t.len() == RECORD);
    let recorded = text
        .and_then(|t| t.parse::<Digest>().ok())
        .filter(|d| d.scheme() == Scheme::H1);
    match recorded {
        Some(digest) => seen.recipe = Some(digest),
        None if bytes.len() == RECORD && !bytes.contains(&0) => {
            // Go compares its text with go.sum and refuses to build.
            seen.gap = Some(Reason::Unreadable);
            seen.problem = Some("holds no hash; remove it, and Go will hash the zip anew".into());
        }
        None => {
            seen.absent = true;
            seen.torn = true;
            seen.problem = Some("was not written to its end; Go hashes the zip anew".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::trust::fake_state::FakeState;
    use crate::world::ReadFs as _;
    use crate::world::fake::Disk;

    const NOW: i64 = 1_900_000_000;
    const TEXT: &str = "module example.com/a\n";

    fn part(format: ArchiveFormat) -> ArchivePart {
        ArchivePart {
            rel: "v1.0.0.mod".into(),
            format,
            size: 0,
            top: Arc::from("example.com/a@v1.0.0"),
            empty_is_absent: false,
        }
    }

    #[test]
    fn the_ledger_spares_reading_a_go_mod_file_and_gives_the_same_hash() {
        let mut disk = Disk::of(1000, 1000);
        disk.file("/c/v1.0.0.mod", TEXT);
        let root = disk.open_root(Path::new("/c")).unwrap();
        let (ledger, problem) = Ledger::open(&FakeState::default(), NOW);
        assert!(problem.is_none());
        let seen = |format, ledger| read(&*root.dir, &part(format), ledger, NOW);
        let hash = Some(h1::of_go_mod(TEXT.as_bytes()));
        for from_ledger in [false, true, true] {
            let found = seen(ArchiveFormat::GoMod, Some(&ledger));
            assert_eq!((found.recipe, found.from_ledger), (hash, from_ledger));
            assert_eq!(found.hashed == 0, from_ledger);
        }
        let without = seen(ArchiveFormat::GoMod, None);
        assert_eq!((without.recipe, without.from_ledger), (hash, false));
        // A record is what it says, not what it hashes to.
        let record = seen(ArchiveFormat::H1Sidecar, Some(&ledger));
        assert_eq!((record.recipe, record.from_ledger), (None, false));
    }

    #[test]
    fn white_space_around_a_record_is_no_part_of_it() {
        let hash = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        for text in [
            format!("{hash}\n"),
            format!(" \t{hash}\r\n"),
            format!("\u{a0}{hash}\u{2028}"),
        ] {
            let mut seen = ArchiveSeen::default();
            judge(&part(ArchiveFormat::H1Sidecar), text.as_bytes(), &mut seen);
            assert!(seen.recipe.is_some() && !seen.torn, "{text:?}");
        }
        for text in [
            format!("{hash}{hash}"),
            hash.replace('=', ""),
            String::new(),
        ] {
            let mut seen = ArchiveSeen::default();
            judge(&part(ArchiveFormat::H1Sidecar), text.as_bytes(), &mut seen);
            assert!(seen.recipe.is_none() && seen.torn, "{text:?}");
        }
    }
}
