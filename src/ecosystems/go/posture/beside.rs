//! Vendor folders as Go looks for them: by their name, beside a `go.mod` or `go.work` file, along links (cmd/go 1.26,
//! `modload/init.go`, `modload/import.go`).
//!
//! The walk knows a vendor folder by its `modules.txt`, follows no link, and takes a folder with a manifest in it for a
//! project; Go does none of that. Without `modules.txt` Go imports what lies there while the module's language version is below
//! 1.23, if nothing required speaks against it; from 1.23 on it ignores what is not listed.

use std::path::{Path, PathBuf};

use crate::ecosystems::contract::{NamedPlace, PostureContext};
use crate::formats::semver_order::GoOrder;
use crate::model::version_order::VersionOrder as _;
use crate::world::FileKind;

use super::super::gomod::{self, GoMod, Kind};
use super::super::locks::semantic;
use super::super::vendor;

/// What Go assumes where a `go.mod` file has no `go` line.
const ASSUMED: &str = "1.16";

/// Vendor folders beside the manifests of scanned trees.
pub(super) fn places(context: &PostureContext<'_>) -> Vec<NamedPlace> {
    context
        .folders
        .iter()
        .filter_map(|folder| beside(folder, context))
        .collect()
}

fn beside(folder: &Path, context: &PostureContext<'_>) -> Option<NamedPlace> {
    let path = folder.join("vendor");
    let is = |path: &Path, kind| context.fs.stat_named(path).is_ok_and(|s| s.kind == kind);
    if (context.excluded)(&path) || !is(&path, FileKind::Dir) {
        return None;
    }
    let read = |name: &str, kind| {
        let at = folder.join(name);
        let bytes = context.fs.read_named(&at, gomod::MAX_BYTES as u64).ok()?;
        Some((at, gomod::parse(&bytes, kind)))
    };
    let manifests: Vec<(PathBuf, GoMod)> = [("go.work", Kind::Work), ("go.mod", Kind::Mod)]
        .into_iter()
        .filter_map(|(name, kind)| read(name, kind))
        .collect();
    let listed = context.fs.stat_named(&path.join(vendor::MODULES));
    // Of one that cannot be looked at nothing is assumed.
    let unlisted = listed.is_err_and(|error| error.is_not_found());
    let (manifest, _) = manifests
        .iter()
        .find(|(_, file)| !unlisted || imports_unlisted(file))?;
    Some(NamedPlace {
        kind: vendor::KIND,
        path,
        named_by: manifest.display().to_string(),
        stands_for: None,
    })
}

/// Whether Go imports from a vendor folder without `modules.txt` beside this file.
fn imports_unlisted(file: &GoMod) -> bool {
    let go = file.go.as_ref().map_or(ASSUMED, |go| &*go.value);
    let below = |version: &str| {
        let stands = GoOrder.compare(&semantic(go), version);
        stands.is_none_or(|stands| stands == std::cmp::Ordering::Less)
    };
    // Since 1.14 what is required must be listed, or Go refuses the folder.
    below("1.14.0") || (below("1.23.0") && file.require.is_empty())
}
