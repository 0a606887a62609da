//! The streaming engine: any size in constant memory, exact about where each member ends.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Crc;

use super::{GzipError, GzipFacts, header};

const BUFFER: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Body,
    Trailer,
    Between,
    Trailing,
    Done,
}

/// Inflates all members of a gzip file, one after the other.
///
/// Reading to the end yields the content of every member; an error is an [`io::Error`] that holds a
/// [`GzipError`] (see [`GzipError::from_io`]), or the error of the source. [`GzipStream::facts`] is complete once a read
/// has returned no bytes. After a [`GzipError`] every further read
/// fails too.
pub struct GzipStream<R> {
    source: R,
    source_ended: bool,
    input: Vec<u8>,
    /// Bytes of `input` that were read and not used.
    held: Range<usize>,
    output: Box<[u8]>,
    /// Bytes of `output` that were made and not consumed.
    ready: Range<usize>,
    inflate: Decompress,
    crc: Crc,
    member_len: u64,
    cap: u64,
    state: State,
    failed: Option<GzipError>,
    facts: GzipFacts,
}

impl<R: Read> GzipStream<R> {
    /// Reads `source`; `cap` bounds the inflated bytes of all members together.
    pub fn new(source: R, cap: u64) -> Self {
        Self {
            source,
            source_ended: false,
            input: vec![0; BUFFER],
            held: 0..0,
            output: vec![0; BUFFER].into_boxed_slice(),
            ready: 0..0,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            member_len: 0,
            cap,
            state: State::Header,
            failed: None,
            facts: GzipFacts::default(),
        }
    }

    /// What is known so far; complete once a read has returned no bytes.
    pub const fn facts(&self) -> &GzipFacts {
        &self.facts
    }

    fn pending(&self) -> &[u8] {
        self.input.get(self.held.clone()).unwrap_or_default()
    }

    /// Gets more input behind what is pending; false at the end of the source.
    fn refill(&mut self) -> io::Result<bool> {
        if self.source_ended {
            return Ok(false);
        }
        if self.held.end == self.input.len() || self.held.is_empty() {
            self.input.copy_within(self.held.clone(), 0);
            self.held = 0..self.held.len();
        }
        if self.held.end == self.input.len() {
            // Only a long header gets here, and it has a bound.
            self.input.resize(self.input.len() + BUFFER, 0);
        }
        let free = self.input.get_mut(self.held.end..).unwrap_or_default();
        let got = loop {
            match self.source.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.held.end += got;
        self.source_ended = got == 0;
        Ok(got > 0)
    }

    /// Holds `count` pending bytes if the source has them.
    fn want(&mut self, count: usize) -> io::Result<bool> {
        while self.pending().len() < count {
            if !self.refill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One step of the machine; output, if any, is in `ready` afterwards.
    fn step(&mut self) -> io::Result<()> {
        match self.state {
            State::Header => self.header(),
            State::Body => self.body(),
            State::Trailer => self.trailer(),
            State::Between => {
                let next = if self.want(1)? {
                    self.want(2)?;
                    if self.pending().starts_with(&[0x1f, 0x8b]) {
                        State::Header
                    } else {
                        State::Trailing
                    }
                } else {
                    State::Done
                };
                self.state = next;
                Ok(())
            }
            State::Trailing => {
                let rest = self.pending();
                let (count, garbage) = (rest.len(), rest.iter().any(|b| *b != 0));
                self.facts.trailing += count as u64;
                self.facts.trailing_garbage |= garbage;
                self.held.start += count;
                if !self.refill()? {
                    self.state = State::Done;
                }
                Ok(())
            }
            State::Done => Ok(()),
        }
    }

    fn header(&mut self) -> io::Result<()> {
        let (fields, len) = loop {
            if let Some(found) = header::parse(self.pending())? {
                break found;
            }
            if !self.refill()? {
                return Err(GzipError::Truncated.into());
            }
        };
        if self.facts.members == 0 {
            self.facts.header = fields;
        }
        self.held.start += len;
        self.inflate.reset(false);
        self.crc = Crc::new();
        self.member_len = 0;
        self.state = State::Body;
        Ok(())
    }

    fn body(&mut self) -> io::Result<()> {
        if self.pending().is_empty() && !self.refill()? {
            return Err(GzipError::Truncated.into());
        }
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let input = self.input.get(self.held.clone()).unwrap_or_default();
        let status = self
            .inflate
            .decompress(input, &mut self.output, FlushDecompress::None)
            .map_err(|_| GzipError::Corrupt)?;
        let used = to_usize(self.inflate.total_in() - before_in);
        let made = to_usize(self.inflate.total_out() - before_out);
        self.held.start += used;
        self.crc.update(self.output.get(..made).unwrap_or_default());
        self.member_len += made as u64;
        self.facts.inflated += made as u64;
        if self.facts.inflated > self.cap {
            return Err(GzipError::TooLarge { cap: self.cap }.into());
        }
        self.ready = 0..made;
        if status == Status::StreamEnd {
            self.state = State::Trailer;
        } else if used == 0 && made == 0 && !self.refill()? {
            // No progress with an empty output buffer: more input is needed, and there is none.
            return Err(GzipError::Truncated.into());
        }
        Ok(())
    }

    fn trailer(&mut self) -> io::Result<()> {
        self.want(8)?;
        let Some(trailer) = self.pending().first_chunk::<8>() else {
            return Err(GzipError::Truncated.into());
        };
        let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
        if self.crc.sum() != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(GzipError::Checksum.into());
        }
        // The stored length counts modulo 2^32.
        if self.member_len & u64::from(u32::MAX) != u64::from(u32::from_le_bytes([l0, l1, l2, l3]))
        {
            return Err(GzipError::Length.into());
        }
        self.held.start += 8;
        self.facts.members += 1;
        if self.facts.members == 1 {
            self.facts.first_inflated = self.member_len;
        }
        self.state = State::Between;
        Ok(())
    }
}

/// Lengths of slices that exist fit.
fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl<R: Read> BufRead for GzipStream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.ready.is_empty() && self.state != State::Done {
            if let Some(error) = self.failed {
                return Err(error.into());
            }
            if let Err(error) = self.step() {
                self.failed = GzipError::from_io(&error);
                self.ready = 0..0;
                return Err(error);
            }
        }
        Ok(self.output.get(self.ready.clone()).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = self.ready.start.saturating_add(amount).min(self.ready.end);
    }
}

impl<R: Read> Read for GzipStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let count = ready.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
