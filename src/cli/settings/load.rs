//! Puts settings together from arguments, files and environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use sha2::Digest as _;

use super::homes::filled;
use super::{Base, Decided, Homes, NamedClaims, Settings, SettingsError, call, weakened};
use crate::cli::args::{
    Common, Fetching, NamedFile, OutputArg, Reports, ScanArgs, Shared, When, reasons, selectors,
};
use crate::cli::config::{self, ConfigError, PolicyFile};
use crate::ecosystems;
use crate::model::Digest;
use crate::model::policy::{Derived, Policy};
use crate::pipeline::report::{Detail, Format};
use crate::trust::file::LARGEST as LARGEST_TRUST;
use crate::trust::{Source, TrustFile, TrustSet};
use crate::world::{Env, ReadFs};

const LARGEST_CLAIMS: u64 = 1 << 30;
const LARGEST_BUNDLE: u64 = 16 << 20;
const DEFAULT_MAX_FETCH: u64 = 500_000_000;

impl Base {
    /// Reads what every command needs.
    ///
    /// # Errors
    /// When something named cannot be read or is not as the contract says.
    pub fn load(common: &Common, env: &dyn Env, fs: &dyn ReadFs) -> Result<Self, SettingsError> {
        let homes = if common.isolated {
            Homes::default()
        } else {
            Homes::of(env)?
        };
        let user_policy = match homes.policy_file() {
            Some(path) => if_there(fs, &path, config::LARGEST)?
                .map(|bytes| PolicyFile::parse(&bytes, &path.to_string_lossy()))
                .transpose()?,
            None => None,
        };
        let (mut named_policy, mut named_policy_is) = (None, None);
        if let Some(file) = &common.config {
            let bytes = named(fs, file, config::LARGEST)?;
            named_policy = Some(PolicyFile::parse(&bytes, &file.path.to_string_lossy())?);
            let stat = fs.stat_named(&file.path)?;
            named_policy_is = Some((stat.dev, stat.inode));
        }
        let ca_bundle = match &common.ca_bundle {
            Some(path) => Some(fs.read_named(path, LARGEST_BUNDLE)?),
            None => None,
        };
        let ours = |name: &'static str| (!common.isolated).then(|| filled(env, name)).flatten();
        let mut base = Self {
            offline: common.offline,
            isolated: common.isolated,
            trust: trust(common, &homes, fs)?,
            homes,
            user_policy,
            named_policy,
            named_policy_is,
            ca_bundle,
            proxy: names_a_proxy(env),
            timeout: common.timeout.map(|t| t.0),
            jobs: match (common.jobs, ours("UNTAINT_JOBS")) {
                (Some(jobs), _) => Some(jobs.get()),
                (None, None) => None,
                (None, Some(text)) => Some(jobs(&text.to_string_lossy())?),
            },
            detail: match (common.quiet, common.verbose) {
                (true, _) => Detail::Quiet,
                (_, true) => Detail::Verbose,
                _ => Detail::Normal,
            },
            color: when(common.color, "UNTAINT_COLOR", ours("UNTAINT_COLOR"))?,
            progress: when(
                common.progress,
                "UNTAINT_PROGRESS",
                ours("UNTAINT_PROGRESS"),
            )?,
            width: env.var("COLUMNS").and_then(|w| w.to_str()?.parse().ok()),
            now: common.now,
            weakened: Vec::new(),
        };
        if base.color == When::Auto {
            base.color = color_by_convention(env);
        }
        base.weakened = weakened::of_base(&base, common);
        Ok(base)
    }
}

impl Settings {
    /// Reads what `scan` needs.
    ///
    /// # Errors
    /// When something named cannot be read or is not as the contract says.
    pub fn for_scan(
        args: &ScanArgs,
        env: &dyn Env,
        fs: &dyn ReadFs,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::with_reports(&args.shared, &args.reports, env, fs)?;
        settings.exit_zero = args.exit_zero;
        if args.exit_zero {
            settings.weakened.push("--exit-zero".to_owned());
            settings.weakened.sort();
        }
        Ok(settings)
    }

    /// Reads what an audit needs whose report is written out.
    ///
    /// # Errors
    /// When something named cannot be read or is not as the contract says.
    pub fn with_reports(
        shared: &Shared,
        reports: &Reports,
        env: &dyn Env,
        fs: &dyn ReadFs,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::load(shared, env, fs)?;
        settings.format = match (reports.json, reports.format) {
            (true, _) => Format::Json,
            (_, Some(format)) => format,
            _ => settings.format,
        };
        settings.outputs.clone_from(&reports.output);
        settings.portable = reports.portable;
        Ok(settings)
    }

    /// Reads what every audit needs.
    ///
    /// # Errors
    /// When something named cannot be read or is not as the contract says.
    pub fn load(shared: &Shared, env: &dyn Env, fs: &dyn ReadFs) -> Result<Self, SettingsError> {
        let base = Base::load(&shared.common, env, fs)?;
        let (policy, exclude, decided) = merge(&base, shared)?;
        let mut claims = Vec::new();
        for file in &shared.claims {
            claims.push(NamedClaims {
                path: file.path.clone(),
                bytes: named(fs, file, LARGEST_CLAIMS)?,
                vouched: file.digest.is_some(),
            });
        }
        let alone = shared.caches || !shared.named_caches.is_empty() || !shared.lockfile.is_empty();
        let targets = if shared.paths.is_empty() && !alone {
            vec![PathBuf::from(".")]
        } else {
            shared.paths.clone()
        };
        let mut settings = Self {
            targets,
            caches: shared.caches,
            named_caches: shared.named_caches.clone(),
            ecosystems: shared.ecosystem.clone(),
            exclude,
            lockfiles: shared.lockfile.clone(),
            cargo_metadata: shared.cargo_metadata.clone(),
            claims,
            feeds: shared.feeds.clone(),
            fetch_archives: shared.fetch_archives.unwrap_or(Fetching::Missing),
            max_fetch: shared.max_fetch.map_or(DEFAULT_MAX_FETCH, |b| b.0),
            full: shared.full,
            policy,
            decided,
            format: default_format(&base, env)?,
            to_file: None,
            outputs: Vec::<OutputArg>::new(),
            portable: false,
            exit_zero: false,
            call: call::of(shared),
            weakened: Vec::new(),
            base,
        };
        settings.weakened = weakened::of_audit(&settings, shared);
        Ok(settings)
    }
}

type Merged = (Policy, Vec<String>, BTreeMap<&'static str, Decided>);

/// Built in, then the user's file, then the named file, then the command line.
fn merge(base: &Base, shared: &Shared) -> Result<Merged, SettingsError> {
    let mut policy = Policy {
        advisories: !shared.no_advisories,
        integrity: !shared.no_integrity,
        allow_empty: shared.allow_empty,
        ..Policy::default()
    };
    if base.isolated {
        policy.derived = Derived::Deny;
    }
    let mut exclude = Vec::new();
    let mut decided = BTreeMap::new();
    let typed = |message: String| ConfigError::whole("command line", message);
    let typed = PolicyFile {
        fail_on: shared
            .fail_on
            .as_deref()
            .map(selectors)
            .transpose()
            .map_err(|e| typed(format!("--fail-on: {e}")))?,
        allow: shared
            .allow
            .as_deref()
            .map(reasons)
            .transpose()
            .map_err(|e| typed(format!("--allow: {e}")))?,
        derived: shared.derived,
        require: shared.require,
        max_feed_age: shared.max_feed_age.map(|s| s.0),
        exclude: (!shared.exclude.is_empty()).then(|| shared.exclude.clone()),
        ..PolicyFile::default()
    };
    let layers = [
        (base.user_policy.as_ref(), Decided::UserConfig),
        (base.named_policy.as_ref(), Decided::NamedConfig),
        (Some(&typed), Decided::CommandLine),
    ];
    for (file, by) in layers {
        let Some(file) = file else {
            continue;
        };
        let mut set = |key: &'static str| {
            decided.insert(key, by.clone());
        };
        if let Some(value) = &file.fail_on {
            policy.fail_on.clone_from(value);
            set("fail-on");
        }
        if let Some(value) = &file.allow {
            policy.allow.clone_from(value);
            set("allow");
        }
        if let Some(value) = file.derived {
            policy.derived = value;
            set("derived");
        }
        if let Some(value) = file.require {
            policy.require = value;
            set("require");
        }
        if let Some(value) = file.max_feed_age {
            policy.max_feed_age = value;
            set("max-feed-age");
        }
        if let Some(value) = &file.exclude {
            exclude.clone_from(value);
            set("exclude");
        }
        policy.waivers.extend_from_slice(&file.waivers);
        policy.accepts.extend_from_slice(&file.accepts);
    }
    Ok((policy, exclude, decided))
}

fn trust(common: &Common, homes: &Homes, fs: &dyn ReadFs) -> Result<TrustSet, SettingsError> {
    let names: Vec<&str> = ecosystems::all()
        .iter()
        .map(|e| e.facts().id.as_str())
        .collect();
    let largest = u64::try_from(LARGEST_TRUST).unwrap_or(u64::MAX);
    let mut files = Vec::new();
    if let Some(path) = homes.trust_file()
        && let Some(bytes) = if_there(fs, &path, largest)?
    {
        let name = path.to_string_lossy();
        files.push(TrustFile::parse(&bytes, &name, Source::User, &names)?);
    }
    for file in &common.trust {
        let bytes = named(fs, file, largest)?;
        let name = file.path.to_string_lossy();
        files.push(TrustFile::parse(&bytes, &name, Source::Named, &names)?);
    }
    Ok(TrustSet::from_files(&files)?)
}

/// A file of ours that need not be there.
fn if_there(fs: &dyn ReadFs, path: &Path, max: u64) -> Result<Option<Vec<u8>>, SettingsError> {
    match fs.read_named(path, max) {
        Ok(bytes) => Ok(Some(bytes)),
        // A home that is no folder holds no configuration; that nothing can be remembered there is said by the run.
        Err(error)
            if error.is_not_found() || error.source.kind() == std::io::ErrorKind::NotADirectory =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A file from the command line, whose bytes are what the command line says.
pub(in crate::cli) fn named(
    fs: &dyn ReadFs,
    file: &NamedFile,
    max: u64,
) -> Result<Vec<u8>, SettingsError> {
    let bytes = fs.read_named(&file.path, max)?;
    if let Some(expected) = file.digest {
        let found = Digest::sha256(sha2::Sha256::digest(&bytes).into());
        if found != expected {
            return Err(SettingsError::Config(ConfigError::whole(
                file.path.to_string_lossy(),
                format!("its bytes are {found}, not {expected} as the command line says"),
            )));
        }
    }
    Ok(bytes)
}

fn default_format(base: &Base, env: &dyn Env) -> Result<Format, SettingsError> {
    let chosen = (!base.isolated)
        .then(|| filled(env, "UNTAINT_FORMAT"))
        .flatten();
    match chosen {
        None => Ok(Format::Table),
        Some(text) => crate::cli::args::parse_format(&text.to_string_lossy()).map_err(|message| {
            SettingsError::Variable {
                name: "UNTAINT_FORMAT",
                message,
            }
        }),
    }
}

fn jobs(text: &str) -> Result<u16, SettingsError> {
    match text.parse() {
        Ok(jobs) if jobs > 0 => Ok(jobs),
        _ => Err(SettingsError::Variable {
            name: "UNTAINT_JOBS",
            message: "not a number of threads: write for example 4".to_owned(),
        }),
    }
}

fn when(
    typed: Option<When>,
    name: &'static str,
    variable: Option<std::ffi::OsString>,
) -> Result<When, SettingsError> {
    match (typed, variable) {
        (Some(when), _) => Ok(when),
        (None, None) => Ok(When::Auto),
        (None, Some(text)) => {
            When::from_str(&text.to_string_lossy(), false).map_err(|_| SettingsError::Variable {
                name,
                message: "write auto, always or never".to_owned(),
            })
        }
    }
}

/// `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb`, as terminals' users expect.
fn color_by_convention(env: &dyn Env) -> When {
    if filled(env, "NO_COLOR").is_some() || env.var("TERM").is_some_and(|t| t == "dumb") {
        return When::Never;
    }
    match filled(env, "CLICOLOR_FORCE") {
        Some(value) if value != "0" => When::Always,
        _ => When::Auto,
    }
}

fn names_a_proxy(env: &dyn Env) -> bool {
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .any(|name| filled(env, name).is_some())
}
