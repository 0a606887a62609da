//! What a finding says of an advisory.

/// The advisory part of a finding (CONTRACT section 3).
#[derive(Debug, Clone, PartialEq)]
pub struct AdvisoryFact {
    /// Its id in the feed.
    pub id: String,
    /// Other names of the same thing, sorted.
    pub aliases: Vec<String>,
    /// CVSS score, 0.0 to 10.0.
    pub score: Option<f64>,
    /// CVSS vector.
    pub vector: Option<String>,
    /// Versions in which it is fixed, as the feed writes them.
    pub fixed: Vec<String>,
    /// Name of the feed.
    pub source: String,
    /// Address of its page.
    pub link: Option<String>,
}
