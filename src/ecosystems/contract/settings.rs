//! What settings of an ecosystem's tools name: candidates, never trust.

/// What settings of an ecosystem's tools name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolSettings {
    /// Transparency logs: name or verifier key as written, and where that stands; the one in force first.
    pub logs: Vec<(String, String)>,
    /// Addresses that hand out archives, and where they stand; of the setting in force alone, in the tool's order.
    pub proxies: Vec<(String, String)>,
    /// The setting by which the tool tells logs or proxies no name, as a fragment, where there is one.
    pub silent: Option<String>,
    /// Patterns of names that the tool treats as private.
    pub private: Vec<String>,
    /// Signed heads of logs that the tool keeps: name of the log, where, and the note. None of it is believed.
    pub heads: Vec<(String, String, Vec<u8>)>,
}
