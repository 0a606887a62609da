//! How a module zip's files appear in an unpacked tree and in a vendor folder (cmd/go 1.26, `modfetch/fetch.go`, `modcmd/vendor.go`).
//!
//! Unpacked: exactly the zip's files, never executable; those of a toolchain may be. Vendored: some of the zip's files, and
//! no others.

use crate::ecosystems::contract::{Extra, ExtraContext, Placement, Projection};
use crate::world::FileKind;

/// `GOMODCACHE/<path>@<version>/`.
pub(super) struct Unpacked;

/// The same for a toolchain, whose programs are made executable.
pub(super) struct Toolchain;

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
        "go-toolchain/1"
    }

    fn placement(&self, _: &[u8]) -> Placement {
        Placement::Exact
    }

    fn extra(&self, path: &[u8], kind: FileKind, _: Option<&[u8]>, _: &ExtraContext<'_>) -> Extra {
        litter_or_forbidden(path, kind)
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
