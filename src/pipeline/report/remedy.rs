//! What to type next for a finding: its own remedy, or else the plainest command that is always right.
//!
//! Names only commands that exist, and never one that untaint runs by itself. Paths arrive in the shell as one word.

use crate::model::shell;
use crate::model::{Class, Finding, Place};

/// One command or step.
pub(super) fn of(finding: &Finding) -> String {
    if let Some(remedy) = &finding.remedy {
        return remedy.clone();
    }
    removal(finding).unwrap_or_else(|| format!("untaint explain {}", finding.code))
}

/// A tampered cache entry may always go: its tool fetches it again.
fn removal(finding: &Finding) -> Option<String> {
    let path = finding.path.as_deref()?;
    let cached = finding.place == Place::Cache && finding.class() == Class::Integrity;
    let bytes = if finding.path_escaped {
        shell::unescape(path)
    } else {
        path.as_bytes().to_vec()
    };
    cached.then(|| format!("rm -r -- {}", shell::quote(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Code;

    #[test]
    fn a_tampered_cache_entry_is_removed_by_its_exact_name() {
        let finding = Finding {
            path: Some("/c/%FF it's".into()),
            path_escaped: true,
            ..Finding::new(Code::ArchiveTampered, Place::Cache, "x")
        };
        assert_eq!(of(&finding), r"rm -r -- $'/c/\377 it\'s'");
    }

    #[test]
    fn nothing_else_is_removed() {
        for finding in [
            Finding::new(Code::ArchiveTampered, Place::Cache, "no path is known"),
            Finding {
                path: Some("/project/vendor/x".into()),
                ..Finding::new(Code::TreeModified, Place::Vendor, "x")
            },
        ] {
            assert_eq!(of(&finding), format!("untaint explain {}", finding.code));
        }
    }
}
