//! Bytes of record values: fixed numbers little-endian, lengths and counts as LEB128.
//!
//! The reader trusts nothing: every length is held against what is left, a count reserves no more room than the bytes
//! that are there could fill, and texts must be UTF-8.

use std::sync::Arc;

use crate::model::{Digest, Scheme};

/// Reads a value from its bytes; `None` as soon as something does not fit.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next bytes.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next bytes, of a fixed number.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// A byte.
    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[b]| b)
    }

    /// A signed number of eight bytes.
    pub(super) fn signed(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// A LEB128 number, in its shortest form only.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return (bits != 0 || shift == 0).then_some(value);
            }
        }
        None
    }

    /// A count of things that take at least `smallest` bytes each: more than could be there is refused.
    pub(super) fn count(&mut self, smallest: usize) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count.checked_mul(smallest)? <= self.rest.len()).then_some(count)
    }

    /// Bytes behind their length.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.count(1)?;
        self.take(length)
    }

    /// Text behind its length.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Text that may be missing.
    pub(super) fn optional_text(&mut self) -> Option<Option<Arc<str>>> {
        match self.byte()? {
            0 => Some(None),
            1 => self.text().map(|text| Some(Arc::from(text))),
            _ => None,
        }
    }

    /// A digest.
    pub(super) fn digest(&mut self) -> Option<Digest> {
        let number = usize::from(self.byte()?);
        let scheme = *Scheme::ALL.get(number)?;
        Digest::new(scheme, self.take(scheme.len())?).ok()
    }

    /// Nothing may be left at the end.
    pub(super) fn end(self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

/// Writes a number as LEB128.
pub(super) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Writes bytes behind their length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes text that may be missing.
pub(super) fn put_optional_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            put_bytes(out, text.as_bytes());
        }
    }
}

/// Writes a digest: the scheme's position in [`Scheme::ALL`] (part of the format), and its bytes.
pub(super) fn put_digest(out: &mut Vec<u8>, digest: &Digest) {
    let at = Scheme::ALL.iter().position(|s| *s == digest.scheme());
    out.push(at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
    out.extend_from_slice(digest.bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_are_held_against_what_is_there() {
        let mut bytes = Vec::new();
        put_number(&mut bytes, u64::MAX);
        bytes.extend_from_slice(b"abc");
        assert_eq!(Reader::new(&bytes).count(1), None);
        assert_eq!(Reader::new(&bytes).bytes(), None);
    }

    #[test]
    fn one_spelling_of_a_number() {
        assert_eq!(Reader::new(&[0x80, 0x00]).number(), None);
        assert_eq!(Reader::new(&[0x00]).number(), Some(0));
        let mut over = vec![0xff; 9];
        over.push(0x02);
        assert_eq!(Reader::new(&over).number(), None);
        assert_eq!(Reader::new(&[0xff; 20]).number(), None);
    }

    #[test]
    fn the_order_of_schemes_is_part_of_the_format() {
        let names: Vec<_> = Scheme::ALL.iter().map(|s| s.prefix()).collect();
        assert_eq!(
            names,
            [
                "sha256",
                "sha384",
                "sha512",
                "sha1",
                "md5",
                "h1",
                "git-sha1",
                "git-sha256"
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in any::<u64>(), bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            let mut out = Vec::new();
            put_number(&mut out, value);
            put_bytes(&mut out, &bytes);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.number(), Some(value));
            prop_assert_eq!(reader.bytes(), Some(&*bytes));
            prop_assert_eq!(reader.end(), Some(()));
        }
    }
}
