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

    /// Most bytes that its tool takes for such an archive, if the tool says so.
    pub const fn longest(self) -> Option<u64> {
        match self {
            // `MaxZipFile` (golang.org/x/mod v0.29, `zip/zip.go`): the go command and its proxies refuse more.
            Self::GoZip => Some(500 << 20),
            Self::CrateTarGz | Self::GoMod | Self::H1Sidecar => None,
        }
    }

    /// Whether it is a small file that is read whole and never unpacked.
    pub const fn is_plain(self) -> bool {
        matches!(self, Self::GoMod | Self::H1Sidecar)
    }
}
