//! Feeds that the user named: `--feeds DIR` with `<OSV ecosystem>/all.zip`, or `rustsec-advisory-db.tar.gz`; `manifest.json` beside either.
//!
//! What the user named is not held against the feed that came before: it is read as it is. One record that cannot be read keeps the rest and is
//! told; a file that cannot be read is told, and other data is asked instead.

use std::path::{Path, PathBuf};

use crate::model::Problem;
use crate::pipeline::advise::archive;
use crate::pipeline::advise::catalogue::{Feed, FeedFormat};
use crate::pipeline::advise::index::{AdvisoryDb, FeedOrigin};
use crate::pipeline::advise::manifest::{self, Manifest};
use crate::pipeline::advise::reading::Reading;
use crate::world::{FileKind, ReadFs};

/// RustSec's archive as it is packed by hand.
const RUSTSEC: &str = "rustsec-advisory-db.tar.gz";
/// Records that are named when they cannot be read.
const NAMED: usize = 5;

/// What a folder gave.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) db: Option<AdvisoryDb>,
    pub(super) problems: Vec<Problem>,
}

/// Whether a path that `--feeds` names is a folder.
pub fn is_folder(fs: &dyn ReadFs, dir: &Path) -> bool {
    fs.stat_named(dir)
        .is_ok_and(|stat| stat.kind == FileKind::Dir)
}

/// Reads the feed of one ecosystem, if the folder has it.
pub(super) fn read(fs: &dyn ReadFs, dir: &Path, feed: &Feed) -> Taken {
    let mut taken = Taken::default();
    if !is_folder(fs, dir) {
        taken.problems.push(Problem::skipped(
            dir.display().to_string(),
            "the folder of advisory feeds is not there or cannot be read",
        ));
        return taken;
    }
    let mut files: Vec<PathBuf> = vec![dir.join(&feed.osv).join("all.zip")];
    if feed.format == FeedFormat::RustsecArchive {
        files.push(dir.join(RUSTSEC));
    }
    for file in files {
        match fs.read_named(&file, archive::LIMITS.max_compressed) {
            Ok(bytes) => {
                take(fs, &file, &bytes, feed, &mut taken);
                return taken;
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                taken.problems.push(Problem::skipped(
                    file.display().to_string(),
                    format!("the advisory feed cannot be read: {}", error.source),
                ));
                return taken;
            }
        }
    }
    taken
}

fn take(fs: &dyn ReadFs, file: &Path, bytes: &[u8], feed: &Feed, taken: &mut Taken) {
    let shown = file.display().to_string();
    let reading = match archive::read(feed, bytes) {
        Ok(reading) => reading,
        Err(error) => {
            taken
                .problems
                .push(Problem::skipped(shown, error.to_string()));
            return;
        }
    };
    if reading.total == 0 {
        taken.problems.push(Problem::skipped(
            shown,
            format!("it holds no advisory for {}", feed.ecosystem),
        ));
        return;
    }
    if let Some(message) = unreadable(&reading) {
        taken
            .problems
            .push(Problem::partial(shown.clone(), message));
    }
    let confirmed = confirmed(fs, file, bytes, taken);
    let compiled = feed
        .compile(reading, confirmed, FeedOrigin::Named)
        .and_then(AdvisoryDb::open);
    match compiled {
        Ok(db) => taken.db = Some(db),
        Err(error) => taken
            .problems
            .push(Problem::skipped(shown, error.to_string())),
    }
}

/// What is to be said of records that could not be read.
pub(super) fn unreadable(reading: &Reading) -> Option<String> {
    if reading.unreadable == 0 {
        return None;
    }
    let named: Vec<String> = reading
        .named
        .iter()
        .take(NAMED)
        .map(|bad| format!("{} ({})", bad.entry, bad.why))
        .collect();
    let more = reading
        .unreadable
        .saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
    let more = if more == 0 {
        String::new()
    } else {
        format!(", and {more} more")
    };
    Some(format!(
        "{} of {} advisories cannot be read and were left out: {}{more}",
        reading.unreadable,
        reading.total,
        named.join(", ")
    ))
}

/// The date of the manifest beside a feed. A manifest that is refused is told: its dates would have been believed.
fn confirmed(fs: &dyn ReadFs, file: &Path, bytes: &[u8], taken: &mut Taken) -> Option<i64> {
    let path = file.with_file_name(manifest::FILE);
    let message = match fs.read_named(&path, 64 << 10) {
        Err(error) if error.is_not_found() => return None,
        Err(error) => format!("the feed manifest cannot be read: {}", error.source),
        Ok(text) => match Manifest::read(&text, bytes) {
            Ok(manifest) => return Some(manifest.confirmed),
            Err(error) => error.to_string(),
        },
    };
    taken
        .problems
        .push(Problem::partial(path.display().to_string(), message));
    None
}
