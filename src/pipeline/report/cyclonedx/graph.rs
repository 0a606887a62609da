//! Names of the components within the document, what depends on what, and how complete that is.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::report::{Component, Report};
use crate::model::{Effect, Origin};

/// The dependency graph with a name for every component.
pub(super) struct Graph {
    /// Name of each component, in the report's order; no two alike.
    pub(super) refs: Vec<String>,
    /// The component that the document is about, if it is exactly one.
    pub(super) main: Option<usize>,
    /// Name of what the document is about.
    pub(super) main_ref: String,
    edges: BTreeMap<String, BTreeSet<String>>,
    /// Whether every dependency named is there.
    whole: bool,
    has_roots: bool,
}

#[derive(Serialize)]
pub(super) struct Dependency<'a> {
    #[serde(rename = "ref")]
    name: &'a str,
    #[serde(rename = "dependsOn")]
    depends_on: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Composition<'a> {
    aggregate: &'static str,
    assemblies: [&'a str; 1],
    dependencies: Vec<&'a str>,
}

impl Graph {
    pub(super) fn new(report: &Report) -> Self {
        let refs = names(&report.components);
        let roots: Vec<usize> = report
            .components
            .iter()
            .enumerate()
            .filter_map(|(at, c)| c.is_root.then_some(at))
            .collect();
        let (mut edges, mut whole) = (BTreeMap::new(), true);
        for (component, name) in report.components.iter().zip(&refs) {
            let mut targets = BTreeSet::new();
            for at in &component.depends_on {
                match refs.get(*at) {
                    Some(target) => {
                        targets.insert(target.clone());
                    }
                    None => whole = false,
                }
            }
            edges.insert(name.clone(), targets);
        }
        let name_of = |at: &usize| refs.get(*at).cloned();
        let (main, main_ref) = match roots.as_slice() {
            [one] => (Some(*one), name_of(one).unwrap_or_default()),
            several => {
                let name = "untaint:inventory".to_owned();
                edges.insert(name.clone(), several.iter().filter_map(name_of).collect());
                (None, name)
            }
        };
        Self {
            main,
            main_ref,
            edges,
            whole,
            has_roots: !roots.is_empty(),
            refs,
        }
    }

    /// Every component with what it needs, leaves with an empty list.
    pub(super) fn dependencies(&self) -> Vec<Dependency<'_>> {
        self.edges
            .iter()
            .map(|(name, targets)| Dependency {
                name,
                depends_on: targets.iter().map(String::as_str).collect(),
            })
            .collect()
    }

    /// Complete only where everything that was meant to be read was read.
    pub(super) fn composition(&self, report: &Report) -> Composition<'_> {
        let unread = report
            .problems
            .iter()
            .any(|p| p.effect != Effect::AsTheTool);
        let aggregate = match (self.has_roots, self.whole && !unread) {
            (false, _) => "unknown",
            (true, true) => "complete",
            (true, false) => "incomplete",
        };
        Composition {
            aggregate,
            assemblies: [&self.main_ref],
            dependencies: self.edges.keys().map(String::as_str).collect(),
        }
    }
}

/// A name that stays the same as long as the component does; what would be named alike is numbered in order.
fn names(components: &[Component]) -> Vec<String> {
    let mut used: BTreeSet<String> = BTreeSet::from(["untaint:inventory".to_owned()]);
    components
        .iter()
        .map(|component| {
            let plain = match &component.purl {
                Some(purl) if !purl.is_empty() => purl.clone(),
                _ => spelled(component),
            };
            let mut name = plain.clone();
            let mut number = 2_u64;
            while !used.insert(name.clone()) {
                name = format!("{plain}#{number}");
                number += 1;
            }
            name
        })
        .collect()
}

fn spelled(component: &Component) -> String {
    let at = &component.coordinate;
    let source = match &at.origin {
        Origin::Registry(registry) => format!("?registry={}", registry.fingerprint),
        Origin::Git { url, commit } => format!("?git={url}#{commit}"),
        Origin::Path => "?path".to_owned(),
        Origin::Unknown => "?unknown".to_owned(),
    };
    format!("{}:{}@{}{source}", at.ecosystem, at.name, at.version)
}
