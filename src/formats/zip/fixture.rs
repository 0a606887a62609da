//! A tiny writer of zip archives, honest unless told otherwise.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// A member under construction.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) mode: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) wide_descriptor: bool,
}

impl Item {
    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.into(),
            content: content.to_vec(),
            method: 0,
            flags: 0,
            mode: 0,
            extra: Vec::new(),
            wide_descriptor: false,
        }
    }

    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        Self {
            method: 8,
            ..Self::stored(name, content)
        }
    }

    /// As streaming writers do: numbers behind the content.
    pub(crate) fn streamed(self) -> Self {
        Self {
            flags: self.flags | 8,
            ..self
        }
    }

    pub(crate) fn data(&self) -> Vec<u8> {
        if self.method != 8 {
            return self.content.clone();
        }
        let mut writer = DeflateEncoder::new(Vec::new(), Compression::default());
        writer.write_all(&self.content).unwrap();
        writer.finish().unwrap()
    }

    fn numbers(&self) -> [u32; 3] {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        [
            libdeflater::crc32(&self.content),
            len(&self.data()),
            len(&self.content),
        ]
    }

    fn fields(&self, numbers: [u32; 3]) -> Vec<u8> {
        let mut out = Vec::new();
        for short in [20, self.flags, self.method, 0x6000, 0x5a21] {
            out.extend(short.to_le_bytes());
        }
        out.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
        out.extend(len16(&self.name));
        out.extend(len16(&self.extra));
        out
    }

    /// Local header, data and descriptor.
    pub(crate) fn local(&self) -> Vec<u8> {
        let streamed = self.flags & 8 != 0;
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(self.fields(if streamed { [0; 3] } else { self.numbers() }));
        out.extend(&self.name);
        out.extend(&self.extra);
        out.extend(self.data());
        if streamed {
            out.extend(b"PK\x07\x08");
            let [crc, compressed, size] = self.numbers();
            out.extend(crc.to_le_bytes());
            for number in [compressed, size] {
                out.extend(number.to_le_bytes());
                out.extend([0; 4].iter().filter(|_| self.wide_descriptor));
            }
        }
        out
    }

    pub(crate) fn central(&self, offset: usize) -> Vec<u8> {
        let mut out = b"PK\x01\x02".to_vec();
        out.extend(0x0314u16.to_le_bytes());
        out.extend(self.fields(self.numbers()));
        out.extend([0; 6]);
        out.extend((self.mode << 16).to_le_bytes());
        out.extend(u32::try_from(offset).unwrap().to_le_bytes());
        out.extend(&self.name);
        out.extend(&self.extra);
        out
    }
}

fn len16(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_le_bytes()
}

pub(crate) fn end(count: u16, size: usize, offset: usize, comment: &[u8]) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(size).unwrap().to_le_bytes());
    out.extend(u32::try_from(offset).unwrap().to_le_bytes());
    out.extend(len16(comment));
    out.extend(comment);
    out
}

/// An archive whose parts are given: what comes first (local headers and their data) and the directory.
pub(crate) fn assemble(front: &[u8], directory: &[u8], count: u16, comment: &[u8]) -> Vec<u8> {
    [
        front,
        directory,
        &end(count, directory.len(), front.len(), comment),
    ]
    .concat()
}

/// An archive whose local and central headers are written from different items.
pub(crate) fn archive_of(locals: &[Item], centrals: &[Item]) -> Vec<u8> {
    let (mut front, mut directory) = (Vec::new(), Vec::new());
    for (local, central) in locals.iter().zip(centrals) {
        directory.extend(central.central(front.len()));
        front.extend(local.local());
    }
    assemble(
        &front,
        &directory,
        u16::try_from(centrals.len()).unwrap(),
        b"",
    )
}

pub(crate) fn archive(items: &[Item]) -> Vec<u8> {
    archive_of(items, items)
}

/// The zip64 end record and its locator for a directory.
pub(crate) fn end64(count: usize, size: usize, offset: usize) -> Vec<u8> {
    let mut out = b"PK\x06\x06".to_vec();
    out.extend(44u64.to_le_bytes());
    out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [count, count, size, offset] {
        out.extend((number as u64).to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(((offset + size) as u64).to_le_bytes());
    out.extend(1u32.to_le_bytes());
    out
}
