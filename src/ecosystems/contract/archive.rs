//! How archives, and files that stand beside them, are packed.

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// gzip and tar, everything below one folder `<name>-<version>/`.
    CrateTarGz,
    /// A module zip: everything below `<path>@<version>/`, known by its `h1`.
    GoZip,
    /// No archive but one `go.mod` file, known by its `h1`.
    GoMod,
    /// No archive but the cache's own record of the `h1` of one: its word is judged, and proves nothing.
    H1Sidecar,
}

impl ArchiveFormat {
    /// What a subject of this format is called in reports.
    pub const fn subject_kind(self) -> &'static str {
        match self {
            Self::CrateTarGz | Self::GoZip => "archive",
            Self::GoMod => "go-mod",
            Self::H1Sidecar => "sidecar",
        }
    }

    /// Whether it is a small file that is read whole and never unpacked.
    pub const fn is_plain(self) -> bool {
        matches!(self, Self::GoMod | Self::H1Sidecar)
    }
}
