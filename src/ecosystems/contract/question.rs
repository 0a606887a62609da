//! What an authority is asked, and what comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::Reason;
use crate::model::listing::Listing;

/// A package that the authority is asked about.
#[derive(Debug, Clone)]
pub struct Question {
    /// Name, verbatim.
    pub name: Arc<str>,
    /// What the claim store knows already, for a conditional request.
    pub known: Option<Arc<Listing>>,
    /// Versions that matter.
    pub versions: Vec<Arc<str>>,
    /// Ask past caches on the way.
    pub fresh: bool,
}

/// What became of a question.
#[derive(Debug, Clone)]
pub enum Reply {
    /// What is published.
    Listing(Arc<Listing>),
    /// What is proven to be published.
    Proven {
        /// As far as it was asked about.
        listing: Arc<Listing>,
        /// Why nothing is known of rows that are not in it, if not because there is no record of them.
        gap: Option<Reason>,
        /// Rows that fresh answers deny.
        denied: BTreeSet<Arc<str>>,
    },
    /// The authority knows no package of this name.
    NoSuchPackage,
    /// It could not be learned.
    Gap(Reason, String),
}
