//! How records are read from a compiled index: checked reads over borrowed bytes.
//!
//! The file may come from a folder that somebody else can write: every length is checked against what is there, nothing is allocated by a
//! number in the file (vectors grow as elements are read, and each element takes at least a byte), nothing panics.

use super::{
    encode::GHSA,
    index::IndexError,
    ranges::{AffectedRange, Event},
    record::{AdvisoryRecord, Import, Kind},
};

/// What is left to read.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], IndexError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(IndexError::Damaged("record cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, IndexError> {
        let (first, rest) = self
            .0
            .split_first()
            .ok_or(IndexError::Damaged("record cut off"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<usize, IndexError> {
        let mut value: u64 = 0;
        // Five groups of seven bits hold every length that a 4 GiB file can state.
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(value).map_err(|_| IndexError::Damaged("number"));
            }
        }
        Err(IndexError::Damaged("number"))
    }

    fn text(&mut self) -> Result<&'a str, IndexError> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| IndexError::Damaged("text"))
    }

    fn many<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, IndexError>,
    ) -> Result<Vec<T>, IndexError> {
        let count = self.number()?;
        // Every element takes at least a byte.
        if count > self.0.len() {
            return Err(IndexError::Damaged("count"));
        }
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn texts(&mut self) -> Result<Vec<String>, IndexError> {
        self.many(|reader| reader.text().map(str::to_owned))
    }

    pub(super) fn id(&mut self) -> Result<String, IndexError> {
        match self.byte()? {
            0 => self.text().map(str::to_owned),
            1 => {
                let year = 1999 + u32::from(self.byte()?);
                let serial = self.number()?;
                let digits = usize::from(self.byte()?);
                Ok(format!("CVE-{year}-{serial:0digits$}"))
            }
            2 => {
                let mut value = self
                    .take(7)?
                    .iter()
                    .rev()
                    .fold(0_u64, |v, b| v << 8 | u64::from(*b));
                let mut letters = [b'2'; 12];
                for letter in letters.iter_mut().rev() {
                    let digit = usize::try_from(value % 20).unwrap_or_default();
                    *letter = GHSA.get(digit).copied().unwrap_or(b'2');
                    value /= 20;
                }
                let mut id = String::from("GHSA");
                for group in letters.chunks(4) {
                    id.push('-');
                    id.extend(group.iter().copied().map(char::from));
                }
                Ok(id)
            }
            _ => Err(IndexError::Damaged("id")),
        }
    }

    fn day(&mut self) -> Result<Option<u32>, IndexError> {
        match self.number()?.checked_sub(1) {
            None => Ok(None),
            Some(day) => u32::try_from(day)
                .map(Some)
                .map_err(|_| IndexError::Damaged("day")),
        }
    }

    fn event(&mut self) -> Result<Event, IndexError> {
        Ok(match self.byte()? {
            0 => Event::Introduced("0".to_owned()),
            1 => Event::Introduced(self.text()?.to_owned()),
            2 => Event::Fixed(self.text()?.to_owned()),
            3 => Event::LastAffected(self.text()?.to_owned()),
            4 => Event::Limit(self.text()?.to_owned()),
            _ => return Err(IndexError::Damaged("event")),
        })
    }

    fn import(&mut self, package: &str) -> Result<Import, IndexError> {
        let path = match self.byte()? {
            0 => self.text()?.to_owned(),
            1 => format!("{package}{}", self.text()?),
            _ => return Err(IndexError::Damaged("import")),
        };
        Ok(Import {
            path,
            symbols: self.texts()?,
        })
    }
}

fn head(bytes: &[u8], record: &mut AdvisoryRecord) -> Result<(), IndexError> {
    let mut reader = Reader::new(bytes);
    record.id = reader.id()?;
    record.aliases = reader.many(Reader::id)?;
    record.kind = Kind::from_tag(reader.byte()?).ok_or(IndexError::Damaged("kind"))?;
    let label = reader.text()?;
    record.label = (!label.is_empty()).then(|| label.to_owned());
    record.vectors = reader.texts()?;
    record.published = reader.day()?;
    record.modified = reader.day()?;
    record.withdrawn = reader.day()?;
    record.link = match reader.number()? {
        0 => None,
        1 => Some(super::osv::link(&record.id)),
        2 => Some(reader.text()?.to_owned()),
        _ => return Err(IndexError::Damaged("link")),
    };
    Ok(())
}

/// The records of one name. `heads` is the whole section of advisories.
pub(super) fn entries(
    name: &str,
    bytes: &[u8],
    heads: &[u8],
) -> Result<Vec<AdvisoryRecord>, IndexError> {
    let mut reader = Reader::new(bytes);
    let records = reader.many(|reader| {
        let mut record = AdvisoryRecord {
            package: name.to_owned(),
            ..AdvisoryRecord::default()
        };
        let place = reader.number()?;
        head(
            heads.get(place..).ok_or(IndexError::Damaged("advisory"))?,
            &mut record,
        )?;
        record.ranges = reader.many(|reader| {
            Ok(AffectedRange {
                events: reader.many(Reader::event)?,
            })
        })?;
        record.versions = reader.texts()?;
        record.imports = reader.many(|reader| reader.import(name))?;
        Ok(record)
    })?;
    if !reader.is_empty() {
        return Err(IndexError::Damaged("record too long"));
    }
    Ok(records)
}
