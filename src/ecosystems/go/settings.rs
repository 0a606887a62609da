//! Settings of the `go` command, by its own rules: environment, the file of `go env -w`, and `$GOROOT/go.env`.
//!
//! ```text
//! # comment
//! GOPROXY=…
//! ```
//! A line is a name, `=` and a value, byte for byte: nothing is trimmed or unquoted, and what is no known name is passed over.
//! Precedence and files as in cmd/go 1.26 (`internal/cfg`): a variable that is set and not empty, then the file that GOENV
//! names (`off` for none; by default `go/env` in the user's configuration folder), then `go.env` of the Go installation.
//! Which installation would run is told by GOROOT, else by the first `go` of PATH, else by the places that installers use.
//! Every value is kept, also those that a stronger one hides: a shipped log stays a candidate for trust, since its data proves
//! itself. Who is asked is told by the values in force alone. Nothing is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::ToolSettings;
use crate::model::Line;
use crate::world::{Env, FileKind, ReadFs};

/// Largest settings file that is read.
const LARGEST: u64 = 1 << 20;
/// Where installers put Go.
const INSTALLED: [&str; 4] = [
    "/usr/local/go",
    "/usr/lib/go",
    "/usr/lib/golang",
    "/snap/go/current",
];
/// Variables that are looked at.
pub(super) const NAMES: [&str; 34] = [
    "AR",
    "CC",
    "CGO_CFLAGS",
    "CGO_CFLAGS_ALLOW",
    "CGO_CPPFLAGS",
    "CGO_CPPFLAGS_ALLOW",
    "CGO_CXXFLAGS",
    "CGO_CXXFLAGS_ALLOW",
    "CGO_FFLAGS",
    "CGO_FFLAGS_ALLOW",
    "CGO_LDFLAGS",
    "CGO_LDFLAGS_ALLOW",
    "CXX",
    "FC",
    "GCCGO",
    "GO111MODULE",
    "GOAUTH",
    "GOCACHE",
    "GOCACHEPROG",
    "GOFIPS140",
    "GOFLAGS",
    "GOINSECURE",
    "GOMODCACHE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOPATH",
    "GOPRIVATE",
    "GOPROXY",
    "GOROOT",
    "GOSUMDB",
    "GOTOOLCHAIN",
    "GOVCS",
    "GOWORK",
    "PKG_CONFIG",
];

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The environment.
    Environment,
    /// The user's file, and the line.
    User(PathBuf, Line),
    /// The installation's file, and the line.
    Shipped(PathBuf, Line),
}

/// A value and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) value: String,
    pub(super) source: Source,
}

/// Every value of every variable, the one in force first.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: BTreeMap<&'static str, Vec<Setting>>,
    /// The installation that would run, if there is one.
    pub(super) goroot: Option<PathBuf>,
    /// Files that were read.
    pub(super) read: Vec<PathBuf>,
    /// Files that could not be read, and why.
    pub(super) unreadable: Vec<(PathBuf, String)>,
}

impl Settings {
    /// Reads them.
    pub(super) fn load(env: &dyn Env, fs: &dyn ReadFs) -> Self {
        let mut settings = Self::default();
        for name in NAMES {
            if let Some(value) = text(env, name) {
                settings.add(name, value, Source::Environment);
            }
            if env.var(name).is_some_and(|value| value.to_str().is_none()) {
                let why = "the value is no UTF-8, which untaint cannot follow; change it";
                settings
                    .unreadable
                    .push((PathBuf::from(format!("env:{name}")), why.to_owned()));
            }
        }
        if let Some(file) = user_file(env) {
            settings.file(fs, &file, Source::User);
        }
        let named = settings.all("GOROOT").iter().map(|s| &s.value);
        let named: Vec<PathBuf> = named
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
            .collect();
        if let Some(root) = goroot(env, fs, &named) {
            settings.file(fs, &root.join("go.env"), Source::Shipped);
            settings.goroot = Some(root);
        }
        settings
    }

    fn add(&mut self, name: &'static str, value: String, source: Source) {
        let values = self.values.entry(name).or_default();
        values.push(Setting { value, source });
    }

    fn file(&mut self, fs: &dyn ReadFs, path: &Path, source: fn(PathBuf, Line) -> Source) {
        let bytes = match fs.read_named(path, LARGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return,
            Err(error) => {
                let why = format!("cannot be read: {}; make it readable", error.source);
                return self.unreadable.push((path.to_owned(), why));
            }
        };
        self.read.push(path.to_owned());
        let mut found: BTreeMap<&'static str, (String, Line)> = BTreeMap::new();
        for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            // Byte for byte, as Go does: blanks belong to names and values, the last line of a name counts, also an empty one.
            let mut halves = text.splitn(2, |byte| *byte == b'=');
            let (Some(key), Some(value)) = (halves.next(), halves.next()) else {
                continue;
            };
            let Some(name) = NAMES.iter().find(|name| name.as_bytes() == key) else {
                continue;
            };
            match std::str::from_utf8(value) {
                Ok(value) => {
                    found.insert(name, (value.to_owned(), line));
                }
                Err(_) => {
                    let why = format!(
                        "line {line}: the value of {name} is no UTF-8, which untaint cannot follow; change it"
                    );
                    self.unreadable.push((path.to_owned(), why));
                }
            }
        }
        for (name, (value, line)) in found {
            self.add(name, value, source(path.to_owned(), line));
        }
    }

    /// The value in force. An empty one in the user's file hides the installation's, and leaves Go's own default.
    pub(super) fn get(&self, name: &str) -> Option<&Setting> {
        self.all(name)
            .first()
            .filter(|setting| !setting.value.is_empty())
    }

    /// Every value, the one in force first; those of files may be empty.
    pub(super) fn all(&self, name: &str) -> &[Setting] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// GOPATH: the first of its folders.
    pub(super) fn gopath(&self, env: &dyn Env) -> Option<PathBuf> {
        let listed = self.get("GOPATH").map(|s| s.value.clone());
        let first = listed.and_then(|list| {
            list.split(':')
                .find(|p| !p.is_empty())
                .map(|p| PathBuf::from(p.to_owned()))
        });
        first
            .or_else(|| env.home().map(|home| home.join("go")))
            .filter(|path| path.is_absolute())
    }

    /// What the settings name, for trust to choose from.
    pub(super) fn named(&self, env: &dyn Env, fs: &dyn ReadFs) -> ToolSettings {
        let mut named = ToolSettings::default();
        for setting in self.all("GOSUMDB") {
            let name = setting.value.split_whitespace().next().unwrap_or_default();
            if name != "off" && !name.is_empty() {
                named.logs.push((name.to_owned(), setting.origin()));
            }
        }
        // A stronger value hides the others: what it does not name is told nothing.
        if let Some(setting) = self.get("GOPROXY") {
            for proxy in proxies(&setting.value) {
                named.proxies.push((proxy, setting.origin()));
            }
        }
        let off = |name: &'static str| {
            let setting = self.get(name)?;
            let mut words = setting.value.split([',', '|']).map(str::trim);
            let first = words.find(|word| !word.is_empty());
            (first == Some("off")).then(|| format!("{name}=off ({})", setting.origin()))
        };
        named.silent = off("GOSUMDB").or_else(|| off("GOPROXY"));
        for name in ["GOPRIVATE", "GONOSUMDB", "GONOPROXY"] {
            named
                .private
                .extend(self.get(name).map(|setting| setting.value.clone()));
        }
        let heads = self.gopath(env).map(|path| path.join("pkg/sumdb"));
        for (log, _) in &named.logs {
            let name = log.split('+').next().unwrap_or_default();
            // A log's name may hold slashes; a path that leads elsewhere is none.
            let strange = name.split('/').any(|part| matches!(part, "" | "." | ".."));
            let Some(file) = heads.as_ref().filter(|_| !strange) else {
                continue;
            };
            let file = file.join(name).join("latest");
            if let Ok(note) = fs.read_named(&file, LARGEST) {
                let place = file.display().to_string();
                named.heads.push((name.to_owned(), place, note));
            }
        }
        named
    }
}

impl Setting {
    /// Where it was set, for people.
    pub(super) fn origin(&self) -> String {
        match &self.source {
            Source::Environment => "environment".to_owned(),
            Source::User(file, line) | Source::Shipped(file, line) => {
                format!("settings:{}:{line}", file.display())
            }
        }
    }
}

/// The addresses of a GOPROXY list; a bare host is asked over https.
pub(super) fn proxies(list: &str) -> Vec<String> {
    list.split([',', '|'])
        .map(str::trim)
        .filter(|p| !matches!(*p, "" | "off" | "direct" | "noproxy"))
        .map(|p| {
            if p.contains("://") {
                p.to_owned()
            } else {
                format!("https://{p}")
            }
        })
        .collect()
}

fn text(env: &dyn Env, name: &str) -> Option<String> {
    let value = env.var(name)?;
    let value = value.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

/// The file that `go env -w` writes.
pub(super) fn user_file(env: &dyn Env) -> Option<PathBuf> {
    match text(env, "GOENV") {
        Some(value) if value == "off" => None,
        Some(value) => Some(PathBuf::from(value)),
        // A relative folder there is an error to Go, which then reads no file.
        None => text(env, "XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| env.home().map(|home| home.join(".config")))
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("go/env")),
    }
}

/// The installation whose settings count. Of those that are named the user's file comes before the environment, contrary to
/// every other variable.
fn goroot(env: &dyn Env, fs: &dyn ReadFs, named: &[PathBuf]) -> Option<PathBuf> {
    let named = named.iter().rev().find(|path| is_goroot(fs, path));
    named.cloned().or_else(|| on_path(env, fs)).or_else(|| {
        INSTALLED
            .iter()
            .map(PathBuf::from)
            .find(|path| is_goroot(fs, path))
    })
}

fn is_goroot(fs: &dyn ReadFs, path: &Path) -> bool {
    fs.stat_named(&path.join("go.env")).is_ok()
}

/// The installation of the `go` that a shell would start, whatever GOROOT says.
pub(super) fn on_path(env: &dyn Env, fs: &dyn ReadFs) -> Option<PathBuf> {
    let path = env.var("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .find_map(|folder| of_program(fs, &folder.join("go")).filter(|root| is_goroot(fs, root)))
}

/// The installation that a program belongs to, by where its links lead.
fn of_program(fs: &dyn ReadFs, program: &Path) -> Option<PathBuf> {
    let mut program = program.to_owned();
    for _ in 0..8 {
        let folder = fs.open_root(program.parent()?).ok()?;
        let name = program.file_name()?;
        let stat = folder.dir.stat_entry(name).ok()?;
        match stat.kind {
            FileKind::File => return folder.resolved.parent().map(Path::to_owned),
            FileKind::Link => {
                program = folder.resolved.join(folder.dir.read_link(name).ok()?);
            }
            FileKind::Dir | FileKind::Other => return None,
        }
    }
    None
}
