//! What a heal says of its plan and of what it did: a page for people, one JSON object (`untaint.heal/1`) for programs.
//!
//! Values in, bytes out. Paths and names are hostile text and are shown escaped.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::heal::unlogged;
use super::heal_derived;
use crate::cli::settings::Keeping;
use crate::model::Finding;
use crate::model::{shell, text};
use crate::pipeline::ailing::{Aftermath, Ground};
use crate::pipeline::built::Left;
use crate::pipeline::heal::allowed::Allowed;
use crate::pipeline::heal::plan::{Plan, Step, Wanted};
use crate::pipeline::heal::receipt::{Ended, Receipt, Receipts};
use crate::pipeline::heal::record::Role;
use crate::pipeline::heal::recover::Recovered;
use crate::pipeline::heal_verdict::HealVerdict;
use crate::pipeline::report::Detail;

/// Gaps that are written out.
const GAPS: usize = 200;

/// Everything that is told.
pub(super) struct Told<'a> {
    pub(super) plan: &'a Plan,
    pub(super) aftermath: &'a Aftermath,
    pub(super) receipts: Option<&'a Receipts>,
    pub(super) recovered: &'a [Recovered],
    /// Caches that a restore finds by itself.
    pub(super) caches: &'a Allowed,
    pub(super) left: &'a [Left],
    pub(super) by_hand: Vec<Finding>,
    pub(super) verdict: &'a HealVerdict,
    pub(super) run: &'a str,
    pub(super) evict: bool,
    pub(super) keeping: Keeping,
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Tainted => "quarantine",
        Role::Follows => "follows",
        Role::Derived => "derived",
        Role::Newer => "newer",
    }
}

fn shown(path: &Path) -> String {
    text::printable(&path.to_string_lossy())
}

impl Told<'_> {
    fn path(&self, root: usize, rel: &Path) -> std::path::PathBuf {
        self.aftermath
            .grounds
            .get(root)
            .map_or_else(|| rel.to_owned(), |g| g.path.join(rel))
    }

    /// Folders that a restore does not find by itself, which it is told by name.
    fn roots(&self) -> String {
        let moved = self.plan.steps.iter().flat_map(|s| &s.moves);
        let copied = self.plan.steps.iter().flat_map(|s| &s.copies);
        let mut roots: Vec<usize> = moved
            .map(|m| m.root)
            .chain(copied.map(|c| c.root))
            .collect();
        roots.sort_unstable();
        roots.dedup();
        let grounds = roots
            .into_iter()
            .filter_map(|root| self.aftermath.grounds.get(root));
        let unknown = |ground: &&Ground| ground.project || !self.caches.covers(&ground.path);
        let named = grounds.filter(|ground| !ground.build && unknown(ground));
        let words = named.map(|ground| format!(" --root {}", quoted(&ground.path)));
        words.collect()
    }

    fn exit(&self) -> u8 {
        self.verdict.result.verdict().exit_code()
    }

    fn receipt(&self, number: usize) -> Option<&Receipt> {
        self.receipts?.done.get(number)
    }
}

/// What could not be read or verified, each with its place and what to do.
fn gaps(out: &mut String, verdict: &HealVerdict) {
    for gap in verdict.gaps.iter().take(GAPS) {
        let word = gap.reason.map_or("problem", |reason| reason.as_str());
        let _ = writeln!(
            out,
            "{word}: {}: {}",
            text::printable(&gap.path),
            text::printable(&gap.what)
        );
        if let Some(advice) = gap.advice {
            let _ = writeln!(out, "  do          {advice}");
        }
    }
    let more = verdict.gaps.len().saturating_sub(GAPS);
    if more > 0 {
        let _ = writeln!(out, "and {more} more: --json has all of them");
    }
    if !verdict.gaps.is_empty() {
        out.push('\n');
    }
}

fn ended(ended: &Ended) -> (&'static str, Option<&str>) {
    match ended {
        Ended::Healed => ("healed", None),
        Ended::Removed(why) => ("removed", Some(why)),
        Ended::Kept(why) => ("kept", Some(why)),
        Ended::Nothing => ("nothing to do", None),
        Ended::Failed(why) => ("failed", Some(why)),
        Ended::Stuck(why) => ("stuck", Some(why)),
    }
}

/// The page for people.
pub(super) fn table(told: &Told<'_>, detail: Detail) -> Vec<u8> {
    let mut out = String::new();
    for recovered in told.recovered {
        let _ = writeln!(
            out,
            "an interrupted run was looked at: {}: {} finished, {} taken back",
            recovered.run, recovered.finished, recovered.undone
        );
        for why in recovered.stuck.iter().chain(&recovered.refused) {
            let _ = writeln!(out, "  open  {}", text::printable(why));
        }
        for why in &recovered.unlike {
            let _ = writeln!(out, "  not as it was  {}", text::printable(why));
        }
        for why in &recovered.given_up {
            let _ = writeln!(
                out,
                "  given up, what was taken is kept  {}",
                text::printable(why)
            );
        }
    }
    if detail != Detail::Quiet {
        for (at, step) in told.plan.steps.iter().enumerate() {
            one(&mut out, told, at, step, detail);
        }
        by_hand(&mut out, &told.by_hand);
        left(&mut out, told.left);
        heal_derived::notes(&mut out, &told.aftermath.notes);
        gaps(&mut out, told.verdict);
    }
    let steps = told.plan.steps.len();
    match told.receipts {
        None if steps == 0 => out.push_str("nothing to heal\n"),
        None => {
            let plural = if steps == 1 { "" } else { "s" };
            let _ = writeln!(
                out,
                "{steps} step{plural}; nothing was changed: add --yes to do it"
            );
        }
        Some(receipts) => closing(&mut out, told, receipts),
    }
    let when = if told.receipts.is_some() {
        "after it: "
    } else {
        "now: "
    };
    let line = text::printable(&told.verdict.line());
    let _ = writeln!(out, "{when}{line}; exit code {}", told.exit());
    out.into_bytes()
}

fn one(out: &mut String, told: &Told<'_>, at: usize, step: &Step, detail: Detail) {
    let codes: Vec<String> = step
        .findings
        .iter()
        .map(|f| format!("{} {}", f.code, f.id))
        .collect();
    // What was found is no taint where there is no finding: then it is of no use to its tool.
    let torn = || "torn: its tool cannot use it, and needs it offline".to_owned();
    let what = if codes.is_empty() {
        torn()
    } else {
        codes.join(", ")
    };
    let _ = writeln!(out, "{} {}  {what}", step.ecosystem, step.package);
    for planned in step.moves.iter().filter(|m| m.role != Role::Derived) {
        let path = shown(&told.path(planned.root, &planned.rel));
        let _ = writeln!(out, "  {:<10}  {path}", word(planned.role));
    }
    heal_derived::table(out, step, told.aftermath, detail);
    for wanted in &step.wanted {
        let what = match wanted {
            Wanted::Archive {
                artifact, digest, ..
            } => format!("{} {digest}", text::printable(&artifact.file)),
            Wanted::Known { rel, .. } => {
                let _ = writeln!(
                    out,
                    "  {:<10}  {}, known by its digest",
                    "write",
                    shown(rel)
                );
                continue;
            }
            Wanted::Listing { coordinate, .. } => {
                format!("the listing of {}", text::printable(&coordinate.name))
            }
        };
        let _ = writeln!(out, "  {:<10}  {what}, from its registry", "fetch");
    }
    if told.receipts.is_none() && !step.wanted.is_empty() {
        let _ = writeln!(
            out,
            "  {:<10}  what is moved goes all the same; --keep-if-unfetchable keeps it",
            "or else"
        );
    }
    for copy in &step.copies {
        let _ = writeln!(
            out,
            "  {:<10}  {}, file by file, from {} {}",
            "repair",
            shown(&told.path(copy.root, &copy.tree.rel)),
            text::printable(&copy.artifact.file),
            copy.digest
        );
    }
    if step.wanted.is_empty() && step.copies.is_empty() {
        let _ = writeln!(
            out,
            "  {:<10}  nothing: what is moved stays absent, or its tool makes it anew",
            "fetch"
        );
    }
    if detail == Detail::Verbose {
        for (root, rel) in &step.locks {
            let _ = writeln!(out, "  {:<10}  {}", "lock", shown(&told.path(*root, rel)));
        }
    }
    if let Some(receipt) = told.receipt(at) {
        let (word, why) = ended(&receipt.ended);
        let why = why.map_or_else(String::new, |why| format!(": {}", text::printable(why)));
        let _ = writeln!(out, "  {:<10}  {word}{why}", "done");
        if let Some(id) = &receipt.evidence {
            let _ = writeln!(out, "  {:<10}  {id}", "evidence");
        }
    }
    out.push('\n');
}

fn by_hand(out: &mut String, findings: &[Finding]) {
    for finding in findings {
        let _ = writeln!(
            out,
            "left to you: {} {}: {}",
            finding.code,
            finding.id,
            text::printable(&finding.message)
        );
        if let Some(path) = &finding.path {
            let _ = writeln!(out, "  at          {}", text::printable(path));
        }
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(out, "  do          {}", text::printable(remedy));
        }
    }
    if !findings.is_empty() {
        out.push('\n');
    }
}

fn left(out: &mut String, places: &[Left]) {
    for place in places {
        let _ = writeln!(out, "left to you: {}: {}", shown(&place.path), place.why);
    }
    if !places.is_empty() {
        out.push('\n');
    }
}

fn closing(out: &mut String, told: &Told<'_>, receipts: &Receipts) {
    let count = |is: fn(&Ended) -> bool| receipts.done.iter().filter(|r| is(&r.ended)).count();
    let _ = writeln!(
        out,
        "{} healed, {} removed, {} kept, {} failed; run {}",
        count(|e| matches!(e, Ended::Healed)),
        count(|e| matches!(e, Ended::Removed(_))),
        count(|e| matches!(e, Ended::Kept(_))),
        count(|e| matches!(e, Ended::Failed(_) | Ended::Stuck(_))),
        told.run
    );
    if let Some(why) = &receipts.early {
        let _ = writeln!(out, "ended early: {}", text::printable(why));
    }
    if receipts.done.iter().any(|r| !r.moved.is_empty()) {
        let _ = writeln!(
            out,
            "to put everything back: untaint restore {} --yes{}",
            told.run,
            told.roots()
        );
    }
    for (run, bytes) in &receipts.pruned {
        let _ = writeln!(
            out,
            "run {run} is older than {} days and holds no evidence of a confirmed taint: {bytes} bytes were removed for good",
            told.keeping.retention / (24 * 3600)
        );
    }
    for why in unlogged(told.recovered, Some(receipts)) {
        let _ = writeln!(out, "problem: {}", text::printable(why));
    }
    if let Some(head) = &receipts.log {
        let _ = writeln!(out, "audit log: {head} (for `untaint log --verify --head`)");
    }
}

/// The warning that the quarantine has grown over its limit: nothing goes for that.
pub(super) fn too_much(bytes: u64, limit: u64) -> Option<String> {
    (bytes > limit).then(|| {
        format!(
            "warning: the quarantine holds {bytes} bytes, more than {limit} (`quarantine-limit`): `untaint quarantine prune --older-than 30d --yes` \
             makes room; nothing goes for its size"
        )
    })
}

/// The object for programs.
pub(super) fn json(told: &Told<'_>) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = |path: &Path| Value::from(text::percent(path.as_os_str().as_bytes()).0);
    let steps: Vec<Value> = told
        .plan
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let moves: Vec<Value> = step
                .moves
                .iter()
                .map(|m| json!({"path": path(&told.path(m.root, &m.rel)), "role": word(m.role)}))
                .collect();
            let wanted: Vec<Value> = step
                .wanted
                .iter()
                .map(|w| {
                    let (root, rel) = w.place();
                    let digest = match w {
                        Wanted::Archive { digest, .. } => Some(digest.to_string()),
                        Wanted::Known { .. } | Wanted::Listing { .. } => None,
                    };
                    json!({"path": path(&told.path(root, rel)), "digest": digest})
                })
                .collect();
            let repairs: Vec<Value> = step
                .copies
                .iter()
                .map(|c| {
                    let path = path(&told.path(c.root, &c.tree.rel));
                    json!({"path": path, "digest": c.digest.to_string()})
                })
                .collect();
            let locks: Vec<Value> = step
                .locks
                .iter()
                .map(|(root, rel)| path(&told.path(*root, rel)))
                .collect();
            let mut value = json!({
                "number": at + 1,
                "ecosystem": step.ecosystem,
                "package": step.package,
                "findings": step.findings.iter().map(|f| f.id.clone()).collect::<Vec<_>>(),
                "codes": step.findings.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(),
                "moves": moves, "fetch": wanted, "repair": repairs, "locks": locks,
            });
            if let (Some(receipt), Some(object)) = (told.receipt(at), value.as_object_mut()) {
                let (word, why) = ended(&receipt.ended);
                object.insert("ended".to_owned(), Value::from(word));
                if let Some(why) = why {
                    object.insert("why".to_owned(), Value::from(text::printable(why)));
                }
                let moved: Vec<Value> = receipt.moved.iter().map(|(p, _)| path(p)).collect();
                let put: Vec<Value> = receipt.put.iter().map(|p| path(p)).collect();
                object.insert("moved".to_owned(), Value::from(moved));
                object.insert("put".to_owned(), Value::from(put));
                if let Some(id) = &receipt.evidence {
                    object.insert("evidence".to_owned(), Value::from(id.as_str()));
                }
            }
            value
        })
        .collect();
    let by_hand: Vec<Value> = told
        .by_hand
        .iter()
        .map(|f| {
            json!({"id": f.id, "code": f.code.as_str(), "path": f.path, "message": f.message, "remedy": f.remedy})
        })
        .collect();
    let left: Vec<Value> = told
        .left
        .iter()
        .map(|l| json!({"path": path(&l.path), "why": l.why, "tainted": l.tainted}))
        .collect();
    let unverified: Vec<Value> = told
        .verdict
        .gaps
        .iter()
        .map(|gap| {
            json!({"path": gap.path, "what": text::printable(&gap.what), "reason": gap.reason.map(|r| r.as_str()), "do": gap.advice})
        })
        .collect();
    let recovered: Vec<Value> = told
        .recovered
        .iter()
        .map(
            |r| json!({"run": r.run, "finished": r.finished, "undone": r.undone, "given_up": r.given_up, "stuck": r.stuck.iter().chain(&r.refused).collect::<Vec<_>>()}),
        )
        .collect();
    let value = json!({
        "schema": "untaint.heal/1",
        "tool": {"name": "untaint", "version": env!("CARGO_PKG_VERSION")},
        "run": told.run,
        "dry_run": told.receipts.is_none(),
        "evict": told.evict,
        "steps": steps,
        "by_hand": by_hand,
        "unverified": unverified,
        "left": left,
        "notes": told.aftermath.notes,
        "recovered": recovered,
        "problems": unlogged(told.recovered, told.receipts).map(text::printable).collect::<Vec<_>>(),
        "verdict": {
            "exit_code": told.exit(),
            "result": told.verdict.result.as_str(),
            "reasons": told.verdict.reasons.iter().map(|r| text::printable(r)).collect::<Vec<_>>(),
            "beside": told.verdict.beside,
        },
    });
    let mut value = value;
    if let (Some(receipts), Some(object)) = (told.receipts, value.as_object_mut()) {
        let pruned = receipts.pruned.iter();
        let pruned: Vec<Value> = pruned
            .map(|(run, bytes)| json!({"run": run, "bytes": bytes}))
            .collect();
        object.insert("closed".to_owned(), Value::from(receipts.closed));
        object.insert("quarantine_bytes".to_owned(), Value::from(receipts.bytes));
        let limit = Value::from(told.keeping.limit);
        object.insert("quarantine_limit".to_owned(), limit);
        object.insert("pruned".to_owned(), Value::from(pruned));
        if let Some(head) = &receipts.log {
            object.insert("audit_log".to_owned(), Value::from(head.to_string()));
        }
        if let Some(why) = &receipts.early {
            object.insert("early".to_owned(), Value::from(why.as_str()));
        }
    }
    let mut bytes = value.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// A path as one word for a shell.
pub(super) fn quoted(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    shell::quote(path.as_os_str().as_bytes())
}
