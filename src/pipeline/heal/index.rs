//! Which evidence there is of a finding: one line per finding, made anew from the closed journals.
//!
//! A convenience for reports, which name the evidence. It is read as hostile text: it can name evidence that is not there,
//! and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use super::evidence;
use super::journal::Standing;
use super::quarantine;
use super::vault::Vault;

/// Its name in the vault.
pub const NAME: &str = "evidence.index";
/// Most lines that are read.
const MOST: usize = 100_000;

/// Makes it anew. That it cannot be written changes nothing about what was done.
pub(super) fn refresh(vault: &Vault<'_>) {
    let Ok((all, _)) = quarantine::list(vault) else {
        return;
    };
    let mut text = String::new();
    for kept in all {
        if kept.sealed && matches!(kept.standing, Standing::Done | Standing::Restored) {
            for finding in &kept.entry.findings {
                let _ = writeln!(
                    text,
                    "{finding} {}",
                    evidence::id(&kept.run, kept.entry.number)
                );
            }
        }
    }
    let at = vault.base.at(Path::new(NAME));
    let _ = vault.fs.remove(at);
    if let Ok(mut file) = vault.fs.create(at, 0o600) {
        let _ = file.write_all(text.as_bytes()).and_then(|()| file.sync());
    }
}

/// Reads it: the latest evidence of each finding.
pub fn parse(bytes: &[u8]) -> BTreeMap<String, String> {
    let word = |text: &str, start: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        text.starts_with(start) && text.len() <= 64 && text.bytes().all(plain)
    };
    String::from_utf8_lossy(bytes)
        .lines()
        .take(MOST)
        .filter_map(|line| line.split_once(' '))
        .filter(|(finding, id)| word(finding, "f-") && word(id, "q-"))
        .map(|(finding, id)| (finding.to_owned(), id.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_ours_are_read() {
        let text = b"f-1 q-A-1\nf-1 q-B-2\nf-2 /etc/passwd\n\xff\xfe x\nf-3 q-\x1b[2J\n";
        let read = parse(text);
        assert_eq!(read.len(), 1);
        assert_eq!(read["f-1"], "q-B-2");
    }
}
