//! A tiny writer of tar archives, honest unless told otherwise.

/// A header under construction.
#[derive(Clone)]
pub(crate) struct Head(pub(super) [u8; 512]);

impl Head {
    /// A POSIX header of type `kind`.
    pub(crate) fn new(name: &[u8], kind: u8, size: usize) -> Self {
        let mut head = Self([0; 512]).put(0, name);
        head = head
            .put(100, b"0000644\0")
            .put(108, b"0000000\0")
            .put(116, b"0000000\0");
        head = head
            .put(124, format!("{size:011o}\0").as_bytes())
            .put(136, b"00000000017\0");
        head.put(156, &[kind]).put(257, b"ustar\x0000")
    }

    pub(crate) fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn gnu(self) -> Self {
        self.put(257, b"ustar  \0")
    }

    pub(crate) fn v7(self) -> Self {
        self.put(257, &[0; 8])
    }

    /// The block with its checksum.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let head = self.put(148, b"        ");
        let sum: u32 = head.0.iter().map(|b| u32::from(*b)).sum();
        head.put(148, format!("{sum:06o}\0 ").as_bytes()).0.to_vec()
    }

    /// The block and its content, padded.
    pub(crate) fn with(self, content: &[u8]) -> Vec<u8> {
        let mut out = self.bytes();
        out.extend(content);
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }
}

pub(crate) fn file(name: &str, content: &[u8]) -> Vec<u8> {
    Head::new(name.as_bytes(), b'0', content.len()).with(content)
}

pub(crate) fn folder(name: &str) -> Vec<u8> {
    Head::new(name.as_bytes(), b'5', 0).bytes()
}

/// An extension header of type `kind` with its payload.
pub(crate) fn extension(kind: u8, payload: &[u8]) -> Vec<u8> {
    let name = if matches!(kind, b'L' | b'K') {
        &b"././@LongLink"[..]
    } else {
        b"PaxHeaders/x"
    };
    let head = Head::new(name, kind, payload.len());
    if matches!(kind, b'L' | b'K') {
        head.gnu().with(payload)
    } else {
        head.with(payload)
    }
}

/// PAX records.
pub(crate) fn records(values: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in values {
        let body = key.len() + value.len() + 3;
        let mut length = body + 1;
        while length != body + length.to_string().len() {
            length += 1;
        }
        out.extend(format!("{length} {key}={value}\n").bytes());
    }
    out
}

/// An archive with its end mark.
pub(crate) fn archive(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = parts.concat();
    out.resize(out.len() + 1024, 0);
    out
}
