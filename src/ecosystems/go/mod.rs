//! Go: GOMODCACHE, `go.sum` and `go.mod`, the transparency log, vendor folders, settings.
//!
//! | file | one idea |
//! |---|---|
//! | `settings` | environment, GOENV file, `go.env` |
//! | `locks` | `go.sum` and `go.mod` as lockfiles |
//! | `toolchain` | which Go builds a module |
//! | `workspace` | `go.work`, and what the lockfiles of a tree say together |
//! | `unbounded` | where Go takes what no lock names |
//! | `imports` | what a project's own sources import |
//! | `cache` | GOMODCACHE |
//! | `beside` | `.info` and `list` files |
//! | `projection` | how a zip's files appear in unpacked trees |
//! | `vendoring` | which of them `go mod vendor` copies |
//! | `copied_folder` | vendored copies of folders that stand in for modules |
//! | `embed` `embedding` | which files sources embed, and whether one of them takes a file |
//! | `fips` | frozen cryptographic code, unpacked by GOFIPS140 |
//! | `leftover` | things that stand for no module |
//! | `log` | proofs of what the log has |
//! | `denied` | versions that neither log nor proxy knows |
//! | `log_place` | log data in caches and behind addresses |
//! | `log_files` | what is said of each file of log data |
//! | `log_tiles` | tiles that caches hold |
//! | `log_heads` | the head that Go itself keeps |
//! | `log_said` | under which head a proof stands |
//! | `log_head` | a head of the public log that a release brings along |
//! | `log_audit` | cached log data that is false |
//! | `build_cache` | GOCACHE |
//! | `vendor` | vendor folders |
//! | `posture` | risky settings |
//! | `proxy` | where archives are fetched |
//! | `proxy_said` | what the proxy says of versions, and authors of their modules |
//! | `healer` | how GOMODCACHE is repaired |
//! | `guarded` | what a guarded command is given |
//! | `escape` | module paths and versions as file and address names |
//! | `gosum` | `go.sum` and `go.work.sum` |
//! | `gomod` | `go.mod`: what it says, line by line |
//! | `gomod_lexer` | the words of `go.mod` and `go.work` files |
//! | `gomod_remarks` | what the comments in them say |
//! | `modulestxt` | `vendor/modules.txt` |
//! | `version` | the order of versions |
//! | `match_patterns` | the globs of GOPRIVATE and its kin |
//!
//! Facts from golang.org/x/mod and the `go` command, 1.26 and 1.27. Bytes and values in, values out; problems are
//! returned beside what could be read and never dropped.

mod beside;
mod build_cache;
mod cache;
mod command_line;
mod copied_folder;
mod denied;
mod embed;
mod embedding;
pub mod escape;
mod fips;
pub mod gomod;
mod gomod_lexer;
mod gomod_remarks;
pub mod gosum;
pub use crate::formats::h1;
mod guarded;
mod healer;
mod imports;
mod leftover;
mod locks;
mod log;
mod log_audit;
mod log_files;
mod log_head;
mod log_heads;
mod log_place;
mod log_said;
mod log_tiles;
pub mod match_patterns;
pub mod modulestxt;
mod posture;
mod projection;
mod proxy;
mod proxy_said;
mod settings;
mod toolchain;
mod unbounded;
mod vendor;
mod vendoring;
pub mod version;
mod workspace;

use std::sync::Arc;

use crate::model::version_order::VersionOrder;
use crate::model::{EcosystemId, shell};
use crate::world::{Dir, Env, ReadFs};

use super::contract::{
    Authority, CacheKind, Ecosystem, Facts, FileAbove, Guarded, Healer, Imported, LockView,
    LockfileFormat, Posture, Together, ToolPart, ToolSettings,
};
use super::proof::ProvingAuthority;

/// Its name in reports and on the command line.
pub(crate) const GO: EcosystemId = EcosystemId::new("go");

static FACTS: Facts = Facts {
    id: GO,
    name: "Go",
    purl_type: "golang",
    osv_ecosystem: "Go",
    cache_names: &["go", "go-build", "go-sumdb"],
    skips: &["node_modules"],
    verified: "module zips, unpacked modules, `.mod` files, `.ziphash` records, toolchain modules, `go.sum` and `go.work.sum` lines: all by inclusion proof in the checksum database's log; unpacked FIPS snapshots by their fixed hashes; cached log records and tiles, and the log heads that Go keeps; files in `vendor/`, and what is missing there, also of copies of folders; `vendor/modules.txt` against `go.mod`; outputs in GOCACHE that do not hash to their names; settings",
    not_verified: "`.info` and `list` files offline beyond the version that they lead to, `cache/vcs`, GOCACHE otherwise (listed as derived), modules that the log does not know",
};

/// The ecosystem.
pub(super) struct Go;

impl Ecosystem for Go {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn lockfiles(&self) -> &'static [&'static dyn LockfileFormat] {
        &[&locks::GoSumFile, &locks::GoModFile, &workspace::GoWorkFile]
    }

    fn together(&self, locks: &[LockView<'_>]) -> Together {
        workspace::together(locks)
    }

    fn unbounded(
        &self,
        locks: &[LockView<'_>],
        env: &dyn Env,
        fs: &dyn ReadFs,
    ) -> Vec<(usize, String)> {
        unbounded::of(locks, env, fs)
    }

    fn parts(
        &self,
        locks: &[LockView<'_>],
        env: &dyn Env,
        fs: &dyn ReadFs,
    ) -> Vec<(usize, Vec<ToolPart>)> {
        toolchain::parts(locks, env, fs)
    }

    fn imported(&self, folder: &dyn Dir) -> Option<Imported> {
        Some(imports::of(folder))
    }

    fn caches(&self) -> &'static [&'static dyn CacheKind] {
        &[
            &cache::ModCache,
            &build_cache::BuildCache,
            &log_heads::SumHeads,
        ]
    }

    fn tool_settings(&self, env: &dyn Env, fs: &dyn ReadFs) -> ToolSettings {
        settings::Settings::load(env, fs).named(env, fs)
    }

    fn is_private_by(&self, pattern: &str, name: &str) -> bool {
        match_patterns::matches_prefix(pattern, name)
    }

    fn authority(&self) -> Option<&'static dyn Authority> {
        Some(&proxy::ModuleProxy)
    }

    fn healer(&self) -> Option<&'static dyn Healer> {
        Some(&healer::GoHealer)
    }

    fn proving_authority(&self) -> Option<&'static dyn ProvingAuthority> {
        Some(&log::ChecksumLog)
    }

    /// As go.sum and the log's records write it: a version has a hash for its zip and one for its `go.mod` file.
    fn listing_row(&self, version: &Arc<str>, file: &str) -> Arc<str> {
        if file.ends_with(".mod") {
            Arc::from(format!("{version}/go.mod"))
        } else {
            Arc::clone(version)
        }
    }

    fn refetch_command(&self) -> Option<&'static str> {
        Some("go mod download")
    }

    fn guarded(&self) -> Option<&'static dyn Guarded> {
        Some(&guarded::GoGuarded)
    }

    fn posture(&self) -> Option<&'static dyn Posture> {
        Some(&posture::GoPosture)
    }

    /// Go goes by `$PWD` (`os.Getwd`): to the nearest workspace, and to the nearest module where the folder is none.
    fn adopts(&self, above: &FileAbove<'_>) -> bool {
        let has = |name: &str| above.project.contains(&name);
        let is_go = has("go.mod") || above.project.iter().any(|name| name.ends_with(".go"));
        match above.name {
            "go.work" => is_go && !has("go.work"),
            "go.mod" => is_go && !has("go.mod") && !has("go.work"),
            _ => false,
        }
    }

    /// Feeds leave the `v` out.
    fn spelled_version(&self, advised: &str) -> String {
        let bare = advised.strip_prefix('v').unwrap_or(advised);
        format!("v{bare}")
    }

    fn update_command(&self, name: &str, _from: &str, to: &str) -> Option<String> {
        // The standard library and the toolchain have no dot in their names, and come with Go.
        let first = name.split('/').next().unwrap_or_default();
        first
            .contains('.')
            .then(|| format!("go get {}", shell::quote(format!("{name}@{to}").as_bytes())))
    }

    fn version_order(&self) -> &'static dyn VersionOrder {
        &version::Order
    }
}

#[cfg(test)]
mod differential_tests;
