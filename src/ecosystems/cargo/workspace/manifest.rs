//! `Cargo.toml` (cargo 1.95, `cargo-util-schemas/src/manifest`, `util/toml`): the package, its workspace, and every dependency
//! with where it comes from. Reads text; opens nothing.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// Most dependencies of one manifest.
const MOST: usize = 20_000;

/// Where a dependency comes from, as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wants {
    /// The default registry.
    Default,
    /// Another registry.
    Registry,
    /// A git repository: address and reference (`branch`, `tag` or `rev` with its value).
    Git {
        url: String,
        reference: Option<(&'static str, String)>,
    },
    /// A folder, relative to the manifest's.
    Path(String),
    /// Something that we do not model.
    Other,
}

/// When a dependency counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With the package.
    Build,
    /// With its tests, and so only for members of the workspace.
    Dev,
}

/// A dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// Its key in the table.
    pub(super) key: String,
    /// Name of the package.
    pub(super) name: String,
    pub(super) wants: Wants,
    /// Requirement on the version.
    pub(super) requirement: Option<String>,
    pub(super) kind: Kind,
    pub(super) optional: bool,
    /// Whether it is the workspace's of the same key.
    pub(super) inherited: bool,
}

/// `[workspace]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Workspace {
    pub(super) members: Vec<String>,
    pub(super) exclude: Vec<String>,
    /// `[workspace.dependencies]` by key.
    pub(super) dependencies: BTreeMap<String, Dependency>,
    /// `version` of `[workspace.package]`.
    pub(super) version: Option<String>,
}

/// `[package]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    /// `None` where the workspace says it.
    pub(super) version: Option<String>,
    /// Where it says that its workspace is.
    pub(super) workspace: Option<String>,
}

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) package: Option<Package>,
    pub(super) workspace: Option<Workspace>,
    pub(super) dependencies: Vec<Dependency>,
    /// `[patch]`: what it stands in for, and with what.
    pub(super) patches: Vec<(String, Dependency)>,
    /// `[replace]`.
    pub(super) replacements: Vec<Dependency>,
}

/// Reads a manifest.
///
/// # Errors
/// A fragment of a sentence where it is no TOML.
pub(super) fn read(bytes: &[u8]) -> Result<Manifest, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is no text".to_owned())?;
    let table = text.parse::<Table>().map_err(|error| {
        let first = error.message().lines().next().unwrap_or("broken");
        format!("is no TOML: {first}")
    })?;
    let mut manifest = Manifest {
        package: table
            .get("package")
            .or_else(|| table.get("project"))
            .and_then(Value::as_table)
            .and_then(package),
        workspace: table
            .get("workspace")
            .and_then(Value::as_table)
            .map(workspace),
        patches: patches(&table),
        ..Manifest::default()
    };
    every_kind(&table, &mut manifest.dependencies);
    for target in tables(table.get("target")) {
        every_kind(target, &mut manifest.dependencies);
    }
    if let Some(replace) = table.get("replace").and_then(Value::as_table) {
        manifest.replacements = of_table(replace, Kind::Build);
    }
    manifest.dependencies.truncate(MOST);
    Ok(manifest)
}

/// The `[patch]` tables of a manifest or of settings.
pub(super) fn patches(table: &Table) -> Vec<(String, Dependency)> {
    let all = table.get("patch").and_then(Value::as_table);
    let all = all.into_iter().flatten();
    all.filter_map(|(of, list)| Some((of, list.as_table()?)))
        .flat_map(|(of, list)| {
            let list = of_table(list, Kind::Build);
            list.into_iter().map(move |one| (of.clone(), one))
        })
        .take(MOST)
        .collect()
}

fn package(table: &Table) -> Option<Package> {
    let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let inherits = table.get("version").is_some_and(Value::is_table);
    Some(Package {
        name: text("name")?,
        version: (!inherits).then(|| text("version").unwrap_or_else(|| "0.0.0".to_owned())),
        workspace: text("workspace"),
    })
}

fn workspace(table: &Table) -> Workspace {
    let words = |key: &str| {
        let list = table.get(key).and_then(Value::as_array);
        let words = list.into_iter().flatten().filter_map(Value::as_str);
        words.take(MOST).map(str::to_owned).collect()
    };
    let mut dependencies = BTreeMap::new();
    if let Some(list) = table.get("dependencies").and_then(Value::as_table) {
        for one in of_table(list, Kind::Build) {
            dependencies.insert(one.key.clone(), one);
        }
    }
    let version = table.get("package").and_then(|package| {
        let version = package.get("version")?.as_str()?;
        Some(version.to_owned())
    });
    Workspace {
        members: words("members"),
        exclude: words("exclude"),
        dependencies,
        version,
    }
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    value
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(|table| table.values().filter_map(Value::as_table))
}

fn every_kind(table: &Table, found: &mut Vec<Dependency>) {
    for (key, kind) in [
        ("dependencies", Kind::Build),
        ("build-dependencies", Kind::Build),
        ("build_dependencies", Kind::Build),
        ("dev-dependencies", Kind::Dev),
        ("dev_dependencies", Kind::Dev),
    ] {
        if let Some(list) = table.get(key).and_then(Value::as_table) {
            found.extend(of_table(list, kind));
        }
    }
}

fn of_table(list: &Table, kind: Kind) -> Vec<Dependency> {
    list.iter()
        .take(MOST)
        .filter_map(|(key, value)| dependency(key, value, kind))
        .collect()
}

fn dependency(key: &str, value: &Value, kind: Kind) -> Option<Dependency> {
    // A key of `[replace]` may carry a version: `name:1.0.0`.
    let plain = key.split([':', '@']).next().unwrap_or(key).to_owned();
    let mut found = Dependency {
        key: key.to_owned(),
        name: plain,
        wants: Wants::Default,
        requirement: None,
        kind,
        optional: false,
        inherited: false,
    };
    let table = match value {
        Value::String(requirement) => {
            found.requirement = Some(requirement.clone());
            return Some(found);
        }
        Value::Table(table) => table,
        _ => return None,
    };
    let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let flag = |key: &str| table.get(key).and_then(Value::as_bool).unwrap_or(false);
    found.inherited = flag("workspace");
    found.optional = flag("optional");
    found.requirement = text("version");
    if let Some(name) = text("package") {
        found.name = name;
    }
    found.wants = if table.contains_key("base") {
        Wants::Other
    } else if let Some(path) = text("path") {
        Wants::Path(path)
    } else if let Some(url) = text("git") {
        let references = ["branch", "tag", "rev"];
        let reference = references
            .into_iter()
            .find_map(|key| Some((key, text(key)?)));
        Wants::Git { url, reference }
    } else if table.contains_key("registry-index") {
        Wants::Registry
    } else {
        match text("registry").as_deref() {
            None | Some("crates-io") => Wants::Default,
            Some(_) => Wants::Registry,
        }
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dependencies_of_every_table_are_found_with_their_sources() {
        let text = r#"
[package]
name = "app"
version.workspace = true
[dependencies]
a = { path = "../a", version = "2" }
b = "1"
c = { package = "real-c", git = "https://h.example/c", tag = "v1" }
d = { workspace = true, optional = true }
[build-dependencies]
e = { version = "1", registry = "corp" }
[target.'cfg(unix)'.dev-dependencies]
f = { version = "1", registry = "crates-io" }
[patch.crates-io]
g = { path = "g" }
[replace]
"h:1.0.0" = { path = "h" }
[workspace]
members = ["x/*"]
exclude = ["y"]
package.version = "3.0.0"
dependencies.d = "4"
"#;
        let read = read(text.as_bytes()).unwrap();
        let named: Vec<(&str, &Wants)> = read
            .dependencies
            .iter()
            .map(|one| (one.name.as_str(), &one.wants))
            .collect();
        let git = Wants::Git {
            url: "https://h.example/c".into(),
            reference: Some(("tag", "v1".into())),
        };
        assert_eq!(
            named,
            [
                ("a", &Wants::Path("../a".into())),
                ("b", &Wants::Default),
                ("real-c", &git),
                ("d", &Wants::Default),
                ("e", &Wants::Registry),
                ("f", &Wants::Default),
            ]
        );
        assert!(read.dependencies[3].inherited && read.dependencies[3].optional);
        assert_eq!(read.dependencies[5].kind, Kind::Dev);
        assert_eq!(read.package.unwrap().version, None);
        assert_eq!(read.patches[0].0, "crates-io");
        assert_eq!(read.replacements[0].name, "h");
        let workspace = read.workspace.unwrap();
        assert_eq!(workspace.version.as_deref(), Some("3.0.0"));
        assert_eq!(
            workspace.dependencies["d"].requirement.as_deref(),
            Some("4")
        );
    }

    proptest! {
        #[test]
        fn no_manifest_makes_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            text in "(\\[(package|workspace|patch|dependencies|target|replace|a)\\]|\\.|name|version|path|members| = |\"|\\{|\\}|\\[|\\]|[a-z]|\n){0,60}",
        ) {
            let _ = read(&bytes);
            let _ = read(text.as_bytes());
            let _ = super::super::rows::Rows::read(text.as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(read(b"[dependencies").is_err());
        assert!(read(b"\xff").is_err());
        let deep = format!("a = {}1{}", "[".repeat(9999), "]".repeat(9999));
        assert!(read(deep.as_bytes()).is_err());
        assert_eq!(
            read(b"dependencies = 3\npatch = []"),
            Ok(Manifest::default())
        );
    }
}
