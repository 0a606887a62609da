//! Who is told of what is new: a webhook, a command, the log of the nights.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::cli::args;
use crate::cli::schedule::alerts;
use crate::model::policy::Policy;
use crate::model::report::Report;
use crate::model::text::printable;
use crate::model::when::rfc3339;
use crate::model::{Effect, Finding};
use crate::pipeline::report;
use crate::world::real::World;
use crate::world::services::{Errand, Services};
use crate::world::{ReadFs as _, Request, StateDir};

/// Names of files in our state.
const ALERTS: &str = "alerts";
const LOG: &str = "schedule.log";
/// Largest record of alerts, and largest log before it is turned over.
const LARGEST: u64 = 4 << 20;
const LOG_SIZE: u64 = 1 << 20;
/// Logs that are kept beside the newest.
const LOGS: u32 = 4;
/// A week: a finding that was gone for so long is told again.
const COOL_DOWN: u64 = 7 * 86_400;
const WITHIN: Duration = Duration::from_secs(60);
/// Findings that a message names.
const NAMED: usize = 100;

/// What is sent; `text` is the line that chat programs show.
#[derive(Serialize)]
struct Message<'a> {
    schema: &'static str,
    text: String,
    at: String,
    result: &'static str,
    exit_code: u8,
    reasons: &'a [String],
    findings: Vec<Row<'a>>,
    healed: Vec<Row<'a>>,
    hindrances: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    code: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecosystem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the serializer hands over a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Refuses an address to which nothing can be posted.
pub(super) fn check(night: &args::Night) -> Result<(), String> {
    match night.webhook.as_deref() {
        Some(text) if !text.starts_with("env:") && !text.starts_with("file:") => {
            address(text).map(|_| ())
        }
        _ => Ok(()),
    }
}

fn address(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text.trim())
        .map_err(|error| format!("--webhook: not an address: {error}"))?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "https" || (url.scheme() == "http" && loopback) {
        Ok(url.into())
    } else {
        Err("--webhook: write an https address".to_owned())
    }
}

fn webhook(text: &str, world: &World) -> Result<String, String> {
    use crate::world::Env as _;
    if let Some(name) = text.strip_prefix("env:") {
        let value = world
            .env
            .var(name)
            .ok_or_else(|| format!("--webhook: {name} is not set"))?;
        return address(&value.to_string_lossy());
    }
    if let Some(path) = text.strip_prefix("file:") {
        let bytes = world.fs.read_named(Path::new(path), 4096);
        let bytes = bytes.map_err(|error| format!("--webhook: {error}"))?;
        return address(&String::from_utf8_lossy(&bytes));
    }
    address(text)
}

/// Everything that somebody should hear of once: findings that count, findings that were healed, and what kept the audit
/// from being whole, each under a name that changes when it does.
fn met(news: &News<'_>) -> BTreeSet<String> {
    let report = news.report;
    let mut met: BTreeSet<String> = counting(report, news.policy)
        .chain(news.healed)
        .map(|f| f.id.clone())
        .collect();
    met.extend(hindrances(report, news.policy).map(|(name, _)| name));
    met
}

/// What kept an audit from being whole: a name, and words for people.
fn hindrances<'a>(
    report: &'a Report,
    policy: &'a Policy,
) -> impl Iterator<Item = (String, String)> + 'a {
    let problems = report
        .problems
        .iter()
        .filter(|problem| problem.effect != Effect::AsTheTool)
        .map(|problem| {
            let words = format!("{}: {}", problem.path, problem.message);
            let hash = blake3::hash(words.as_bytes()).to_hex();
            let short: String = hash.as_str().chars().take(16).collect();
            (format!("problem:{short}"), words)
        });
    let unverified = report.coverage.by_ecosystem.iter().flat_map(|(id, tally)| {
        let reasons = tally.unverifiable.keys();
        reasons
            .filter(|reason| !policy.allows(**reason))
            .map(move |reason| {
                let name = format!("unverifiable:{}:{}", id.as_str(), reason.as_str());
                let words = format!(
                    "{}: subjects unverifiable: {}",
                    id.as_str(),
                    reason.as_str()
                );
                (name, words)
            })
    });
    let old = report.run.feeds.iter().filter(|feed| feed.too_old);
    let old = old.map(|feed| {
        let words = format!("the advisories of {} are too old", feed.name);
        (format!("stale:{}", feed.name), words)
    });
    problems.chain(unverified).chain(old)
}

fn counting<'a>(report: &'a Report, policy: &'a Policy) -> impl Iterator<Item = &'a Finding> {
    report
        .findings
        .iter()
        .filter(|f| f.waived.is_none() && policy.reaches(f.code, f.severity))
}

/// One night's news.
pub(super) struct News<'a> {
    pub(super) report: &'a Report,
    pub(super) policy: &'a Policy,
    pub(super) night: &'a args::Night,
    pub(super) now: i64,
    /// Findings that were answered before the audit.
    pub(super) healed: &'a [Finding],
}

/// Tells what is new, and writes the night's line into the log. What could not be told is given back, and told next time.
pub(super) fn tell(
    news: &News<'_>,
    state: &dyn StateDir,
    world: &World,
    services: &dyn Services,
) -> Vec<String> {
    let mut troubles = Vec::new();
    let record = state.read(ALERTS, LARGEST).unwrap_or_else(|error| {
        troubles.push(error.to_string());
        None
    });
    let mut known = alerts::read(&record.unwrap_or_default());
    let cool_down = news.night.cool_down.map_or(COOL_DOWN, |s| s.0);
    let met = met(news);
    let due = alerts::due(&mut known, &met, news.now, cool_down);
    if !due.is_empty() {
        let before = troubles.len();
        send(news, &due, world, services, &mut troubles);
        if troubles.len() == before {
            alerts::told(&mut known, &due, news.now);
        }
    }
    let kept = alerts::write(&known).map_err(|e| e.to_string());
    if let Err(why) =
        kept.and_then(|bytes| state.replace(ALERTS, &bytes).map_err(|e| e.to_string()))
    {
        troubles.push(format!("what was told is not recorded: {why}"));
    }
    if let Err(why) = log(news, &due, &troubles, state) {
        troubles.push(format!("the night is not logged: {why}"));
    }
    troubles
}

fn send(
    news: &News<'_>,
    due: &[String],
    world: &World,
    services: &dyn Services,
    troubles: &mut Vec<String>,
) {
    let bytes = report::pretty(&message(news, due));
    if let Some(text) = &news.night.webhook
        && let Err(why) = post(text, &bytes, world)
    {
        troubles.push(why);
    }
    if let Some(command) = &news.night.notify {
        let told = services.run(&Errand {
            program: "sh".into(),
            args: vec!["-c".into(), command.into()],
            input: bytes,
            within: WITHIN,
        });
        match told {
            Ok(told) if told.well => {}
            Ok(told) => troubles.push(format!(
                "--notify failed: {}",
                String::from_utf8_lossy(&told.words).trim()
            )),
            Err(error) => troubles.push(format!("--notify: {error}")),
        }
    }
}

fn post(text: &str, bytes: &[u8], world: &World) -> Result<(), String> {
    let mut request = Request::get(webhook(text, world)?, 64 << 10);
    request.post = Some(Arc::from(bytes));
    request.within = Some(WITHIN);
    let mut answer = None;
    world
        .fetch
        .batch(vec![request], &mut |_, response| answer = Some(response));
    match answer {
        Some(Ok(response)) if (200..=204).contains(&response.status) => Ok(()),
        Some(Ok(response)) => Err(format!(
            "--webhook: answered with status {}",
            response.status
        )),
        Some(Err(error)) => Err(format!("--webhook: {error}")),
        None => Err("--webhook: was not asked".to_owned()),
    }
}

fn message<'a>(news: &News<'a>, due: &[String]) -> Message<'a> {
    let report = news.report;
    let is_new = |finding: &&Finding| due.contains(&finding.id);
    let mut findings = rows(counting(report, news.policy).filter(is_new));
    let mut healed = rows(news.healed.iter().filter(is_new));
    let hindrances: Vec<String> = hindrances(report, news.policy)
        .filter(|(name, _)| due.contains(name))
        .map(|(_, words)| words)
        .take(NAMED)
        .collect();
    let text = format!(
        "untaint: {} new findings, {} healed, {} new hindrances; {} findings count; the audit ended with {} ({})",
        findings.len(),
        healed.len(),
        hindrances.len(),
        counting(report, news.policy).count(),
        report.verdict.result.exit_code(),
        report.verdict.result.as_str(),
    );
    let more = (findings.len().saturating_sub(NAMED)) + (healed.len().saturating_sub(NAMED));
    findings.truncate(NAMED);
    healed.truncate(NAMED);
    Message {
        schema: "untaint.alert/1",
        text,
        at: rfc3339(news.now),
        result: report.verdict.result.as_str(),
        exit_code: report.verdict.result.exit_code(),
        reasons: &report.verdict.reasons,
        findings,
        healed,
        hindrances,
        more,
    }
}

/// One row per id.
fn rows<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Row<'a>> {
    let mut seen = BTreeSet::new();
    findings
        .filter(|finding| seen.insert(finding.id.as_str()))
        .map(|f| Row {
            id: &f.id,
            code: f.code.as_str(),
            severity: f.severity.as_str(),
            ecosystem: f.ecosystem.map(|id| id.as_str()),
            package: f.package.as_deref(),
            version: f.version.as_deref(),
            path: f.path.as_deref(),
            message: &f.message,
            remedy: f.remedy.as_deref(),
        })
        .collect()
}

/// One line for the night, one for each thing that is new, one for each trouble.
fn log(
    news: &News<'_>,
    due: &[String],
    troubles: &[String],
    state: &dyn StateDir,
) -> Result<(), String> {
    let all = news.report.coverage.total();
    let when = rfc3339(news.now);
    let mut lines = format!(
        "{when} {} exit={} subjects={} verified={} tainted={} unverifiable={} healed={} findings={} new={}\n",
        news.report.verdict.result.as_str(),
        news.report.verdict.result.exit_code(),
        all.subjects(),
        all.verified,
        all.tainted + all.conflict,
        all.unverifiable.values().sum::<u64>(),
        news.healed.len(),
        news.report.findings_total,
        due.len(),
    );
    let found = counting(news.report, news.policy).map(|finding| ("new", finding));
    let healed = news.healed.iter().map(|finding| ("healed", finding));
    let new = found.chain(healed).filter(|(_, f)| due.contains(&f.id));
    for (word, finding) in new.take(NAMED) {
        let _ = writeln!(
            lines,
            "{when} {word} {} {} {}@{} {}",
            finding.id,
            finding.code.as_str(),
            printable(finding.package.as_deref().unwrap_or("-")),
            printable(finding.version.as_deref().unwrap_or("-")),
            printable(finding.path.as_deref().unwrap_or("-")),
        );
    }
    for trouble in troubles {
        let _ = writeln!(lines, "{when} trouble {}", printable(trouble));
    }
    let io = |error: crate::world::PathError| error.to_string();
    let _lock = state
        .lock("schedule.lock")
        .map_err(io)?
        .ok_or("another untaint is writing")?;
    if state.size(LOG).map_err(io)? >= LOG_SIZE {
        turn_over(state).map_err(io)?;
    }
    state.append(LOG, lines.as_bytes()).map_err(io)
}

/// The newest log becomes the first old one; the oldest goes.
fn turn_over(state: &dyn StateDir) -> Result<(), crate::world::PathError> {
    let name = |number: u32| match number {
        0 => LOG.to_owned(),
        number => format!("{LOG}.{number}"),
    };
    for number in (0..LOGS).rev() {
        // One line can be longer than what is left: twice the size is read.
        if let Some(bytes) = state.read(&name(number), LOG_SIZE * 8)? {
            state.replace(&name(number + 1), &bytes)?;
        }
    }
    state.remove(LOG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::fake_state::FakeState;

    #[test]
    fn only_https_and_loopback_are_posted_to() {
        assert!(address("https://hooks.example/x").is_ok());
        assert!(address("http://127.0.0.1:9/x").is_ok());
        for bad in [
            "http://hooks.example/",
            "ftp://x/",
            "x",
            "",
            "file:///etc/passwd",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn logs_turn_over_and_the_oldest_goes() {
        let state = FakeState::default();
        for number in 0..7u8 {
            state.set(LOG, &[number]);
            turn_over(&state).unwrap();
        }
        assert_eq!(state.get(LOG), None);
        for (old, number) in [(1, 6u8), (2, 5), (3, 4), (4, 3)] {
            assert_eq!(state.get(&format!("{LOG}.{old}")).unwrap(), [number]);
        }
        assert_eq!(state.get(&format!("{LOG}.5")), None);
    }
}
