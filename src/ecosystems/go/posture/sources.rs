//! Where modules come from, and who judges them: GOPROXY, GOSUMDB and the patterns that leave modules out (cmd/go 1.26,
//! `modfetch/proxy.go`, `modfetch/sumdb.go`).
//!
//! A proxy is only transport: what it hands out is held against the log. Yet it hears which modules are asked for, and where
//! no believed log judges what comes, it decides what is built.

use crate::ecosystems::contract::PostureContext;
use crate::model::{Code, Finding, Severity};

use super::super::settings::{Setting, Settings, proxies};
use super::told::{bare, finding, short};

/// Sources and judges.
pub(super) fn judge(settings: &Settings, context: &PostureContext<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let judged = checksums(settings, context, &mut findings);
    transport(settings, context, judged, &mut findings);
    if let Some(setting) = settings.get("GOINSECURE") {
        let what = format!(
            "GOINSECURE lets anybody on the way change `{}`",
            short(&setting.value)
        );
        findings.push(finding(
            Code::InsecureTransport,
            "GOINSECURE",
            setting,
            what,
        ));
    }
    if let Some(setting) = settings.get("GO111MODULE").filter(|s| s.value == "off") {
        let what = "GO111MODULE=off: Go builds what lies in GOPATH, and neither reads go.mod nor asks anybody";
        findings.push(finding(
            Code::SourceRedirected,
            "GO111MODULE",
            setting,
            what.to_owned(),
        ));
    }
    findings
}

/// Whether a believed log is asked about everything.
fn checksums(
    settings: &Settings,
    context: &PostureContext<'_>,
    findings: &mut Vec<Finding>,
) -> bool {
    let mut judged = true;
    if let Some(setting) = settings.get("GOSUMDB") {
        let mut words = setting.value.split_whitespace();
        let log = words.next().unwrap_or_default();
        let address = words.next();
        // Byte for byte: with a blank beside it, it is the name of a log to Go, which then refuses it.
        if setting.value == "off" {
            judged = false;
            let what = "GOSUMDB=off: Go believes whatever it is given first".to_owned();
            findings.push(finding(
                Code::ChecksumDatabaseDisabled,
                "GOSUMDB",
                setting,
                what,
            ));
        } else if !(context.log_stands)(log) {
            judged = false;
            let what = format!(
                "GOSUMDB asks the log `{}`, which is neither known nor pinned",
                short(log.split('+').next().unwrap_or_default())
            );
            let mut found = finding(Code::SourceRedirected, "GOSUMDB", setting, what);
            found.remedy = Some(
                "if the log is yours, pin it: `untaint trust discover` prints the command"
                    .to_owned(),
            );
            findings.push(found);
        }
        if let Some(address) = address {
            let written = with_scheme(address);
            findings.extend(of_address("GOSUMDB", &written, setting, context, judged));
        }
    }
    for name in ["GONOSUMDB", "GOPRIVATE"] {
        // What GONOSUMDB says counts in place of GOPRIVATE.
        if name == "GOPRIVATE" && settings.get("GONOSUMDB").is_some() {
            continue;
        }
        let all = |s: &&Setting| s.value.split(',').any(is_everything);
        if let Some(setting) = settings.get(name).filter(all) {
            judged = false;
            let what = format!("{name} names every module: Go asks the checksum database for none");
            findings.push(finding(Code::ChecksumDatabaseDisabled, name, setting, what));
        }
    }
    judged
}

/// Whether a glob takes in every module: nothing in its first part but wildcards.
fn is_everything(glob: &str) -> bool {
    let host = glob.trim().split('/').next().unwrap_or_default();
    let bracketed = host.contains('[');
    !host.is_empty()
        && host.contains(['*', '?', '['])
        && (bracketed || host.chars().all(|c| matches!(c, '*' | '?' | '.')))
}

fn transport(
    settings: &Settings,
    context: &PostureContext<'_>,
    judged: bool,
    findings: &mut Vec<Finding>,
) {
    let Some(setting) = settings.get("GOPROXY") else {
        return;
    };
    let asked = proxies(&setting.value);
    for proxy in &asked {
        findings.extend(of_address("GOPROXY", proxy, setting, context, judged));
    }
    let first = setting
        .value
        .split([',', '|'])
        .map(str::trim)
        .find(|word| !word.is_empty());
    if first == Some("direct") {
        let what = "GOPROXY=direct: each module comes from where its path leads, and its author may change it there";
        let mut found = finding(Code::SourceRedirected, "GOPROXY", setting, what.to_owned());
        if judged {
            found.severity = Severity::Medium;
        }
        findings.push(found);
    }
    // Go does not even ask the log about toolchains where its one proxy is a folder.
    let alone = matches!(asked.as_slice(), [only] if only.starts_with("file://"));
    let local = settings
        .get("GOTOOLCHAIN")
        .is_some_and(|s| s.value == "local");
    if alone && !local && setting.value.split([',', '|']).count() == 1 {
        let what = "GOPROXY is one folder: Go takes toolchains from it without asking the checksum database";
        findings.push(finding(
            Code::ChecksumDatabaseDisabled,
            "GOPROXY",
            setting,
            what.to_owned(),
        ));
    }
}

/// How an address stands.
fn of_address(
    name: &str,
    address: &str,
    setting: &Setting,
    context: &PostureContext<'_>,
    judged: bool,
) -> Option<Finding> {
    let shown = bare(address);
    let stands = (context.standing)(address);
    if stands == Some(true) {
        return None;
    }
    let plain = address
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("http://"));
    // The one plain http that is an address for us is that of this machine.
    if plain && stands.is_none() {
        let what = format!("{name} asks `{shown}` without encryption");
        return Some(finding(Code::InsecureTransport, name, setting, what));
    }
    let what = format!("{name} asks `{shown}`, which is neither known nor pinned");
    let mut found = finding(Code::SourceRedirected, name, setting, what);
    found.remedy = Some(
        "if the mirror is yours, pin it: `untaint trust discover` prints the command".to_owned(),
    );
    if judged {
        found.severity = Severity::Medium;
    }
    Some(found)
}

fn with_scheme(address: &str) -> String {
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    }
}
