//! The words of a call that heal needs to see what a scan saw: what to audit, what to believe, what to leave out.
//!
//! For remedies that people copy: each path arrives in the shell as one word.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::cli::args::{NamedFile, Shared};
use crate::model::shell;

/// The words, each behind a space.
pub(super) fn of(shared: &Shared) -> String {
    let mut words = Words(String::new());
    for path in &shared.paths {
        words.file(path);
    }
    words.flag(shared.caches, "--caches");
    for cache in &shared.named_caches {
        let mut bytes = format!("{}=", cache.name).into_bytes();
        bytes.extend_from_slice(cache.path.as_os_str().as_bytes());
        words.pair("--cache", &bytes);
    }
    for path in &shared.lockfile {
        words.pair("-L", path.as_os_str().as_bytes());
    }
    if !shared.ecosystem.is_empty() {
        words.pair("--ecosystem", shared.ecosystem.join(",").as_bytes());
    }
    for glob in &shared.exclude {
        words.pair("--exclude", glob.as_bytes());
    }
    for file in &shared.claims {
        words.named("--claims", file);
    }
    if let Some(level) = shared.require {
        words.pair("--require", level.as_str().as_bytes());
    }
    words.flag(shared.no_advisories, "--no-advisories");
    words.flag(shared.common.isolated, "--isolated");
    for file in &shared.common.trust {
        words.named("--trust", file);
    }
    if let Some(file) = &shared.common.config {
        words.named("--config", file);
    }
    if let Some(path) = &shared.common.ca_bundle {
        words.pair("--ca-bundle", path.as_os_str().as_bytes());
    }
    words.0
}

struct Words(String);

impl Words {
    fn word(&mut self, bytes: &[u8]) {
        self.0.push(' ');
        self.0.push_str(&shell::quote(bytes));
    }

    fn flag(&mut self, given: bool, name: &str) {
        if given {
            self.word(name.as_bytes());
        }
    }

    fn pair(&mut self, name: &str, value: &[u8]) {
        self.word(name.as_bytes());
        self.word(value);
    }

    /// A path that begins with a dash is no option.
    fn file(&mut self, path: &Path) {
        let bytes = path.as_os_str().as_bytes();
        if bytes.first() == Some(&b'-') {
            self.word(&[b"./", bytes].concat());
        } else {
            self.word(bytes);
        }
    }

    fn named(&mut self, name: &str, file: &NamedFile) {
        let mut bytes = file.path.as_os_str().as_bytes().to_vec();
        if let Some(digest) = file.digest {
            bytes.extend_from_slice(format!("@{digest}").as_bytes());
        }
        self.pair(name, &bytes);
    }
}
