//! Modules as their authors publish them: files, zips (written by hand, stored), hashes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::log::hex;

/// One version of a module.
#[derive(Clone)]
pub(crate) struct Module {
    pub(crate) path: String,
    pub(crate) version: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Module {
    pub(crate) fn new(path: &str, version: &str) -> Self {
        Self {
            path: path.to_owned(),
            version: version.to_owned(),
            files: BTreeMap::new(),
        }
        .file("go.mod", &format!("module {path}\n\ngo 1.21\n"))
    }

    pub(crate) fn file(mut self, name: &str, content: &str) -> Self {
        self.files
            .insert(name.to_owned(), content.as_bytes().to_vec());
        self
    }

    pub(crate) fn go_mod(&self) -> &[u8] {
        &self.files["go.mod"]
    }

    fn entry(&self, name: &str) -> String {
        format!("{}@{}/{name}", self.path, self.version)
    }

    /// Hash of the zip's content.
    pub(crate) fn h1(&self) -> String {
        h1(self
            .files
            .iter()
            .map(|(name, content)| (self.entry(name), content.as_slice())))
    }

    /// Hash of the `go.mod` file.
    pub(crate) fn go_mod_h1(&self) -> String {
        h1([("go.mod".to_owned(), self.go_mod())].into_iter())
    }

    /// The zip.
    pub(crate) fn zip(&self) -> Vec<u8> {
        let files = self.files.iter();
        packed(files.map(|(name, content)| (self.entry(name), content.as_slice())))
    }
}

/// A zip of these files, in this order.
pub(crate) fn packed<'a>(files: impl Iterator<Item = (String, &'a [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    let mut count = 0_u16;
    for (name, content) in files {
        count += 1;
        let length = u32::try_from(content.len()).unwrap();
        let offset = u32::try_from(out.len()).unwrap();
        let mut common = Vec::new();
        for word in [20_u16, 0x800, 0, 0, 0x21] {
            common.extend(word.to_le_bytes());
        }
        common.extend(libdeflater::crc32(content).to_le_bytes());
        common.extend(length.to_le_bytes());
        common.extend(length.to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(content);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = u32::try_from(out.len()).unwrap();
    let size = u32::try_from(directory.len()).unwrap();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn h1<'a>(files: impl Iterator<Item = (String, &'a [u8])>) -> String {
    let mut lines: Vec<(String, String)> = files
        .map(|(name, content)| {
            let line = format!("{}  {name}\n", hex(&Sha256::digest(content)));
            (name, line)
        })
        .collect();
    lines.sort();
    let text: String = lines.into_iter().map(|(_, line)| line).collect();
    format!("h1:{}", STANDARD.encode(Sha256::digest(text)))
}
