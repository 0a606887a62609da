//! Stage heal: how is it made good again? The only stage that changes a cache, and everything it changes can be put back.
//!
//! A plan is made from what a scan found, without looking at the disk ([`plan`]). Carrying it out, one transaction per
//! entry: locks, evidence, a verified replacement, a record on disk ([`record`], [`journal`]), then the moves ([`apply`]).
//! What was interrupted is finished from its record ([`recover`]); what was done is put back from it ([`restore`]). Only
//! records that this user's key has sealed are carried out ([`seal`]).

pub mod abandon;
pub mod allowed;
pub mod apply;
pub mod audit;
mod chain;
mod changes;
mod diff;
pub mod evidence;
pub mod grounds;
pub mod index;
pub mod journal;
mod likeness;
mod locking;
mod look;
mod mend;
pub mod places;
pub mod plan;
pub mod quarantine;
pub mod receipt;
pub mod record;
pub mod recover;
mod redact;
mod relocate;
mod remade;
pub mod restore;
mod rights;
pub mod seal;
mod supplied;
pub mod transaction;
pub mod vault;

/// Why a replacement is not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// In words.
    pub why: String,
    /// Whether other bytes were sent than those that were published: an attack, or a broken mirror.
    pub other_bytes: bool,
}

impl From<String> for Lack {
    fn from(why: String) -> Self {
        Self {
            why,
            other_bytes: false,
        }
    }
}

impl From<&str> for Lack {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

/// Where replacements come from.
pub trait Supply: Sync {
    /// The archive of an artifact, whose bytes hash to this digest.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    fn archive(
        &self,
        artifact: &crate::model::ArtifactId,
        digest: &crate::model::Digest,
    ) -> Result<Vec<u8>, Lack>;
    /// What a tool would keep of a package's listing now.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    fn listing(&self, coordinate: &crate::model::Coordinate) -> Result<Vec<u8>, Lack>;
    /// What a copy below a cache root must hold, where its tool makes it from something that lies there too.
    fn copied(
        &self,
        _step: &plan::Step,
        _root: &std::path::Path,
        _copy: &std::path::Path,
    ) -> Option<crate::ecosystems::contract::Copied> {
        None
    }
    /// What was said of a package by those who are believed, with its proofs, as claims are exported; empty for nothing.
    fn proofs(&self, _coordinate: &crate::model::Coordinate) -> Vec<u8> {
        Vec::new()
    }
}

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod moving_tests;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod schedule_tests;
