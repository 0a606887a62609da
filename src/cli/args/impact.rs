//! `impact`: where something is.

use clap::Args;

use super::scan::Common;

/// `untaint impact`.
#[derive(Debug, Args)]
pub struct ImpactArgs {
    /// A package URL (with or without a version), sha256:HEX, an advisory's id, or a finding's id
    #[arg(value_name = "PURL|sha256:HEX|ADVISORY-ID|FINDING-ID")]
    pub what: String,
    /// Print JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}
