//! Everything in force that weakens a verdict: one line each, for `run.weakened` (CONTRACT section 1).

use super::{Base, Settings};
use crate::cli::args::{Common, NamedFile, Shared};
use crate::model::Assurance;
use crate::model::policy::{Derived, Policy, Waivable};
use crate::model::text::printable;

/// Of what every command takes.
pub(super) fn of_base(base: &Base, common: &Common) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &common.trust {
        lines.push(format!("--trust={}", file_text(file)));
    }
    if let Some(file) = &common.config {
        lines.push(format!("--config={}", file_text(file)));
    }
    if let Some(path) = &common.ca_bundle {
        lines.push(format!(
            "--ca-bundle={}",
            printable(&path.to_string_lossy())
        ));
    }
    if common.now.is_some() {
        lines.push("--now".to_owned());
    }
    if let Some(home) = &base.homes.chosen {
        lines.push(format!(
            "UNTAINT_HOME={}",
            printable(&home.to_string_lossy())
        ));
    }
    lines.sort();
    lines
}

/// Of a whole audit, those of its base included.
pub(super) fn of_audit(settings: &Settings, shared: &Shared) -> Vec<String> {
    let mut lines = settings.base.weakened.clone();
    let mut add = |line: String| lines.push(line);
    for file in &shared.claims {
        add(format!("--claims={}", file_text(file)));
    }
    if let Some(path) = &shared.feeds {
        add(format!("--feeds={}", printable(&path.to_string_lossy())));
    }
    if let Some(path) = &shared.cargo_metadata {
        add(format!(
            "--cargo-metadata={}",
            printable(&path.to_string_lossy())
        ));
    }
    for (given, line) in [
        (shared.no_advisories, "--no-advisories"),
        (shared.no_integrity, "--no-integrity"),
        (shared.allow_empty, "--allow-empty"),
    ] {
        if given {
            add(line.to_owned());
        }
    }
    if !settings.ecosystems.is_empty() {
        add(format!("--ecosystem={}", settings.ecosystems.join(",")));
    }
    lines.extend(of_policy(settings));
    lines.sort();
    lines.dedup();
    lines
}

/// Of the policy, whoever decided it; `untaint.toml` may since have made it stricter.
pub(super) fn of_policy(settings: &Settings) -> Vec<String> {
    let policy = &settings.policy;
    let mut lines = Vec::new();
    if !settings.exclude.is_empty() {
        let globs: Vec<String> = settings.exclude.iter().map(|g| printable(g)).collect();
        lines.push(format!("exclude={}", globs.join(",")));
    }
    let lost: Vec<String> = Policy::default_fail_on()
        .into_iter()
        .filter(|default| !policy.fail_on.iter().any(|s| s.includes(*default)))
        .map(|default| default.to_string())
        .collect();
    if !lost.is_empty() {
        lines.push(format!("fail-on lacks {}", lost.join(",")));
    }
    let default_allow = Policy::default_allow();
    let more: Vec<&str> = policy
        .allow
        .difference(&default_allow)
        .map(|r| r.as_str())
        .collect();
    if !more.is_empty() {
        lines.push(format!("allow={}", more.join(",")));
    }
    let strict = if settings.base.isolated {
        Derived::Deny
    } else {
        Derived::Note
    };
    if policy.derived < strict {
        lines.push(format!("derived={}", policy.derived.as_str()));
    }
    if policy.require < Assurance::Published {
        lines.push(format!("require={}", policy.require));
    }
    if policy.max_feed_age > Policy::DEFAULT_MAX_FEED_AGE {
        lines.push(format!("max-feed-age={}s", policy.max_feed_age));
    }
    for waiver in &policy.waivers {
        let what = match &waiver.what {
            Waivable::Id(id) => printable(id),
            Waivable::Code { code, package, .. } => {
                format!("{}:{}", code.as_str(), printable(package))
            }
        };
        lines.push(format!("waiver {what} ({})", printable(&waiver.at)));
    }
    for accept in &policy.accepts {
        let artifact = printable(&accept.artifact.to_string());
        lines.push(format!("accept {artifact} ({})", printable(&accept.at)));
    }
    lines
}

fn file_text(file: &NamedFile) -> String {
    let path = printable(&file.path.to_string_lossy());
    match file.digest {
        Some(digest) => format!("{path}@{digest}"),
        None => path,
    }
}
