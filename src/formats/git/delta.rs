//! Deltas inside packs: two lengths, then copy and insert instructions (`gitformat-pack`, "Deltified representation").

/// Rebuilds an object from its base.
///
/// # Errors
/// The rule that the delta breaks. Nothing longer than `most` bytes is built.
pub fn apply(base: &[u8], delta: &[u8], most: u64) -> Result<Vec<u8>, &'static str> {
    let mut rest = delta;
    if length(&mut rest)? != base.len() as u64 {
        return Err("a delta does not fit its base");
    }
    let target = length(&mut rest)?;
    if target > most {
        return Err("a delta makes too large an object");
    }
    let mut out = Vec::new();
    while let Some((op, tail)) = rest.split_first() {
        rest = tail;
        let piece = if op & 0x80 != 0 {
            let offset = number(&mut rest, *op, 4)?;
            let size = match number(&mut rest, op >> 4, 3)? {
                0 => 0x1_0000,
                size => size,
            };
            let end = offset
                .checked_add(size)
                .ok_or("a delta copies past its base")?;
            base.get(offset..end)
                .ok_or("a delta copies past its base")?
        } else if *op == 0 {
            return Err("a delta has a reserved instruction");
        } else {
            let (piece, tail) = rest
                .split_at_checked(usize::from(*op))
                .ok_or("a delta ends early")?;
            rest = tail;
            piece
        };
        if (out.len() as u64).saturating_add(piece.len() as u64) > target {
            return Err("a delta makes more than it announces");
        }
        out.extend_from_slice(piece);
    }
    if out.len() as u64 == target {
        Ok(out)
    } else {
        Err("a delta makes less than it announces")
    }
}

/// Seven bits a byte, lowest first.
fn length(rest: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, tail) = rest.split_first().ok_or("a delta ends early")?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a delta's length is out of range")
}

/// The bytes that the low `count` bits of `present` announce, lowest first.
fn number(rest: &mut &[u8], present: u8, count: u8) -> Result<usize, &'static str> {
    let mut value = 0;
    for index in 0..count {
        if present & (1 << index) != 0 {
            let (byte, tail) = rest.split_first().ok_or("a delta ends early")?;
            *rest = tail;
            value |= usize::from(*byte) << (8 * index);
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn copies_and_inserts() {
        let delta = [10, 8, 0b1001_0001, 2, 3, 2, b'x', b'y', 0b1001_0000, 3];
        assert_eq!(apply(b"0123456789", &delta, 100).unwrap(), b"234xy012");
    }

    #[test]
    fn a_bomb_stops_at_what_it_announces() {
        let base = vec![0; 0x1_0000];
        // 65,536 bytes announced, 4,000 times 65,536 made.
        let mut delta = vec![0x80, 0x80, 4, 0x80, 0x80, 4];
        delta.extend(std::iter::repeat_n(0x80, 4000));
        assert_eq!(
            apply(&base, &delta, 1 << 30),
            Err("a delta makes more than it announces")
        );
        assert_eq!(
            apply(b"", &[0, 0xff, 0xff, 0xff, 0x7f], 1 << 20),
            Err("a delta makes too large an object")
        );
        assert_eq!(
            apply(b"", &[0xff; 40], 1 << 20),
            Err("a delta's length is out of range")
        );
    }

    proptest! {
        #[test]
        fn never_panics(base in prop::collection::vec(any::<u8>(), 0..64), mut delta in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = apply(&base, &delta, 4096);
            if let Some(first) = delta.first_mut() {
                *first = u8::try_from(base.len()).unwrap();
            }
            if let Ok(made) = apply(&base, &delta, 4096) {
                prop_assert!(made.len() <= 4096);
            }
        }
    }
}
