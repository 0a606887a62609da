//! JSON text that is safe wherever it is printed: serde_json's writer with one more escape.
//!
//! Characters that move a cursor, reorder or hide text become `\u` escapes, and so does the second `#` of `##`
//! (some CI log readers take `##[...]` for a command wherever it stands in a line). The value stays the same.
//! Keys come in the order of the struct; nothing in here may sort or drop.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::model::text::is_hostile;

/// Two spaces of indent, one value per line, a final line end.
pub fn pretty<T: Serialize>(value: &T) -> Vec<u8> {
    write(value, PrettyFormatter::new())
}

/// One line with its end: a row of NDJSON.
pub(super) fn line<T: Serialize>(value: &T) -> Vec<u8> {
    write(value, CompactFormatter)
}

fn write<T: Serialize, F: Formatter>(value: &T, inner: F) -> Vec<u8> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Safe { inner });
    // Fails only for maps with keys that are no strings, and our shapes have none; a cut-off text would not parse.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "{written:?}");
    out.push(b'\n');
    out
}

struct Safe<F> {
    inner: F,
}

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0u16; 2];
        let mut bytes = [0u8; 4];
        let mut before = ' ';
        for c in fragment.chars() {
            if is_hostile(c) || (c == '#' && before == '#') {
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            } else {
                out.write_all(c.encode_utf8(&mut bytes).as_bytes())?;
            }
            before = c;
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_object_key(out, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_object_key(out)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.inner.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::printable;

    #[test]
    fn nothing_hostile_is_written_and_nothing_is_lost() {
        let hostile = "a\u{1b}[31m\u{9b}b\u{202e}c\u{e0041}##[error]###\u{7f}\"\\\n::error::";
        for bytes in [pretty(&hostile), line(&hostile)] {
            let text = String::from_utf8(bytes).unwrap();
            let body = text.strip_suffix('\n').unwrap();
            assert_eq!(printable(body), body);
            assert!(!body.contains("##"));
            assert_eq!(serde_json::from_str::<String>(body).unwrap(), hostile);
        }
    }
}
