//! Crates and archives written by hand, byte for byte the same on every run.
//!
//! `Crate` describes what `cargo package` would have packed (cargo 1.95: all entries below
//! `<name>-<version>/`, mode 0644, mtime 1153704088, gzip with the file name in its header), `Tar`
//! writes any entry whatever, also those that no honest tool writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};

use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The time that cargo gives to what it packs without a repository.
const PACKED_AT: u64 = 1_153_704_088;

/// One release of a crate, as its author sees it.
#[derive(Clone, Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    files: BTreeMap<String, Vec<u8>>,
    deps: Vec<(String, String)>,
    features: BTreeMap<String, Vec<String>>,
    pubtime: Option<String>,
    links: Option<String>,
}

impl Crate {
    /// A library whose `src/lib.rs` is `source`.
    pub(crate) fn lib(name: &str, version: &str, source: &str) -> Self {
        let files = BTreeMap::from([
            ("src/lib.rs".to_owned(), source.as_bytes().to_vec()),
            ("README.md".to_owned(), format!("# {name}\n").into_bytes()),
        ]);
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            files,
            deps: Vec::new(),
            features: BTreeMap::new(),
            pubtime: None,
            links: None,
        }
    }

    pub(crate) fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }

    pub(crate) fn dep(mut self, name: &str, requirement: &str) -> Self {
        self.deps.push((name.to_owned(), requirement.to_owned()));
        self
    }

    pub(crate) fn feature(mut self, name: &str, enables: &[&str]) -> Self {
        let enables = enables.iter().map(|text| (*text).to_owned()).collect();
        self.features.insert(name.to_owned(), enables);
        self
    }

    /// When the registry says that it was published, RFC 3339 with `Z`.
    pub(crate) fn published(mut self, at: &str) -> Self {
        self.pubtime = Some(at.to_owned());
        self
    }

    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}.crate", self.name, self.version)
    }

    fn manifest(&self, registry_index: Option<&str>) -> String {
        let mut text = String::new();
        let _ = write!(
            text,
            "[package]\nedition = \"2021\"\nname = \"{}\"\nversion = \"{}\"\ndescription = \"made for a \
             test\"\nlicense = \"MIT\"\n",
            self.name, self.version
        );
        if let Some(links) = &self.links {
            let _ = writeln!(text, "links = \"{links}\"");
        }
        if !self.features.is_empty() {
            text.push_str("\n[features]\n");
            for (name, enables) in &self.features {
                let _ = writeln!(text, "{name} = {enables:?}");
            }
        }
        for (name, requirement) in &self.deps {
            let _ = write!(
                text,
                "\n[dependencies.{name}]\nversion = \"{requirement}\"\n"
            );
            if let Some(index) = registry_index {
                let _ = writeln!(text, "registry-index = \"sparse+{index}\"");
            }
        }
        text
    }

    /// Every file of the archive by its path below `<name>-<version>/`.
    pub(crate) fn packed_files(&self, registry_index: Option<&str>) -> BTreeMap<String, Vec<u8>> {
        let manifest = self.manifest(registry_index);
        let mut files = self.files.clone();
        files.insert("Cargo.toml.orig".to_owned(), manifest.clone().into_bytes());
        files.insert(
            "Cargo.toml".to_owned(),
            format!("# packed\n{manifest}").into_bytes(),
        );
        files.insert(
            "Cargo.lock".to_owned(),
            format!(
                "version = 4\n\n[[package]]\nname = \"{}\"\nversion = \"{}\"\n",
                self.name, self.version
            )
            .into_bytes(),
        );
        files.insert(
            ".cargo_vcs_info.json".to_owned(),
            b"{\n  \"git\": {\n    \"sha1\": \"0123456789abcdef0123456789abcdef01234567\"\n  },\n  \
              \"path_in_vcs\": \"\"\n}"
                .to_vec(),
        );
        files
    }

    /// The bytes of the `.crate` file; `registry_index` is named where dependencies live when that is
    /// not the default registry.
    pub(crate) fn archive(&self, registry_index: Option<&str>) -> Vec<u8> {
        let mut tar = Tar::new();
        for (path, bytes) in self.packed_files(registry_index) {
            tar.file(&format!("{}-{}/{path}", self.name, self.version), &bytes);
        }
        gzip(&self.file_name(), &tar.finish())
    }

    /// The line of the index that publishes an archive with this checksum.
    pub(crate) fn index_row(&self, checksum: &str) -> Value {
        let deps: Vec<Value> = self
            .deps
            .iter()
            .map(|(name, requirement)| {
                json!({
                    "name": name, "req": requirement, "features": [], "optional": false,
                    "default_features": true, "target": null, "kind": "normal",
                })
            })
            .collect();
        let mut row = json!({
            "name": self.name, "vers": self.version, "deps": deps, "cksum": checksum,
            "features": self.features, "yanked": false, "links": self.links, "v": 2,
        });
        if let Some(at) = &self.pubtime {
            row["pubtime"] = json!(at);
        }
        row
    }
}

/// A tar archive under construction (ustar, prefix field for long names).
pub(crate) struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    pub(crate) fn file(&mut self, path: &str, bytes: &[u8]) -> &mut Self {
        self.entry(b'0', path, "", 0o644, bytes)
    }

    /// Any entry: `kind` is the type flag (`0` file, `1` hard link, `2` symlink, `5` folder, …).
    pub(crate) fn entry(
        &mut self,
        kind: u8,
        path: &str,
        link: &str,
        mode: u32,
        bytes: &[u8],
    ) -> &mut Self {
        self.raw_entry(kind, path.as_bytes(), link.as_bytes(), mode, bytes)
    }

    pub(crate) fn raw_entry(
        &mut self,
        kind: u8,
        path: &[u8],
        link: &[u8],
        mode: u32,
        bytes: &[u8],
    ) -> &mut Self {
        let header = Self::header(kind, path, link, mode, bytes.len() as u64);
        self.bytes.extend_from_slice(&header);
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// One header block, whatever follows it.
    pub(crate) fn header(kind: u8, path: &[u8], link: &[u8], mode: u32, size: u64) -> [u8; 512] {
        let mut header = [0_u8; 512];
        let (prefix, name) = split_name(path);
        header[..name.len()].copy_from_slice(name);
        header[345..345 + prefix.len()].copy_from_slice(prefix);
        octal(&mut header[100..108], u64::from(mode));
        octal(&mut header[108..116], 0);
        octal(&mut header[116..124], 0);
        octal(&mut header[124..136], size);
        octal(&mut header[136..148], PACKED_AT);
        header[148..156].fill(b' ');
        header[156] = kind;
        assert!(link.len() <= 100, "link target too long for a ustar header");
        header[157..157 + link.len()].copy_from_slice(link);
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }
}

fn split_name(path: &[u8]) -> (&[u8], &[u8]) {
    if path.len() <= 100 {
        return (&[], path);
    }
    let cut = (0..path.len())
        .filter(|at| path[*at] == b'/' && *at <= 155 && path.len() - at - 1 <= 100)
        .max()
        .expect("a path that fits a ustar header");
    (&path[..cut], &path[cut + 1..])
}

fn octal(field: &mut [u8], value: u64) {
    let width = field.len() - 1;
    field[..width].copy_from_slice(format!("{value:0width$o}").as_bytes());
}

/// Gzip as cargo writes it: the file name in the header, no time, best compression.
pub(crate) fn gzip(name: &str, bytes: &[u8]) -> Vec<u8> {
    gzip_level(name, bytes, 9)
}

pub(crate) fn gzip_level(name: &str, bytes: &[u8], level: u32) -> Vec<u8> {
    let mut writer = GzBuilder::new()
        .filename(name)
        .write(Vec::new(), Compression::new(level));
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// SHA-256 in lower-case hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
