//! What an ecosystem brings along: one trait of optional parts. Nothing outside an ecosystem's folder matches on its id.
//!
//! The stages call the parts in this order:
//! 1. *discover*: [`LockfileFormat::matches`] for each file name of a scanned tree, [`Manifests::homes`] for the lockfile that
//!    each manifest uses, [`Ecosystem::caches`] for the roots, [`Manifests::hold`] for each lockfile.
//! 2. *inventory*: [`LockfileFormat::parse`]; [`CacheKind::open`] once per root, then [`Session::units`].
//! 3. *claim*: [`Authority::begin`] with the packages that locks and units name; the pipeline sends what the
//!    [`Inquiry`] needs and hands the answers back until it is done.
//! 4. *observe*: archives and trees by the pipeline's own engine and the unit's [`Projection`]; everything else by
//!    the unit's [`Inspector`].

mod archive;
mod first_party;
mod guarded;
mod healer;
mod inspector;
mod manifests;
mod posture;
mod projection;
mod proofs;
mod question;
mod settings;
mod together;
mod wanted;

use std::sync::Arc;

use super::proof::ProvingAuthority;
use super::uses::UseMap;
use crate::model::version_order::VersionOrder;
use crate::model::{
    ArtifactId, Coordinate, Digest, EcosystemId, Finding, Fingerprint, Line, Place, Problem,
    Reason, RootOrigin,
};
use crate::world::{Dir, Env, ReadFs, Request, Response};

pub use archive::ArchiveFormat;
pub use first_party::FirstParty;
pub use guarded::{CommandLine, Export, GuardContext, Guarded};
pub use healer::{
    Copied, Derived, DerivedPart, Healer, Installed, Remade, SourceTree, Unclear, Unpacking,
};
pub use inspector::{InspectContext, Inspection, Inspector};
pub use manifests::{AuditedPath, Held, ManifestContext, Manifests};
pub use posture::{NamedPlace, Posture, PostureContext, PostureReport, Spelled};
pub use projection::{
    Absent, Difference, Extra, ExtraContext, Placement, Projection, ReadTree, TreeView, Unjudged,
};
pub use proofs::Proofs;
pub use question::{Question, Reply};
pub use settings::ToolSettings;
pub use together::{Imported, LockExtra, LockView, Together, ToolPart};
pub use wanted::{GitPackage, NameVersion, Wanted};

/// Facts about an ecosystem that other tables are made from.
pub struct Facts {
    /// Its id.
    pub id: EcosystemId,
    /// Name for people.
    pub name: &'static str,
    /// Type in package URLs.
    pub purl_type: &'static str,
    /// Ecosystem name in OSV feeds.
    pub osv_ecosystem: &'static str,
    /// Names of the caches it reads, as `--cache NAME=DIR` takes them.
    pub cache_names: &'static [&'static str],
    /// Names of folders that others fill, in which it looks for no project unless a manifest names one there.
    pub skips: &'static [&'static str],
    /// Row of the README's table: what is verified.
    pub verified: &'static str,
    /// Row of the README's table: what is not.
    pub not_verified: &'static str,
}

/// One ecosystem.
pub trait Ecosystem: Send + Sync {
    /// Its facts.
    fn facts(&self) -> &'static Facts;
    /// The lockfile formats it reads.
    fn lockfiles(&self) -> &'static [&'static dyn LockfileFormat] {
        &[]
    }
    /// The kinds of caches it reads.
    fn caches(&self) -> &'static [&'static dyn CacheKind] {
        &[]
    }
    /// Addresses of registries that its tools ship with, and where they stand (`tame-index`); the default one first.
    fn shipped_registries(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
    /// Who is asked what was published.
    fn authority(&self) -> Option<&'static dyn Authority> {
        None
    }
    /// The name under which a package's listing is kept, where spellings of one name share it.
    fn listing_name(&self, name: &Arc<str>) -> Arc<str> {
        Arc::clone(name)
    }
    /// Other spellings of a name that its registries take for the same package.
    fn spellings(&self, _name: &str) -> Vec<String> {
        Vec::new()
    }
    /// The command with which its tool fetches anew what was moved away, for messages.
    fn refetch_command(&self) -> Option<&'static str> {
        None
    }
    /// Reads a file that says what a build uses (`--cargo-metadata`); `None` if it has no such format.
    fn uses(&self, _bytes: &[u8]) -> Option<Result<UseMap, String>> {
        None
    }
    /// The file of an artifact that states its licence, and the licence that its bytes state.
    fn stated_licence(&self) -> Option<LicenceFile> {
        None
    }
    /// What its tools' settings name, by the tools' own rules. Names are candidates only: trust decides who is believed.
    fn tool_settings(&self, _env: &dyn Env, _fs: &dyn ReadFs) -> ToolSettings {
        ToolSettings::default()
    }
    /// Whether a name is private by a pattern of [`ToolSettings::private`].
    fn is_private_by(&self, _pattern: &str, _name: &str) -> bool {
        false
    }
    /// Who proves what was published, where answers carry their own proof.
    fn proving_authority(&self) -> Option<&'static dyn ProvingAuthority> {
        None
    }
    /// The row of a package's listing that speaks of an artifact: its version, unless a version has several artifacts.
    fn listing_row(&self, version: &Arc<str>, _file: &str) -> Arc<str> {
        Arc::clone(version)
    }
    /// How its places are repaired.
    fn healer(&self) -> Option<&'static dyn Healer> {
        None
    }
    /// How a command is made to use what was audited.
    fn guarded(&self) -> Option<&'static dyn Guarded> {
        None
    }
    /// What the lockfiles of a walked tree say together.
    fn together(&self, _locks: &[LockView<'_>]) -> Together {
        Together::default()
    }
    /// Lockfiles for which its tool may take any package that a cache holds, named or not: by position, with the reason as a
    /// fragment. Its caches are then not narrowed to what lockfiles name ([`Wanted::any`]).
    fn unbounded(
        &self,
        _locks: &[LockView<'_>],
        _env: &dyn Env,
        _fs: &dyn ReadFs,
    ) -> Vec<(usize, String)> {
        Vec::new()
    }
    /// The parts of the tool itself that build what lockfiles stand for, with what lies on this machine: by position.
    fn parts(
        &self,
        _locks: &[LockView<'_>],
        _env: &dyn Env,
        _fs: &dyn ReadFs,
    ) -> Vec<(usize, Vec<ToolPart>)> {
        Vec::new()
    }
    /// What a project's own sources import, for hints beside advisories; `None` if it cannot tell.
    fn imported(&self, _folder: &dyn Dir) -> Option<Imported> {
        None
    }
    /// Whether a file that its tool finds above a project by the spelling of a path decides how the project is built.
    fn adopts(&self, _above: &FileAbove<'_>) -> bool {
        false
    }
    /// A version as its tool writes it, from what an advisory feed writes.
    fn spelled_version(&self, advised: &str) -> String {
        advised.to_owned()
    }
    /// What to type in a project so that a locked package takes a later version; `None` if no single command does that.
    fn update_command(&self, _name: &str, _from: &str, _to: &str) -> Option<String> {
        None
    }
    /// How its versions are ordered.
    fn version_order(&self) -> &'static dyn VersionOrder;
    /// Its settings, and what is risky in them.
    fn posture(&self) -> Option<&'static dyn Posture> {
        None
    }
}

/// A file in a folder above a project, by a path that leads through a link.
pub struct FileAbove<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a [u8],
    /// Names in the project's own folder.
    pub project: &'a [&'a str],
    /// Whether only the shell's spelling of the working folder leads there, and no path that was named.
    pub by_shell: bool,
}

/// Limits for a parser.
#[derive(Debug, Clone, Copy)]
pub struct ParseLimits {
    /// Largest file in bytes.
    pub bytes: u64,
    /// Most packages.
    pub packages: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            packages: 500_000,
        }
    }
}

/// A digest that a lockfile records, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedDigest {
    /// The digest.
    pub digest: Digest,
    /// Line in the lockfile.
    pub line: Line,
}

/// How a lockfile names the registry of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockedSource {
    /// A registry by address, verbatim.
    Registry(Arc<str>),
    /// The one registry that the ecosystem has, as settings and trust name it.
    Default,
    /// A git repository: address without reference, and commit.
    Git {
        /// Address, without credentials.
        url: Arc<str>,
        /// Commit, lower-case hex; empty when none is recorded.
        commit: Arc<str>,
    },
    /// A folder of the user.
    Path,
}

/// One package of a lockfile.
#[derive(Debug, Clone)]
pub struct LockedPackage {
    /// Name, verbatim.
    pub name: Arc<str>,
    /// Version, verbatim.
    pub version: Arc<str>,
    /// Source.
    pub source: LockedSource,
    /// File name of its artifact.
    pub file: Arc<str>,
    /// What the lockfile says that the artifact hashes to.
    pub digests: Vec<LockedDigest>,
    /// Line where the package begins.
    pub line: Line,
    /// Positions of what it depends on, in the same list.
    pub depends_on: Vec<u32>,
    /// Whether a build uses it. Otherwise the lockfile only lists its hash: it is verified, but it is no component and no
    /// advisory is asked about it.
    pub built: bool,
}

/// A parsed lockfile.
#[derive(Debug, Clone, Default)]
pub struct ParsedLock {
    /// Format and version, for the list of sources (`cargo-lock v4`).
    pub format: String,
    /// Its packages, in the file's order.
    pub packages: Vec<LockedPackage>,
    /// What could not be understood: line and message. The rest was.
    pub problems: Vec<(Option<Line>, String)>,
    /// Findings that the lockfile alone gives.
    pub findings: Vec<Finding>,
    /// What it says beside its packages.
    pub extra: LockExtra,
}

/// Why a lockfile could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Not of this format, or broken.
    #[error("{message}")]
    Broken {
        /// Where, if known.
        line: Option<Line>,
        /// What, and what to do.
        message: String,
    },
    /// Written in a newer version of the format than we read.
    #[error("{0}")]
    UnknownVersion(String),
    /// A known format that untaint cannot read yet.
    #[error("{0}")]
    Unsupported(String),
}

/// A lockfile format.
pub trait LockfileFormat: Send + Sync {
    /// Whether a file of this name may be one; cheap, no I/O.
    fn matches(&self, file_name: &str) -> bool;
    /// What a manifest says of first-party code.
    fn first_party(&self, _manifest: &[u8]) -> FirstParty {
        FirstParty::default()
    }
    /// How manifests and such lockfiles belong together. Without it, [`LockfileFormat::first_party`] says what is the user's own.
    fn manifests(&self) -> Option<&'static dyn Manifests> {
        None
    }
    /// A manifest that should have such a lockfile beside it (`Cargo.toml`).
    fn manifest(&self) -> Option<&'static str> {
        None
    }
    /// Kind in the list of sources (`cargo-lock`).
    fn kind(&self) -> &'static str;
    /// Reads it.
    ///
    /// # Errors
    /// [`LockError`] when nothing of it can be used.
    fn parse(&self, bytes: &[u8], limits: &ParseLimits) -> Result<ParsedLock, LockError>;
}

/// A place where a cache may lie.
#[derive(Debug, Clone)]
pub struct RootCandidate {
    /// Stable name (`cargo-home`).
    pub name: &'static str,
    /// Where.
    pub path: std::path::PathBuf,
    /// Why there.
    pub origin: RootOrigin,
}

/// A registry as trust sees it: what a cache folder, a lockfile or settings may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRegistry {
    /// Fingerprint of its primary address.
    pub fingerprint: Fingerprint,
    /// Every address it goes by, canonical; the primary one first.
    pub addresses: Vec<Arc<str>>,
    /// Whether it is recognised or pinned; otherwise only a lockfile or settings name it.
    pub trusted: bool,
}

/// What an open cache or project may look at beside its own root.
pub struct OpenContext<'a> {
    /// Registries that are recognised, pinned, or named by lockfiles and settings of this run.
    pub registries: &'a [KnownRegistry],
    /// Packages named by the lockfiles of this run; `None` for a scan of everything.
    pub wanted: Option<&'a Wanted>,
    /// Packages named by the lockfiles of this run, in a scan of everything too.
    pub locked: &'a Wanted,
    /// Places that settings or a project name: a cache keeps folders that are named after them.
    pub places: &'a [NamedPlace],
    /// Whether every object of a source is to be checked (`--full`).
    pub full: bool,
}

/// Path of a file in an artifact, and what its bytes state as the licence.
pub type LicenceFile = (&'static str, fn(&[u8]) -> Option<String>);

/// A kind of cache root.
pub trait CacheKind: Send + Sync {
    /// Name on the command line (`--cache cargo=DIR`).
    fn name(&self) -> &'static str;
    /// Where its tool keeps it, by the tool's own rules, from environment and settings.
    fn locate(&self, env: &dyn Env, fs: &dyn ReadFs) -> Vec<RootCandidate>;
    /// Opens it. Never writes, never follows a link below the root.
    fn open(&self, root: &dyn Dir, context: &OpenContext<'_>) -> Session;
    /// Whether a path below its root is one at which its tool keeps what belongs to a package: nothing else in it is ever
    /// changed by a record of an earlier run.
    fn holds(&self, _rel: &std::path::Path) -> bool {
        true
    }
}

/// An opened cache: what is in it.
#[derive(Default)]
pub struct Session {
    /// Units, in any order; the pipeline sorts.
    pub units: Vec<Unit>,
    /// What was read: kind, path below the root, entries.
    pub sources: Vec<(&'static str, String, u64)>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Findings about the place.
    pub findings: Vec<Finding>,
}

/// What a unit's tool would serve it as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// An artifact of a package version.
    Artifact(Arc<ArtifactId>),
    /// A whole package listing: (registry, name).
    Package(Arc<Coordinate>),
    /// Its tool could load it; as what, we cannot say, and why.
    Unbound(Reason),
    /// It stands for no package (derived state, litter).
    Nothing,
}

/// Path below a root: components as the listing spells them.
pub type RelPath = std::path::PathBuf;

/// All that one artifact consists of in one place.
pub struct Unit {
    /// What it would be served as.
    pub binding: Binding,
    /// Kind of place.
    pub place: Place,
    /// Its archive file, below the root.
    pub archive: Option<ArchivePart>,
    /// Its unpacked tree, below the root.
    pub tree: Option<TreePart>,
    /// Anything else, looked at by the ecosystem itself.
    pub inspector: Option<Box<dyn Inspector>>,
}

/// The archive file of a unit.
#[derive(Debug, Clone)]
pub struct ArchivePart {
    /// Path below the root.
    pub rel: RelPath,
    /// How it is packed.
    pub format: ArchiveFormat,
    /// Size from the listing, for scheduling.
    pub size: u64,
    /// Folder that every entry must lie in.
    pub top: Arc<str>,
    /// Whether its tool treats a file of no bytes as missing.
    pub empty_is_absent: bool,
}

/// The unpacked tree of a unit.
#[derive(Clone)]
pub struct TreePart {
    /// Path below the root.
    pub rel: RelPath,
    /// How archive entries appear in it.
    pub projection: &'static dyn Projection,
    /// Folders in it that belong to other units, `/` between components.
    pub without: Vec<Box<[u8]>>,
    /// Folders of the archive whose own files were copied, where the tool copies some only (see [`Projection`]).
    pub copied: Vec<Box<[u8]>>,
}

/// Who is asked what was published: a state machine without I/O.
pub trait Authority: Send + Sync {
    /// Role of its trust root (`index`).
    fn role(&self) -> &'static str;
    /// Begins an inquiry at a known root. `address` is canonical.
    fn begin(&self, address: &str, questions: Vec<Question>) -> Box<dyn Inquiry>;
    /// Where an archive can be fetched, from what the root says (`config.json`); `None` if it does not say.
    fn archive_request(
        &self,
        root_config: Option<&[u8]>,
        address: &str,
        artifact: &ArtifactId,
        digest: &Digest,
        max_bytes: u64,
    ) -> Option<Request>;
    /// How an archive that is fetched is packed, where the unit does not say.
    fn archive_part(&self, artifact: &ArtifactId) -> ArchivePart;
    /// The request whose answer is `root_config`.
    fn config_request(&self, address: &str) -> Option<Request>;
}

/// A running inquiry.
pub trait Inquiry: Send {
    /// Requests to send now, each with a key that [`Inquiry::answer`] gets back. Empty when done.
    fn need(&mut self) -> Vec<(u64, Request)>;
    /// An answer.
    fn answer(&mut self, key: u64, response: Result<Response, Reason>, now: i64);
    /// Replies, by position of the question.
    fn finish(self: Box<Self>) -> Vec<Reply>;
}
