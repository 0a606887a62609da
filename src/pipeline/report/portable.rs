//! Hides absolute paths (`--portable`): a report of one machine can be read, compared and published elsewhere.
//!
//! A path under a known root becomes `<root>/...`, any other absolute path becomes `<elsewhere>/` and its last name.
//! Works on text, since messages and remedies name paths too. Must never shorten what is not a path (addresses).

use std::borrow::Cow;

use crate::model::report::RunFacts;

/// Hides absolute paths, or hides nothing.
pub(super) struct Redactor<'a> {
    /// Absolute path and name of every root, longest path first; none when nothing is hidden.
    roots: Option<Vec<(&'a str, &'a str)>>,
}

impl<'a> Redactor<'a> {
    /// For a run: hides only where it was asked for.
    pub(super) fn new(run: &'a RunFacts) -> Self {
        let roots = run.portable.then(|| {
            let mut roots: Vec<_> = run
                .roots
                .iter()
                .map(|root| (root.path.trim_end_matches('/'), root.id.as_str()))
                .filter(|(path, _)| path.starts_with('/'))
                .collect();
            roots.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.cmp(b)));
            roots
        });
        Self { roots }
    }

    /// Whether absolute paths are hidden.
    pub(super) fn hides(&self) -> bool {
        self.roots.is_some()
    }

    /// A text that is a path and nothing else.
    pub(super) fn path<'t>(&self, path: &'t str) -> Cow<'t, str> {
        match &self.roots {
            Some(roots) if path.starts_with('/') => match under_root(roots, path) {
                Some((name, rest)) => Cow::Owned(format!("<{name}>{rest}")),
                None => Cow::Owned(elsewhere(path)),
            },
            Some(_) => self.text(path),
            None => Cow::Borrowed(path),
        }
    }

    /// A text that may name paths.
    pub(super) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.roots {
            Some(roots) if text.contains('/') => Cow::Owned(rewrite(roots, text)),
            _ => Cow::Borrowed(text),
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
                out.push_str(&format!("<{name}>"));
                before = Some('>');
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
    format!("<elsewhere>/{last}")
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
            ("/home/u/.cargo/a b", "<cargo-home>/a b"),
            ("/home/user/secret", "<elsewhere>/secret"),
            ("/mnt/home/u/x y", "<elsewhere>/x y"),
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
                "rm -r -- '<cargo-home>/x y' && z",
            ),
            ("`/root/my dir/f` is a/b", "`<elsewhere>/f` is a/b"),
            ("--feeds=/srv/feeds", "--feeds=<elsewhere>/feeds"),
            (
                "settings:/etc/cargo/config.toml",
                "settings:<elsewhere>/config.toml",
            ),
            (
                "see https://registry.example/a/b",
                "see https://registry.example/a/b",
            ),
            ("from file:///home/u/x", "from file://<home>/x"),
            ("and / or, a//b", "and / or, a//b"),
            ("(/a/b:12)", "(<elsewhere>/b:12)"),
        ] {
            assert_eq!(hide.text(text), shown);
        }
    }

    #[test]
    fn nothing_is_hidden_unasked() {
        let run = RunFacts {
            portable: false,
            ..run()
        };
        assert_eq!(Redactor::new(&run).text("/home/u"), "/home/u");
    }
}
