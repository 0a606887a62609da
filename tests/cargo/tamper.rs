//! The hands of the attacker: what can be done to one file, and what kinds of files there are.
//!
//! The matrix (`tamper_matrix`) and the dice (`tamper_dice`) both draw from here. The oracle knows only
//! what the contract promises: a subject whose content is not what was published is never verified.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use crate::fixtures::vendor;
use crate::support::{Scan, Source, World, git_repository, write_file};

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Flip,
    Truncate,
    Append,
    Empty,
    Zeros,
    ReplaceByOther,
    Remove,
    Rename,
    LinkToSameOutside,
    LinkToOtherInside,
    LinkToNothing,
    HardLink,
    Fifo,
    Folder,
    Mode(u32),
    Touch,
}

/// Every act that changes what a reader of the path gets, or whether it gets anything.
pub(crate) const CONTENT_ACTS: &[Act] = &[
    Act::Flip,
    Act::Truncate,
    Act::Append,
    Act::Empty,
    Act::Zeros,
    Act::ReplaceByOther,
    Act::Remove,
    Act::Rename,
    Act::LinkToOtherInside,
    Act::LinkToNothing,
    Act::Fifo,
    Act::Folder,
];

pub(crate) const OTHER_ACTS: &[Act] = &[
    Act::LinkToSameOutside,
    Act::HardLink,
    Act::Mode(0o777),
    Act::Mode(0o666),
    Act::Mode(0o4755),
    Act::Mode(0o755),
    Act::Mode(0o664),
    Act::Touch,
];

/// Does the act; `other` is a file of the same kind that belongs to somebody else.
pub(crate) fn act(act: Act, path: &Path, other: &Path, outside: &Path) {
    let bytes = fs::read(path).unwrap();
    let rewrite = |bytes: Vec<u8>| fs::write(path, bytes).unwrap();
    let gone = || fs::remove_file(path).unwrap();
    match act {
        Act::Flip => {
            let mut bytes = bytes;
            let at = bytes.len() / 2;
            bytes[at] ^= 0x01;
            rewrite(bytes);
        }
        Act::Truncate => rewrite(bytes[..bytes.len() / 2].to_vec()),
        Act::Append => rewrite([bytes.as_slice(), b"\n// appended\n"].concat()),
        Act::Empty => rewrite(Vec::new()),
        Act::Zeros => rewrite(vec![0; bytes.len()]),
        Act::ReplaceByOther => rewrite(fs::read(other).unwrap()),
        Act::Remove => gone(),
        Act::Rename => fs::rename(path, path.with_extension("old")).unwrap(),
        Act::LinkToSameOutside => {
            write_file(&outside.join("copy"), &bytes);
            gone();
            symlink(outside.join("copy"), path).unwrap();
        }
        Act::LinkToOtherInside => {
            gone();
            symlink(other, path).unwrap();
        }
        Act::LinkToNothing => {
            gone();
            symlink("/nonexistent/place", path).unwrap();
        }
        Act::HardLink => fs::hard_link(path, outside.join("hard")).unwrap(),
        Act::Fifo => {
            gone();
            fifo(path);
        }
        Act::Folder => {
            gone();
            fs::create_dir(path).unwrap();
        }
        Act::Mode(mode) => {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        Act::Touch => {
            let file = fs::File::options().append(true).open(path).unwrap();
            file.set_modified(SystemTime::now()).unwrap();
        }
    }
}

/// What a file was before an act, so that one world serves many trials.
pub(crate) struct Memory {
    path: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
    modified: SystemTime,
}

impl Memory {
    pub(crate) fn of(path: &Path) -> Self {
        let meta = fs::metadata(path).unwrap();
        Self {
            path: path.to_path_buf(),
            bytes: fs::read(path).unwrap(),
            mode: meta.permissions().mode(),
            modified: meta.modified().unwrap(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Undoes whatever was done, with content, mode and time.
    pub(crate) fn restore(&self) {
        let _ = fs::remove_file(self.path.with_extension("old"));
        if fs::symlink_metadata(&self.path).is_ok_and(|meta| meta.is_dir()) {
            fs::remove_dir(&self.path).unwrap();
        }
        let _ = fs::remove_file(&self.path);
        fs::write(&self.path, &self.bytes).unwrap();
        fs::set_permissions(&self.path, fs::Permissions::from_mode(self.mode)).unwrap();
        let file = fs::File::options().append(true).open(&self.path).unwrap();
        file.set_modified(self.modified).unwrap();
    }
}

/// Empties a folder of ours between two trials.
pub(crate) fn empty(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder).unwrap();
}

/// Makes a named pipe that nobody ever writes to.
pub(crate) fn fifo(path: &Path) {
    let done = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .unwrap();
    assert!(done.success(), "mkfifo is needed by the tests");
}

/// What a file is to cargo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `registry/cache/*/*.crate`
    Archive,
    /// A file of an unpacked tree.
    Tree,
    /// `.cargo-ok`
    Marker,
    /// `registry/index/*/.cache/**`
    Listing,
    /// `registry/index/*/config.json`
    IndexSettings,
    /// A file of a git worktree.
    Checkout,
    /// Anything below `.git` of a checkout or below `git/db`.
    GitInside,
    /// A file of a vendor folder.
    Vendored,
    /// `.cargo-checksum.json`
    VendorRecord,
    Lockfile,
    /// The project's own sources.
    FirstParty,
    Settings,
    /// `CACHEDIR.TAG`, lock files, the database of last uses.
    Indifferent,
}

/// Tells what a path below the world's folder is.
pub(crate) fn kind(path: &str) -> Kind {
    let name = path.rsplit('/').next().unwrap();
    if path.contains("/registry/cache/") {
        Kind::Archive
    } else if name == ".cargo-ok" {
        Kind::Marker
    } else if path.contains("/registry/src/") {
        Kind::Tree
    } else if path.contains("/registry/index/") && path.contains("/.cache/") {
        Kind::Listing
    } else if path.contains("/registry/index/") && name == "config.json" {
        Kind::IndexSettings
    } else if path.contains("/git/db/") || path.contains("/.git/") {
        Kind::GitInside
    } else if path.contains("/git/checkouts/") {
        Kind::Checkout
    } else if name == ".cargo-checksum.json" {
        Kind::VendorRecord
    } else if path.starts_with("project/vendor/") {
        Kind::Vendored
    } else if name == "Cargo.lock" {
        Kind::Lockfile
    } else if name == "config.toml" {
        Kind::Settings
    } else if path.starts_with("project/") {
        Kind::FirstParty
    } else {
        Kind::Indifferent
    }
}

/// What an answer must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Exit 1, and the file's name stands in a finding or problem.
    Found,
    /// Exit 1 or 3, and named.
    NeverClean,
    /// Exit 0.
    Clean,
    /// Not exit 1.
    NoAlarm,
    /// Any honest answer: the report keeps its sums, nothing hangs, nothing crashes.
    Honest,
}

/// The contract in a table.
pub(crate) fn expect(path: &str, act: Act) -> Expect {
    let kind = kind(path);
    let name = path.rsplit('/').next().unwrap();
    let unloaded = ["Cargo.lock", "Cargo.toml.orig", ".cargo_vcs_info.json"].contains(&name);
    let content = CONTENT_ACTS.contains(&act);
    match (kind, act) {
        // Cargo treats an archive of no bytes, or none, as not downloaded: absent.
        (Kind::Archive, Act::Empty | Act::Remove) => Expect::Clean,
        (Kind::Archive, Act::Rename) => Expect::NoAlarm,
        (Kind::Archive, Act::LinkToNothing | Act::Fifo | Act::Folder) => Expect::NeverClean,
        (Kind::Archive, Act::Mode(0o4755 | 0o755)) => Expect::Honest,
        (Kind::Archive | Kind::Tree | Kind::Checkout, _) if content => Expect::Found,
        // Committed vendor folders lose what widespread ignore patterns name and no build loads.
        (Kind::Vendored, Act::Remove | Act::Folder) if unloaded => Expect::NoAlarm,
        (Kind::Vendored, _) if content => Expect::Found,
        (_, Act::HardLink | Act::Touch | Act::Mode(0o664)) => Expect::NoAlarm,
        (Kind::Archive | Kind::Tree | Kind::Checkout, Act::LinkToSameOutside) => Expect::Found,
        (Kind::Archive | Kind::Tree | Kind::Checkout, Act::Mode(0o666 | 0o777)) => Expect::Found,
        (Kind::Tree | Kind::Checkout, Act::Mode(_)) => Expect::Found,
        (Kind::Listing, Act::Mode(0o666 | 0o777)) => Expect::Found,
        (Kind::Listing, Act::ReplaceByOther) => Expect::NeverClean,
        (Kind::Listing, Act::Remove) => Expect::Clean,
        (Kind::Marker, Act::Flip | Act::Truncate | Act::Append | Act::Empty | Act::Remove) => {
            Expect::NoAlarm
        }
        (Kind::FirstParty, Act::Flip | Act::Append | Act::Mode(_)) => Expect::NoAlarm,
        (Kind::Indifferent, Act::Flip | Act::Append | Act::Empty | Act::Remove) => Expect::NoAlarm,
        _ => Expect::Honest,
    }
}

/// Holds an answer against what was expected of it.
pub(crate) fn judge(scan: &Scan, expected: Expect, path: &str, deed: &str) {
    let name = Path::new(path).file_name().unwrap().to_str().unwrap();
    let renamed = Path::new(path).with_extension("old");
    let renamed = renamed.file_name().unwrap().to_str().unwrap();
    let named = || scan.names(name) || scan.names(renamed);
    let story = || format!("{deed} on {path}: expected {expected:?}\n{}", scan.story());
    match expected {
        Expect::Found => {
            assert_eq!(scan.exit, 1, "{}", story());
            assert!(named(), "not named: {}", story());
        }
        Expect::NeverClean => {
            assert!(matches!(scan.exit, 1 | 3), "{}", story());
            assert!(named(), "not named: {}", story());
        }
        Expect::Clean => assert_eq!(scan.exit, 0, "{}", story()),
        Expect::NoAlarm => assert_ne!(scan.exit, 1, "{}", story()),
        Expect::Honest => assert!(matches!(scan.exit, 0 | 1 | 3 | 5), "{}", story()),
    }
}

/// A world with registry crates and a git dependency, fetched; shared by all who take twins of it.
pub(crate) fn home_template() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let world = World::clean(Source::Alternate);
        let upstream = world.root().join("upstream");
        git_repository(
            &upstream,
            &[
                (
                    "Cargo.toml",
                    "[package]\nname = \"delta\"\nversion = \"0.5.0\"\n",
                ),
                ("src/lib.rs", "pub mod inner;\n"),
                ("src/inner.rs", "pub const NAME: &str = \"delta\";\n"),
            ],
        );
        let manifest = world.project().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        let address = format!("file://{}", upstream.display());
        write_file(
            &manifest,
            format!("{text}delta = {{ git = \"{address}\" }}\n"),
        );
        world.cargo(&["generate-lockfile"]);
        world.cargo(&["fetch", "--locked"]);
        world
    })
}

/// A project with a vendor folder and an empty cargo home.
pub(crate) fn vendor_template() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let world = World::clean(Source::Alternate);
        vendor(&world);
        fs::remove_dir_all(world.cargo_home().join("registry")).unwrap();
        world
    })
}

/// Every file of a world that cargo or untaint could read, by its path below the world's folder.
pub(crate) fn files(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for folder in [world.cargo_home(), world.project()] {
        let mut all = std::collections::BTreeMap::new();
        crate::fixtures::gather(world.root(), &folder, &mut all);
        found.extend(all.into_keys());
    }
    found.sort();
    found
}

/// The next file of the same kind, or any other file.
pub(crate) fn other(world: &World, all: &[String], path: &str) -> PathBuf {
    let bytes = fs::read(world.root().join(path)).unwrap();
    let differs = |known: &&String| {
        known.as_str() != path && fs::read(world.root().join(known)).unwrap() != bytes
    };
    let same = all
        .iter()
        .filter(|known| kind(known) == kind(path))
        .find(differs);
    let any = same.or_else(|| all.iter().find(differs)).unwrap();
    world.root().join(any)
}
