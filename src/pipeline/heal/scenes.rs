//! Scenes for tests: a tainted cache on a disk in memory, and what a scan would say of it.

mod git;
mod others;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::allowed::Allowed;
use super::journal::{Standing, Story};
use super::plan::{Choice, Plan, plan};
use super::receipt::Receipts;
use super::recover::{self, Recovered};
use super::restore::{self, Restoring};
use super::seal::Seal;
use super::transaction::{self, Orders};
use super::vault::{Vault, VaultError};
use super::{Lack, Supply};
use crate::ecosystems::contract::{DerivedPart, Ecosystem};
use crate::model::{
    ArtifactId, Code, Coordinate, Digest, Finding, Origin, Outcome, Place, Reason, RootId,
};
use crate::pipeline::ailing::{Aftermath, Ailing, Ground};
use crate::world::fake_disk::{End, FakeDisk};

pub(super) const GOOD: &[u8] = b"the good archive";
pub(super) const LISTING: &[u8] = b"the good listing";
pub(super) const UID: u32 = 1000;
const ARCHIVE: &str = "registry/cache/r-1/beta-1.0.0.crate";
const TREE: &str = "registry/src/r-1/beta-1.0.0";
const INDEX: &str = "registry/index/r-1/.cache/be/ta/beta";

/// One kind of taint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taint {
    Archive,
    ArchiveAndTree,
    Tree,
    TreeWithPipe,
    Listing,
    LinkedArchive,
    HardLinkedArchive,
    Derived,
    Malicious,
    NeverPublished,
    Unverifiable,
    Evicted,
    Unfetchable,
    KeptIfUnfetchable,
    OtherDisk,
    OtherDiskTree,
    ReadOnlyTree,
    Several,
    GitCheckout,
    GitDatabase,
    GoTree,
    GoTreeZipGone,
    GoZipAndTree,
    GoMod,
    GoLookup,
    Vendored,
    VendoredStray,
}

pub(super) const ALL: [Taint; 27] = [
    Taint::Archive,
    Taint::ArchiveAndTree,
    Taint::Tree,
    Taint::TreeWithPipe,
    Taint::Listing,
    Taint::LinkedArchive,
    Taint::HardLinkedArchive,
    Taint::Derived,
    Taint::Malicious,
    Taint::NeverPublished,
    Taint::Unverifiable,
    Taint::Evicted,
    Taint::Unfetchable,
    Taint::KeptIfUnfetchable,
    Taint::OtherDisk,
    Taint::OtherDiskTree,
    Taint::ReadOnlyTree,
    Taint::Several,
    Taint::GitCheckout,
    Taint::GitDatabase,
    Taint::GoTree,
    Taint::GoTreeZipGone,
    Taint::GoZipAndTree,
    Taint::GoMod,
    Taint::GoLookup,
    Taint::Vendored,
    Taint::VendoredStray,
];

/// Gives good bytes, or none.
pub(super) struct Shop {
    pub(super) open: bool,
}

impl Supply for Shop {
    fn archive(&self, artifact: &ArtifactId, _: &Digest) -> Result<Vec<u8>, Lack> {
        if self.open {
            Ok(others::published(&artifact.file).unwrap_or_else(|| GOOD.to_vec()))
        } else {
            Err("offline".into())
        }
    }

    fn listing(&self, _: &Coordinate) -> Result<Vec<u8>, Lack> {
        if self.open {
            Ok(LISTING.to_vec())
        } else {
            Err("offline".into())
        }
    }
}

fn cargo() -> &'static dyn Ecosystem {
    crate::ecosystems::all()
        .iter()
        .copied()
        .find(|e| e.healer().is_some())
        .unwrap()
}

fn artifact(name: &str) -> Arc<ArtifactId> {
    Arc::new(ArtifactId {
        coordinate: Coordinate {
            ecosystem: cargo().facts().id,
            name: Arc::from(name),
            version: Arc::from("1.0.0"),
            origin: Origin::Unknown,
        },
        file: Arc::from(format!("{name}-1.0.0.crate")),
    })
}

pub(super) fn good_digest() -> Digest {
    Digest::sha256(Sha256::digest(GOOD).into())
}

pub(super) fn ailing(kind: &'static str, rel: &str, code: Code) -> Ailing {
    let artifact = artifact("beta");
    let mut finding = Finding::new(code, Place::Cache, "it is not what was published");
    finding.id = format!("f-{kind}-{}", rel.len());
    Ailing {
        ecosystem: cargo().facts().id,
        healer: cargo().healer(),
        root: 0,
        kind,
        rel: PathBuf::from(rel),
        place: Place::Cache,
        coordinate: Some(Arc::new(artifact.coordinate.clone())),
        artifact: Some(artifact),
        outcome: Outcome::Tainted,
        observed: None,
        must: Some(good_digest()),
        trusted: true,
        unwanted: false,
        tree: None,
        archived: true,
        held: Vec::new(),
        beside: Vec::new(),
        remade: None,
        packages: Vec::new(),
        is_built: true,
        behind: Vec::new(),
        findings: vec![finding],
        named_by: vec!["/p/Cargo.lock".to_owned()],
    }
}

/// Nothing new is begun beside what is half done: the commands see to that.
fn whole(recovered: &[Recovered]) -> Result<(), VaultError> {
    let stuck = recovered
        .iter()
        .find_map(|r| r.stuck.first().or(r.refused.as_ref()));
    stuck.map_or(Ok(()), |why| Err(VaultError::Busy(Some(why.clone()))))
}

/// The vault of the scenes.
pub(super) fn vault(disk: &FakeDisk) -> Result<Vault<'_>, VaultError> {
    let vault = Vault::open(disk, Path::new("/s"), UID, Duration::ZERO)?;
    Ok(vault.sealed(Some(seal())))
}

/// Its key.
pub(super) fn seal() -> Seal {
    Seal::of([7; 32])
}

/// Cache and build folder of the scenes.
pub(super) fn allowed() -> Allowed {
    Allowed::of(["/h", "/p"].map(PathBuf::from))
}

/// A disk with one kind of taint on it.
pub(super) struct Scene {
    pub(super) taint: Taint,
    pub(super) disk: FakeDisk,
}

impl Scene {
    pub(super) fn new(taint: Taint) -> Self {
        let disk = FakeDisk::new();
        disk.dir("/h");
        disk.dir("/s");
        disk.dir("/p");
        if git::lay(taint, &disk) || others::lay(taint, &disk) {
            return Self { taint, disk };
        }
        disk.file("/h/registry/cache/r-1/alpha-1.0.0.crate", b"alpha", 0o644);
        disk.file("/h/registry/index/r-1/config.json", b"{}", 0o644);
        let archive = format!("/h/{ARCHIVE}");
        match taint {
            Taint::LinkedArchive => {
                disk.file("/elsewhere/evil.crate", b"evil", 0o644);
                disk.link(&archive, "/elsewhere/evil.crate");
            }
            Taint::Tree | Taint::TreeWithPipe | Taint::ReadOnlyTree | Taint::OtherDiskTree => {
                disk.file(&archive, GOOD, 0o644);
            }
            _ => disk.file(&archive, b"the evil archive", 0o644),
        }
        if taint == Taint::HardLinkedArchive {
            disk.hard_link("/p/copy.crate", &archive);
        }
        if taint != Taint::Archive {
            let tree = format!("/h/{TREE}");
            disk.file(&format!("{tree}/Cargo.toml"), b"[package]", 0o644);
            disk.file(&format!("{tree}/src/lib.rs"), b"evil code", 0o644);
            disk.file(&format!("{tree}/run.sh"), b"#!evil", 0o755);
            disk.link(&format!("{tree}/out"), "/etc/passwd");
            if taint == Taint::TreeWithPipe {
                disk.pipe(&format!("{tree}/pipe"));
            }
            if taint == Taint::ReadOnlyTree {
                disk.mode(&tree, 0o555);
            }
        }
        disk.file(&format!("/h/{INDEX}"), b"an evil listing", 0o644);
        for part in [
            ".fingerprint/beta-0123456789abcdef/lib",
            "deps/libbeta-0123456789abcdef.rlib",
        ] {
            disk.file(&format!("/p/target/debug/{part}"), b"evil object", 0o755);
        }
        if matches!(taint, Taint::OtherDisk | Taint::OtherDiskTree) {
            disk.device("/h/registry", 3);
        }
        Self { taint, disk }
    }

    fn aftermath(&self) -> Aftermath {
        let archive = || ailing("archive", ARCHIVE, Code::ArchiveTampered);
        let tree = || ailing("tree", TREE, Code::TreeModified);
        let listing = || {
            let mut listing = ailing("listing", INDEX, Code::MetadataPoisoned);
            listing.artifact = None;
            listing.must = None;
            listing
        };
        let unwanted = |code| {
            let mut all = vec![ailing("archive", ARCHIVE, code), ailing("tree", TREE, code)];
            for ailing in &mut all {
                ailing.unwanted = true;
                ailing.must = None;
            }
            all
        };
        let ailing = match self.taint {
            Taint::Archive
            | Taint::LinkedArchive
            | Taint::HardLinkedArchive
            | Taint::OtherDisk
            | Taint::Unfetchable
            | Taint::KeptIfUnfetchable => vec![archive()],
            Taint::ArchiveAndTree | Taint::Derived | Taint::Evicted => vec![archive(), tree()],
            Taint::Tree | Taint::TreeWithPipe | Taint::OtherDiskTree | Taint::ReadOnlyTree => {
                vec![tree()]
            }
            Taint::Listing => vec![listing()],
            Taint::Malicious => unwanted(Code::Malicious),
            Taint::NeverPublished => unwanted(Code::NeverPublished),
            Taint::Unverifiable => {
                let mut unknown = archive();
                unknown.outcome = Outcome::Unverifiable(Reason::UnpinnedRoot);
                unknown.findings.clear();
                unknown.must = None;
                vec![unknown]
            }
            Taint::Several => vec![archive(), tree(), listing()],
            Taint::GitCheckout | Taint::GitDatabase => git::found(self.taint),
            other => others::found(other),
        };
        let ground = |id: &str, path: &str, build| Ground {
            id: RootId::new(id),
            path: PathBuf::from(path),
            build,
            project: id != "cargo-home",
            unnamed: false,
        };
        Aftermath {
            grounds: vec![
                ground("cargo-home", "/h", false),
                ground("target", "/p/target", true),
                ground("vendor", "/p/vendor", false),
            ],
            ailing,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn plan(&self) -> Plan {
        let choice = Choice {
            purge_unverified: self.taint == Taint::Unverifiable,
            evict: self.taint == Taint::Evicted,
            project: true,
            ..Choice::default()
        };
        let mut plan = plan(&self.aftermath(), &choice);
        if matches!(
            self.taint,
            Taint::Derived | Taint::Several | Taint::GitCheckout | Taint::GitDatabase
        ) {
            let part = |rel: &str| DerivedPart {
                rel: PathBuf::from(rel),
                from: 0,
                lock: PathBuf::from("debug/.cargo-lock"),
                product: false,
            };
            let parts = [
                part("debug/.fingerprint/beta-0123456789abcdef"),
                part("debug/deps/libbeta-0123456789abcdef.rlib"),
            ];
            plan.steps[0].reach(1, &parts);
        }
        plan
    }

    /// One process that heals.
    pub(super) fn heal(&self, run: &str) -> Result<Receipts, VaultError> {
        self.heal_from(
            run,
            &Shop {
                open: self.taint != Taint::Unfetchable && self.taint != Taint::KeptIfUnfetchable,
            },
        )
    }

    pub(super) fn heal_from(&self, run: &str, supply: &dyn Supply) -> Result<Receipts, VaultError> {
        let vault = vault(&self.disk)?;
        whole(&recover::all(&vault, UID, 7, Duration::ZERO, &allowed())?)?;
        let grounds = self.aftermath().grounds;
        let orders = Orders {
            supply,
            grounds: &grounds,
            run,
            now: 7,
            uid: UID,
            wait: Duration::ZERO,
            keep_if_unfetchable: self.taint == Taint::KeptIfUnfetchable,
            evict: self.taint == Taint::Evicted,
            retention: 30 * 24 * 3600,
            audited: true,
            cancelled: &|| false,
        };
        transaction::carry_out(&vault, &self.plan(), &orders)
    }

    /// One process that finishes what was interrupted.
    pub(super) fn recover(&self) -> Result<Vec<Recovered>, VaultError> {
        let vault = vault(&self.disk)?;
        let all = recover::all(&vault, UID, 8, Duration::ZERO, &allowed())?;
        match all.iter().find_map(|r| r.refused.clone()) {
            Some(why) => Err(VaultError::Busy(Some(why))),
            None => Ok(all),
        }
    }

    /// One process that puts everything back.
    pub(super) fn restore(&self, force: bool) -> Result<Vec<restore::Returned>, VaultError> {
        let vault = vault(&self.disk)?;
        whole(&recover::all(&vault, UID, 9, Duration::ZERO, &allowed())?)?;
        // From the newest on, until nothing is left to put back.
        let open = |story: Story| {
            let mut entries = story.entries.iter();
            entries.any(|(_, s)| matches!(s, Standing::Done | Standing::Abandoned))
        };
        let mut newest = None;
        for run in vault.runs()? {
            if vault.story(&run)?.is_some_and(open) {
                newest = newest.max(Some(run));
            }
        }
        let Some(run) = newest else {
            return Ok(Vec::new());
        };
        let restoring = Restoring {
            yes: true,
            force,
            now: 9,
            uid: UID,
            wait: Duration::ZERO,
            allowed: allowed(),
        };
        restore::run(&vault, &run, &restoring)
    }

    /// Cache and project, without lock files and the folders whose time they change.
    pub(super) fn picture(&self) -> BTreeMap<PathBuf, String> {
        let mut all = self.disk.image("/h");
        all.extend(self.disk.image("/p"));
        let lock = [".package-cache", ".package-cache-mutate", ".cargo-lock"];
        all.retain(|path, _| {
            let of_go = path.extension().is_some_and(|end| end == "lock");
            !of_go && !lock.iter().any(|name| path.ends_with(name))
        });
        for above in ["/h", "/p/target/debug"] {
            all.remove(Path::new(above));
        }
        all
    }

    /// The same without times: what a second run makes is younger.
    pub(super) fn timeless(&self) -> BTreeMap<PathBuf, String> {
        let mut all = self.picture();
        for text in all.values_mut() {
            let words: Vec<&str> = text.split(' ').collect();
            let at = words.iter().position(|w| *w == "mtime").unwrap();
            *text = [&words[..at], &words[at + 2..]].concat().join(" ");
        }
        all
    }

    pub(super) fn restart(&self, end: End) {
        self.disk.restart(end);
    }
}
