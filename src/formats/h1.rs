//! Go's `h1`: one hash over the names and SHA-256 sums of a module's files, independent of how they are packed.
//!
//! SHA-256 over one line per file, sorted by name, bytes compared: the file's SHA-256 in lower-case hex, two spaces,
//! its name, a line end. In a module zip the name is the whole entry name `path@version/rel`; a `go.mod` file alone is
//! hashed as a list of one file named `go.mod`. Recipe of golang.org/x/mod/sumdb/dirhash.
//!
//! Every entry counts, so who calls this must pass all of them, and must have looked for what a list cannot show (see
//! the zip rules). Nothing here reads a file.

use sha2::{Digest as _, Sha256};

use crate::model::digest::Digest;

/// Why a list of files has no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHash {
    /// A name with a line end could pretend to be two files.
    #[error("a file name holds a line end")]
    LineEnd,
    /// The same name twice: readers disagree about which counts.
    #[error("the name `{0}` occurs twice")]
    Twice(String),
}

/// The `h1` of these files: each a full name and the SHA-256 of its content, in any order.
///
/// # Errors
/// `NoHash` for a name with a line end and for a name that occurs twice.
pub fn of_files<'a>(
    files: impl IntoIterator<Item = (&'a str, [u8; 32])>,
) -> Result<Digest, NoHash> {
    let mut sorted: Vec<(&str, [u8; 32])> = files.into_iter().collect();
    sorted.sort_unstable();
    let mut before = None;
    for (name, _) in &sorted {
        if name.contains('\n') {
            return Err(NoHash::LineEnd);
        }
        if before.replace(*name) == Some(*name) {
            return Err(NoHash::Twice((*name).to_owned()));
        }
    }
    let mut hasher = Sha256::new();
    for (name, sum) in sorted {
        hasher.update(hex_digits(&sum));
        hasher.update("  ");
        hasher.update(name);
        hasher.update("\n");
    }
    Ok(Digest::h1(hasher.finalize().into()))
}

/// Lower-case hex, without a string for each file.
fn hex_digits(sum: &[u8; 32]) -> [u8; 64] {
    let digit = |nibble: u8| match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + (nibble - 10),
    };
    let mut digits = [0; 64];
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(sum) {
        *pair = [digit(byte >> 4), digit(byte & 0xf)];
    }
    digits
}

/// The `h1` of a `go.mod` file with this content.
pub fn of_go_mod(content: &[u8]) -> Digest {
    of_go_mod_with(Sha256::digest(content).into())
}

/// The `h1` of a `go.mod` file whose content has this SHA-256.
pub fn of_go_mod_with(sum: [u8; 32]) -> Digest {
    let sum = Digest::sha256(sum);
    Digest::h1(Sha256::digest(format!("{}  go.mod\n", sum.hex())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOD: &[u8] = b"module example.com/Foo/bar\n\ngo 1.20\n";
    const BAR: &[u8] = b"package bar\n\nfunc Hi() string { return \"hi\" }\n";

    fn sum(content: &[u8]) -> [u8; 32] {
        Sha256::digest(content).into()
    }

    #[test]
    fn the_vectors_of_the_reference() {
        let files = [
            ("example.com/Foo/bar@v1.0.0/go.mod", sum(MOD)),
            ("example.com/Foo/bar@v1.0.0/bar.go", sum(BAR)),
        ];
        let zip = of_files(files).unwrap();
        assert_eq!(
            zip.to_string(),
            "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0="
        );
        let reversed = of_files(files.into_iter().rev()).unwrap();
        assert_eq!(zip, reversed, "the order given does not matter");
        assert_eq!(
            of_go_mod(MOD).to_string(),
            "h1:DuHFTR/T1U+R+7hIifGaU/MKbuUR3XKsRWVFj+5Y9KA="
        );
        assert_eq!(of_go_mod(MOD), of_files([("go.mod", sum(MOD))]).unwrap());
        // What go.sum says of an empty go.mod file.
        assert_eq!(
            of_go_mod(b"").to_string(),
            "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="
        );
    }

    #[test]
    fn names_are_sorted_by_bytes_and_all_count() {
        let one = of_files([("a/b", sum(b"1")), ("a-b", sum(b"2")), ("A", sum(b"3"))]).unwrap();
        let list = |name: &str, of: &[u8]| format!("{}  {name}\n", Digest::sha256(sum(of)).hex());
        let text = [list("A", b"3"), list("a-b", b"2"), list("a/b", b"1")].concat();
        assert_eq!(one, Digest::h1(sum(text.as_bytes())));
        assert_ne!(
            one,
            of_files([("a/b", sum(b"1")), ("a-b", sum(b"2"))]).unwrap()
        );
        assert_ne!(
            one,
            of_files([("a/b", sum(b"1")), ("a-b", sum(b"2")), ("B", sum(b"3"))]).unwrap()
        );
    }

    #[test]
    fn ambiguous_lists_have_no_hash() {
        assert_eq!(of_files([("a\nb", sum(b""))]), Err(NoHash::LineEnd));
        let twice = of_files([("a", sum(b"1")), ("b", sum(b"2")), ("a", sum(b"1"))]);
        assert_eq!(twice, Err(NoHash::Twice("a".to_owned())));
    }
}
