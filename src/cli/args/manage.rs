//! The commands that keep feeds, trust, claims and waivers, and those that only print.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::scan::Common;
use super::values::{NamedFile, NamedFileParser, Seconds, parse_seconds};
use crate::model::day::Day;
use crate::model::policy::AcceptedArtifact;
use crate::model::{Assurance, Digest, Scheme};
use crate::trust::Role;

/// `untaint feeds`.
#[derive(Debug, Args)]
pub struct FeedsArgs {
    /// What to do with the feeds.
    #[command(subcommand)]
    pub command: FeedsCommand,
}

/// What to do with advisory feeds.
#[derive(Debug, Subcommand)]
pub enum FeedsCommand {
    /// Fetch what is newer
    Update(Common),
    /// Show the feeds in use, their age and where they came from
    Status(Common),
    /// Take a feed from a file
    Import(ImportFeed),
    /// Make the embedded snapshot of advisory facts anew
    #[command(hide = true)]
    Snapshot(SnapshotArgs),
}

/// `untaint feeds snapshot`, for whoever builds untaint.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// The folder of the files that advisories/snapshot.toml names
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub from: PathBuf,
    /// The folder to write the indexes to
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
}

/// `untaint feeds import`.
#[derive(Debug, Args)]
pub struct ImportFeed {
    /// An OSV export (all.zip) or a RustSec archive (.tar.gz)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// What the file must hash to
    #[arg(long, value_name = "HEX", value_parser = parse_sha256)]
    pub sha256: Digest,
    /// The day on which the file was current [default: the newest date in it]
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub as_of: Option<Day>,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// `untaint trust`.
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// What to do about trust.
    #[command(subcommand)]
    pub command: TrustCommand,
}

/// What to do about trust roots.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Show the registries that this machine's tools are set to, and what would pin them
    Discover(Common),
    /// Believe a root from now on
    Pin(PinArgs),
    /// Show the roots in force, with their fingerprints
    Show(Common),
    /// Print the fingerprint of an address, with its canonical text
    #[command(hide = true)]
    Fingerprint {
        /// The address
        address: String,
    },
}

/// `untaint trust pin`.
#[derive(Debug, Args)]
pub struct PinArgs {
    /// Ecosystem, as in reports
    pub ecosystem: String,
    /// index, proxy, log, keys or advisories
    #[arg(value_parser = parse_role)]
    pub role: Role,
    /// Its address
    pub url: String,
    /// Of a log: its name
    #[arg(long)]
    pub name: Option<String>,
    /// Of a log: its verifier key
    #[arg(long)]
    pub key: Option<String>,
    /// Assurance to require of its packages
    #[arg(long, value_name = "LEVEL", value_parser = parse_level)]
    pub require: Option<Assurance>,
    /// Where its credential is: env:NAME
    #[arg(long, value_name = "env:NAME")]
    pub token: Option<String>,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// `untaint claims`.
#[derive(Debug, Args)]
pub struct ClaimsArgs {
    /// What to do with the claims.
    #[command(subcommand)]
    pub command: ClaimsCommand,
}

/// What to do with remembered claims.
#[derive(Debug, Subcommand)]
pub enum ClaimsCommand {
    /// Write what known roots have said to a file
    Export {
        /// The file to write [default: standard output]
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// What every command takes.
        #[command(flatten)]
        common: Common,
    },
    /// Remember what a file says
    Import {
        /// The file; its claims are trusted only with @sha256
        #[arg(value_name = "FILE[@sha256:HEX]", value_parser = NamedFileParser)]
        file: NamedFile,
        /// What every command takes.
        #[command(flatten)]
        common: Common,
    },
}

/// `untaint accept`.
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// ECOSYSTEM:NAME@VERSION:FILE, as the report names it
    #[arg(value_name = "ARTIFACT", value_parser = parse_artifact)]
    pub artifact: AcceptedArtifact,
    /// The digest of its bytes, as the report names it
    #[arg(value_name = "DIGEST", value_parser = parse_strong_digest)]
    pub digest: Digest,
    /// Why it is accepted
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    pub reason: String,
    /// The last day on which it is
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub until: Day,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// `untaint waive`.
#[derive(Debug, Args)]
pub struct WaiveArgs {
    /// An advisory's id or alias, or a finding's id
    pub id: String,
    /// Why it is waived
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    pub reason: String,
    /// The last day on which it is
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub until: Day,
    /// Who answers for it
    #[arg(long, value_name = "WHO")]
    pub owner: Option<String>,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// `untaint status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// End with 3 unless a complete run is newer
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    pub max_age: Option<Seconds>,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// `untaint explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A finding code, a reason, or an advisory's id
    #[arg(value_name = "CODE|ADVISORY-ID")]
    pub what: String,
}

/// `untaint schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The name of a format (report, check, impact, heal, restore, quarantine)
    pub name: String,
}

/// `untaint completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

fn parse_sha256(text: &str) -> Result<Digest, String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    Digest::from_hex(Scheme::Sha256, hex).map_err(|_| "write 64 lower-case hex digits".to_owned())
}

fn parse_strong_digest(text: &str) -> Result<Digest, String> {
    let digest: Digest = text
        .parse()
        .map_err(|e: crate::model::digest::NotADigest| e.to_string())?;
    if digest.scheme().is_weak() {
        return Err("a weak digest vouches for nothing: use sha256 or stronger".to_owned());
    }
    Ok(digest)
}

fn parse_day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "not a day: write for example 2027-01-31".to_owned())
}

fn parse_artifact(text: &str) -> Result<AcceptedArtifact, String> {
    AcceptedArtifact::parse(text).ok_or_else(|| "write ECOSYSTEM:NAME@VERSION:FILE".to_owned())
}

fn parse_reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("say why, for whoever reads it next year".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::ALL
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| format!("possible: {}", Role::ALL.map(Role::as_str).join(", ")))
}

fn parse_level(text: &str) -> Result<Assurance, String> {
    Assurance::parse(text)
        .ok_or_else(|| "possible: authenticated, published, declared, remembered".to_owned())
}
