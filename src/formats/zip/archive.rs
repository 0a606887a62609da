//! Opening an archive: the central directory as a list of entries, each judged by its own.

use super::end::{self, End};
use super::read_at::{ReadAt, Window};
use super::record::{self, Central, UTF8};
use super::{ZipAmbiguity, ZipEntry, ZipError, ZipFacts, ZipKind, layout};
use crate::formats::limits::{Limit, LimitError, Limits};
use crate::formats::names::{Places, Shape, flaws};

/// Bytes of the central directory that are read at a time.
const CHUNK: usize = 64 << 10;

const TYPE_BITS: u32 = 0o170_000;

/// An open archive. Entries are in the order of the directory, duplicates included.
#[derive(Debug)]
pub struct ZipArchive<S> {
    pub(super) source: S,
    entries: Vec<ZipEntry>,
    facts: ZipFacts,
}

impl<S: ReadAt> ZipArchive<S> {
    /// Reads the directory and all local headers; no content. With `prefix` (ending in a slash), members whose
    /// name does not begin with it are recorded as [`ZipAmbiguity::OutsideTop`].
    ///
    /// # Errors
    /// [`ZipError`] when there is no directory, or when it points to what is not there.
    pub fn open(source: S, limits: Limits, prefix: Option<&[u8]>) -> Result<Self, ZipError> {
        if source.len() > limits.max_compressed {
            return Err(LimitError::new(Limit::Compressed, limits.max_compressed).into());
        }
        let mut facts = ZipFacts::default();
        let end = end::find(&source, &mut |kind| facts.ambiguities.push(b"", kind))?;
        facts.zip64 = end.zip64;
        facts.comment = end.comment;
        let mut directory = Directory {
            limits,
            cap: limits.inflated_cap(source.len()),
            prefix,
            places: Places::default(),
            facts,
            entries: Vec::new(),
        };
        directory.read(&source, &end)?;
        let Directory {
            mut facts,
            mut entries,
            ..
        } = directory;
        layout::check(&source, &end, &mut entries, &mut facts.ambiguities)?;
        Ok(Self {
            source,
            entries,
            facts,
        })
    }

    /// The members.
    #[must_use]
    pub fn entries(&self) -> &[ZipEntry] {
        &self.entries
    }

    /// What is known about the archive as a whole.
    #[must_use]
    pub const fn facts(&self) -> &ZipFacts {
        &self.facts
    }
}

struct Directory<'a> {
    limits: Limits,
    cap: u64,
    prefix: Option<&'a [u8]>,
    places: Places,
    facts: ZipFacts,
    entries: Vec<ZipEntry>,
}

impl Directory<'_> {
    fn read<S: ReadAt>(&mut self, source: &S, end: &End) -> Result<(), ZipError> {
        let mut window = Window::new(source, CHUNK);
        let mut at = end.directory;
        let mut early = Vec::new();
        while at < end.directory_end {
            early.clear();
            let found = record::central(&mut window, at, end.directory_end, &mut |kind| {
                early.push(kind);
            })?;
            at += found.len as u64;
            self.entry(&found, end.base, &early)?;
        }
        // Without zip64 the record counts modulo 2^16, and Go accepts that.
        let count = self.entries.len() as u64;
        let stated = if end.zip64 {
            count
        } else {
            count & u64::from(u16::MAX)
        };
        if stated != end.count || (!end.zip64 && count > u64::from(u16::MAX)) {
            self.facts.ambiguities.push(b"", ZipAmbiguity::Count);
        }
        Ok(())
    }

    fn entry(
        &mut self,
        found: &Central<'_>,
        base: u64,
        early: &[ZipAmbiguity],
    ) -> Result<(), ZipError> {
        if self.entries.len() as u64 >= self.limits.max_entries {
            return Err(LimitError::new(Limit::Entries, self.limits.max_entries).into());
        }
        self.limits.check_name(found.name)?;
        let fields = &found.fields;
        self.facts.content = self.facts.content.saturating_add(fields.size);
        if self.facts.content > self.cap {
            return Err(LimitError::new(Limit::Inflated, self.cap).into());
        }
        let all = &mut self.facts.ambiguities;
        let mut report = |kind| all.push(found.name, kind);
        early.iter().copied().for_each(&mut report);

        let mode = found.external >> 16;
        let slash = found.name.ends_with(b"/");
        let kind = match mode & TYPE_BITS {
            0 | 0o040_000 | 0o100_000 if slash => ZipKind::Folder,
            0 | 0o040_000 | 0o100_000 => ZipKind::File,
            0o120_000 => ZipKind::Symlink,
            _ => ZipKind::Other,
        };
        match kind {
            ZipKind::File | ZipKind::Folder => {
                let odd = if slash { 0o100_000 } else { 0o040_000 };
                if mode & TYPE_BITS == odd {
                    report(ZipAmbiguity::FolderOrFile);
                }
            }
            ZipKind::Symlink | ZipKind::Other => report(ZipAmbiguity::Irregular),
        }
        if slash && fields.size > 0 {
            report(ZipAmbiguity::FolderWithContent);
        }
        if mode & 0o7000 != 0 {
            report(ZipAmbiguity::SpecialMode);
        }
        if fields.flags & (record::DECISIVE & !(record::DESCRIPTOR | UTF8)) != 0 {
            report(ZipAmbiguity::Encrypted);
        }
        match fields.method {
            0 if fields.size != fields.compressed => report(ZipAmbiguity::StoredSize),
            0 | 8 => {}
            method => report(ZipAmbiguity::Method(method)),
        }
        if fields.flags & UTF8 == 0 && !found.name.is_ascii() {
            report(ZipAmbiguity::NameEncoding);
        }
        if self
            .prefix
            .is_some_and(|prefix| !found.name.starts_with(prefix))
        {
            report(ZipAmbiguity::OutsideTop);
        }
        let plain = found.name.strip_suffix(b"/").unwrap_or(found.name);
        flaws(plain, |flaw| report(ZipAmbiguity::Name(flaw)));
        let shape = if slash { Shape::Folder } else { Shape::File };
        self.places
            .take(plain, shape, |clash| report(ZipAmbiguity::Clash(clash)));

        self.entries.push(ZipEntry {
            name: found.name.into(),
            kind,
            method: fields.method,
            flags: fields.flags,
            crc: fields.crc,
            compressed: fields.compressed,
            size: fields.size,
            mode,
            dos_time: fields.dos_time,
            header_offset: found.offset.checked_add(base).ok_or(ZipError::BadLocal {
                offset: found.offset,
            })?,
            data_offset: 0,
        });
        Ok(())
    }
}
