//! PAX records: `length key=value` lines, where the length counts the whole line.
//!
//! Source: POSIX.1-2024, pax, extended header. Stricter than most readers: a length has no sign and no leading
//! zero, and the records must fill their space exactly.

/// A record: key and value.
pub(super) type Record<'a> = (&'a [u8], &'a [u8]);

/// Reads the next record and advances `rest`; `None` if it is malformed.
pub(super) fn next_record<'a>(rest: &mut &'a [u8]) -> Option<Record<'a>> {
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (length, _) = rest.split_at_checked(digits)?;
    let length = usize::try_from(decimal(length)?).ok()?;
    let (line, behind) = rest.split_at_checked(length)?;
    let body = line
        .get(digits..)?
        .strip_prefix(b" ")?
        .strip_suffix(b"\n")?;
    let equals = body.iter().position(|b| *b == b'=')?;
    let (key, value) = body.split_at_checked(equals)?;
    if key.is_empty() {
        return None;
    }
    *rest = behind;
    Some((key, value.get(1..)?))
}

/// A number without sign, space or leading zero.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|d| *d < 10)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Whole seconds of a time, rounded down: digits, perhaps a sign before and a fraction behind.
pub(super) fn seconds(value: &[u8]) -> Option<i64> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let mut parts = value.splitn(2, |b| *b == b'.');
    let whole = i64::try_from(decimal(parts.next()?)?).ok()?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let above = i64::from(negative && fraction.iter().any(|b| *b != b'0'));
    if negative {
        whole.checked_neg()?.checked_sub(above)
    } else {
        Some(whole)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_follow_one_another() {
        let mut rest = &b"12 path=a=\nb\n11 size=12\n9 empty=\n"[..];
        assert_eq!(next_record(&mut rest), None);
        let mut rest = &b"13 path=a=\nb\n11 size=12\n9 empty=\n"[..];
        assert_eq!(next_record(&mut rest), Some((&b"path"[..], &b"a=\nb"[..])));
        assert_eq!(next_record(&mut rest), Some((&b"size"[..], &b"12"[..])));
        assert_eq!(next_record(&mut rest), Some((&b"empty"[..], &b""[..])));
        assert_eq!(rest, b"");
    }

    #[test]
    fn other_forms_are_malformed() {
        for text in [
            "",
            "a",
            "5 a=b",
            "06 a=b\n",
            "+6 a=b\n",
            "5 =b\n",
            "6 a:b\n",
            "7 a=b\n",
            "99999999999999999999 a=b\n",
            "0 ",
            "3 \n",
        ] {
            assert_eq!(next_record(&mut text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_are_rounded_down() {
        for (text, expected) in [
            ("0", Some(0)),
            ("12.9", Some(12)),
            ("-1.5", Some(-2)),
            ("-1.0", Some(-1)),
            ("1.x", None),
            ("", None),
            (".5", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_records_end(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut rest = &bytes[..];
            while next_record(&mut rest).is_some() {}
            let _ = seconds(&bytes);
        }
    }
}
