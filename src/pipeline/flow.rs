//! The values that flow from stage to stage. Stages do not import each other: they meet in these.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ecosystems::contract::{
    Ecosystem, Held, LockExtra, LockView, LockedPackage, LockfileFormat, Unit,
};
use crate::ecosystems::proof::LogFile;
use crate::model::advisory::AdvisoryFact;
use crate::model::report::SourceFacts;
use crate::model::{
    Assurance, Claim, Code, Coordinate, Digest, EcosystemId, Entry, Finding, Fingerprint, Listing,
    Notice, Outcome, Place, Problem, Reason, RootInfo, Severity,
};
use crate::world::{Dir, RootDir};

/// A root that was opened: a project, a cache, a named place.
pub struct OpenRoot {
    /// Name, path and origin, for reports.
    pub info: RootInfo,
    /// Its path as it was opened, links resolved.
    pub path: PathBuf,
    /// The folder.
    pub opened: RootDir,
    /// Whether it is a project that the user named (paths in it are shown relative to it).
    pub is_project: bool,
}

impl OpenRoot {
    /// The folder's handle.
    pub fn dir(&self) -> &dyn Dir {
        &*self.opened.dir
    }
}

/// A lockfile that was found.
pub struct FoundLock {
    /// Whose it is.
    pub ecosystem: &'static dyn Ecosystem,
    /// Its format.
    pub format: &'static dyn LockfileFormat,
    /// Root it lies in, by position.
    pub root: usize,
    /// Path below the root, `/` between components, escaped.
    pub rel: String,
    /// The folder that it lies in, absolute.
    pub folder: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What the manifests that it is for say of it.
    pub own: Own,
}

/// Who says which packages of a lockfile are the user's own.
#[derive(Debug, Default)]
pub enum Own {
    /// Whoever describes a package of that name in the scanned tree.
    #[default]
    Seen,
    /// The paths of the manifests that the lockfile is for.
    Held(Box<Held>),
    /// Nobody could be asked: only the lockfile was named.
    Unasked,
}

/// A manifest of a scanned tree whose lockfile is to be found.
pub struct FoundManifest {
    /// Whose it is.
    pub ecosystem: &'static dyn Ecosystem,
    /// The format of its lockfile.
    pub format: &'static dyn LockfileFormat,
    /// Root it lies in, by position.
    pub root: usize,
    /// Path below the root.
    pub rel: PathBuf,
    /// The folder that it lies in, absolute.
    pub folder: PathBuf,
}

/// A folder that a manifest of a scanned tree names as first-party code, by itself or through other such folders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedFolder {
    /// Whose manifest.
    pub ecosystem: EcosystemId,
    /// Root of the manifest, by position.
    pub root: usize,
    /// The manifest's path below the root.
    pub rel: PathBuf,
    /// The folder that the manifest lies in, absolute.
    pub from: PathBuf,
    /// Where it leads, absolute, by its text.
    pub target: PathBuf,
}

/// What discovery found.
#[derive(Default)]
pub struct Discovered {
    /// Opened roots.
    pub roots: Vec<OpenRoot>,
    /// Lockfiles.
    pub locks: Vec<FoundLock>,
    /// Folders of projects that an ecosystem recognised: (ecosystem, kind, root, path below the root).
    pub places: Vec<FoundPlace>,
    /// Cache roots, by position in `roots`, with the kind's name.
    pub caches: Vec<(
        usize,
        &'static dyn Ecosystem,
        &'static dyn crate::ecosystems::contract::CacheKind,
    )>,
    /// Roots whose tree was walked, by position.
    pub walked: std::collections::BTreeSet<usize>,
    /// Packages whose manifests were seen.
    pub first_party: std::collections::BTreeSet<(EcosystemId, String)>,
    /// Manifests of ecosystems that say which lockfile each of them uses.
    pub manifests: Vec<FoundManifest>,
    /// Folders of scanned trees that were walked and hold a manifest, absolute.
    pub described: std::collections::BTreeSet<PathBuf>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Coverage facts.
    pub notices: Vec<Notice>,
    /// Findings about places and settings.
    pub findings: Vec<Finding>,
    /// What was read.
    pub sources: Vec<SourceFacts>,
    /// Lockfiles that nobody reads yet: (ecosystem, tool, root, path below the root).
    pub unsupported: Vec<(&'static str, &'static str, usize, String)>,
    /// Folders of projects that hold settings or lockfiles.
    pub folders: Vec<PathBuf>,
    /// Registries that settings define or replace: (address, replacement).
    pub replacements: Vec<(Arc<str>, Arc<str>)>,
    /// Folders that manifests name as first-party code.
    pub named_folders: std::collections::BTreeSet<NamedFolder>,
}

/// A folder that an ecosystem recognised or settings name.
pub struct FoundPlace {
    /// Whose.
    pub ecosystem: &'static dyn Ecosystem,
    /// The ecosystem's word for it.
    pub kind: &'static str,
    /// Its own root, by position.
    pub root: usize,
    /// Who names it.
    pub named_by: String,
    /// For which registry it stands in.
    pub stands_for: Option<Arc<str>>,
}

/// A locked package with its coordinate.
pub struct Locked {
    /// As the lockfile has it.
    pub package: LockedPackage,
    /// What it is.
    pub coordinate: Arc<Coordinate>,
}

/// A lockfile that was read.
pub struct Lock {
    /// Whose.
    pub ecosystem: &'static dyn Ecosystem,
    /// Root, by position.
    pub root: usize,
    /// Path below the root.
    pub rel: String,
    /// Its packages.
    pub packages: Vec<Locked>,
    /// What the manifests that it is for say of it.
    pub own: Own,
    /// Text of the lines that hold a hash.
    pub excerpts: BTreeMap<u32, String>,
    /// Kind of its format.
    pub kind: &'static str,
    /// What it says beside its packages.
    pub extra: LockExtra,
}

/// A unit in its place.
pub struct PlacedUnit {
    /// Whose.
    pub ecosystem: &'static dyn Ecosystem,
    /// Root, by position.
    pub root: usize,
    /// The unit.
    pub unit: Unit,
}

/// What is in the sources.
#[derive(Default)]
pub struct Inventory {
    /// Opened roots.
    pub roots: Vec<OpenRoot>,
    /// Roots that are caches, by position, and whose.
    pub cache_roots: Vec<(usize, &'static dyn Ecosystem)>,
    /// Whose caches were looked into.
    pub read_caches: std::collections::BTreeSet<EcosystemId>,
    /// Lockfiles.
    pub locks: Vec<Lock>,
    /// Units, sorted by root and path.
    pub units: Vec<PlacedUnit>,
    /// Roots whose tree was walked, by position.
    pub walked: std::collections::BTreeSet<usize>,
    /// Packages whose manifests were seen.
    pub first_party: std::collections::BTreeSet<(EcosystemId, String)>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Coverage facts.
    pub notices: Vec<Notice>,
    /// Findings about places, settings and lockfiles.
    pub findings: Vec<Finding>,
    /// What was read.
    pub sources: Vec<SourceFacts>,
}

impl Inventory {
    /// The lockfiles of an ecosystem, with their positions, as it looks at them side by side.
    pub fn views(&self, ecosystem: EcosystemId) -> (Vec<usize>, Vec<LockView<'_>>) {
        (0..)
            .zip(&self.locks)
            .filter(|(_, lock)| lock.ecosystem.facts().id == ecosystem)
            .map(|(at, lock)| (at, self.view(lock)))
            .unzip()
    }

    /// A lockfile as its ecosystem looks at it.
    pub fn view<'a>(&'a self, lock: &'a Lock) -> LockView<'a> {
        LockView {
            root: lock.root,
            root_path: self
                .roots
                .get(lock.root)
                .map_or(Path::new(""), |root| &root.path),
            rel: &lock.rel,
            kind: lock.kind,
            packages: lock.packages.iter().map(|l| &l.package).collect(),
            extra: &lock.extra,
        }
    }
}

/// How a registry stands with trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Recognised or pinned: it is asked at this address, and its answers are worth `published`.
    Trusted {
        /// Canonical address that requests go to; empty where what is kept or cached alone may answer.
        address: Arc<str>,
        /// Fingerprint under which its claims are kept.
        fingerprint: Fingerprint,
    },
    /// Neither: nobody is asked.
    Unpinned,
    /// Private by our own configuration: nobody is asked, and this much is required.
    Private(Assurance),
    /// Private by the tool's settings alone: nobody is asked.
    PrivateUnconfirmed,
}

/// What could be learned of one package at its registry.
#[derive(Debug, Clone)]
pub struct Learned {
    /// What is published now, or was when last confirmed.
    pub listing: Option<Arc<Listing>>,
    /// Whether the registry says now that it has no such package.
    pub no_such_package: bool,
    /// Rows that fresh answers deny.
    pub denied: std::collections::BTreeSet<Arc<str>>,
    /// Why nothing could be learned, or only something old.
    pub gap: Option<Reason>,
    /// What else was said: by claims files, and by the registry itself on earlier runs.
    pub said: Vec<Saying>,
    /// What its answers are worth.
    pub assurance: Assurance,
}

/// A claim about one version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// Which version.
    pub version: Arc<str>,
    /// What is claimed.
    pub claim: Claim,
}

/// What is known, by registry and package name.
#[derive(Default)]
pub struct Known {
    /// By fingerprint of the registry and package name.
    pub packages: BTreeMap<(Fingerprint, Arc<str>), Learned>,
    /// Coverage facts of the network.
    pub notices: Vec<Notice>,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// What was met on the way that speaks for itself (forged log data).
    pub findings: Vec<Finding>,
    /// Files of log data in caches: whose, and what became of each.
    pub log_files: Vec<(EcosystemId, LogFile)>,
}

/// What one package version is worth, put together for the truth table.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// Claims about its artifact.
    pub claims: Vec<Claim>,
    /// Why a trusted claim is missing.
    pub gap: Option<Reason>,
    /// Whether its registry still has it.
    pub existence: Existence,
    /// What is required of it.
    pub require: Option<Assurance>,
}

/// Whether a registry has a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existence {
    /// Nobody was asked, or nobody answered.
    #[default]
    Unknown,
    /// There.
    Published {
        /// Taken back by its authors.
        yanked: bool,
    },
    /// Gone, but an earlier trusted claim or an advisory names it.
    Withdrawn,
    /// Too new for the answer.
    NotYet,
    /// Never there.
    Never,
}

/// Which subject a check is about.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Ecosystem.
    pub ecosystem: EcosystemId,
    /// Kind (`archive`, `tree`, `lockfile-hash`, or an inspector's).
    pub kind: &'static str,
    /// Package version, if bound.
    pub coordinate: Option<Arc<Coordinate>>,
    /// File name of the artifact, if bound.
    pub artifact: Option<Arc<str>>,
    /// Kind of place.
    pub place: Place,
    /// Root, by position.
    pub root: usize,
    /// Path below the root, `/` between components.
    pub rel: PathBuf,
    /// Size in bytes, where it is one file.
    pub size: Option<u64>,
    /// Line, of a lockfile.
    pub line: Option<u32>,
}

/// What verification saw of one subject.
#[derive(Debug, Clone)]
pub struct Check {
    /// Which.
    pub subject: Subject,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen.
#[derive(Debug, Clone)]
pub enum Seen {
    /// An archive's bytes.
    Archive {
        /// What they hash to; empty if they could not be read.
        observed: Vec<Digest>,
        /// Why they could not be read.
        gap: Option<Reason>,
        /// Content that two readers would extract differently: one line each, at most 20.
        ambiguities: Vec<String>,
        /// Such that decide nothing about a build: they count only where nobody is trusted with the digest. As above.
        excused: Vec<String>,
    },
    /// A tree, held against an archive.
    Tree {
        /// Digest of that archive; `None` if there was none.
        basis: Option<Digest>,
        /// Why there was none, or why the tree could not be read.
        gap: Option<Reason>,
        /// Differences: the first 20, in path order, worst kinds counted in `worst`.
        entries: Vec<Entry>,
        /// How many differences there are.
        total: u64,
        /// The worst kind of difference.
        worst: Option<crate::model::EntryKind>,
        /// The sidecar is valid and false: what it says.
        forged_sidecar: Option<String>,
        /// Files that no tool loads.
        litter: Vec<String>,
        /// Differences that are verified but listed (line ends): (path, why), at most 20.
        listed: Vec<(String, &'static str)>,
    },
    /// A hash that a lockfile records.
    LockedHash {
        /// The digests recorded for the artifact.
        digests: Vec<Digest>,
    },
    /// Judged by the ecosystem itself.
    Inspected {
        /// What became of it.
        outcome: Outcome,
        /// What the bytes hash to.
        observed: Option<Digest>,
        /// Entries of a tree.
        entries: Vec<Entry>,
        /// Findings.
        findings: Vec<Finding>,
        /// A line for people.
        note: Option<String>,
    },
    /// Its tool could load it; as what, we cannot say.
    Unbound(Reason),
    /// Named by a lockfile or pointer, held by nothing: no subject.
    Absent,
}

/// Times of publication that cached listings claim: by registry, listing name and version.
pub type Recent = BTreeMap<(Fingerprint, Arc<str>, Arc<str>), i64>;

/// Everything that verification leaves behind.
#[derive(Default)]
pub struct Checked {
    /// One per subject.
    pub checks: Vec<Check>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Findings about who can change what was read.
    pub findings: Vec<Finding>,
    /// When versions that their registry does not know were published, as a cached listing says.
    pub recent: Recent,
    /// Bytes read and hashed.
    pub bytes_hashed: u64,
    /// Subjects whose digest came from the ledger.
    pub from_ledger: u64,
    /// Whether the run was cut short.
    pub cut_short: bool,
}

/// An advisory that covers a package version, and where that version was met.
#[derive(Debug, Clone)]
pub struct AdvisoryMatch {
    /// The package version.
    pub coordinate: Arc<Coordinate>,
    /// Code of the finding.
    pub code: Code,
    /// How bad it is, by the feeds.
    pub severity: Severity,
    /// What the feeds say.
    pub fact: AdvisoryFact,
    /// Lockfile (position of its root, path) and line that name it; the cache alone if none.
    pub location: Option<(usize, String, u32)>,
    /// Packages of it that the advisory narrows itself to, with the symbols in them.
    pub parts: Vec<(String, Vec<String>)>,
    /// Whether the project itself uses those parts, for people.
    pub hint: Option<String>,
    /// Which version of the tool itself was judged, and where that was taken from, for people.
    pub basis: Option<Arc<str>>,
}
