//! Which places a step is about, where a subject does not say so by itself: strays of a vendor folder, a repository that is
//! bad as a whole. Pure.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::Remade;
use crate::model::{Finding, shell, text};
use crate::pipeline::ailing::Ailing;

/// What of a whole root belongs to none of its units: the topmost folders or files.
pub(super) fn strays(ailing: &Ailing) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for finding in &ailing.findings {
        for entry in &finding.entries {
            let path = entry_path(&entry.path, entry.path_escaped);
            let above = path.ancestors().filter(|above| {
                let holds = |unit: &PathBuf| unit.starts_with(above);
                !above.as_os_str().is_empty() && !ailing.beside.iter().any(holds)
            });
            found.extend(above.last().map(Path::to_owned));
        }
    }
    found
}

pub(super) fn entry_path(text: &str, escaped: bool) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    if escaped {
        PathBuf::from(std::ffi::OsString::from_vec(shell::unescape(text)))
    } else {
        PathBuf::from(text)
    }
}

/// The repository of which all goes: its database itself is bad, so nothing can be made from it.
pub(super) fn spoiled(chosen: &[&Ailing]) -> Option<Remade> {
    let is_bad = |ailing: &&&Ailing| {
        let Some(remade) = &ailing.remade else {
            return false;
        };
        let (source, _) = text::percent(remade.source.as_os_str().as_bytes());
        let lies_in = |f: &Finding| {
            let below = f.rel.as_deref().and_then(|rel| rel.strip_prefix(&*source));
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        };
        ailing.rel == remade.source || ailing.findings.iter().any(lies_in)
    };
    chosen.iter().find(is_bad)?.remade.clone()
}
