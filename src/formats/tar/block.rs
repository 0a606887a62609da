//! One header block of 512 bytes: fields, numbers, checksum. No state, no names of its own.

/// Size of a block.
pub(super) const BLOCK: usize = 512;

/// What the magic says about the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    /// No magic.
    V7,
    /// POSIX: the name has a prefix field.
    Ustar,
    /// GNU.
    Gnu,
    /// Something else; read as if there were none.
    Unknown,
}

/// A number, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: i64,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Octal digits, spaces before, spaces or NULs behind.
    Octal,
    /// Empty, or followed by something behind a NUL.
    Odd,
    /// Base-256.
    Binary,
}

/// A header block whose checksum is right.
pub(super) struct Block<'a>(&'a [u8; BLOCK]);

impl<'a> Block<'a> {
    /// `None` if the checksum is wrong.
    pub(super) fn checked(bytes: &'a [u8; BLOCK]) -> Option<Self> {
        let block = Self(bytes);
        let stored = number(block.field(148, 8))?;
        // The sum is taken as if the checksum field held spaces.
        let total: i64 = bytes.iter().map(|b| i64::from(*b)).sum();
        let own: i64 = block.field(148, 8).iter().map(|b| i64::from(*b)).sum();
        (stored.value == total - own + 8 * 32 && stored.form != Form::Binary).then_some(block)
    }

    fn field(&self, at: usize, len: usize) -> &'a [u8] {
        self.0.get(at..at + len).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &'a [u8] {
        text(self.field(0, 100))
    }

    /// The name prefix, whether or not the magic gives it that meaning.
    pub(super) fn prefix(&self) -> &'a [u8] {
        text(self.field(345, 155))
    }

    pub(super) fn link(&self) -> &'a [u8] {
        text(self.field(157, 100))
    }

    pub(super) fn type_byte(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or_default()
    }

    pub(super) fn magic(&self) -> Magic {
        match self.field(257, 8) {
            b"ustar\x0000" => Magic::Ustar,
            b"ustar  \0" => Magic::Gnu,
            magic if magic.iter().all(|b| *b == 0) => Magic::V7,
            _ => Magic::Unknown,
        }
    }

    pub(super) fn mode(&self) -> Option<Number> {
        number(self.field(100, 8))
    }

    pub(super) fn size(&self) -> Option<Number> {
        number(self.field(124, 12))
    }

    pub(super) fn mtime(&self) -> Option<Number> {
        number(self.field(136, 12))
    }
}

/// A text field ends at its first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    field.get(..end).unwrap_or_default()
}

/// Reads a numeric field; `None` if no reader could.
pub(super) fn number(field: &[u8]) -> Option<Number> {
    match field.first()? {
        0x80 | 0xff => return binary(field),
        0x81..=0xfe => return None,
        _ => {}
    }
    let blanks = field.iter().take_while(|b| **b == b' ').count();
    let digits = field.get(blanks..)?;
    let count = digits
        .iter()
        .take_while(|b| matches!(b, b'0'..=b'7'))
        .count();
    let (digits, rest) = digits.split_at_checked(count)?;
    let value = digits.iter().try_fold(0i64, |sum, digit| {
        sum.checked_mul(8)?.checked_add(i64::from(digit - b'0'))
    })?;
    let form = match rest.iter().find(|b| **b != b' ') {
        Some(0) | None if digits.is_empty() => Form::Odd,
        None => Form::Octal,
        Some(0) if rest.iter().all(|b| matches!(b, b' ' | 0)) => Form::Octal,
        Some(0) => Form::Odd,
        Some(_) => return None,
    };
    Some(Number { value, form })
}

/// Base-256, two's complement behind the first bit.
fn binary(field: &[u8]) -> Option<Number> {
    let (first, rest) = field.split_first()?;
    let mut value = if *first == 0xff { -1i64 } else { 0 };
    for byte in rest {
        value = value.checked_mul(256)?.checked_add(i64::from(*byte))?;
    }
    Some(Number {
        value,
        form: Form::Binary,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(field: &[u8]) -> Option<(i64, Form)> {
        number(field).map(|n| (n.value, n.form))
    }

    #[test]
    fn numbers_are_read_as_tools_write_them() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some((0o644, Form::Octal))),
            (b"   644 \0", Some((0o644, Form::Octal))),
            (b"00000000017 ", Some((15, Form::Octal))),
            (b"777777777777", Some((0o777_777_777_777, Form::Octal))),
            (b"\0\0\0\0\0\0\0\0", Some((0, Form::Odd))),
            (b"        ", Some((0, Form::Odd))),
            (b"0644\x00777", Some((0o644, Form::Odd))),
            (b"06 44\0\0\0", None),
            (b"+000644\0", None),
            (b"0000648\0", None),
            (b"-000001\0", None),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", Some((258, Form::Binary))),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe",
                Some((-2, Form::Binary)),
            ),
            (b"\x80\x01\0\0\0\0\0\0\0\0\0\0", None),
            (b"\x81\0\0\0\0\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(read(field), expected, "{}", field.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_field_is_an_answer(field in proptest::collection::vec(any::<u8>(), 0..13)) {
            let _ = number(&field);
        }
    }
}
