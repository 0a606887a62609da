//! `[patch]` in settings by anything but a path: the packages of a registry taken from somewhere else, by files that no
//! lockfile and no manifest shows. Paths are judged with the other folders.

use std::collections::BTreeMap;

use crate::model::{Code, Finding};

use super::file::{Entry, File};
use super::told::{Source, short};

/// The findings about the patches of a file.
pub(super) fn judge(file: &File, source: &Source) -> Vec<Finding> {
    let mut patches: BTreeMap<(&str, &str), Vec<(&str, &Entry)>> = BTreeMap::new();
    for entry in &file.entries {
        let (of, name, key) = match entry.key.as_slice() {
            [table, of, name] if table == "patch" => (of, name, "version"),
            [table, of, name, key] if table == "patch" => (of, name, key.as_str()),
            _ => continue,
        };
        let patch = patches.entry((of, name)).or_default();
        patch.push((key, entry));
    }
    let by_path = |patch: &[(&str, &Entry)]| {
        let elsewhere = ["git", "registry", "registry-index"];
        patch.iter().any(|(key, _)| *key == "path")
            && !patch.iter().any(|(key, _)| elsewhere.contains(key))
    };
    patches
        .into_iter()
        .filter(|(_, patch)| !by_path(patch))
        .filter_map(|((of, name), patch)| {
            let (_, first) = patch.first()?;
            let message = format!(
                "settings take `{}` of `{}` from another source than its registry",
                short(name),
                short(of)
            );
            let mut finding = source.finding(Code::SourceRedirected, first.line, message);
            finding.remedy =
                Some("remove the setting, or say it in the manifest, where it is seen".into());
            Some(finding)
        })
        .collect()
}
