//! What is remembered of cached index files, and what makes it another thing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::*;
use crate::ecosystems::cargo::index_line;
use crate::ecosystems::contract::{Inspection, Inspector as _};
use crate::model::{Assurance, Digest, Listing, Outcome, Reason, RootId};
use crate::world::fake::Disk;

const ROW: &str = r#"{"name":"beta","vers":"1.0.0","deps":[],"cksum":"1111111111111111111111111111111111111111111111111111111111111111","features":{},"yanked":false}"#;
const LIE: &str = r#"{"name":"beta","vers":"1.0.0","deps":[],"cksum":"2222222222222222222222222222222222222222222222222222222222222222","features":{},"yanked":false}"#;
const NOW: i64 = 1_790_000_000;

/// A memory that forgets nothing, and how often it was asked and told.
#[derive(Default)]
struct Kept(Mutex<BTreeSet<[u8; 32]>>);

impl Proofs for Kept {
    fn proven(&self, key: &[u8; 32]) -> bool {
        self.0.lock().unwrap().contains(key)
    }

    fn prove(&self, key: &[u8; 32], youngest: i64) {
        assert_eq!(youngest, 0, "the fake disk's time");
        self.0.lock().unwrap().insert(*key);
    }
}

impl Kept {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

fn cached(row: &str) -> Vec<u8> {
    [b"\x03\x02\0\0\0etag: x\x001.0.0\0", row.as_bytes(), b"\0"].concat()
}

fn disk(row: &str) -> Disk {
    let mut disk = Disk::of(0, 0);
    disk.file("/c/be/ta/beta", cached(row));
    disk
}

fn listing(row: &str) -> Listing {
    Listing {
        complete: true,
        fetched_at: NOW,
        confirmed_at: NOW,
        versions: vec![index_line::parse(row.as_bytes()).unwrap().facts],
        ..Listing::default()
    }
}

fn file(name: &str) -> IndexFile {
    IndexFile {
        rel: PathBuf::from("be/ta/beta"),
        name: name.to_owned(),
        size: 1,
        form: Form::Cached,
    }
}

struct Case<'a> {
    disk: Disk,
    file: IndexFile,
    listing: Option<&'a Listing>,
    gap: Option<Reason>,
    kept: Option<&'a Kept>,
}

impl<'a> Case<'a> {
    fn new(row: &str, listing: &'a Listing, kept: &'a Kept) -> Self {
        Self {
            disk: disk(row),
            file: file("beta"),
            listing: Some(listing),
            gap: None,
            kept: Some(kept),
        }
    }

    fn look(&self) -> Inspection {
        let root = self.disk.dir("/c");
        let context = InspectContext {
            root: &*root,
            fs: &self.disk,
            root_id: &RootId::new("root"),
            listing: self.listing,
            gap: self.gap,
            now: NOW,
            full: false,
            proofs: self.kept.map(|kept| kept as &dyn Proofs),
            cancelled: &|| false,
        };
        self.file.inspect(&context).remove(0)
    }
}

const GOOD: Outcome = Outcome::Verified(Assurance::Published);

#[test]
fn a_file_that_fitted_is_not_read_again() {
    let (listing, kept) = (listing(ROW), Kept::default());
    assert_eq!(
        Case::new(LIE, &listing, &kept).look().outcome,
        Outcome::Tainted
    );
    assert_eq!(kept.len(), 0, "what does not fit is not remembered");
    assert_eq!(Case::new(ROW, &listing, &kept).look().outcome, GOOD);
    assert_eq!(kept.len(), 1);
    // No disk can do this: other content under the same identity, change time included. So it was not read.
    assert_eq!(Case::new(LIE, &listing, &kept).look().outcome, GOOD);
    let mut without = Case::new(LIE, &listing, &kept);
    without.kept = None;
    assert_eq!(without.look().outcome, Outcome::Tainted);
}

#[test]
fn any_part_of_the_identity_makes_another_file() {
    let (listing, kept) = (listing(ROW), Kept::default());
    let case = Case::new(ROW, &listing, &kept);
    let root = case.disk.dir("/c");
    let context = InspectContext {
        root: &*root,
        fs: &case.disk,
        root_id: &RootId::new("root"),
        listing: Some(&listing),
        gap: None,
        now: NOW,
        full: false,
        proofs: Some(&kept),
        cancelled: &|| false,
    };
    let memo = Memo::of(&case.file, &context).unwrap();
    let (_, stat) = root
        .descend(&["be".as_ref(), "ta".as_ref()])
        .unwrap()
        .read("beta".as_ref(), 1 << 20)
        .unwrap();
    memo.keep(&stat);
    assert!(memo.holds(&stat));
    let others = [
        Stat {
            dev: stat.dev + 1,
            ..stat
        },
        Stat {
            inode: stat.inode + 1,
            ..stat
        },
        Stat {
            size: stat.size + 1,
            ..stat
        },
        Stat {
            mtime: stat.mtime + 1,
            ..stat
        },
        Stat {
            ctime: stat.ctime + 1,
            ..stat
        },
        Stat {
            kind: FileKind::Link,
            ..stat
        },
    ];
    for other in others {
        assert!(!memo.holds(&other), "{other:?}");
    }
    let same = Stat {
        links: 7,
        mode: 0o600,
        uid: 4,
        ..stat
    };
    assert!(
        memo.holds(&same),
        "owner and mode are judged where the place is"
    );
}

#[test]
fn any_fact_of_the_listing_makes_another_comparison() {
    let good = listing(ROW);
    let changed = |change: &dyn Fn(&mut VersionFacts)| {
        let mut other = good.clone();
        change(&mut other.versions[0]);
        other
    };
    let mut longer = good.clone();
    longer.versions.push(VersionFacts {
        version: Arc::from("1.1.0"),
        ..good.versions[0].clone()
    });
    let others = [
        changed(&|v| v.version = Arc::from("1.0.1")),
        changed(&|v| v.digests = vec![Digest::sha256([3; 32])]),
        changed(&|v| v.digests.clear()),
        changed(&|v| v.yanked = true),
        changed(&|v| v.withdrawn = true),
        changed(&|v| v.published_at = Some(0)),
        changed(&|v| v.facts[15] ^= 1),
        longer,
        Listing {
            complete: false,
            ..good.clone()
        },
        Listing {
            etag: Some(Arc::from("y")),
            ..good.clone()
        },
        Listing {
            last_modified: Some(Arc::from("z")),
            ..good.clone()
        },
        Listing {
            versions: Vec::new(),
            ..good.clone()
        },
    ];
    let kept = Kept::default();
    assert_eq!(Case::new(ROW, &good, &kept).look().outcome, GOOD);
    for other in &others {
        let case = Case::new(LIE, other, &kept);
        assert_ne!(case.look().outcome, GOOD, "read anew: {other:?}");
    }
    let mut renamed = Case::new(LIE, &good, &kept);
    renamed.file = file("beta2");
    assert_ne!(renamed.look().outcome, GOOD);
    // When it was confirmed is not what the file was held against.
    let later = Listing {
        confirmed_at: NOW + 9,
        fetched_at: NOW + 9,
        ..good.clone()
    };
    assert_eq!(Case::new(LIE, &later, &kept).look().outcome, GOOD);
}

#[test]
fn what_time_or_a_gap_could_change_is_not_remembered() {
    let (good, kept) = (listing(ROW), Kept::default());
    let mut gap = Case::new(ROW, &good, &kept);
    gap.gap = Some(Reason::Offline);
    assert_eq!(
        gap.look().outcome,
        GOOD,
        "the registry has spoken of every row"
    );
    let mut nobody = Case::new(ROW, &good, &kept);
    nobody.listing = None;
    nobody.gap = Some(Reason::Unreachable);
    assert_ne!(nobody.look().outcome, GOOD);
    let mut plain = Case::new(ROW, &good, &kept);
    plain.disk = Disk::of(0, 0);
    plain.disk.file("/c/be/ta/beta", format!("{ROW}\n"));
    plain.file.form = Form::Plain;
    assert_eq!(plain.look().outcome, GOOD);
    let mut config = Case::new(ROW, &good, &kept);
    config.file.name = authority::CONFIG.to_owned();
    assert_ne!(config.look().outcome, GOOD);
    // A version that the listing does not have yet, and a row that cannot be used.
    for more in [
        "1.9.9\0{\"name\":\"beta\",\"vers\":\"1.9.9\",\"deps\":[],\"cksum\":\"1111111111111111111111111111111111111111111111111111111111111111\",\"features\":{},\"pubtime\":\"2026-09-21T14:13:00Z\"}\0",
        "1.9.9\0{}\0",
    ] {
        let mut case = Case::new(ROW, &good, &kept);
        case.disk = Disk::of(0, 0);
        let bytes = [cached(ROW), more.as_bytes().to_vec()].concat();
        case.disk.file("/c/be/ta/beta", bytes);
        assert_ne!(case.look().outcome, GOOD, "{more}");
    }
    assert_eq!(kept.len(), 0);
}
