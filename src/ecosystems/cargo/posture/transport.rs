//! Settings that let somebody on the way change what comes: plain http, foreign certificate authorities, checks turned off.

use std::path::{Path, PathBuf};

use crate::ecosystems::cargo::lockfile::without_credentials;
use crate::ecosystems::contract::PostureContext;
use crate::model::{Code, Finding, Severity};
use crate::trust::address::Address;

use super::file::Entry;
use super::search::real;
use super::told::{Source, short};

/// The findings about a setting of transport.
pub(super) fn judge(
    entry: &Entry,
    source: &Source,
    context: &PostureContext<'_>,
) -> Option<Finding> {
    let text = || entry.value.text().filter(|text| !text.is_empty());
    match entry.parts().as_slice() {
        ["registries" | "source", _, "index" | "registry" | "git"] | ["registry", "index"] => {
            plain(text()?, entry, source)
        }
        ["http", "cainfo" | "proxy-cainfo"] => {
            let path = real(context.fs, &source.base.join(text()?));
            authority(&path, entry, source, context)
        }
        ["http", "proxy"] if source.scanned => {
            let mut finding = source.finding(
                Code::SourceRedirected,
                entry.line,
                "`http.proxy` of a scanned tree sends every request of cargo through a proxy of its choice".into(),
            );
            finding.severity = Severity::Medium;
            finding.remedy = Some("remove the setting".into());
            Some(finding)
        }
        _ => None,
    }
}

/// Plain http (or git's own protocol) to another machine.
fn plain(address: &str, entry: &Entry, source: &Source) -> Option<Finding> {
    let bare = ["sparse+", "registry+", "git+"]
        .iter()
        .find_map(|start| address.strip_prefix(start))
        .unwrap_or(address);
    let insecure = ["http://", "git://", "ftp://"].iter().any(|scheme| {
        bare.get(..scheme.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(scheme))
    });
    // The one plain http that is an address for us is that of this machine.
    if !insecure || Address::parse(bare).is_ok() || on_this_machine(bare) {
        return None;
    }
    let mut finding = source.finding(
        Code::InsecureTransport,
        entry.line,
        format!(
            "`{}` is reached without encryption: {}",
            short(&entry.key.join(".")),
            short(&without_credentials(bare))
        ),
    );
    finding.remedy = Some("use its https address".into());
    Some(finding)
}

fn on_this_machine(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Certificate authorities that a scanned tree or a cache brings along.
fn authority(
    path: &Path,
    entry: &Entry,
    source: &Source,
    context: &PostureContext<'_>,
) -> Option<Finding> {
    if !source.scanned && !audited(path, context) {
        return None;
    }
    let mut finding = source.finding(
        Code::InsecureTransport,
        entry.line,
        format!(
            "`{}` trusts certificate authorities from a scanned tree: {}",
            short(&entry.key.join(".")),
            short(&path.display().to_string())
        ),
    );
    finding.remedy = Some("name a file of the system's or your own instead".into());
    Some(finding)
}

fn audited(path: &Path, context: &PostureContext<'_>) -> bool {
    let below = |roots: &[(PathBuf, crate::model::RootId)]| {
        roots.iter().any(|(root, _)| path.starts_with(root))
    };
    below(context.projects) || below(context.caches)
}

/// Variables of git and of TLS libraries, which cargo's downloads heed.
pub(super) fn environment(context: &PostureContext<'_>) -> Vec<Finding> {
    let env = context.env;
    let base = env.current_dir().unwrap_or_default();
    let value = |name: &str| {
        let value = env.var(name)?;
        (!value.is_empty()).then(|| value.to_string_lossy().into_owned())
    };
    let off = |value: &str| {
        matches!(
            value.to_ascii_lowercase().as_str(),
            "false" | "no" | "off" | "0"
        )
    };
    let told = |name: &str, what: &str| {
        let source = Source::variable(name, &base);
        let mut finding = source.finding(
            Code::InsecureTransport,
            None,
            format!("`{}` {what}", short(name)),
        );
        finding.remedy = Some("unset it".into());
        finding
    };
    let mut findings = Vec::new();
    for name in [
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
    ] {
        let inside =
            value(name).is_some_and(|v| audited(&real(context.fs, &base.join(v)), context));
        if inside {
            findings.push(told(
                name,
                "trusts certificate authorities from a scanned tree",
            ));
        }
    }
    if value("GIT_SSL_NO_VERIFY").is_some_and(|v| !off(&v)) {
        findings.push(told(
            "GIT_SSL_NO_VERIFY",
            "turns git's certificate checks off",
        ));
    }
    let count = value("GIT_CONFIG_COUNT").and_then(|v| v.parse::<u32>().ok());
    for at in 0..count.unwrap_or(0).min(100) {
        let name = format!("GIT_CONFIG_VALUE_{at}");
        let key = value(&format!("GIT_CONFIG_KEY_{at}")).map(|key| key.to_ascii_lowercase());
        let is_check = key.is_some_and(|k| k.starts_with("http.") && k.ends_with("sslverify"));
        if is_check
            && env
                .var(&name)
                .is_some_and(|v| v.is_empty() || off(&v.to_string_lossy()))
        {
            findings.push(told(&name, "turns git's certificate checks off"));
        }
    }
    findings
}
