//! How a module zip's files appear in an unpacked tree and in a vendor folder (cmd/go 1.26, `modfetch/fetch.go`, `modcmd/vendor.go`).
//!
//! Unpacked: exactly the zip's files, never executable; those of a toolchain may be. Vendored: some of the zip's files, and
//! no others. Of the folder of each package that `modules.txt` lists Go copies every file but tests, `go.mod`, `go.sum`, and
//! sources that are marked to be ignored. Which sources are is not told by their names, so that a missing `.go` file is not
//! judged; of the rest, what a compiler loads must be there, and anything else is listed when it is not.

use sha2::{Digest as _, Sha256};

use crate::ecosystems::contract::{Difference, Extra, ExtraContext, Placement, Projection};
use crate::world::FileKind;

/// `GOMODCACHE/<path>@<version>/`.
pub(super) struct Unpacked;

/// The same for a toolchain, whose programs are made executable. On its first use Go copies each `_go.mod` file, which a zip
/// can hold, to `go.mod` beside it, which a zip cannot (`toolchain/select.go`).
pub(super) struct Toolchain;

/// Endings of what Go hands to compilers, assemblers and linkers beside its own sources (`go/build`).
const COMPILED: [&str; 18] = [
    "c", "cc", "cpp", "cxx", "m", "h", "hh", "hpp", "hxx", "f", "F", "for", "f90", "s", "S", "sx",
    "swig", "syso",
];

/// `vendor/<path>/`.
pub(super) struct Vendored;

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

    fn ignores_modes(&self) -> bool {
        true
    }
}

impl Projection for Vendored {
    fn id(&self) -> &'static str {
        "go-vendor/1"
    }

    fn placement(&self, _: &[u8]) -> Placement {
        Placement::Optional
    }

    fn copied(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        !name.ends_with(b".go") && name != b"go.mod" && name != b"go.sum"
    }

    fn missing(&self, path: &[u8]) -> Difference {
        let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let ending = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
        if COMPILED.iter().any(|known| known.as_bytes() == ending) && ending.len() < name.len() {
            Difference::Finding
        } else {
            Difference::Listed("is not there, though Go copies it; no compiler loads it")
        }
    }

    fn extra(&self, path: &[u8], kind: FileKind, _: Option<&[u8]>, _: &ExtraContext<'_>) -> Extra {
        litter_or_forbidden(path, kind)
    }

    fn ignores_modes(&self) -> bool {
        true
    }
}

/// Editor and desktop litter at the top of nothing that Go compiles: no package has it, and no pattern embeds it by default.
fn litter_or_forbidden(path: &[u8], kind: FileKind) -> Extra {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let swap = name.first() == Some(&b'.') && name.len() > 5 && name.ends_with(b".swp");
    if kind == FileKind::File && (swap || name == b".DS_Store") {
        Extra::Litter
    } else {
        Extra::Forbidden
    }
}
