//! How a module zip's files appear in an unpacked tree (cmd/go 1.26, `modfetch/fetch.go`): exactly they, never executable;
//! those of a toolchain may be.

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{Extra, ExtraContext, Placement, Projection, TreeView, Unjudged};
use crate::world::FileKind;

use super::embedding::embedded_litter;

/// `GOMODCACHE/<path>@<version>/`.
pub(super) struct Unpacked;

/// The same for a toolchain, whose programs are made executable. On its first use Go copies each `_go.mod` file, which a zip
/// can hold, to `go.mod` beside it, which a zip cannot (`toolchain/select.go`).
pub(super) struct Toolchain;

impl Projection for Unpacked {
    fn id(&self) -> &'static str {
        "go-module/1"
    }

    fn placement(&self, _: &[u8]) -> Placement {
        Placement::Exact
    }

    fn extra(&self, path: &[u8], kind: FileKind, _: Option<&[u8]>, _: &ExtraContext<'_>) -> Extra {
        litter_or_forbidden(path, kind)
    }

    fn loaded_litter(
        &self,
        litter: &[Vec<u8>],
        tree: &TreeView<'_>,
    ) -> Result<Vec<usize>, Unjudged> {
        embedded_litter(litter, tree)
    }
}

impl Projection for Toolchain {
    fn id(&self) -> &'static str {
        "go-toolchain/2"
    }

    fn placement(&self, _: &[u8]) -> Placement {
        Placement::Exact
    }

    fn extra(
        &self,
        path: &[u8],
        kind: FileKind,
        content: Option<&[u8]>,
        context: &ExtraContext<'_>,
    ) -> Extra {
        let is_copy = path.strip_suffix(b"go.mod").is_some_and(|folder| {
            let original = [folder, b"_go.mod"].concat();
            let sum = content.map(|bytes| <[u8; 32]>::from(Sha256::digest(bytes)));
            matches!(folder.last(), None | Some(b'/'))
                && sum.is_some()
                && sum == (context.file_sha256)(&original)
        });
        if is_copy {
            Extra::Generated
        } else {
            litter_or_forbidden(path, kind)
        }
    }

    fn loaded_litter(
        &self,
        litter: &[Vec<u8>],
        tree: &TreeView<'_>,
    ) -> Result<Vec<usize>, Unjudged> {
        embedded_litter(litter, tree)
    }

    fn ignores_modes(&self) -> bool {
        true
    }
}

/// Names of editor and desktop litter, which no package is made of. A pattern may embed them (see `embedding`).
pub(super) fn litter_or_forbidden(path: &[u8], kind: FileKind) -> Extra {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let swap = name.first() == Some(&b'.') && name.len() > 5 && name.ends_with(b".swp");
    if kind == FileKind::File && (swap || name == b".DS_Store") {
        Extra::Litter
    } else {
        Extra::Forbidden
    }
}
