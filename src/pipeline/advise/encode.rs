//! How records are written into a compiled index. [`super::decode`] reads them; [`super::index`] describes the file around them.
//!
//! Ids are the bulk of an index, so the usual kinds are packed: byte 1 = `CVE-` (year - 1999, number, digits), 2 = `GHSA-` (60 bits),
//! 0 = plain text. Packing is used only where unpacking gives the same text.

use super::{decode, ranges::Event, record::AdvisoryRecord};

/// The letters of a GitHub advisory id.
pub(super) const GHSA: &[u8; 20] = b"23456789cfghjmpqrvwx";

pub(super) fn number(out: &mut Vec<u8>, number: usize) {
    let mut rest = number;
    loop {
        let low = u8::try_from(rest & 0x7f).unwrap_or_default();
        rest >>= 7;
        if rest == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn texts(out: &mut Vec<u8>, all: &[String]) {
    number(out, all.len());
    for one in all {
        text(out, one);
    }
}

fn id(out: &mut Vec<u8>, id: &str) {
    let packed = pack_cve(id).or_else(|| pack_ghsa(id)).filter(|packed| {
        let mut reader = decode::Reader::new(packed);
        reader.id().is_ok_and(|unpacked| unpacked == id) && reader.is_empty()
    });
    match packed {
        Some(packed) => out.extend(packed),
        None => {
            out.push(0);
            text(out, id);
        }
    }
}

fn pack_cve(id: &str) -> Option<Vec<u8>> {
    let (year, serial) = id.strip_prefix("CVE-")?.split_once('-')?;
    let year = year.parse::<u16>().ok()?.checked_sub(1999)?;
    let mut packed = vec![1, u8::try_from(year).ok()?];
    number(
        &mut packed,
        serial
            .parse::<u32>()
            .ok()
            .and_then(|n| usize::try_from(n).ok())?,
    );
    packed.push(u8::try_from(serial.len()).ok()?);
    Some(packed)
}

fn pack_ghsa(id: &str) -> Option<Vec<u8>> {
    let mut value: u64 = 0;
    for letter in id
        .strip_prefix("GHSA-")?
        .bytes()
        .filter(|b| *b != b'-')
        .take(13)
    {
        let digit = GHSA.iter().position(|known| *known == letter)?;
        value = value
            .checked_mul(20)?
            .checked_add(u64::try_from(digit).ok()?)?;
    }
    let mut packed = vec![2];
    // 20^12 is below 2^52: seven bytes.
    packed.extend(value.to_le_bytes().get(..7)?);
    Some(packed)
}

/// What an advisory says whatever the package.
pub(super) fn head(record: &AdvisoryRecord) -> Vec<u8> {
    let mut out = Vec::new();
    id(&mut out, &record.id);
    number(&mut out, record.aliases.len());
    for alias in &record.aliases {
        id(&mut out, alias);
    }
    out.push(record.kind.tag());
    text(&mut out, record.label.as_deref().unwrap_or_default());
    texts(&mut out, &record.vectors);
    for day in [record.published, record.modified, record.withdrawn] {
        let stored = day
            .and_then(|day| usize::try_from(day).ok())
            .map_or(0, |day| day.saturating_add(1));
        number(&mut out, stored);
    }
    // The link is made from the id when it is the usual one.
    match &record.link {
        None => number(&mut out, 0),
        Some(link) if *link == super::osv::link(&record.id) => number(&mut out, 1),
        Some(link) => {
            number(&mut out, 2);
            text(&mut out, link);
        }
    }
    out
}

/// What an advisory says of one package.
pub(super) fn body(record: &AdvisoryRecord) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, record.ranges.len());
    for range in &record.ranges {
        number(&mut out, range.events.len());
        for event in &range.events {
            let (tag, version) = match event {
                Event::Introduced(v) if v == "0" => {
                    out.push(0);
                    continue;
                }
                Event::Introduced(v) => (1, v),
                Event::Fixed(v) => (2, v),
                Event::LastAffected(v) => (3, v),
                Event::Limit(v) => (4, v),
            };
            out.push(tag);
            text(&mut out, version);
        }
    }
    texts(&mut out, &record.versions);
    number(&mut out, record.imports.len());
    for import in &record.imports {
        // Import paths mostly begin with the package's name.
        match import.path.strip_prefix(&record.package) {
            Some(rest) => {
                out.push(1);
                text(&mut out, rest);
            }
            None => {
                out.push(0);
                text(&mut out, &import.path);
            }
        }
        texts(&mut out, &import.symbols);
    }
    out
}
