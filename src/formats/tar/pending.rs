//! What extension headers said about the member that follows them.

use super::TarAmbiguity;
use super::pax::{decimal, next_record, seconds};

/// Names and values collected since the last member.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Any extension header for one member was seen.
    pub(super) any: bool,
    pub(super) long_name: Option<Vec<u8>>,
    pub(super) long_link: Option<Vec<u8>>,
    pax_seen: bool,
    pub(super) pax: PaxValues,
}

/// The PAX values that decide about a member.
#[derive(Debug, Default)]
pub(super) struct PaxValues {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) mtime: Option<i64>,
}

impl Pending {
    /// Takes the payload of a long-name header.
    pub(super) fn long(
        slot: &mut Option<Vec<u8>>,
        payload: &[u8],
        report: &mut impl FnMut(TarAmbiguity),
    ) {
        if slot.is_some() {
            report(TarAmbiguity::RepeatedExtension);
        }
        *slot = Some(payload.strip_suffix(&[0]).unwrap_or(payload).to_vec());
    }

    /// Takes the records of an `x` header; `None` if they are malformed.
    pub(super) fn local(
        &mut self,
        records: &[u8],
        report: &mut impl FnMut(TarAmbiguity),
    ) -> Option<()> {
        if self.pax_seen {
            report(TarAmbiguity::RepeatedExtension);
        }
        self.pax_seen = true;
        let mut rest = records;
        while !rest.is_empty() {
            let (key, value) = next_record(&mut rest)?;
            check_lines(key, value, report);
            if key.starts_with(b"GNU.sparse.") {
                report(TarAmbiguity::PaxSparse);
                continue;
            }
            if value.is_empty() && matches!(key, b"path" | b"linkpath" | b"size") {
                report(TarAmbiguity::PaxEmpty);
                continue;
            }
            let known = match key {
                b"path" => self.pax.path.replace(value.to_vec()).is_some(),
                b"linkpath" => self.pax.link.replace(value.to_vec()).is_some(),
                b"size" => self.pax.size.replace(decimal(value)?).is_some(),
                b"mtime" => {
                    self.pax.mtime = seconds(value);
                    false
                }
                _ => false,
            };
            if known {
                report(TarAmbiguity::PaxDuplicate);
            }
        }
        Some(())
    }

    /// Checks the records of a `g` header, of which none is applied; `None` if they are malformed.
    pub(super) fn global(records: &[u8], report: &mut impl FnMut(TarAmbiguity)) -> Option<()> {
        let mut rest = records;
        while !rest.is_empty() {
            let (key, value) = next_record(&mut rest)?;
            check_lines(key, value, report);
            if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.") {
                report(TarAmbiguity::PaxGlobal);
            }
        }
        Some(())
    }
}

/// The length decides where a record ends, but not for a reader that splits at line ends.
fn check_lines(key: &[u8], value: &[u8], report: &mut impl FnMut(TarAmbiguity)) {
    if key.contains(&b'\n') || value.contains(&b'\n') {
        report(TarAmbiguity::PaxLines);
    }
}
