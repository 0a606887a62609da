//! Merging, weakening, tightening, and files that are not what was said of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Parser as _;

use super::Keeping;
use super::*;
use crate::cli::args::{Cli, Command};
use crate::model::policy::{Derived, Selector};
use crate::model::{Assurance, Class, Code, Reason, Severity};
use crate::world::real::SystemFs;
use crate::world::{Env, FileKind, ReadFs, RootDir, Stat};

#[derive(Default)]
struct Place {
    variables: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Place {
    fn with(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
        Self {
            files: files.collect(),
            ..Self::default()
        }
    }

    fn set(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.insert(name, value);
        self
    }

    fn scan(&self, arguments: &[&str]) -> Result<Settings, SettingsError> {
        let all = ["untaint", "scan"].iter().chain(arguments);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Scan(args) => Settings::for_scan(&args, self, self),
            other => panic!("{other:?}"),
        }
    }
}

impl Env for Place {
    fn var(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).map(OsString::from)
    }
    fn vars(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }
    fn current_dir(&self) -> Option<PathBuf> {
        None
    }
    fn home(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/u"))
    }
    fn program(&self) -> Option<PathBuf> {
        None
    }
    fn uid(&self) -> u32 {
        0
    }
    fn gids(&self) -> Vec<u32> {
        Vec::new()
    }
    fn group_has_others(&self, _: u32) -> bool {
        true
    }
}

impl ReadFs for Place {
    fn open_root(&self, path: &Path) -> Result<RootDir, PathError> {
        Err(missing(path))
    }
    fn read_named(&self, path: &Path, _: u64) -> Result<Vec<u8>, PathError> {
        self.files.get(path).cloned().ok_or_else(|| missing(path))
    }
    fn stat_named(&self, path: &Path) -> Result<Stat, PathError> {
        let bytes = self.read_named(path, 0)?;
        Ok(Stat {
            kind: FileKind::File,
            size: bytes.len() as u64,
            mode: 0o644,
            uid: 0,
            gid: 0,
            links: 1,
            dev: 0,
            inode: 0,
            mtime: 0,
            ctime: 0,
        })
    }
}

fn missing(path: &Path) -> PathError {
    PathError {
        path: path.to_owned(),
        source: io::ErrorKind::NotFound.into(),
    }
}

const USER: &str = "/home/u/.config/untaint/config.toml";

#[test]
fn nothing_said_is_the_contracts_default() {
    let settings = Place::default().scan(&[]).unwrap();
    assert_eq!(settings.policy, Policy::default());
    assert_eq!(settings.targets, [PathBuf::from(".")]);
    assert_eq!(settings.max_fetch, 500_000_000);
    assert_eq!(settings.fetch_archives, Fetching::Missing);
    assert_eq!(settings.format, Format::Table);
    assert_eq!(settings.weakened, Vec::<String>::new());
    assert!(settings.decided.is_empty());
    let state = settings.base.homes.state.unwrap();
    assert_eq!(state, Path::new("/home/u/.local/state/untaint"));
}

#[test]
fn caches_alone_have_no_project() {
    let targets = |arguments: &[&str]| Place::default().scan(arguments).unwrap().targets;
    assert!(targets(&["--caches"]).is_empty());
    assert!(targets(&["-L", "Cargo.lock"]).is_empty());
    assert_eq!(targets(&["--caches", "a"]), [PathBuf::from("a")]);
}

#[test]
fn later_wins() {
    let place = Place::with(&[
        (
            USER,
            "require = 'declared'\nderived = 'ignore'\nmax-feed-age = '1d'",
        ),
        ("c.toml", "require = 'remembered'\nderived = 'deny'"),
    ]);
    let settings = place
        .scan(&["--config", "c.toml", "--require", "authenticated"])
        .unwrap();
    assert_eq!(settings.policy.require, Assurance::Authenticated);
    assert_eq!(settings.policy.derived, Derived::Deny);
    assert_eq!(settings.policy.max_feed_age, 86_400);
    assert_eq!(settings.decided["require"], Decided::CommandLine);
    assert_eq!(settings.decided["derived"], Decided::NamedConfig);
    assert_eq!(settings.decided["max-feed-age"], Decided::UserConfig);
}

#[test]
fn the_quarantine_is_kept_as_the_users_files_say_and_no_scanned_one() {
    let default = Keeping {
        retention: 30 * 24 * 3600,
        limit: 2 << 30,
    };
    let place = Place::default();
    assert_eq!(place.scan(&[]).unwrap().base.keeping(), default);
    let text = "quarantine-retention = '90d'\nquarantine-limit = '1MB'";
    let place = Place::with(&[(USER, text), ("n.toml", "quarantine-limit = '2MB'")]);
    let kept = |limit| Keeping {
        retention: 90 * 24 * 3600,
        limit,
    };
    assert_eq!(place.scan(&[]).unwrap().base.keeping(), kept(1_000_000));
    let named = place.scan(&["--config", "n.toml"]).unwrap();
    assert_eq!(named.base.keeping(), kept(2_000_000));
    let isolated = place.scan(&["--isolated"]).unwrap();
    assert_eq!(isolated.base.keeping(), default);
    let mut settings = place.scan(&[]).unwrap();
    let (_keep, _file, root) = root(text);
    let notice = settings.apply_root(&*root.dir, ".").notice.unwrap();
    assert!(
        notice
            .message
            .contains("quarantine-retention, quarantine-limit")
    );
    assert_eq!(settings.base.keeping(), kept(1_000_000));
}

#[test]
fn isolated_reads_nothing_of_ours() {
    let place = Place::with(&[
        (USER, "no-such-key = 1"),
        ("/home/u/.config/untaint/trust.toml", "no-such-key = 1"),
    ])
    .set("UNTAINT_HOME", "relative")
    .set("UNTAINT_JOBS", "none")
    .set("UNTAINT_FORMAT", "json");
    let settings = place.scan(&["--isolated"]).unwrap();
    assert_eq!(settings.base.homes, Homes::default());
    assert_eq!(settings.format, Format::Table);
    assert_eq!(settings.policy.derived, Derived::Deny);
    assert!(settings.weakened.is_empty());
    let noted = place.scan(&["--isolated", "--derived", "note"]).unwrap();
    assert_eq!(noted.weakened, ["derived=note"]);
}

#[test]
fn our_own_files_are_strict() {
    let error = |path: &str, text: &str| {
        Place::with(&[(path, text)])
            .scan(&[])
            .unwrap_err()
            .to_string()
    };
    let policy = error(USER, "\nalow = []");
    assert!(
        policy.contains("config.toml:2") && policy.contains("`allow`"),
        "{policy}"
    );
    let trust = error("/home/u/.config/untaint/trust.toml", "roots = []");
    assert!(trust.contains("trust.toml"), "{trust}");
}

#[test]
fn variables_choose_what_cannot_weaken() {
    let place = Place::default()
        .set("UNTAINT_FORMAT", "json")
        .set("UNTAINT_JOBS", "3")
        .set("UNTAINT_COLOR", "never")
        .set("UNTAINT_PROGRESS", "always")
        .set("UNTAINT_DERIVED", "ignore");
    let settings = place.scan(&[]).unwrap();
    assert_eq!(settings.format, Format::Json);
    assert_eq!(settings.base.jobs, Some(3));
    assert_eq!(settings.base.color, When::Never);
    assert_eq!(settings.base.progress, When::Always);
    assert_eq!(settings.policy.derived, Derived::Note);
    assert_eq!(place.scan(&["-f", "table"]).unwrap().format, Format::Table);
    for name in [
        "UNTAINT_FORMAT",
        "UNTAINT_JOBS",
        "UNTAINT_COLOR",
        "UNTAINT_PROGRESS",
        "UNTAINT_HOME",
    ] {
        let error = Place::default()
            .set(name, "nonsense")
            .scan(&[])
            .unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn one_home_for_both_is_said() {
    let place =
        Place::with(&[("/h/config.toml", "require = 'declared'")]).set("UNTAINT_HOME", "/h");
    let settings = place.scan(&[]).unwrap();
    assert_eq!(
        settings.base.homes.state.as_deref(),
        Some(Path::new("/h/state"))
    );
    assert_eq!(settings.weakened, ["UNTAINT_HOME=/h", "require=declared"]);
}

#[test]
fn everything_that_weakens_is_listed() {
    let waiver =
        "exclude = ['v/**']\n[[waiver]]\nid = 'RUSTSEC-1'\nreason = 'x'\nuntil = 2027-01-31";
    let place = Place::with(&[("c.toml", waiver), ("t.toml", ""), ("k.json", "")]);
    let settings = place
        .scan(&[
            "--exit-zero",
            "--trust",
            "t.toml",
            "--config",
            "c.toml",
            "--feeds",
            "f",
            "--no-advisories",
            "--allow",
            "git,offline",
            "--fail-on",
            "integrity,advisory:critical",
            "--derived",
            "ignore",
            "--require",
            "declared",
            "--claims",
            "k.json",
            "--allow-empty",
            "--max-feed-age",
            "8d",
            "--now",
            "2026-01-01T00:00:00Z",
        ])
        .unwrap();
    assert_eq!(
        settings.weakened,
        [
            "--allow-empty",
            "--claims=k.json",
            "--config=c.toml",
            "--exit-zero",
            "--feeds=f",
            "--no-advisories",
            "--now",
            "--trust=t.toml",
            "allow=offline",
            "derived=ignore",
            "exclude=v/**",
            "fail-on lacks lockfile:high,upstream:high,malicious,revoked,indicator,source:high,place:high,advisory:high",
            "max-feed-age=691200s",
            "require=declared",
            "waiver RUSTSEC-1 (c.toml:2)",
        ]
    );
}

#[test]
fn what_only_tightens_is_not_listed() {
    let settings = Place::default()
        .scan(&[
            "--fail-on",
            "default,yanked",
            "--allow",
            "",
            "--derived",
            "deny",
            "--require",
            "authenticated",
            "--max-feed-age",
            "1d",
            "--fetch-archives",
            "always",
            "--full",
        ])
        .unwrap();
    assert_eq!(settings.weakened, Vec::<String>::new());
    assert!(settings.policy.allow.is_empty());
    assert!(settings.policy.reaches(Code::Yanked, Severity::Medium));
}

#[test]
fn named_files_are_what_the_command_line_says() {
    let place = Place::with(&[("c.toml", "")]);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let named = |hex: &str| format!("c.toml@sha256:{hex}");
    assert!(place.scan(&["--config", &named(empty)]).is_ok());
    let error = place
        .scan(&["--config", &named(&"00".repeat(32))])
        .unwrap_err();
    assert!(
        error.to_string().contains("as the command line says"),
        "{error}"
    );
    assert!(place.scan(&["--trust", &named(&"00".repeat(32))]).is_err());
    let claims = place
        .scan(&["--claims", &named(empty), "--claims", "c.toml"])
        .unwrap()
        .claims;
    assert_eq!([claims[0].vouched, claims[1].vouched], [true, false]);
    for option in ["--config", "--trust", "--claims", "--ca-bundle"] {
        let error = place.scan(&[option, "none"]).unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
    }
}

fn tightened(settings: &mut Settings, text: &str) -> Option<String> {
    let file = PolicyFile::parse(text.as_bytes(), "untaint.toml").unwrap();
    settings.tighten(&file, "untaint.toml").map(|n| n.message)
}

#[test]
fn a_scanned_policy_tightens() {
    let mut settings = Place::default().scan(&["--derived", "ignore"]).unwrap();
    let text = "fail-on = ['default', 'yanked', 'place:info']\nallow = ['git']\nderived = 'deny'\nrequire = 'authenticated'\nmax-feed-age = '1d'";
    assert_eq!(tightened(&mut settings, text), None);
    let policy = &settings.policy;
    assert!(policy.fail_on.contains(&Selector::Code(Code::Yanked)));
    assert!(
        policy
            .fail_on
            .contains(&Selector::Class(Class::Place, Severity::Info))
    );
    assert_eq!(policy.allow.iter().collect::<Vec<_>>(), [&Reason::Git]);
    assert_eq!(policy.derived, Derived::Deny);
    assert_eq!(policy.require, Assurance::Authenticated);
    assert_eq!(policy.max_feed_age, 86_400);
    assert_eq!(
        settings.decided["derived"],
        Decided::Project("untaint.toml".into())
    );
    assert!(settings.weakened.is_empty(), "{:?}", settings.weakened);
}

#[test]
fn a_scanned_policy_never_loosens() {
    let mut settings = Place::default().scan(&["--derived", "deny"]).unwrap();
    let before = settings.policy.clone();
    let text = "fail-on = []\nallow = ['default', 'offline', 'unreadable']\nderived = 'ignore'\nrequire = 'remembered'\nmax-feed-age = '900d'\nexclude = ['**']\n[[waiver]]\nid = 'X'\nreason = 'x'\nuntil = 2099-01-01";
    let notice = tightened(&mut settings, text).unwrap();
    assert_eq!(settings.policy, before);
    assert!(settings.exclude.is_empty() && settings.decided.len() == 1);
    for key in [
        "fail-on",
        "allow",
        "derived",
        "require",
        "max-feed-age",
        "exclude",
        "waiver",
    ] {
        assert!(notice.contains(key), "{key}: {notice}");
    }
}

/// A folder with this policy file in it.
fn root(text: &str) -> (tempfile::TempDir, tempfile::NamedTempFile, RootDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut file = tempfile::Builder::new()
        .prefix(tighten::FILE)
        .rand_bytes(0)
        .tempfile_in(folder.path())
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let root = SystemFs.open_root(folder.path()).unwrap();
    (folder, file, root)
}

#[test]
fn a_roots_policy_is_read_applied_or_a_problem() {
    let mut settings = Place::default().scan(&[]).unwrap();
    let (_keep, _file, good) = root("derived = 'deny'");
    let applied = settings.apply_root(&*good.dir, "sub/");
    assert_eq!(applied, tighten::Applied::default());
    let by = Decided::Project("sub/untaint.toml".into());
    assert_eq!(settings.decided["derived"], by);
    let (_keep, _file, bad) = root("derived = 'x'");
    let problem = settings.apply_root(&*bad.dir, ".").problem.unwrap();
    assert_eq!(problem.path, "untaint.toml");
    let empty = tempfile::tempdir().unwrap();
    let nothing = SystemFs.open_root(empty.path()).unwrap();
    assert_eq!(
        settings.apply_root(&*nothing.dir, "."),
        tighten::Applied::default()
    );
}

#[test]
fn a_roots_policy_that_is_named_is_in_force_and_not_inert() {
    let (_keep, file, root) = root("require = 'declared'");
    let path = file.path().to_str().unwrap();
    let parsed = Cli::try_parse_from(["untaint", "scan", "--config", path]).unwrap();
    let Command::Scan(args) = parsed.command else {
        panic!("scan");
    };
    let mut settings = Settings::for_scan(&args, &Place::default(), &SystemFs).unwrap();
    assert_eq!(settings.policy.require, Assurance::Declared);
    assert_eq!(
        settings.apply_root(&*root.dir, "."),
        tighten::Applied::default()
    );
    assert_eq!(settings.policy.require, Assurance::Declared);
}
