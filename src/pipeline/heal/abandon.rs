//! Giving up an interrupted run: its journal is closed as it stands, and nothing else is touched.
//!
//! What it took stays in the quarantine, listed, and can be put back. A journal that this user did not seal is only moved
//! to the others: it stays unsealed, and nothing is ever done by it.

use std::path::Path;

use super::journal::{self, Journal, JournalError, Standing};
use super::record::Line;
use super::vault::{Vault, VaultError, journal_name};

/// Closes it; whether it was one that something could be done by.
///
/// # Errors
/// When the system refuses.
pub fn run(vault: &Vault<'_>, run: &str) -> Result<bool, VaultError> {
    let name = journal_name(run);
    let read = journal::read(vault.fs, vault.base, Path::new(&name), vault.seal());
    let sealed = match (read, vault.seal()) {
        (Ok(Some(story)), Some(seal)) if story.id == run && !vault.is_twice(run) => {
            let mut journal = Journal::resume(vault.fs, vault.base, seal, &story)?;
            for (entry, standing) in &story.entries {
                if matches!(standing, Standing::Begun | Standing::Restoring) {
                    journal.line(&Line::Abandoned(entry.number))?;
                }
            }
            journal.line(&Line::End)?;
            true
        }
        (Err(JournalError::Io(error)), _) => return Err(error.into()),
        _ => false,
    };
    vault.close(run)?;
    Ok(sealed)
}
