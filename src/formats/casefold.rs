//! The key under which two member names fall together on a machine that ignores case or normalises names.
//!
//! NFC, then simple case folding (a character maps to one character), then NFC again, because folding can
//! leave composed form. It is a key for comparing, never a name for opening. Bytes that are not UTF-8 stay as
//! they are except for ASCII letters.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Writes the collision key of `name` into `key`, replacing what was there.
pub fn collision_key(name: &[u8], key: &mut Vec<u8>) {
    key.clear();
    if name.is_ascii() {
        key.extend(name.iter().map(u8::to_ascii_lowercase));
        return;
    }
    for chunk in name.utf8_chunks() {
        push_text(chunk.valid(), key);
        key.extend_from_slice(chunk.invalid());
    }
}

fn push_text(text: &str, key: &mut Vec<u8>) {
    let folded: String = text.nfc().map(fold).collect();
    let mut buffer = [0; 4];
    if is_nfc_quick(folded.chars()) == IsNormalized::Yes {
        key.extend_from_slice(folded.as_bytes());
    } else {
        for c in folded.nfc() {
            key.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }
}

/// Simple case folding by way of the upper case, so that letters with several lower-case forms (long s, final
/// sigma) meet. Characters whose case mapping has more than one character keep the simple one or none.
fn fold(c: char) -> char {
    // The dotless i has the upper case I, but no file system lets the two meet.
    if c == '\u{131}' {
        return c;
    }
    let upper = single(c.to_uppercase()).unwrap_or(c);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &[u8]) -> Vec<u8> {
        let mut out = vec![1];
        collision_key(name, &mut out);
        out
    }

    #[test]
    fn names_that_meet_on_other_machines_have_one_key() {
        for (a, b) in [
            ("README", "readme"),
            ("\u{e9}", "e\u{301}"),
            ("\u{c9}", "e\u{301}"),
            ("\u{212a}", "k"),
            ("\u{17f}", "S"),
            ("\u{3c2}", "\u{3a3}"),
            ("\u{1e9e}", "\u{df}"),
        ] {
            assert_eq!(key(a.as_bytes()), key(b.as_bytes()), "{a} {b}");
        }
        for (a, b) in [
            ("a", "b"),
            ("\u{131}", "i"),
            ("\u{df}", "ss"),
            ("\u{130}", "i"),
        ] {
            assert_ne!(key(a.as_bytes()), key(b.as_bytes()), "{a} {b}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay_apart() {
        assert_eq!(key(b"A\xffB"), b"a\xffb");
        assert_ne!(key(b"\xff"), key(b"\xfe"));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in any::<String>()) {
            let once = key(name.as_bytes());
            prop_assert_eq!(key(&once), once);
        }

        #[test]
        fn separators_stay_where_they_are(name in proptest::collection::vec(any::<u8>(), 0..40)) {
            let slashes = |bytes: &[u8]| bytes.iter().filter(|b| **b == b'/').count();
            prop_assert_eq!(slashes(&key(&name)), slashes(&name));
        }
    }
}
