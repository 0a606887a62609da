//! The rows of an index file: `registry/index/<registry>/.cache/<prefix>/<name>` (cargo 1.95, `registry/index/cache.rs`,
//! cache version 3), or a plain one with a JSON line per version.
//!
//! ```text
//! 03            cache version
//! 02 00 00 00   highest index schema, little endian
//! <text> 00     index version: `etag: …`, `last-modified: …`, `Unknown`, or a commit
//! <semver> 00 <JSON line> 00   repeated; the last NUL may be missing, the last piece counts all the same
//! ```
//!
//! Cargo passes over the whole file if its head is another or any of its keys is no version, and so do we. The rows are
//! split as cargo splits them and handed out one by one: nothing is held for all of them.

/// Most rows of a file; the largest public one has some thousands.
const MOST: usize = 100_000;

/// What an index file is.
pub(super) enum Shape<'a> {
    /// Rows that cargo would use.
    Rows(Rows<'a>),
    /// Cargo passes over the file and fetches it anew.
    Ignored,
    /// It ends behind a version: cargo itself ends there.
    Torn,
    /// It has more rows than any crate has versions.
    TooMany,
}

/// The rows of a file, in its order.
#[derive(Clone)]
pub(super) struct Rows<'a> {
    rest: &'a [u8],
    plain: bool,
    /// Of which answer of the registry the file says it is; empty for a plain file.
    pub(super) answer: &'a str,
}

/// One row.
pub(super) struct Row<'a> {
    /// The version it is filed under; a plain file has none.
    pub(super) key: Option<&'a str>,
    /// Its JSON.
    pub(super) text: &'a [u8],
    /// Whether the file ends in it, without the NUL that cargo writes behind a row.
    pub(super) last: bool,
}

/// Reads the frame of a cached index file.
pub(super) fn cached(bytes: &[u8]) -> Shape<'_> {
    let Some((3, rest)) = bytes.split_first() else {
        return Shape::Ignored;
    };
    // Schema 3 is written where dependencies on artifacts are switched on.
    let Some(([1..=3, 0, 0, 0], mut rest)) = rest.split_first_chunk::<4>() else {
        return Shape::Ignored;
    };
    let head = piece(&mut rest, 0).and_then(|(head, _)| std::str::from_utf8(head).ok());
    let Some(answer) = head else {
        return Shape::Ignored;
    };
    let rows = Rows {
        rest,
        plain: false,
        answer,
    };
    let mut count = 0usize;
    let mut torn = false;
    // Any key that is no version makes cargo pass over the file: that is known before the first row is believed.
    while let Some((key, _)) = piece(&mut rest, 0) {
        if version(key).is_none() {
            return Shape::Ignored;
        }
        count += 1;
        if count > MOST {
            return Shape::TooMany;
        }
        torn = piece(&mut rest, 0).is_none();
    }
    if torn { Shape::Torn } else { Shape::Rows(rows) }
}

/// Reads a plain index file.
pub(super) fn plain(bytes: &[u8]) -> Shape<'_> {
    let rows = Rows {
        rest: bytes,
        plain: true,
        answer: "",
    };
    if rows.clone().take(MOST + 1).count() > MOST {
        Shape::TooMany
    } else {
        Shape::Rows(rows)
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        if self.plain {
            loop {
                let (text, _) = piece(&mut self.rest, b'\n')?;
                if !text.trim_ascii().is_empty() {
                    return Some(Row {
                        key: None,
                        text,
                        last: false,
                    });
                }
            }
        }
        let (key, _) = piece(&mut self.rest, 0)?;
        let (text, ended) = piece(&mut self.rest, 0)?;
        Some(Row {
            key: version(key),
            text,
            last: !ended,
        })
    }
}

/// The next piece up to `end`, and whether `end` stood behind it; `None` when nothing is left.
fn piece<'a>(rest: &mut &'a [u8], end: u8) -> Option<(&'a [u8], bool)> {
    let whole = *rest;
    if whole.is_empty() {
        return None;
    }
    let at = whole.iter().position(|b| *b == end);
    let (found, behind) = whole.split_at_checked(at.unwrap_or(whole.len()))?;
    *rest = behind.get(1..).unwrap_or_default();
    Some((found, at.is_some()))
}

fn version(key: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(key).ok()?;
    semver::Version::parse(text).ok().map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(versions: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = vec![3, 2, 0, 0, 0];
        bytes.extend_from_slice(b"etag: \"x\"\0");
        for (key, line) in versions {
            bytes.extend_from_slice(key.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    fn keys(bytes: &[u8]) -> Vec<(String, bool)> {
        let Shape::Rows(rows) = cached(bytes) else {
            panic!("rows")
        };
        rows.map(|row| (row.key.unwrap().to_owned(), row.last))
            .collect()
    }

    #[test]
    fn rows_are_split_as_cargo_splits_them() {
        let whole = file(&[("1.0.0", "{}"), ("2.0.0", "{}")]);
        let row = |key: &str, last| (key.to_owned(), last);
        assert_eq!(keys(&whole), [row("1.0.0", false), row("2.0.0", false)]);
        // Without its last NUL the last row counts all the same.
        let cut = &whole[..whole.len() - 1];
        assert_eq!(keys(cut), [row("1.0.0", false), row("2.0.0", true)]);
        assert!(keys(&file(&[])).is_empty());
    }

    #[test]
    fn torn_and_foreign_files_are_told_apart() {
        let whole = file(&[("1.0.0", "{}")]);
        // Behind the key, with and without its NUL.
        assert!(matches!(cached(&whole[..whole.len() - 3]), Shape::Torn));
        assert!(matches!(cached(&whole[..whole.len() - 4]), Shape::Torn));
        assert!(matches!(cached(&whole[..whole.len() - 5]), Shape::Ignored));
        for ignored in [
            &[9, 1, 2][..],
            &[],
            &[3],
            &[3, 2, 0, 0, 0],
            &[3, 9, 0, 0, 0, 0],
        ] {
            assert!(matches!(cached(ignored), Shape::Ignored), "{ignored:?}");
        }
        let odd = file(&[("1.0.0", "{}"), ("one", "{}")]);
        assert!(matches!(cached(&odd), Shape::Ignored));
    }

    #[test]
    fn rows_are_counted_before_they_are_read() {
        let mut many = file(&[]);
        many.resize(many.len() + 1_000_000, 0);
        assert!(matches!(cached(&many), Shape::Ignored));
        let mut many = file(&[]);
        for _ in 0..=MOST {
            many.extend_from_slice(b"1.0.0\0{}\0");
        }
        assert!(matches!(cached(&many), Shape::TooMany));
        assert!(matches!(plain(&b"{}\n".repeat(MOST + 1)), Shape::TooMany));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for shape in [cached(&bytes), plain(&bytes)] {
                if let Shape::Rows(rows) = shape {
                    prop_assert!(rows.count() <= 300);
                }
            }
        }
    }
}
