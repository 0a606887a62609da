//! The checkout as text: every file of `src` with its module path, and its code without comments.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file of `src`.
pub(crate) struct Source {
    /// Path below the checkout, with forward slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// Its module path: `pipeline::verify::observe`; empty for `lib.rs`.
    pub(crate) module: Vec<String>,
    /// Whether it is compiled for tests only.
    pub(crate) test: bool,
}

/// The folder of the checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file of the checkout.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every file below a folder of the checkout, sorted, with forward slashes.
pub(crate) fn below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    open.retain(|dir| dir.is_dir());
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap();
    path.to_str().unwrap().replace('\\', "/")
}

/// Every Rust file of `src`.
pub(crate) fn sources() -> Vec<Source> {
    let mut all: Vec<Source> = below("src")
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| Source {
            text: read(&path),
            module: module_of(&path),
            test: false,
            path,
        })
        .collect();
    let test_modules: Vec<Vec<String>> = all.iter().flat_map(declared_for_tests).collect();
    for source in &mut all {
        source.test = test_modules
            .iter()
            .any(|test| source.module.starts_with(test));
    }
    assert!(all.len() > 100, "the sources were not found");
    all
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`.
fn module_of(path: &str) -> Vec<String> {
    let inner = path
        .strip_prefix("src/")
        .unwrap()
        .strip_suffix(".rs")
        .unwrap();
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

/// Modules that the file declares behind `#[cfg(test)]`.
fn declared_for_tests(source: &Source) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut gated = false;
    for line in source.text.lines().map(str::trim) {
        if line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test") {
            gated = true;
        } else if gated && !line.starts_with("#[") {
            let words = line
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ");
            if let Some(name) = words.strip_prefix("mod ").and_then(|n| n.strip_suffix(';')) {
                let mut module = source.module.clone();
                module.push(name.to_owned());
                found.push(module);
            }
            gated = false;
        }
    }
    found
}

impl Source {
    /// Its code without comments, and without the test module at its end.
    pub(crate) fn code(&self) -> String {
        let mut out = String::new();
        let mut gated = false;
        for line in self.text.lines() {
            let bare = line.trim();
            if bare == "#[cfg(test)]" {
                gated = true;
                continue;
            }
            if gated && bare.starts_with("mod ") && bare.ends_with('{') {
                assert!(
                    !line.starts_with(' '),
                    "{}: an inner test module",
                    self.path
                );
                break;
            }
            gated = gated && bare.starts_with("#[");
            out.push_str(uncommented(line));
            out.push('\n');
        }
        out
    }

    /// First part of its module path.
    pub(crate) fn house(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Second part of its module path.
    pub(crate) fn room(&self) -> &str {
        self.module.get(1).map_or("", String::as_str)
    }
}

/// The line up to a comment. A `//` inside a string ends it too: no import stands behind one.
fn uncommented(line: &str) -> &str {
    line.find("//").map_or(line, |at| &line[..at])
}
