//! `Cargo.toml`: which folders it names as first-party code (cargo 1.95).
//!
//! `path` of dependencies in every table that holds some (also per target and of a workspace), and of `[patch]` and
//! `[replace]`. A manifest that cannot be read names nothing: cargo itself would stop at it.

use toml::{Table, Value};

use crate::ecosystems::contract::FirstParty;

/// Most paths of one manifest.
const MOST: usize = 10_000;

/// The package's name, and the paths of its path dependencies.
pub(super) fn read(manifest: &[u8]) -> FirstParty {
    let Some(table) = std::str::from_utf8(manifest)
        .ok()
        .and_then(|text| text.parse::<Table>().ok())
    else {
        return FirstParty::default();
    };
    let name = table
        .get("package")
        .or_else(|| table.get("project"))
        .and_then(|package| package.get("name")?.as_str().map(str::to_owned));
    let mut found = Vec::new();
    dependencies(&table, &mut found);
    if let Some(workspace) = table.get("workspace").and_then(Value::as_table) {
        dependencies(workspace, &mut found);
    }
    for target in tables(table.get("target")) {
        dependencies(target, &mut found);
    }
    for registry in tables(table.get("patch")) {
        of_table(registry, &mut found);
    }
    if let Some(replace) = table.get("replace").and_then(Value::as_table) {
        of_table(replace, &mut found);
    }
    found.truncate(MOST);
    found.sort();
    found.dedup();
    FirstParty {
        name,
        paths: found,
        stand_ins: Vec::new(),
    }
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    value
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(|table| table.values().filter_map(Value::as_table))
}

fn dependencies(table: &Table, found: &mut Vec<String>) {
    for key in [
        "dependencies",
        "dev-dependencies",
        "dev_dependencies",
        "build-dependencies",
        "build_dependencies",
    ] {
        if let Some(list) = table.get(key).and_then(Value::as_table) {
            of_table(list, found);
        }
    }
}

fn of_table(list: &Table, found: &mut Vec<String>) {
    let path = |value: &Value| value.as_table()?.get("path")?.as_str().map(str::to_owned);
    found.extend(list.values().filter_map(path));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_table_are_found() {
        let text = r#"
[dependencies]
a = { path = "../a" }
b = "1"
[target.'cfg(unix)'.dev-dependencies]
c = { path = "c" }
[workspace.dependencies]
d = { path = "/d" }
[patch.crates-io]
e = { path = "../../e" }
"#;
        assert_eq!(read(text.as_bytes()).paths, ["../../e", "../a", "/d", "c"]);
    }

    #[test]
    fn what_cannot_be_read_names_nothing() {
        assert!(read(b"[dependencies").paths.is_empty());
        assert!(read(b"\xff").paths.is_empty());
        assert!(
            read(format!("a = {}1{}", "[".repeat(9999), "]".repeat(9999)).as_bytes())
                .paths
                .is_empty()
        );
    }
}
