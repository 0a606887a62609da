//! What a manifest says of code that is the user's own. It is the scanned tree's word: believed only of manifests that were seen.

/// What a manifest says of first-party code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstParty {
    /// Name of the package that it describes.
    pub name: Option<String>,
    /// Folders that it names, relative to its own, verbatim, sorted.
    pub paths: Vec<String>,
    /// Packages that folders among them stand in for, under whatever name their manifests have: name and path.
    pub stand_ins: Vec<(String, String)>,
}
