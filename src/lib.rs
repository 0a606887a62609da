//! untaint proves that the dependencies a machine is about to build with are the ones that were published.
//!
//! # A map of the house
//!
//! | folder | what lives there | may name |
//! |---|---|---|
//! | [`cli`] | what the user typed, as settings; one file per command; exit codes in one place | everything below |
//! | [`pipeline`] | the stages, one folder each, and beside them the values in which they meet | everything below |
//! | [`ecosystems`] | the contract, the registry, one folder per ecosystem | `trust`, `tlog`, `formats`, `model`, ports |
//! | [`trust`] | who is believed and what they have said: roots, pins, claim store, ledger | `model`, ports |
//! | [`tlog`] | transparency logs: notes, trees, tiles, proofs | `model`, ports |
//! | [`formats`] | readers of bytes that ecosystems share: tar, zip, gzip, git objects | `model`, ports |
//! | [`model`] | the nouns: plain values | nothing |
//! | [`world`] | the ports (traits), and in `world::real` the only code that touches the machine | `model` |
//!
//! `tests/architecture.rs` holds these rules, and that nobody outside its own folder depends on an ecosystem.
//!
//! # How data flows
//!
//! ```text
//! targets -> discover -> inventory -> verify (observe the disk | ask the authorities) -> advise -> decide -> report
//!                                                                                                         \-> heal
//! ```
//!
//! *discover* finds lockfiles, caches and installed places, also those that nobody can read; *inventory* turns them into
//! packages and units; *verify* hashes each unit's bytes, learns what was published, and joins both by artifact; *advise*
//! asks the advisory feeds; *decide* makes outcomes by the truth table ([`pipeline::truth`]), findings and the verdict, without a port;
//! *report* writes them, without a port; *heal* alone is handed the writing port: a plan, a journal written ahead, a quarantine. `guard` audits twice, before and after a command of the user's,
//! with a [`pipeline::witness`] in between that remembers what was looked at; it alone starts what a user typed. `schedule` has a port of its own to the user's
//! timers, and `impact` answers from what scans recorded. One rule stands above the others: evidence never comes from the place that is
//! judged, and what could not be verified is never clean.
//!
//! # The ecosystem contract, tried on paper
//!
//! [`ecosystems::contract`] has tenants that fit any shape. Four that do not were held against it: which calls, with which values,
//! in which order, and where it has to bend before they can move in.
//!
//! **npm** (index rows that bind an address to a blob). `LockfileFormat::parse` gives each `resolved` as `LockedSource::Registry` and the SRI as `LockedDigest`.
//! `CacheKind::open` reads every index bucket once (the last valid row of a key wins) and returns one `Unit` per row: for an archive
//! `Binding::Artifact`, taken from the address in the key and never from the content, with an `ArchivePart` whose `rel` is the
//! content file that the row's integrity names; for a package document `Binding::Package` with an `Inspector` that
//! compares per-version facts, as Cargo's index files do. Content without a row is `Binding::Unbound`. `Authority::begin` gets names,
//! `Inquiry::finish` listings with SHA-512 per version. *Bends:* `ArchiveFormat` needs npm's tar (first component dropped, whatever it is
//! called, where `ArchivePart::top` now wants one name); two rows may share one content file, which must be hashed once and count once, so the engine must
//! join archives by `rel` before it hashes; a registry's signature needs a proof beside a digest in `VersionFacts`.
//!
//! **pnpm v11** (blobs shared by packages, one SQLite index). `open` reads the index read-only into one value behind an `Arc`; each of its rows is a `Unit`,
//! `Binding::Artifact` from the row's key (tarball SRI and package id), without `archive`, its `Inspector` holding the `Arc` and the row's position. *Observe* calls
//! `Inspector::inspect`: hash the row's blobs, compare each with its own name. That alone is self-consistency and must end as
//! `Outcome::Unverifiable(ArchiveNotHeld)`: only the tarball, or its proven manifest, says which blobs a package has.
//! *Bends:* (1) the second pass that fetches missing archives serves a `TreePart`, and a `TreePart` is a folder; it must become "a listing of path, mode,
//! digest" which a folder or an index row can give; (2) a blob of ten packages would be hashed ten times and counted ten times: `Session` needs
//! shared parts (blob, size) that are observed once, and units that refer to them; (3) side effects are `Reason::Derived` subjects of the same row: one
//! `Inspection` more, no change; (4) the index cannot be opened through [`world::Dir`] by a library that wants a path: its bytes are read whole, within a
//! limit, and its write-ahead log with them, or the reader is our own.
//!
//! **uv** (pointers to unpacked archives whose wheel is not kept). `open` walks the wheel buckets; each pointer is a `Unit` with `Binding::Artifact` (registry
//! from the bucket's folder against `OpenContext::registries`, file name from the pointer), no `archive`, and a `TreePart` whose `rel` is the `archive-v0` folder that the pointer
//! names. Observe lists the tree and finds no archive; `Authority` answers with the digests of *all* files of a version; the pointer's own digest is a
//! claim by the suspect and is only compared. The second pass fetches the wheel (`Authority::archive_request`, found by file name in the listing), verifies it, and the
//! `Projection` judges the tree; its proven manifest makes every later run free of network. *Bends:* `VersionFacts::digests` holds one artifact per version, Python has
//! many: rows must be per (version, file); `ArchiveFormat` needs the wheel; archive folders that no pointer names are `Unbound` or `Orphan` by bucket, so units need to be known
//! before leftovers are: `open` can do that, it sees the whole root; two pointers to one folder are one tree subject with two bindings, and `Unit::binding` is one.
//!
//! **Maven** (changing snapshots, no lockfile). `open` walks the repository: `Binding::Artifact` with group and name as `Coordinate::name` and `ArtifactId::file` for classifier and
//! extension, `_remote.repositories` as the suspect's word for the registry: it selects among known registries, never adds one.
//! `Inquiry` asks per file for its checksum file, and again for metadata of snapshots. *Bends:* (1) *Mutability* of the design is missing from the contract: for a
//! `-SNAPSHOT` "published artifacts do not change" is false, so claims must carry an age as listings do, the ledger's first sight must not raise an alarm, and the timestamped file is the
//! artifact; a method `mutable(&Coordinate) -> bool` asked by claim store and truth table would do; (2) an answer is per file, not per package: `Reply` needs digests by
//! `ArtifactId`; (3) where a repository has SHA-1 alone, the truth table already caps the claim at *declared*; (4) without a lockfile only `--caches` finds anything: correct, and said by `no-lockfile`.
//!
//! So the state machine, bindings, inspectors and projections hold for all four. What bends is the same in several of them: digests per file instead of per version (uv, Maven),
//! parts that units share (npm, pnpm, uv), trees that are not folders (pnpm), mutable coordinates (Maven). Those four changes come before the tenants that need them.

pub mod cli;
pub mod ecosystems;
pub mod formats;
pub mod model;
pub mod pipeline;
pub mod tlog;
pub mod trust;
pub mod world;
