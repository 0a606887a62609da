//! The packages of a `Cargo.lock` by name, version and source, for the question whether a manifest's dependency is met by one
//! (cargo 1.95, `core/resolver/encode.rs`, `util/canonical_url.rs`). Versions 1 to 4; what it records of hashes is read
//! elsewhere.

use semver::{Version, VersionReq};
use toml::{Table, Value};
use url::Url;

use super::manifest::Wants;

/// Most packages that are read.
const MOST: usize = 500_000;

/// Where a locked package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    Path,
    Default,
    Registry,
    Git {
        url: String,
        reference: Option<(String, String)>,
    },
    Other,
}

/// A locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    name: String,
    version: String,
    from: From,
}

/// What a lockfile names.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Sorted by name.
    packages: Vec<Row>,
    /// `[[patch.unused]]`.
    unused: Vec<Row>,
    /// Whether references of git packages are written as cargo compares them: from version 3 on.
    exact: bool,
}

impl Rows {
    /// Reads them; `None` where nothing can be read, which whoever reads the lockfile tells.
    pub(super) fn read(lock: &[u8]) -> Option<Self> {
        let table = std::str::from_utf8(lock).ok()?.parse::<Table>().ok()?;
        let list = |value: Option<&Value>| -> Vec<Row> {
            let list = value.and_then(Value::as_array).into_iter().flatten();
            list.take(MOST).filter_map(row).collect()
        };
        let mut packages = list(table.get("package"));
        packages.extend(table.get("root").and_then(row));
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Self {
            packages,
            unused: list(table.get("patch").and_then(|patch| patch.get("unused"))),
            exact: table.get("version").and_then(Value::as_integer) >= Some(3),
        })
    }

    /// Whether a package of this name, source and version is there.
    pub(super) fn meet(&self, name: &str, wants: &Wants, requirement: Option<&str>) -> bool {
        let from = self.packages.partition_point(|row| *row.name < *name);
        let named = self.packages.iter().skip(from);
        named
            .take_while(|row| row.name == name)
            .any(|row| self.fits(row, wants, requirement))
    }

    /// Whether a patch is recorded, as used or as unused.
    pub(super) fn record(&self, name: &str, wants: &Wants) -> bool {
        let mut unused = self.unused.iter().filter(|row| row.name == name);
        self.meet(name, wants, None) || unused.any(|row| self.fits(row, wants, None))
    }

    fn fits(&self, row: &Row, wants: &Wants, requirement: Option<&str>) -> bool {
        let comes_from_there = match (wants, &row.from) {
            (Wants::Default, From::Default)
            | (Wants::Registry, From::Registry | From::Default)
            | (Wants::Path(_), From::Path)
            | (Wants::Other, _) => true,
            (
                Wants::Git { url, reference },
                From::Git {
                    url: of,
                    reference: at,
                },
            ) => {
                let same = match (reference, at) {
                    (None, None) => true,
                    (Some((kind, value)), Some((of, at))) => *kind == *of && value == at,
                    _ => false,
                };
                canonical(url) == *of && (same || !self.exact)
            }
            _ => false,
        };
        comes_from_there && fits(&row.version, requirement)
    }
}

/// Whether a version fits a requirement. At one that cargo would refuse, cargo stops.
fn fits(version: &str, requirement: Option<&str>) -> bool {
    let Some(requirement) = requirement else {
        return true;
    };
    match (Version::parse(version), VersionReq::parse(requirement)) {
        (Ok(version), Ok(requirement)) => requirement.matches(&version),
        _ => true,
    }
}

fn row(value: &Value) -> Option<Row> {
    let text = |key: &str| value.get(key)?.as_str();
    Some(Row {
        name: text("name")?.to_owned(),
        version: text("version")?.to_owned(),
        from: text("source").map_or(From::Path, source),
    })
}

fn source(text: &str) -> From {
    if let Some(address) = text.strip_prefix("registry+") {
        return if is_default(address) {
            From::Default
        } else {
            From::Registry
        };
    }
    if text.starts_with("sparse+") {
        return if is_default(text) {
            From::Default
        } else {
            From::Registry
        };
    }
    if text.starts_with("path+") {
        return From::Path;
    }
    let Some(rest) = text.strip_prefix("git+") else {
        return From::Other;
    };
    let address = rest.rsplit_once('#').map_or(rest, |(address, _)| address);
    let reference = Url::parse(address).ok().and_then(|url| {
        let known = |key: &str| matches!(key, "branch" | "tag" | "rev");
        let mut pairs = url.query_pairs();
        pairs.find_map(|(key, value)| known(&key).then(|| (key.into_owned(), value.into_owned())))
    });
    From::Git {
        url: canonical(address),
        reference,
    }
}

/// Whether an address is the default registry's, in its sparse or its git form.
pub(super) fn is_default(address: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    [
        tame_index::CRATES_IO_HTTP_INDEX,
        tame_index::CRATES_IO_INDEX,
    ]
    .into_iter()
    .any(|known| bare(known.strip_prefix("registry+").unwrap_or(known)) == bare(address))
}

/// An address as cargo compares those of repositories.
pub(super) fn canonical(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return address.to_owned();
    };
    url.set_query(None);
    url.set_fragment(None);
    let mut path = url.path().to_owned();
    if path.len() > 1 && path.ends_with('/') {
        path.pop();
    }
    let folds = folding_host();
    if folds.is_some() && url.host_str() == folds.as_deref() {
        path = path.to_lowercase();
        // Fails for no address with a host.
        let _ = url.set_scheme("https");
    }
    if let Some(bare) = path.strip_suffix(".git") {
        path = bare.to_owned();
    }
    url.set_path(&path);
    url.to_string()
}

/// The one host whose addresses cargo compares without regard to case and scheme: where the default registry's git index lies.
fn folding_host() -> Option<String> {
    let url = Url::parse(tame_index::CRATES_IO_INDEX).ok()?;
    url.host_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Rows {
        Rows::read(text.as_bytes()).unwrap()
    }

    fn package(name: &str, version: &str, source: &str) -> String {
        let source = if source.is_empty() {
            String::new()
        } else {
            format!("source = \"{source}\"\n")
        };
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\n")
    }

    #[test]
    fn name_version_and_source_must_fit() {
        let default = tame_index::CRATES_IO_INDEX;
        let text = format!(
            "version = 4\n{}{}{}",
            package("a", "1.2.3", &format!("registry+{default}")),
            package("b", "0.1.0", ""),
            package("c", "1.0.0", "sparse+https://r.example/index/")
        );
        let rows = rows(&text);
        let path = Wants::Path("x".into());
        assert!(rows.meet("a", &Wants::Default, Some("1")));
        assert!(!rows.meet("a", &Wants::Default, Some("2")));
        assert!(!rows.meet("a", &path, None));
        assert!(rows.meet("b", &path, Some("0.1")));
        assert!(!rows.meet("b", &Wants::Default, Some("0.1")));
        assert!(rows.meet("c", &Wants::Registry, Some("=1.0.0")));
        assert!(!rows.meet("c", &Wants::Default, None));
        assert!(!rows.meet("d", &Wants::Other, None));
    }

    #[test]
    fn repositories_are_compared_as_cargo_compares_them() {
        let git = |url: &str, reference| Wants::Git {
            url: url.into(),
            reference,
        };
        let text = format!(
            "version = 4\n{}{}",
            package("a", "1.0.0", "git+https://h.example/x/Dep.git#0123"),
            package("b", "1.0.0", "git+https://h.example/b?branch=a%2Fb#0123")
        );
        let rows = rows(&text);
        for url in ["https://h.example/x/Dep", "https://h.example/x/Dep.git/"] {
            assert!(rows.meet("a", &git(url, None), None), "{url}");
        }
        assert!(!rows.meet("a", &git("https://h.example/x/dep", None), None));
        let branch = |name: &str| Some(("branch", name.to_owned()));
        assert!(!rows.meet("a", &git("https://h.example/x/Dep", branch("x")), None));
        assert!(rows.meet("b", &git("https://h.example/b", branch("a/b")), None));
        assert!(!rows.meet("b", &git("https://h.example/b", None), None));
        let host = folding_host().unwrap();
        let upper = format!("https://{host}/A/B.git");
        assert_eq!(canonical(&upper), format!("https://{host}/a/b"));
        assert_eq!(canonical("file:///a/dep/."), canonical("file:///a/dep"));
    }

    #[test]
    fn unused_patches_are_recorded() {
        let text = "version = 4\n[[patch.unused]]\nname = \"p\"\nversion = \"1.0.0\"\n";
        let rows = rows(text);
        let path = Wants::Path("p".into());
        assert!(rows.record("p", &path) && !rows.meet("p", &path, None));
        assert!(!rows.record("q", &path));
        assert!(Rows::read(b"\xff").is_none() && Rows::read(b"[").is_none());
    }
}
