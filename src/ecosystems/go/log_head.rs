//! A head of the public log that this release brings along, so that a run without memory (`--isolated`) notices a fork or a
//! roll-back too.
//!
//! `log_head.txt` has its size, root hash, signature and the day on which it was fetched, one in a line; lines with `#` are comments. The log's name is that of
//! the log which is asked: the signature holds for no other key. An old head proves what it includes, and never that something is
//! absent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::tlog::{Hash, SignedHead, TreeHead, VerifierKey};

/// The head of this release.
const HEAD: &str = include_str!("log_head.txt");

/// The newest head of a log that is ours: kept by an earlier run, or of this release.
pub(super) fn newest(kept: Option<SignedHead>, key: &VerifierKey) -> Option<SignedHead> {
    newer(kept, released(key))
}

/// The head of this release, if the log is the public one.
pub(super) fn released(key: &VerifierKey) -> Option<SignedHead> {
    read(HEAD, key)
}

/// The day on which the head of this release was fetched, if this is it.
pub(super) fn released_on(head: &TreeHead, key: &VerifierKey) -> Option<&'static str> {
    let released = read(HEAD, key)?;
    let mut lines = HEAD.lines().filter(|line| !line.starts_with('#'));
    (released.head() == head).then(|| lines.nth(3)).flatten()
}

fn newer(kept: Option<SignedHead>, released: Option<SignedHead>) -> Option<SignedHead> {
    match (kept, released) {
        (Some(kept), Some(released)) if kept.head().size < released.head().size => Some(released),
        (None, released) => released,
        (kept, _) => kept,
    }
}

/// Reads a head; `None` if it is not one of this key's log.
fn read(text: &str, key: &VerifierKey) -> Option<SignedHead> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let size = lines.next()?.parse().ok()?;
    let root = Hash::from_base64(lines.next()?)?;
    let signature = STANDARD.decode(lines.next()?).ok()?;
    SignedHead::from_parts(key, size, root, &signature.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlog::testlog::TestLog;

    /// As the maker writes it.
    fn written(head: &SignedHead) -> String {
        let note = String::from_utf8(head.note().to_vec()).unwrap();
        let lines: Vec<&str> = note.lines().collect();
        let signature = STANDARD
            .decode(lines[4].rsplit(' ').next().unwrap())
            .unwrap();
        format!(
            "# comment\n{}\n{}\n{}\n",
            lines[1],
            lines[2],
            STANDARD.encode(&signature[4..])
        )
    }

    #[test]
    fn a_head_is_believed_for_the_key_that_signed_it_alone() {
        let log = TestLog::numbered("log.example", 1, 300);
        let head = log.signed(200);
        let text = written(&head);
        assert_eq!(read(&text, &log.verifier()), Some(head));
        let other = TestLog::numbered("log.example", 1, 300).with_key(9);
        assert_eq!(read(&text, &other.verifier()), None);
        assert_eq!(
            read(&text.replace("\n200\n", "\n201\n"), &log.verifier()),
            None
        );
        assert_eq!(read("", &log.verifier()), None);
    }

    #[test]
    fn the_newer_one_counts() {
        let log = TestLog::numbered("log.example", 1, 300);
        let (old, new) = (log.signed(100), log.signed(200));
        assert_eq!(
            newer(Some(old.clone()), Some(new.clone())),
            Some(new.clone())
        );
        assert_eq!(newer(Some(new.clone()), Some(old.clone())), Some(new));
        assert_eq!(newer(None, Some(old.clone())), Some(old));
        assert_eq!(newer(None, None), None);
    }

    #[test]
    fn the_head_of_this_release_is_whole() {
        let lines: Vec<&str> = HEAD.lines().filter(|line| !line.starts_with('#')).collect();
        let [size, root, signature, day] = lines[..] else {
            panic!("{HEAD}")
        };
        assert!(size.parse::<u64>().unwrap() > 60_000_000);
        assert!(crate::model::day::Day::parse(day).is_some());
        assert!(Hash::from_base64(root).is_some());
        assert_eq!(STANDARD.decode(signature).unwrap().len(), 64);
        // It is the public log's: another one is not served by it.
        let log = TestLog::numbered("log.example", 1, 300);
        assert_eq!(newest(None, &log.verifier()), None);
    }
}
