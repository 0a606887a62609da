//! Lines that are chained: each begins with the SHA-256 of the one before it and of its own JSON, then a space, the JSON.
//!
//! The audit log and the journals are such files. Nothing in it is secret: a chain shows what was changed or taken out of the
//! middle, not that somebody wrote all of it anew, nor that its end is missing.

use sha2::{Digest as _, Sha256};

use crate::model::digest::hex;

/// Length of a sum in text.
const SUM: usize = 64;

/// The sum of a line, by the sum of the one before it. A chain begins with the sum of its own seed.
pub(super) fn link(before: &str, json: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(before.as_bytes());
    hasher.update(json.as_bytes());
    hex(&hasher.finalize())
}

/// A line's sum and its JSON, if it follows the line with that sum.
pub(super) fn follow<'a>(text: &'a [u8], before: &str) -> Option<(String, &'a str)> {
    let json = std::str::from_utf8(text.get(SUM + 1..)?).ok()?;
    let sum = link(before, json);
    let fits = text.get(..SUM) == Some(sum.as_bytes()) && text.get(SUM) == Some(&b' ');
    fits.then_some((sum, json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_follows_one_line_alone() {
        let first = link("seed", "{}");
        let line = format!("{} {{\"a\":1}}", link(&first, "{\"a\":1}"));
        assert_eq!(follow(line.as_bytes(), &first).unwrap().1, "{\"a\":1}");
        assert!(follow(line.as_bytes(), "seed").is_none());
        for at in 0..line.len() {
            let mut other = line.clone().into_bytes();
            other[at] ^= 1;
            assert!(follow(&other, &first).is_none(), "byte {at}");
        }
        assert!(follow(b"short", &first).is_none());
    }
}
