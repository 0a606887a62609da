//! What git itself may change between an object and its file: line endings (`eol=crlf`) and the expanded id keyword
//! (`ident`). Both are undone here; a file counts as the object only if the whole of it then hashes to the object's id.

use super::{HashKind, Kind, Oid, hash_object};

/// Which change makes the file differ from its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversion {
    /// Every line ends in CR LF instead of LF.
    LineEndings,
    /// The id keyword is expanded to the object's own id.
    Ident,
    /// Both.
    Both,
}

/// The conversion that explains the difference between `bytes` and the object `oid`, if there is one. `object` fetches the
/// object's own content; it is asked only where the file alone cannot tell.
pub(super) fn explain(
    hash: HashKind,
    bytes: &[u8],
    oid: &Oid,
    object: &mut dyn FnMut() -> Option<Vec<u8>>,
) -> Option<Conversion> {
    let is = |bytes: &[u8]| hash_object(hash, Kind::Blob, bytes).oid == *oid;
    let plain = without_cr(bytes);
    if plain.as_deref().is_some_and(is) {
        return Some(Conversion::LineEndings);
    }
    if let Some(bare) = without_id(bytes, oid)
        && is(&bare)
    {
        return Some(Conversion::Ident);
    }
    let plain = plain?;
    if without_id(&plain, oid).is_some_and(|bare| is(&bare)) {
        return Some(Conversion::Both);
    }
    // An object that was stored with endings of both kinds leaves no trace of which was which.
    let stored = object()?;
    (stored.contains(&b'\r') && each_lf(&stored) == plain).then_some(Conversion::LineEndings)
}

/// LF for every CR LF.
fn each_lf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\r' || rest.peek() != Some(&b'\n') {
            out.push(byte);
        }
    }
    out
}

/// LF for CR LF; `None` unless every line of the text ends so.
fn without_cr(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.contains(&0) {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
    let mut any = false;
    while let Some(line) = lines.next() {
        if lines.peek().is_some() {
            out.extend_from_slice(line.strip_suffix(b"\r")?);
            out.push(b'\n');
            any = true;
        } else {
            out.extend_from_slice(line);
        }
    }
    any.then_some(out)
}

/// The bare keyword for one that holds exactly this id; `None` if there is none.
fn without_id(bytes: &[u8], oid: &Oid) -> Option<Vec<u8>> {
    let expanded = format!("$Id: {oid} $").into_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let (mut rest, mut any) = (bytes, false);
    while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
        let (head, tail) = rest.split_at_checked(dollar)?;
        out.extend_from_slice(head);
        if let Some(after) = tail.strip_prefix(expanded.as_slice()) {
            out.extend_from_slice(b"$Id$");
            rest = after;
            any = true;
        } else {
            out.push(b'$');
            rest = tail.get(1..)?;
        }
    }
    out.extend_from_slice(rest);
    any.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(object: &str, file: &str) -> Option<Conversion> {
        let oid = hash_object(HashKind::Sha1, Kind::Blob, object.as_bytes()).oid;
        let file = file.replace("ID", &oid.to_string());
        explain(HashKind::Sha1, file.as_bytes(), &oid, &mut || {
            Some(object.as_bytes().to_vec())
        })
    }

    #[test]
    fn only_whole_conversions_count() {
        assert_eq!(
            explained("a\nb\n", "a\r\nb\r\n"),
            Some(Conversion::LineEndings)
        );
        assert_eq!(explained("a\nb", "a\r\nb"), Some(Conversion::LineEndings));
        assert_eq!(
            explained("$Id$ $x\n", "$Id: ID $ $x\n"),
            Some(Conversion::Ident)
        );
        assert_eq!(explained("$Id$\n", "$Id: ID $\r\n"), Some(Conversion::Both));
        assert_eq!(
            explained("a\r\nb\n", "a\r\nb\r\n"),
            Some(Conversion::LineEndings)
        );
        assert_eq!(explained("a\r\nb\n", "a\r\nc\r\n"), None);
        assert_eq!(explained("a\r\nb\r\n", "a\nb\n"), None);
        assert_eq!(explained("a\nb\n", "a\r\nb\n"), None);
        assert_eq!(explained("a\nb\n", "a\r\nc\r\n"), None);
        assert_eq!(explained("$Id$\n", "$Id: evil $\n"), None);
        assert_eq!(explained("", ""), None);
    }
}
