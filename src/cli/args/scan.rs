//! `scan` and `sbom`: what is audited, what is believed, what fails, how it is shown.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::values::{
    Bytes, NamedFile, NamedFileParser, Seconds, invalid, parse_bytes, parse_seconds,
};
use crate::ecosystems;
use crate::model::policy::{Derived, Selector};
use crate::model::{Assurance, Reason};
use crate::pipeline::report::Format;

/// `untaint scan`.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// What is shared with `sbom`.
    #[command(flatten)]
    pub shared: Shared,
    /// How the report is written.
    #[command(flatten)]
    pub reports: Reports,
    /// End with 0 whatever was found; errors of usage and configuration still end with 2
    #[arg(long, help_heading = "Policy")]
    pub exit_zero: bool,
}

/// How and where a report is written.
#[derive(Debug, Args)]
pub struct Reports {
    /// Format on standard output [default: table]
    #[arg(short, long, value_name = "FORMAT", value_parser = parse_format, help_heading = "Output")]
    pub format: Option<Format>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub json: bool,
    /// Write a report to a file besides; repeatable
    #[arg(short, value_name = "FORMAT=FILE", value_parser = OutputParser, help_heading = "Output")]
    pub output: Vec<OutputArg>,
    /// No absolute paths in reports
    #[arg(long, help_heading = "Output")]
    pub portable: bool,
}

/// `untaint sbom`.
#[derive(Debug, Args)]
pub struct SbomArgs {
    /// What is shared with `scan`.
    #[command(flatten)]
    pub shared: Shared,
    /// Format of the bill of materials
    #[arg(short, long, value_name = "FORMAT", default_value = "cyclonedx", value_parser = ["cyclonedx"], help_heading = "Output")]
    pub format: String,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
}

/// Options of every command that audits.
#[derive(Debug, Clone, Args)]
pub struct Shared {
    /// Projects to audit [default: ., unless --caches or --cache is given]
    #[arg(value_name = "PATH", value_hint = ValueHint::DirPath)]
    pub paths: Vec<PathBuf>,
    /// Every entry of every cache of this user
    #[arg(long, help_heading = "Targets")]
    pub caches: bool,
    /// One more cache (a restored one, a container's); repeatable
    #[arg(long = "cache", value_name = "NAME=DIR", value_parser = CacheParser, help_heading = "Targets")]
    pub named_caches: Vec<CacheArg>,
    /// Only these ecosystems
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_ecosystem, help_heading = "Targets")]
    pub ecosystem: Vec<String>,
    /// Leave out paths that match; repeatable
    #[arg(long, value_name = "GLOB", value_parser = parse_glob, help_heading = "Targets")]
    pub exclude: Vec<String>,
    /// One lockfile instead of those found; repeatable
    #[arg(short = 'L', long = "lockfile", value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Targets")]
    pub lockfile: Vec<PathBuf>,
    /// Output of `cargo metadata`: narrows to its features and targets
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Targets")]
    pub cargo_metadata: Option<PathBuf>,

    /// Claims exported elsewhere; trusted only with @sha256; repeatable
    #[arg(long, value_name = "FILE[@sha256:HEX]", value_parser = NamedFileParser, help_heading = "Evidence")]
    pub claims: Vec<NamedFile>,
    /// Advisory feeds: DIR/ECOSYSTEM/all.zip
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Evidence")]
    pub feeds: Option<PathBuf>,
    /// When to fetch an archive to judge its unpacked tree [default: missing]
    #[arg(long, value_name = "WHEN", value_enum, help_heading = "Evidence")]
    pub fetch_archives: Option<Fetching>,
    /// Most bytes of archives to fetch [default: 500MB]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, help_heading = "Evidence")]
    pub max_fetch: Option<Bytes>,
    /// Hash everything anew
    #[arg(long, help_heading = "Evidence")]
    pub full: bool,

    /// Least assurance that verifies [default: published]
    #[arg(long, value_name = "LEVEL", value_parser = parse_assurance, help_heading = "Policy")]
    pub require: Option<Assurance>,
    /// Reasons that may stay unverifiable, in place of the built-in ones; `default` stands for those
    #[arg(
        long,
        value_name = "REASON,…",
        value_delimiter = ',',
        help_heading = "Policy"
    )]
    pub allow: Option<Vec<String>>,
    /// What to make of build caches and other derived state [default: note; with --isolated: deny]
    #[arg(long, value_name = "deny|note|ignore", value_parser = parse_derived, help_heading = "Policy")]
    pub derived: Option<Derived>,
    /// What fails the run, in place of the built-in list; `default` stands for that
    #[arg(
        long,
        value_name = "CLASS[:LEVEL]|CODE,…",
        value_delimiter = ',',
        help_heading = "Policy"
    )]
    pub fail_on: Option<Vec<String>>,
    /// Leave advisories out
    #[arg(long, help_heading = "Policy")]
    pub no_advisories: bool,
    /// Advisories only
    #[arg(long, conflicts_with = "no_advisories", help_heading = "Policy")]
    pub no_integrity: bool,
    /// Oldest advisory data that counts [default: 7d]
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds, help_heading = "Policy")]
    pub max_feed_age: Option<Seconds>,
    /// Nothing to audit ends with 0
    #[arg(long, help_heading = "Policy")]
    pub allow_empty: bool,

    /// What every command takes that touches the machine.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command that reads configuration, asks the network or takes long.
#[derive(Debug, Clone, Args, Default)]
pub struct Common {
    /// No packet leaves
    #[arg(long, help_heading = "Environment")]
    pub offline: bool,
    /// Neither read nor write untaint's own configuration and state
    #[arg(long, help_heading = "Environment")]
    pub isolated: bool,
    /// Trust roots to believe besides; repeatable
    #[arg(long, value_name = "FILE[@sha256:HEX]", value_parser = NamedFileParser, help_heading = "Environment")]
    pub trust: Vec<NamedFile>,
    /// A policy file, after the user's own
    #[arg(long, value_name = "FILE[@sha256:HEX]", value_parser = NamedFileParser, help_heading = "Environment")]
    pub config: Option<NamedFile>,
    /// Certificates (PEM) to believe in place of the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Environment")]
    pub ca_bundle: Option<PathBuf>,
    /// End with a partial report after this time
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds, help_heading = "Environment")]
    pub timeout: Option<Seconds>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Environment")]
    pub jobs: Option<std::num::NonZeroU16>,
    /// The verdict alone
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Everything
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// Colour [default: auto]
    #[arg(long, value_name = "WHEN", value_enum, help_heading = "Output")]
    pub color: Option<When>,
    /// Progress on standard error [default: auto]
    #[arg(long, value_name = "WHEN", value_enum, help_heading = "Output")]
    pub progress: Option<When>,
    /// The time to go by
    #[arg(long, value_name = "RFC3339", hide = true, value_parser = parse_now)]
    pub now: Option<i64>,
}

/// When to do something that suits terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On terminals.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When to fetch an archive whose tree is to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fetching {
    /// Never: such trees stay unverifiable.
    Never,
    /// When neither the archive nor its proven manifest is held.
    Missing,
    /// Always.
    Always,
}

/// `NAME=DIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheArg {
    /// The tool's name.
    pub name: String,
    /// Its cache.
    pub path: PathBuf,
}

/// `FORMAT=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputArg {
    /// Format.
    pub format: Format,
    /// File.
    pub path: PathBuf,
}

fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Reads a format's name.
pub(crate) fn parse_format(text: &str) -> Result<Format, String> {
    Format::parse(text)
        .ok_or_else(|| format!("possible: {}", listed(Format::ALL.map(Format::as_str))))
}

fn parse_assurance(text: &str) -> Result<Assurance, String> {
    Assurance::parse(text)
        .ok_or_else(|| "possible: authenticated, published, declared, remembered".to_owned())
}

fn parse_derived(text: &str) -> Result<Derived, String> {
    Derived::parse(text)
        .ok_or_else(|| format!("possible: {}", listed(Derived::ALL.map(Derived::as_str))))
}

fn parse_now(text: &str) -> Result<i64, String> {
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_second)
        .map_err(|_| "not a time: write for example 2027-01-31T12:00:00Z".to_owned())
}

fn parse_ecosystem(text: &str) -> Result<String, String> {
    let known = ecosystems::all().iter().map(|e| e.facts().id.as_str());
    if known.clone().any(|name| name == text) {
        Ok(text.to_owned())
    } else {
        Err(format!("possible: {}", listed(known)))
    }
}

fn parse_glob(text: &str) -> Result<String, String> {
    match globset::Glob::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.kind().to_string()),
    }
}

/// Reads the `--fail-on` list; `default` stands for the built-in list.
///
/// # Errors
/// The word that is neither a class nor a code, with what is possible.
pub(crate) fn selectors(words: &[String]) -> Result<Vec<Selector>, String> {
    let mut selectors = Vec::new();
    for word in words.iter().map(|w| w.trim()) {
        match word {
            "" => {}
            "default" => selectors.extend(crate::model::policy::Policy::default_fail_on()),
            word => selectors.push(Selector::parse(word).ok_or_else(|| {
                format!(
                    "'{word}' is neither a class (integrity, advisory:high, …) nor a finding code"
                )
            })?),
        }
    }
    selectors.sort_unstable();
    selectors.dedup();
    Ok(selectors)
}

/// Reads the `--allow` list; `default` stands for the built-in list.
///
/// # Errors
/// The word that is no reason, with what to write instead.
pub(crate) fn reasons(words: &[String]) -> Result<std::collections::BTreeSet<Reason>, String> {
    let mut reasons = std::collections::BTreeSet::new();
    for word in words.iter().map(|w| w.trim()) {
        match (word, Reason::parse(word)) {
            ("", _) => {}
            ("default", _) => reasons.extend(crate::model::policy::Policy::default_allow()),
            (_, Some(Reason::Derived)) => {
                return Err("'derived' follows --derived deny|note|ignore".to_owned());
            }
            (_, Some(reason)) => {
                reasons.insert(reason);
            }
            (_, None) => return Err(format!("'{word}' is no reason of untaint's reports")),
        }
    }
    Ok(reasons)
}

/// Splits `NAME=PATH`, whose path need not be UTF-8.
fn pair(value: &OsStr) -> Option<(&str, PathBuf)> {
    let mut parts = value.as_bytes().splitn(2, |b| *b == b'=');
    let name = std::str::from_utf8(parts.next()?).ok()?;
    let path = parts.next().filter(|path| !path.is_empty())?;
    Some((name, PathBuf::from(OsStr::from_bytes(path))))
}

/// Reads `NAME=DIR`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CacheParser;

impl clap::builder::TypedValueParser for CacheParser {
    type Value = CacheArg;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<CacheArg, clap::Error> {
        let fail = |why: &str| invalid(command, argument, value, why);
        let (name, path) = pair(value).ok_or_else(|| fail("write NAME=DIR"))?;
        let known = || {
            ecosystems::all()
                .iter()
                .flat_map(|e| e.facts().cache_names.iter().copied())
        };
        if !known().any(|k| k == name) {
            return Err(fail(&format!("possible names: {}", listed(known()))));
        }
        Ok(CacheArg {
            name: name.to_owned(),
            path,
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct OutputParser;

impl clap::builder::TypedValueParser for OutputParser {
    type Value = OutputArg;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<OutputArg, clap::Error> {
        let fail = |why: &str| invalid(command, argument, value, why);
        let (name, path) = pair(value).ok_or_else(|| fail("write FORMAT=FILE"))?;
        let format = parse_format(name).map_err(|why| fail(&why))?;
        Ok(OutputArg { format, path })
    }
}
