//! `Cargo.lock`, versions 1 to 4 (cargo 1.0 to 1.95).
//!
//! | version | marker | checksums |
//! |---|---|---|
//! | 1 | none | `[metadata]`: `"checksum NAME VERSION (SOURCE)" = "HEX"` or `"<none>"` |
//! | 2 | none | `checksum` in `[[package]]` |
//! | 3, 4 | `version = 3`, `4` | as 2; 4 percent-encodes source addresses |
//!
//! Syntax is read by the `toml` crate; meaning is ours. A package that cannot be understood is a problem with its line, and
//! the rest is read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::ecosystems::contract::{
    LockError, LockedDigest, LockedPackage, LockedSource, LockfileFormat, Manifests, ParseLimits,
    ParsedLock,
};
use crate::model::{Code, Digest, Finding, Line, Location, Place, Scheme};

/// The format.
pub(super) struct CargoLock;

impl LockfileFormat for CargoLock {
    fn matches(&self, file_name: &str) -> bool {
        file_name == "Cargo.lock"
    }

    fn manifests(&self) -> Option<&'static dyn Manifests> {
        Some(&super::workspace::CargoManifests)
    }

    fn manifest(&self) -> Option<&'static str> {
        Some("Cargo.toml")
    }

    fn kind(&self) -> &'static str {
        "cargo-lock"
    }

    fn parse(&self, bytes: &[u8], limits: &ParseLimits) -> Result<ParsedLock, LockError> {
        let broken = |line, message: String| LockError::Broken { line, message };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = count_lines(bytes.get(..error.valid_up_to()).unwrap_or_default());
            broken(
                Some(line),
                "is not UTF-8; let cargo write it anew: cargo generate-lockfile".into(),
            )
        })?;
        let lines = Lines::of(text);
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map(|span| lines.at(span.start));
            let first = error
                .message()
                .lines()
                .next()
                .unwrap_or("broken")
                .to_owned();
            broken(
                line,
                format!("is no TOML: {first}; restore it, or let cargo write it anew"),
            )
        })?;
        Reader {
            lines,
            limits,
            parsed: ParsedLock::default(),
        }
        .read(table.get_ref())
    }
}

/// Offsets of line ends, to turn a byte offset into a line.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(
            text.bytes()
                .enumerate()
                .filter(|(_, b)| *b == b'\n')
                .map(|(at, _)| at)
                .collect(),
        )
    }

    fn at(&self, offset: usize) -> Line {
        Line::try_from(self.0.partition_point(|end| *end < offset) + 1).unwrap_or(Line::MAX)
    }
}

fn count_lines(bytes: &[u8]) -> Line {
    Line::try_from(bytes.iter().filter(|b| **b == b'\n').count() + 1).unwrap_or(Line::MAX)
}

struct Reader<'a> {
    lines: Lines,
    limits: &'a ParseLimits,
    parsed: ParsedLock,
}

type Table<'i> = DeTable<'i>;

impl Reader<'_> {
    fn read(mut self, table: &Table<'_>) -> Result<ParsedLock, LockError> {
        let version = self.version(table)?;
        let mut dependencies: Vec<Vec<(String, Line)>> = Vec::new();
        let packages = match table.get("package") {
            None => &[][..],
            Some(value) => match value.get_ref() {
                DeValue::Array(packages) => packages.iter().as_slice(),
                _ => {
                    return Err(LockError::Broken {
                        line: Some(self.lines.at(value.span().start)),
                        message: "`package` is no list of packages; let cargo write it anew".into(),
                    });
                }
            },
        };
        if packages.len() > self.limits.packages {
            return Err(LockError::Broken {
                line: None,
                message: format!("holds more than {} packages", self.limits.packages),
            });
        }
        let root = table
            .get("root")
            .map(std::slice::from_ref)
            .unwrap_or_default();
        for package in root.iter().chain(packages) {
            self.package(package, &mut dependencies);
        }
        let mut from_metadata = BTreeMap::new();
        if let Some(DeValue::Table(metadata)) = table.get("metadata").map(Spanned::get_ref) {
            self.metadata(metadata, &mut from_metadata);
        }
        self.attach(&from_metadata);
        let version = version.unwrap_or(if from_metadata.is_empty() { 2 } else { 1 });
        self.parsed.format = format!("cargo-lock v{version}");
        self.connect(&dependencies);
        self.missing_hashes();
        Ok(self.parsed)
    }

    fn version(&self, table: &Table<'_>) -> Result<Option<u64>, LockError> {
        let Some(value) = table.get("version") else {
            return Ok(None);
        };
        let line = Some(self.lines.at(value.span().start));
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match number {
            Some(n @ 1..=4) => Ok(Some(n)),
            Some(n) => Err(LockError::UnknownVersion(format!(
                "is a lockfile of version {n}; untaint knows versions 1 to 4: update untaint, or let an older cargo write it"
            ))),
            None => Err(LockError::Broken {
                line,
                message: "`version` is no number; let cargo write it anew".into(),
            }),
        }
    }

    fn problem(&mut self, line: Line, message: impl Into<String>) {
        if self.parsed.problems.len() < 1000 {
            self.parsed.problems.push((Some(line), message.into()));
        }
    }

    fn package(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        dependencies: &mut Vec<Vec<(String, Line)>>,
    ) {
        let line = self.lines.at(value.span().start);
        let DeValue::Table(table) = value.get_ref() else {
            self.problem(line, "a package that is no table was left out");
            return;
        };
        let (Some(name), Some(version)) = (text(table, "name"), text(table, "version")) else {
            self.problem(line, "a package without name or version was left out");
            return;
        };
        if !plausible_name(name) || semver::Version::parse(version).is_err() {
            self.problem(
                line,
                "a package whose name or version cargo would refuse was left out",
            );
            return;
        }
        let source = match table.get("source") {
            None => LockedSource::Path,
            Some(source) => {
                let parsed = source.get_ref().as_str().and_then(parse_source);
                let Some(parsed) = parsed else {
                    let line = self.lines.at(source.span().start);
                    self.problem(
                        line,
                        format!("`{name}` has a source of a kind that untaint does not know"),
                    );
                    return;
                };
                parsed
            }
        };
        if let LockedSource::Git { commit, .. } = &source
            && commit.is_empty()
        {
            // Cargo resolves such a reference itself; what it will take, nobody can say.
            self.problem(
                line,
                format!(
                    "`{name}` names no full commit, so its checkout cannot be held against one"
                ),
            );
        }
        let mut digests = Vec::new();
        if let Some(checksum) = table.get("checksum") {
            let line = self.lines.at(checksum.span().start);
            match checksum
                .get_ref()
                .as_str()
                .map(|hex| Digest::from_hex(Scheme::Sha256, hex))
            {
                Some(Ok(digest)) => digests.push(LockedDigest { digest, line }),
                _ => self.problem(
                    line,
                    format!("the checksum of `{name}` is no SHA-256 in lower-case hex"),
                ),
            }
        }
        let file = match source {
            LockedSource::Registry(_) => format!("{name}-{version}.crate"),
            _ => String::new(),
        };
        let mut needs = Vec::new();
        if let Some(list) = table.get("dependencies") {
            match list.get_ref() {
                DeValue::Array(list) => {
                    for item in list.iter() {
                        let line = self.lines.at(item.span().start);
                        match item.get_ref().as_str() {
                            Some(text) => needs.push((text.to_owned(), line)),
                            None => self.problem(line, "a dependency that is no text was left out"),
                        }
                    }
                }
                _ => self.problem(line, format!("the dependencies of `{name}` are no list")),
            }
        }
        dependencies.push(needs);
        self.parsed.packages.push(LockedPackage {
            built: true,
            name: Arc::from(name),
            version: Arc::from(version),
            source,
            file: Arc::from(file),
            digests,
            line,
            depends_on: Vec::new(),
        });
    }

    /// Version 1: `"checksum NAME VERSION (SOURCE)" = "HEX"`.
    fn metadata(&mut self, table: &Table<'_>, found: &mut BTreeMap<String, Option<LockedDigest>>) {
        for (key, value) in table {
            let Some(what) = key.get_ref().strip_prefix("checksum ") else {
                continue;
            };
            let line = self.lines.at(value.span().start);
            match value.get_ref().as_str() {
                Some("<none>") => {
                    found.insert(what.to_owned(), None);
                }
                Some(hex) => match Digest::from_hex(Scheme::Sha256, hex) {
                    Ok(digest) => {
                        found.insert(what.to_owned(), Some(LockedDigest { digest, line }));
                    }
                    Err(_) => self.problem(
                        line,
                        "a checksum in [metadata] is no SHA-256 in lower-case hex",
                    ),
                },
                None => self.problem(line, "a checksum in [metadata] is no text"),
            }
        }
    }

    fn attach(&mut self, found: &BTreeMap<String, Option<LockedDigest>>) {
        if found.is_empty() {
            return;
        }
        for package in &mut self.parsed.packages {
            let LockedSource::Registry(source) = &package.source else {
                continue;
            };
            let key = format!("{} {} ({source})", package.name, package.version);
            if let Some(Some(digest)) = found.get(&key)
                && !package.digests.contains(digest)
            {
                package.digests.push(digest.clone());
            }
        }
    }

    /// Resolves `NAME`, `NAME VERSION` and `NAME VERSION (SOURCE)`.
    fn connect(&mut self, dependencies: &[Vec<(String, Line)>]) {
        // Only asked by name, so its order shows nowhere.
        let mut by_name: HashMap<Arc<str>, Vec<u32>> = HashMap::new();
        for (at, package) in self.parsed.packages.iter().enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            by_name
                .entry(Arc::clone(&package.name))
                .or_default()
                .push(at);
        }
        let mut resolved: Vec<Vec<u32>> = Vec::new();
        let mut lost: Vec<(Line, String)> = Vec::new();
        for needs in dependencies {
            let mut of_one = Vec::new();
            for (text, line) in needs {
                let mut parts = text.splitn(3, ' ');
                let name = parts.next().unwrap_or_default();
                let version = parts.next();
                let source = parts
                    .next()
                    .and_then(|s| s.strip_prefix('(')?.strip_suffix(')'));
                let candidates = by_name.get(name).map_or(&[][..], Vec::as_slice);
                let fitting: Vec<u32> = candidates
                    .iter()
                    .copied()
                    .filter(|at| self.fits(*at, version, source))
                    .collect();
                match fitting.as_slice() {
                    [one] => of_one.push(*one),
                    [] => lost.push((
                        *line,
                        format!("the dependency `{text}` is not in the lockfile"),
                    )),
                    [first, ..] => of_one.push(*first),
                }
            }
            of_one.sort_unstable();
            of_one.dedup();
            resolved.push(of_one);
        }
        for (package, needs) in self.parsed.packages.iter_mut().zip(resolved) {
            package.depends_on = needs;
        }
        for (line, message) in lost {
            self.problem(line, message);
        }
    }

    fn fits(&self, at: u32, version: Option<&str>, source: Option<&str>) -> bool {
        let package = usize::try_from(at)
            .ok()
            .and_then(|at| self.parsed.packages.get(at));
        let Some(package) = package else { return false };
        version.is_none_or(|v| *v == *package.version)
            && source.is_none_or(|s| match &package.source {
                LockedSource::Registry(address) => **address == *s,
                LockedSource::Git { url, .. } => s
                    .strip_prefix("git+")
                    .is_some_and(|rest| rest.starts_with(&**url)),
                LockedSource::Path | LockedSource::Default => false,
            })
    }

    fn missing_hashes(&mut self) {
        for package in &self.parsed.packages {
            let is_registry = matches!(package.source, LockedSource::Registry(_));
            if !is_registry || !package.digests.is_empty() {
                continue;
            }
            let mut finding = Finding::new(
                Code::LockfileHashMissing,
                Place::Lockfile,
                format!(
                    "the lockfile records no checksum for {}@{}",
                    package.name, package.version
                ),
            );
            finding.package = Some(Arc::clone(&package.name));
            finding.version = Some(Arc::clone(&package.version));
            finding.artifact = Some(Arc::clone(&package.file));
            finding.location = Some(Location {
                file: String::new(),
                line: Some(package.line),
            });
            finding.remedy = Some("cargo generate-lockfile".into());
            self.parsed.findings.push(finding);
        }
    }
}

fn text<'t>(table: &'t Table<'_>, key: &str) -> Option<&'t str> {
    table.get(key)?.get_ref().as_str()
}

/// Whether cargo would take it for a package name: letters, digits, `-`, `_`, at most 255 bytes, other alphabets allowed.
fn plausible_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// Reads a source string. The kinds are those of cargo 1.95.
fn parse_source(text: &str) -> Option<LockedSource> {
    if text.len() > 4096 {
        return None;
    }
    if text.starts_with("registry+") || text.starts_with("sparse+") {
        return Some(LockedSource::Registry(Arc::from(text)));
    }
    if text.starts_with("path+") {
        return Some(LockedSource::Path);
    }
    let rest = text.strip_prefix("git+")?;
    let (address, commit) = rest.rsplit_once('#').unwrap_or((rest, ""));
    let address = address
        .split_once('?')
        .map_or(address, |(address, _)| address);
    // Cargo compares commits without regard to case.
    let commit = commit.to_ascii_lowercase();
    let hex = commit.bytes().all(|b| b.is_ascii_hexdigit());
    let commit = if hex && matches!(commit.len(), 40 | 64) {
        commit
    } else {
        String::new()
    };
    Some(LockedSource::Git {
        url: Arc::from(without_credentials(address)),
        commit: Arc::from(commit.as_str()),
    })
}

/// Leaves out `user:password@` of an address.
pub(super) fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}/{path}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
#[path = "lockfile_tests.rs"]
mod tests;
