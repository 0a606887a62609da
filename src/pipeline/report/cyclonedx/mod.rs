//! A bill of materials, CycloneDX 1.6 in JSON (format: the specification's `bom-1.6.schema.json`).
//!
//! States only what is known: hashes are of bytes that were observed and verified, declared ones are properties, a
//! supplier is never made up, and no vulnerability stands in it. The serial number comes from the content, so that the
//! same inventory has the same number; only `metadata.timestamp` differs between runs.

mod component;
mod graph;
mod licence;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use self::component::JsonComponent;
use self::graph::{Composition, Dependency, Graph};
use super::writer;
use crate::model::digest::hex;
use crate::model::report::Report;
use crate::model::when;

#[derive(Serialize)]
struct Bom<'a> {
    #[serde(rename = "bomFormat")]
    format: &'static str,
    #[serde(rename = "specVersion")]
    spec: &'static str,
    #[serde(rename = "serialNumber", skip_serializing_if = "String::is_empty")]
    serial: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<JsonComponent<'a>>,
    dependencies: Vec<Dependency<'a>>,
    compositions: [Composition<'a>; 1],
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    timestamp: String,
    lifecycles: [Lifecycle; 1],
    tools: Tools,
    component: JsonComponent<'a>,
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools {
    components: [Tool; 1],
}

#[derive(Serialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    version: &'static str,
}

/// The bill of materials with a final line end.
pub(super) fn render(report: &Report) -> Vec<u8> {
    let graph = Graph::new(report);
    let mut bom = shape(report, &graph);
    bom.serial = serial(&writer::line(&bom));
    bom.metadata.timestamp = when::rfc3339(report.run.started);
    writer::pretty(&bom)
}

/// All but what depends on all of it: serial number and time.
fn shape<'a>(report: &'a Report, graph: &'a Graph) -> Bom<'a> {
    let outcomes = component::outcomes(&report.checks);
    let mut components: Vec<JsonComponent<'a>> = report
        .components
        .iter()
        .zip(&graph.refs)
        .enumerate()
        .filter(|(at, _)| graph.main != Some(*at))
        .map(|(_, (component, name))| JsonComponent::new(component, name, &outcomes))
        .collect();
    components.sort_by(|a, b| a.key().cmp(b.key()));
    let main = graph.main.and_then(|at| report.components.get(at));
    Bom {
        format: "CycloneDX",
        spec: "1.6",
        serial: String::new(),
        version: 1,
        metadata: Metadata {
            timestamp: String::new(),
            lifecycles: [Lifecycle { phase: "pre-build" }],
            tools: Tools {
                components: [Tool {
                    kind: "application",
                    name: env!("CARGO_PKG_NAME"),
                    version: env!("CARGO_PKG_VERSION"),
                }],
            },
            component: match main {
                Some(main) => JsonComponent::main(main, &graph.main_ref),
                None => JsonComponent::inventory(&graph.main_ref),
            },
        },
        components,
        dependencies: graph.dependencies(),
        compositions: [graph.composition(report)],
    }
}

/// A UUID of version 8 (RFC 9562: from data of one's own) out of the SHA-256 of the content.
fn serial(content: &[u8]) -> String {
    let mut bytes: [u8; 32] = Sha256::digest(content).into();
    for (at, keep, set) in [(6, 0x0f, 0x80), (8, 0x3f, 0x80)] {
        if let Some(byte) = bytes.get_mut(at) {
            *byte = *byte & keep | set;
        }
    }
    let text = hex(&bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

#[cfg(test)]
mod tests;
