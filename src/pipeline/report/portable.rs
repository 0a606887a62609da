//! Hides absolute paths (`--portable`): a report of one machine can be read, compared and published elsewhere.
//!
//! A path under a known root becomes `{root}/...`, any other absolute path becomes `{elsewhere}/` and its last name.
//! Braces mean nothing to a shell here, so that a remedy that is copied by mistake names a file that does not exist.
//! Works on text, since messages and remedies name paths too. Must never shorten what is not a path (addresses).

use crate::model::report::{Report, RunFacts};
use crate::model::{Finding, RootOrigin};

/// The report without absolute paths, where that was asked for (`run.portable`).
pub(super) fn hidden(report: &Report) -> Option<Report> {
    let redactor = report.run.portable.then(|| Redactor::new(&report.run))?;
    let mut shown = report.clone();
    for target in &mut shown.run.targets {
        *target = redactor.path(target);
    }
    for root in &mut shown.run.roots {
        root.path.clear();
        match &mut root.origin {
            RootOrigin::Settings(file) | RootOrigin::Scanned(file) => {
                *file = redactor.path(file).into();
            }
            RootOrigin::Default | RootOrigin::Env(_) | RootOrigin::CommandLine => {}
        }
    }
    let texts = shown.run.weakened.iter_mut();
    for text in texts.chain(&mut shown.verdict.reasons) {
        *text = redactor.text(text);
    }
    for finding in &mut shown.findings {
        redactor.finding(finding);
    }
    for notice in &mut shown.notices {
        notice.message = redactor.text(&notice.message);
        notice.path = notice.path.as_deref().map(|p| redactor.path(p));
        notice.remedy = notice.remedy.as_deref().map(|r| redactor.text(r));
    }
    for problem in &mut shown.problems {
        problem.path = redactor.path(&problem.path);
        problem.message = redactor.text(&problem.message);
    }
    for trust in &mut shown.trust {
        trust.origin = redactor.text(&trust.origin);
    }
    Some(shown)
}

/// Knows the roots of a run.
struct Redactor<'a> {
    /// Absolute path and name of every root, longest path first.
    roots: Vec<(&'a str, &'a str)>,
}

impl<'a> Redactor<'a> {
    fn new(run: &'a RunFacts) -> Self {
        let mut roots: Vec<_> = run
            .roots
            .iter()
            .map(|root| (root.path.trim_end_matches('/'), root.id.as_str()))
            .filter(|(path, _)| path.starts_with('/'))
            .collect();
        roots.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.cmp(b)));
        Self { roots }
    }

    /// A text that is a path and nothing else.
    fn path(&self, path: &str) -> String {
        if !path.starts_with('/') {
            return self.text(path);
        }
        match under_root(&self.roots, path) {
            Some((name, rest)) => format!("{{{name}}}{rest}"),
            None => elsewhere(path),
        }
    }

    /// A text that may name paths.
    fn text(&self, text: &str) -> String {
        rewrite(&self.roots, text)
    }

    fn finding(&self, finding: &mut Finding) {
        finding.path = None;
        finding.rel = finding.rel.as_deref().map(|r| self.path(r));
        finding.message = self.text(&finding.message);
        finding.remedy = finding.remedy.as_deref().map(|r| self.text(r));
        finding.excerpt = finding.excerpt.as_deref().map(|e| self.text(e));
        if let Some(at) = &mut finding.location {
            at.file = self.path(&at.file);
        }
        if let Some(waived) = &mut finding.waived {
            waived.reason = self.text(&waived.reason);
        }
    }
}

fn rewrite(roots: &[(&str, &str)], text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '/' && begins_path(&out, before, rest) {
            if let Some((name, after)) = under_root(roots, rest) {
                out.push_str(&format!("{{{name}}}"));
                before = Some('}');
                rest = after;
                continue;
            }
            let end = path_end(before, rest);
            let (path, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            out.push_str(&elsewhere(path));
            before = path.chars().next_back();
            rest = after;
            continue;
        }
        out.push(c);
        before = Some(c);
        rest = rest.get(c.len_utf8()..).unwrap_or("");
    }
    out
}

/// Whether the slash at the start of `rest` begins an absolute path.
fn begins_path(done: &str, before: Option<char>, rest: &str) -> bool {
    let next = rest.chars().nth(1);
    match before {
        None => next != Some('/'),
        Some(':') => next != Some('/'),
        Some('/') => done.ends_with("file://"),
        Some(c) => {
            !(c.is_alphanumeric() || "._-~$%@+<>*)]}".contains(c)) && next.is_some_and(is_name)
        }
    }
}

fn is_name(c: char) -> bool {
    !c.is_whitespace() && !"/'\"`),;".contains(c)
}

/// Length of the path at the start of `rest`: to the quote that it was opened with, else to the first separator.
fn path_end(before: Option<char>, rest: &str) -> usize {
    let quote = before.filter(|c| "'\"`".contains(*c));
    if let Some(end) = quote.and_then(|q| rest.find(q)) {
        return end;
    }
    rest.find(|c: char| c != '/' && (!is_name(c) || c == ':'))
        .unwrap_or(rest.len())
}

/// The root that a text begins with, and what follows.
fn under_root<'t, 'r>(roots: &[(&'r str, &'r str)], text: &'t str) -> Option<(&'r str, &'t str)> {
    roots.iter().find_map(|(path, name)| {
        let rest = text.strip_prefix(path)?;
        let ends = rest
            .chars()
            .next()
            .is_none_or(|c| c == '/' || !(c.is_alphanumeric() || "._-%".contains(c)));
        (ends && !path.is_empty()).then_some((*name, rest))
    })
}

fn elsewhere(path: &str) -> String {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
    format!("{{elsewhere}}/{last}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RootId, RootInfo, RootOrigin};

    fn run() -> RunFacts {
        let root = |id: &str, path: &str| RootInfo {
            id: RootId::new(id),
            path: path.into(),
            origin: RootOrigin::Default,
        };
        RunFacts {
            portable: true,
            roots: vec![
                root("home", "/home/u"),
                root("cargo-home", "/home/u/.cargo"),
            ],
            ..RunFacts::default()
        }
    }

    #[test]
    fn paths_become_places() {
        let run = run();
        let hide = Redactor::new(&run);
        for (text, shown) in [
            ("/home/u/.cargo/a b", "{cargo-home}/a b"),
            ("/home/user/secret", "{elsewhere}/secret"),
            ("/mnt/home/u/x y", "{elsewhere}/x y"),
            ("target", "target"),
        ] {
            assert_eq!(hide.path(text), shown);
        }
    }

    #[test]
    fn texts_keep_all_but_the_paths() {
        let run = run();
        let hide = Redactor::new(&run);
        for (text, shown) in [
            (
                "rm -r -- '/home/u/.cargo/x y' && z",
                "rm -r -- '{cargo-home}/x y' && z",
            ),
            ("`/root/my dir/f` is a/b", "`{elsewhere}/f` is a/b"),
            ("--feeds=/srv/feeds", "--feeds={elsewhere}/feeds"),
            (
                "settings:/etc/cargo/config.toml",
                "settings:{elsewhere}/config.toml",
            ),
            (
                "see https://registry.example/a/b",
                "see https://registry.example/a/b",
            ),
            ("from file:///home/u/x", "from file://{home}/x"),
            ("and / or, a//b", "and / or, a//b"),
            ("(/a/b:12)", "({elsewhere}/b:12)"),
        ] {
            assert_eq!(hide.text(text), shown);
        }
    }

    #[test]
    fn nothing_is_hidden_unasked() {
        assert!(hidden(&super::super::sample::rich()).is_none());
    }
}
