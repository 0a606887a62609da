//! The pull reader: member by member, content through a window, nothing skipped unseen.

use std::io::{self, BufRead, Read};

use super::block::{BLOCK, Block, Form, Magic};
use super::pending::Pending;
use super::{NumberField, TarAmbiguity, TarEntry, TarError, TarFacts, TarKind};
use crate::formats::limits::{Limit, LimitError, Limits};
use crate::formats::names::{NameFlaw, Places, Shape, flaws};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    GivenUp,
}

/// Reads a tar archive from a source.
///
/// Call [`TarReader::next_member`] until it returns `None`, then [`TarReader::finish`]. Content that was not read is
/// skipped. The source should bound what it yields (see [`GzipStream`](crate::formats::gzip::GzipStream)).
#[derive(Debug)]
pub struct TarReader<R> {
    source: R,
    limits: Limits,
    top: Option<Box<[u8]>>,
    state: State,
    /// Content of the current member that was not read yet.
    content: u64,
    /// Zero bytes that follow it.
    padding: u64,
    offset: u64,
    entry: TarEntry,
    payload: Vec<u8>,
    pending: Pending,
    places: Places,
    facts: TarFacts,
}

impl<R: BufRead> TarReader<R> {
    /// Reads `source`. With `top`, members outside that folder are recorded as [`TarAmbiguity::OutsideTop`].
    pub fn new(source: R, limits: Limits, top: Option<&[u8]>) -> Self {
        Self {
            source,
            limits,
            top: top.map(Into::into),
            state: State::Reading,
            content: 0,
            padding: 0,
            offset: 0,
            entry: TarEntry::default(),
            payload: Vec::new(),
            pending: Pending::default(),
            places: Places::default(),
            facts: TarFacts::default(),
        }
    }

    /// The next member, or `None` at the end of the archive, up to which everything is then checked.
    ///
    /// # Errors
    /// [`TarError`]; the reader is of no use afterwards.
    pub fn next_member(&mut self) -> Result<Option<Member<'_, R>>, TarError> {
        match self.state {
            State::Ended => return Ok(None),
            State::GivenUp => return Err(TarError::GivenUp),
            State::Reading => self.state = State::GivenUp,
        }
        let found = self.advance()?;
        self.state = if found { State::Reading } else { State::Ended };
        Ok(found.then_some(Member { reader: self }))
    }

    /// Reads what is left and returns the facts, and the source for those of its own.
    ///
    /// # Errors
    /// As [`TarReader::next_member`].
    pub fn finish(mut self) -> Result<(TarFacts, R), TarError> {
        while self.next_member()?.is_some() {}
        Ok((self.facts, self.source))
    }

    /// What is known so far.
    pub const fn facts(&self) -> &TarFacts {
        &self.facts
    }

    fn report(&mut self, kind: TarAmbiguity) {
        self.facts.ambiguities.push(&self.entry.path, kind);
    }

    fn truncated(&self) -> TarError {
        TarError::Truncated {
            offset: self.offset,
        }
    }

    /// Passes up to `count` bytes to `look`; returns how many the source had.
    fn pass(&mut self, count: u64, mut look: impl FnMut(&[u8])) -> io::Result<u64> {
        let mut passed = 0;
        while passed < count {
            let ready = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let wanted = usize::try_from(count - passed)
                .unwrap_or(usize::MAX)
                .min(ready.len());
            if wanted == 0 {
                break;
            }
            look(ready.get(..wanted).unwrap_or_default());
            self.source.consume(wanted);
            passed += wanted as u64;
        }
        self.offset += passed;
        Ok(passed)
    }

    /// Leaves the current member behind, then reads headers up to the next one; false at the end.
    fn advance(&mut self) -> Result<bool, TarError> {
        self.leave()?;
        loop {
            let header = self.offset;
            let mut bytes = [0; BLOCK];
            let mut at = 0;
            let got = self.pass(BLOCK as u64, |part| {
                if let Some(space) = bytes.get_mut(at..at + part.len()) {
                    space.copy_from_slice(part);
                }
                at += part.len();
            })?;
            let ended = got == 0;
            if !ended && at < BLOCK {
                return Err(self.truncated());
            }
            if ended || bytes.iter().all(|b| *b == 0) {
                self.end(ended)?;
                return Ok(false);
            }
            let block = Block::checked(&bytes).ok_or(TarError::Checksum { offset: header })?;
            let size = block
                .size()
                .and_then(|n| Some((u64::try_from(n.value).ok()?, n.form)))
                .ok_or(TarError::Size { offset: header })?;
            self.note_layout(&block, size.1);
            match block.type_byte() {
                b'L' | b'K' | b'x' | b'g' => self.extension(&block, size.0, header)?,
                b'S' => return Err(TarError::Sparse { offset: header }),
                _ => {
                    self.member(&block, size.0)?;
                    return Ok(true);
                }
            }
        }
    }

    /// Skips content that was not asked for, and looks at the padding.
    fn leave(&mut self) -> Result<(), TarError> {
        let content = std::mem::take(&mut self.content);
        let padding = std::mem::take(&mut self.padding);
        let mut clean = true;
        if self.pass(content, |_| {})? < content
            || self.pass(padding, |part| clean &= part.iter().all(|b| *b == 0))? < padding
        {
            return Err(self.truncated());
        }
        if !clean {
            self.report(TarAmbiguity::Padding);
        }
        Ok(())
    }

    /// Looks at everything behind the last member; `bare` if not even one zero block ended it.
    fn end(&mut self, bare: bool) -> Result<(), TarError> {
        if self.pending.any {
            return Err(TarError::Dangling {
                offset: self.offset,
            });
        }
        self.entry.path.clear();
        let mut clean = true;
        let rest = self.pass(u64::MAX, |part| clean &= part.iter().all(|b| *b == 0))?;
        if !clean {
            self.report(TarAmbiguity::TrailingData);
        }
        if bare || rest < BLOCK as u64 {
            self.report(TarAmbiguity::MissingEnd);
        }
        self.facts.length = self.offset;
        Ok(())
    }

    /// Records the layout of a header. Ambiguities carry the header's own name until a better one is known.
    fn note_layout(&mut self, block: &Block<'_>, size: Form) {
        self.entry.path.clear();
        let magic = block.magic();
        if magic == Magic::Ustar && !block.prefix().is_empty() {
            self.entry.path.extend_from_slice(block.prefix());
            self.entry.path.push(b'/');
        }
        self.entry.path.extend_from_slice(block.name());
        let used = &mut self.facts.mechanisms;
        match magic {
            Magic::V7 => used.v7 = true,
            Magic::Ustar => used.ustar = true,
            Magic::Gnu => used.gnu = true,
            Magic::Unknown => {}
        }
        used.base256 |= size == Form::Binary;
        if magic == Magic::Unknown {
            self.report(TarAmbiguity::Magic);
        }
        if magic != Magic::Ustar && !block.prefix().is_empty() {
            self.report(TarAmbiguity::PrefixWithoutUstar);
        }
        if size == Form::Odd {
            self.report(TarAmbiguity::Number(NumberField::Size));
        }
    }

    /// Reads the payload of an extension header into what is pending.
    fn extension(&mut self, block: &Block<'_>, size: u64, header: u64) -> Result<(), TarError> {
        let kind = block.type_byte();
        if matches!(block.magic(), Magic::V7 | Magic::Unknown) {
            self.report(TarAmbiguity::ExtensionWithoutMagic);
        }
        if kind == b'g' && self.pending.any {
            self.report(TarAmbiguity::PaxGlobalBetween);
        }
        if self.pending.pax.size.is_some() {
            self.report(TarAmbiguity::PaxSizeBeforeExtension);
        }
        let granted = self.limits.max_record;
        if size > granted as u64 {
            return Err(LimitError::new(Limit::Record, granted as u64).into());
        }
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        self.content = self.pass(size, |part| payload.extend_from_slice(part))?;
        if self.content < size {
            return Err(self.truncated());
        }
        self.content = 0;
        self.padding = padding(size);
        self.leave()?;

        let facts = &mut self.facts;
        let mut report = |kind| facts.ambiguities.push(&self.entry.path, kind);
        let read = match kind {
            b'L' | b'K' => {
                let slot = if kind == b'L' {
                    &mut self.pending.long_name
                } else {
                    &mut self.pending.long_link
                };
                Pending::long(slot, &payload, &mut report);
                facts.mechanisms.gnu_long = true;
                Some(())
            }
            b'x' => {
                let read = self.pending.local(&payload, &mut report);
                facts.mechanisms.pax = true;
                read
            }
            _ => {
                let read = Pending::global(&payload, &mut report);
                facts.mechanisms.pax_global = true;
                read
            }
        };
        self.pending.any |= kind != b'g';
        self.payload = payload;
        read.ok_or(TarError::Pax { offset: header })
    }

    /// Makes the entry out of its header and what is pending.
    fn member(&mut self, block: &Block<'_>, size: u64) -> Result<(), TarError> {
        self.facts.entries += 1;
        if self.facts.entries > self.limits.max_entries {
            return Err(LimitError::new(Limit::Entries, self.limits.max_entries).into());
        }
        let pending = std::mem::take(&mut self.pending);
        self.name(pending.long_name, pending.pax.path);
        self.limits.check_name(&self.entry.path)?;

        self.entry.link.clear();
        self.entry.link.extend_from_slice(block.link());
        if let (Some(long), Some(pax)) = (&pending.long_link, &pending.pax.link)
            && long != pax
        {
            self.report(TarAmbiguity::TwoLinkNames);
        }
        if let Some(link) = pending.long_link.or(pending.pax.link) {
            self.entry.link = link;
        }

        self.entry.size = pending.pax.size.unwrap_or(size);
        if self.entry.size != size {
            self.report(TarAmbiguity::PaxSize);
        }
        self.kind(block);
        self.numbers(block, pending.pax.mtime);
        self.place();

        self.entry.offset = self.offset;
        self.content = self.entry.size;
        self.padding = padding(self.entry.size);
        self.facts.content = self.facts.content.saturating_add(self.entry.size);
        Ok(())
    }

    /// Chooses the name: long name, PAX path, header, in the order of the `tar` crate.
    fn name(&mut self, long: Option<Vec<u8>>, pax: Option<Vec<u8>>) {
        let two = matches!((&long, &pax), (Some(long), Some(pax)) if long != pax);
        if let Some(name) = long.or(pax) {
            let needless = name.is_ascii() && name.len() < 100 && name != self.entry.path;
            self.entry.path = name;
            if needless {
                self.report(TarAmbiguity::NeedlessLongName);
            }
        }
        if two {
            self.report(TarAmbiguity::TwoNames);
        }
    }

    fn kind(&mut self, block: &Block<'_>) {
        let slash = self.entry.path.ends_with(b"/");
        let type_byte = block.type_byte();
        self.entry.kind = match type_byte {
            // The way of old archives to list a folder.
            0 if slash && block.magic() == Magic::V7 => TarKind::Folder,
            b'0' | 0 => TarKind::File,
            b'1' => TarKind::HardLink,
            b'2' => TarKind::Symlink,
            b'5' => TarKind::Folder,
            other => TarKind::Other(other),
        };
        match self.entry.kind {
            TarKind::File if slash => self.report(TarAmbiguity::FileWithSlash),
            TarKind::File | TarKind::Folder => {}
            _ => self.report(TarAmbiguity::Irregular(type_byte)),
        }
        if self.entry.kind != TarKind::File && self.entry.size > 0 {
            self.report(TarAmbiguity::SizeOnNonFile);
        }
    }

    fn numbers(&mut self, block: &Block<'_>, pax_mtime: Option<i64>) {
        let mode = block.mode();
        let value = mode.and_then(|n| u32::try_from(n.value).ok());
        if value.is_none() || mode.is_some_and(|n| n.form == Form::Odd) {
            self.report(TarAmbiguity::Number(NumberField::Mode));
        }
        self.entry.mode = value.unwrap_or_default();
        if self.entry.mode & 0o7000 != 0 {
            self.report(TarAmbiguity::SpecialMode);
        }
        let mtime = block.mtime();
        if mtime.is_none_or(|n| n.form == Form::Odd) {
            self.report(TarAmbiguity::Number(NumberField::Mtime));
        }
        self.entry.mtime = pax_mtime.or(mtime.map(|n| n.value)).unwrap_or_default();
    }

    /// Checks the name and takes its place.
    fn place(&mut self) {
        let entry = &self.entry;
        let folder = entry.kind == TarKind::Folder;
        let shape = if folder { Shape::Folder } else { Shape::File };
        let name = entry
            .path
            .strip_suffix(b"/")
            .filter(|_| folder)
            .unwrap_or(&entry.path);
        let found = &mut self.facts.ambiguities;
        flaws(name, |flaw| {
            // Archives of a whole folder list that folder as `./`.
            if !(flaw == NameFlaw::Empty && folder && name == b".") {
                found.push(&entry.path, TarAmbiguity::Name(flaw));
            }
        });
        self.places.take(name, shape, |clash| {
            found.push(&entry.path, TarAmbiguity::Clash(clash));
        });
        if let Some(top) = &self.top {
            let mut parts = name
                .split(|b| *b == b'/')
                .filter(|c| !c.is_empty() && *c != b".");
            let first = parts.next();
            let whole = folder && first.is_none();
            let inside = whole || first == Some(top) && (folder || parts.next().is_some());
            if !inside {
                found.push(&entry.path, TarAmbiguity::OutsideTop);
            }
        }
    }
}

/// Bytes from the end of content to the next block.
const fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// A member: its entry, and its content to be read.
#[derive(Debug)]
pub struct Member<'a, R> {
    reader: &'a mut TarReader<R>,
}

impl<R: BufRead> Member<'_, R> {
    /// What the archive says about the member.
    #[must_use]
    pub const fn entry(&self) -> &TarEntry {
        &self.reader.entry
    }
}

impl<R: BufRead> BufRead for Member<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = usize::try_from(self.reader.content).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(&[]);
        }
        let ready = self.reader.source.fill_buf()?;
        if ready.is_empty() {
            let offset = self.reader.offset;
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                TarError::Truncated { offset },
            ));
        }
        Ok(ready.get(..left.min(ready.len())).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        let amount = usize::try_from(self.reader.content)
            .unwrap_or(usize::MAX)
            .min(amount);
        self.reader.source.consume(amount);
        self.reader.content -= amount as u64;
        self.reader.offset += amount as u64;
    }
}

impl<R: BufRead> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
