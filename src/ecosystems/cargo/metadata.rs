//! Output of `cargo metadata` (format 1, read by the crate of that name): which packages a build uses, and for what.
//!
//! The user names the file; untaint itself runs no cargo. Every way from a workspace member counts: along normal edges a
//! package is part of what is built, behind a build edge it is for building, behind a member's dev edge for development.
//! What the resolved graph does not hold is unused. Ids are opaque and only ever compared.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, PackageId};

use crate::ecosystems::uses::{PackageUse, SourceKind, UseMap};
use crate::model::report::Scope;

const HOW: &str = "make it with `cargo metadata --format-version 1 --locked`";

/// Reads it.
///
/// # Errors
/// What is wrong with it, and how to make a good one.
pub(super) fn uses(bytes: &[u8]) -> Result<UseMap, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("not UTF-8: {HOW}"))?;
    // The reader is not ours; what it makes of hostile text must not end the run.
    let read = catch_unwind(|| MetadataCommand::parse(text));
    let metadata = match read {
        Ok(Ok(metadata)) => metadata,
        Ok(Err(error)) => {
            return Err(format!(
                "not the output of `cargo metadata` ({error}): {HOW}"
            ));
        }
        Err(_) => {
            return Err(format!(
                "the output of `cargo metadata` cannot be read: {HOW}"
            ));
        }
    };
    let Some(resolve) = &metadata.resolve else {
        return Err(format!(
            "made with --no-deps, so it says nothing of dependencies: {HOW}"
        ));
    };
    let nodes: BTreeMap<&PackageId, &Node> = resolve.nodes.iter().map(|n| (&n.id, n)).collect();
    let scopes = scopes(&metadata, &nodes);
    let mut map = UseMap::default();
    for package in &metadata.packages {
        let used = PackageUse {
            name: package.name.to_string(),
            version: package.version.to_string(),
            source: match &package.source {
                None => SourceKind::Path,
                Some(source) if source.repr.starts_with("git+") => SourceKind::Git,
                Some(_) => SourceKind::Registry,
            },
        };
        if nodes.contains_key(&package.id) {
            // Reached by no edge that we know, but in the graph: part of the build until shown otherwise.
            let scope = scopes.get(&package.id).copied().unwrap_or(Scope::Required);
            map.put(used, scope);
        }
    }
    if map.is_empty() {
        return Err(format!("it resolves no package: {HOW}"));
    }
    Ok(map)
}

fn scopes<'a>(
    metadata: &'a Metadata,
    nodes: &BTreeMap<&'a PackageId, &'a Node>,
) -> BTreeMap<&'a PackageId, Scope> {
    let members: BTreeSet<&PackageId> = metadata.workspace_members.iter().collect();
    let mut scopes: BTreeMap<&PackageId, Scope> = BTreeMap::new();
    let mut starts: Vec<&PackageId> = members.iter().copied().collect();
    for scope in [Scope::Required, Scope::Build, Scope::Dev] {
        let mut queue = std::mem::take(&mut starts);
        while let Some(id) = queue.pop() {
            let Some(node) = nodes.get(id) else { continue };
            if scopes.contains_key(&node.id) {
                continue;
            }
            scopes.insert(&node.id, scope);
            let below = node.deps.iter().filter(|dep| leads(dep, scope));
            queue.extend(below.map(|dep| &dep.pkg));
        }
        // What the next round starts from: behind build edges of all that is built, then behind dev edges of members.
        starts = match scope {
            Scope::Required => behind(nodes, scopes.keys().copied(), DependencyKind::Build),
            _ => behind(nodes, members.iter().copied(), DependencyKind::Development),
        };
    }
    scopes
}

/// Whether an edge is followed in a round: normal ones always, build edges once the round is about building or tests.
fn leads(dep: &cargo_metadata::NodeDep, scope: Scope) -> bool {
    // Old versions name no kinds.
    dep.dep_kinds.is_empty()
        || dep.dep_kinds.iter().any(|kind| match kind.kind {
            DependencyKind::Build => scope != Scope::Required,
            DependencyKind::Development => false,
            _ => true,
        })
}

fn behind<'a>(
    nodes: &BTreeMap<&'a PackageId, &'a Node>,
    from: impl Iterator<Item = &'a PackageId>,
    kind: DependencyKind,
) -> Vec<&'a PackageId> {
    from.filter_map(|id| nodes.get(id))
        .flat_map(|node| &node.deps)
        .filter(|dep| dep.dep_kinds.iter().any(|k| k.kind == kind))
        .map(|dep| &dep.pkg)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn package(name: &str, source: Option<&str>) -> Value {
        json!({"name": name, "version": "1.0.0", "id": format!("id {name}"), "source": source,
               "dependencies": [], "targets": [], "features": {}, "manifest_path": "/x/Cargo.toml"})
    }

    fn node(name: &str, deps: &[(&str, Option<&str>)]) -> Value {
        let deps: Vec<Value> = deps
            .iter()
            .map(|(to, kind)| {
                json!({"name": to, "pkg": format!("id {to}"),
                       "dep_kinds": [{"kind": kind, "target": null}]})
            })
            .collect();
        json!({"id": format!("id {name}"), "deps": deps, "dependencies": [], "features": []})
    }

    fn sample() -> Value {
        let index = Some("registry+https://registry.example/index");
        json!({
            "packages": [
                package("app", None), package("lib", index), package("cc", index),
                package("cc-below", index), package("tester", index), package("shared", index),
                package("off", index), package("forked", Some("git+https://registry.example/x?rev=1#1")),
            ],
            "workspace_members": ["id app"],
            "resolve": {"root": "id app", "nodes": [
                node("app", &[("lib", None), ("cc", Some("build")), ("tester", Some("dev")), ("forked", None)]),
                node("lib", &[("shared", None)]),
                node("cc", &[("cc-below", None), ("shared", None)]),
                node("cc-below", &[]), node("tester", &[("shared", None)]), node("shared", &[]),
                node("forked", &[]),
            ]},
            "target_directory": "/x/target", "version": 1, "workspace_root": "/x", "metadata": null,
        })
    }

    #[test]
    fn every_package_is_told_what_it_is_for() {
        let map = uses(sample().to_string().as_bytes()).unwrap();
        let of = |name: &str, source| map.scope(name, "1.0.0", source);
        let registry = SourceKind::Registry;
        assert_eq!(of("app", SourceKind::Path), Some(Scope::Required));
        assert_eq!(of("lib", registry), Some(Scope::Required));
        assert_eq!(of("shared", registry), Some(Scope::Required));
        assert_eq!(of("forked", SourceKind::Git), Some(Scope::Required));
        assert_eq!(of("cc", registry), Some(Scope::Build));
        assert_eq!(of("cc-below", registry), Some(Scope::Build));
        assert_eq!(of("tester", registry), Some(Scope::Dev));
        assert_eq!(of("off", registry), None);
        assert_eq!(of("lib", SourceKind::Path), None);
    }

    #[test]
    fn what_is_no_metadata_is_said() {
        let mut bare = sample();
        bare["resolve"] = Value::Null;
        let mut empty = sample();
        empty["resolve"]["nodes"] = json!([]);
        let deep = "[".repeat(100_000);
        for text in [
            bare.to_string(),
            empty.to_string(),
            deep,
            String::new(),
            "{}".into(),
        ] {
            let error = uses(text.as_bytes()).unwrap_err();
            assert!(error.contains("cargo metadata"), "{error}");
        }
        assert!(uses(b"\xff").is_err());
    }
}
