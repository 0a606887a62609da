//! Hexadecimal with one spelling: lower case, two digits per byte, nothing around it.
//!
//! Digests are compared as bytes and shown as text; a second accepted spelling would let two texts stand for
//! one digest in reports, baselines and waivers. Upper case, signs and spaces are therefore refused.

use thiserror::Error;

/// Why a text is no canonical hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HexError {
    /// Not two digits for each expected byte.
    #[error("expected {expected} hexadecimal digits, found {found} bytes")]
    Length {
        /// Digits that were expected.
        expected: usize,
        /// Bytes that were found.
        found: usize,
    },
    /// A byte that is no lower-case digit.
    #[error("byte {at} is not a lower-case hexadecimal digit")]
    Digit {
        /// Where it stands, from 0.
        at: usize,
    },
}

/// Decodes exactly `N` bytes.
///
/// # Errors
/// [`HexError`] when the length differs or a byte is not one of `0-9a-f`.
pub fn decode<const N: usize>(text: &[u8]) -> Result<[u8; N], HexError> {
    if text.len() != N * 2 {
        return Err(HexError::Length {
            expected: N * 2,
            found: text.len(),
        });
    }
    let mut out = [0; N];
    decode_pairs(text, &mut out)?;
    Ok(out)
}

/// Decodes any whole number of bytes.
///
/// # Errors
/// [`HexError`] when the length is odd or a byte is not one of `0-9a-f`.
pub fn decode_vec(text: &[u8]) -> Result<Vec<u8>, HexError> {
    if !text.len().is_multiple_of(2) {
        return Err(HexError::Length {
            expected: text.len() + 1,
            found: text.len(),
        });
    }
    let mut out = vec![0; text.len() / 2];
    decode_pairs(text, &mut out)?;
    Ok(out)
}

fn decode_pairs(text: &[u8], out: &mut [u8]) -> Result<(), HexError> {
    let (pairs, _) = text.as_chunks::<2>();
    for (at, ([high, low], byte)) in pairs.iter().zip(out).enumerate() {
        let high = digit(*high).ok_or(HexError::Digit { at: at * 2 })?;
        let low = digit(*low).ok_or(HexError::Digit { at: at * 2 + 1 })?;
        *byte = high << 4 | low;
    }
    Ok(())
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// Spells bytes in the one accepted way.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(if nibble < 10 {
                b'0' + nibble
            } else {
                b'a' + nibble - 10
            }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_read() {
        assert_eq!(decode::<2>(b"00ff"), Ok([0, 255]));
        assert_eq!(decode::<2>(b"00FF"), Err(HexError::Digit { at: 2 }));
        assert_eq!(decode::<2>(b"+fff"), Err(HexError::Digit { at: 0 }));
        assert_eq!(
            decode::<2>(b"00f"),
            Err(HexError::Length {
                expected: 4,
                found: 3
            })
        );
        assert_eq!(
            decode::<2>("0\u{e9}0".as_bytes()),
            Err(HexError::Digit { at: 1 })
        );
        assert_eq!(
            decode_vec(b"abc"),
            Err(HexError::Length {
                expected: 4,
                found: 3
            })
        );
        assert_eq!(decode_vec(b""), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn what_decodes_is_what_encodes(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(bytes) = decode_vec(&text) {
                prop_assert_eq!(encode(&bytes).into_bytes(), text);
            }
        }

        #[test]
        fn every_byte_string_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode_vec(encode(&bytes).as_bytes()), Ok(bytes));
        }
    }
}
