//! How a crate's files appear in `registry/src` and in a vendor folder (cargo 1.95, `registry/mod.rs`, `cargo_vendor.rs`).
//!
//! `registry/src`: exactly the archive, plus `.cargo-ok`. Vendor: without version-control files, plus `.cargo-checksum.json`,
//! whose sums are the suspect's own word and can only be false.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ecosystems::contract::{Difference, Extra, ExtraContext, Placement, Projection};
use crate::model::digest::hex;
use crate::world::FileKind;

/// The marker that an unpacked crate is complete; whatever an archive holds under this name is not unpacked.
const OK: &[u8] = b".cargo-ok";
/// The checksum file of a directory source.
pub(super) const SUMS: &[u8] = b".cargo-checksum.json";

/// `registry/src/<registry>/<name>-<version>/`.
pub(super) struct Unpacked;

/// `vendor/<name>/`.
pub(super) struct Vendored;

impl Projection for Unpacked {
    fn id(&self) -> &'static str {
        "cargo-src/1"
    }

    fn placement(&self, path: &[u8]) -> Placement {
        if path == OK {
            Placement::Skipped
        } else {
            Placement::Exact
        }
    }

    fn extra(
        &self,
        path: &[u8],
        kind: FileKind,
        content: Option<&[u8]>,
        _: &ExtraContext<'_>,
    ) -> Extra {
        match generated_or_litter(path, kind, content) {
            // Any other text makes cargo unpack anew: it is litter, and no cargo trusts it.
            Extra::Forbidden if path == OK && kind == FileKind::File && content.is_some() => {
                Extra::Litter
            }
            other => other,
        }
    }
}

impl Projection for Vendored {
    fn id(&self) -> &'static str {
        "cargo-vendor/1"
    }

    fn placement(&self, path: &[u8]) -> Placement {
        let version_control = path.split(|b| *b == b'/').any(|part| part == b".git");
        let name = file_name(path);
        if path == OK || version_control || path == SUMS {
            Placement::Skipped
        } else if name == b".gitattributes" || name == b".gitignore" || path == b"Cargo.toml.orig" {
            Placement::Optional
        } else {
            Placement::Exact
        }
    }

    fn extra(
        &self,
        path: &[u8],
        kind: FileKind,
        content: Option<&[u8]>,
        context: &ExtraContext<'_>,
    ) -> Extra {
        match content {
            Some(text) if path == SUMS => judge_sums(text, context),
            None if path == SUMS => Extra::Forged("its checksum file cannot be read".into()),
            _ => generated_or_litter(path, kind, content),
        }
    }

    fn differing(&self, _: &[u8], archive: &[u8], tree: &[u8]) -> Difference {
        if is_line_ending_conversion(archive, tree) {
            Difference::Listed("line ends were converted from LF to CRLF")
        } else {
            Difference::Finding
        }
    }

    fn differing_from_hash(
        &self,
        _: &[u8],
        tree: &[u8],
        is_archives: &dyn Fn(&[u8]) -> bool,
    ) -> Option<&'static str> {
        let restored = without_carriage_returns(tree)?;
        is_archives(&restored).then_some("line ends were converted from LF to CRLF")
    }

    fn missing(&self, path: &[u8]) -> Difference {
        if commonly_ignored(path) {
            Difference::Listed("missing: a common ignore pattern names it, and no build loads it")
        } else {
            Difference::Finding
        }
    }

    fn ignores_modes(&self) -> bool {
        true
    }

    fn forgives(&self) -> bool {
        true
    }
}

#[derive(Deserialize)]
struct Sums {
    files: BTreeMap<String, String>,
    #[serde(default)]
    package: Option<String>,
}

/// What a checksum file says: the sum of each file, the digest of the archive.
pub(super) fn sums(text: &[u8]) -> Option<(BTreeMap<String, String>, Option<String>)> {
    let sums: Sums = serde_json::from_slice(text).ok()?;
    Some((sums.files, sums.package))
}

/// A checksum file may only say what is so: the archive's digest, and of every file it lists the file's own.
fn judge_sums(text: &[u8], context: &ExtraContext<'_>) -> Extra {
    let Ok(sums) = serde_json::from_slice::<Sums>(text) else {
        return Extra::Forged("its checksum file is no JSON of cargo's".into());
    };
    if let Some(package) = &sums.package
        && *package != context.archive.hex()
    {
        return Extra::Forged(format!(
            "its checksum file names another archive: sha256:{}",
            printable_hex(package)
        ));
    }
    for (path, sum) in &sums.files {
        // A sum that differs from the file makes cargo refuse to build; that a file is missing is told by the tree itself.
        if let Some(actual) = (context.file_sha256)(path.as_bytes())
            && hex(&actual) != *sum
            // Line-end conversion changes a file after its sum was taken: that is told as such, and cargo itself will refuse it.
            && !(context.excused)(path.as_bytes())
        {
            return Extra::Forged(format!(
                "its checksum file is wrong about `{}`",
                crate::model::text::printable(path)
            ));
        }
    }
    Extra::Generated
}

fn printable_hex(text: &str) -> String {
    text.chars()
        .take(64)
        .filter(char::is_ascii_hexdigit)
        .collect()
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or_default()
}

/// What cargo adds to every unpacked crate, and litter of editors and desktops: no tool compiles that, includes it by
/// default, or reads settings from it.
fn generated_or_litter(path: &[u8], kind: FileKind, content: Option<&[u8]>) -> Extra {
    match content {
        // Written by cargo up to 1.70 (`ok`, or nothing) and since.
        Some(b"" | b"ok" | br#"{"v":1}"#) if path == OK => Extra::Generated,
        _ if kind == FileKind::File && is_litter(file_name(path)) => Extra::Litter,
        _ => Extra::Forbidden,
    }
}

fn is_litter(name: &[u8]) -> bool {
    let swap = name.first() == Some(&b'.')
        && name.len() > 5
        && matches!(
            name.rsplit(|b| *b == b'.').next(),
            Some([b's', b'w', b'a'..=b'z'] | [b's', b'v', b'a'..=b'z'])
        );
    swap || name == b".DS_Store" || name == b"Thumbs.db" || (name.len() > 1 && name.ends_with(b"~"))
}

/// Files that widespread global ignore files name and that no build of a crate loads.
fn commonly_ignored(path: &[u8]) -> bool {
    let name = file_name(path);
    let suffix = |end: &[u8]| name.ends_with(end);
    path == b"Cargo.lock"
        || path == b".cargo_vcs_info.json"
        || suffix(b".orig")
        || suffix(b".rej")
        || suffix(b".bak")
        || suffix(b".swp")
        || suffix(b".log")
        || suffix(b"~")
        || name == b".DS_Store"
        || path.starts_with(b".idea/")
        || path.starts_with(b".vscode/")
        || path.split(|b| *b == b'/').next() == Some(b"target")
}

/// Whether `tree` is `archive` with every LF turned into CRLF, in a text.
fn is_line_ending_conversion(archive: &[u8], tree: &[u8]) -> bool {
    !archive.contains(&0)
        && without_carriage_returns(tree).is_some_and(|restored| {
            let plain = archive
                .contains(&b'\r')
                .then(|| without_carriage_returns(archive))
                .flatten();
            restored == archive || plain.is_some_and(|plain| plain == restored)
        })
}

/// The text with CRLF turned into LF; `None` if it holds NUL, a lone CR, or an LF without CR.
fn without_carriage_returns(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(b) = bytes.next() {
        match b {
            0 | b'\n' => return None,
            b'\r' => {
                if bytes.next() != Some(b'\n') {
                    return None;
                }
                out.push(b'\n');
            }
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn context(archive: &Digest) -> ExtraContext<'_> {
        ExtraContext {
            archive,
            file_sha256: &|_| None,
            excused: &|_| false,
        }
    }

    #[test]
    fn only_the_marker_of_cargo_is_generated() {
        let digest = Digest::sha256([0; 32]);
        let judged = |path: &[u8], content: &[u8]| {
            Unpacked.extra(path, FileKind::File, Some(content), &context(&digest))
        };
        assert_eq!(judged(b".cargo-ok", b"{\"v\":1}"), Extra::Generated);
        assert_eq!(judged(b"src/.cargo-ok", b"ok"), Extra::Forbidden);
        assert_eq!(judged(b"build.rs", b""), Extra::Forbidden);
        assert_eq!(judged(b"src/.lib.rs.swp", b"x"), Extra::Litter);
        assert_eq!(judged(b"src/x.swp.rs", b"x"), Extra::Forbidden);
    }

    #[test]
    fn a_whole_conversion_is_forgiven_and_nothing_else() {
        let forgiven = |a: &[u8], b: &[u8]| Vendored.differing(b"x", a, b) != Difference::Finding;
        assert!(forgiven(b"a\nb\n", b"a\r\nb\r\n"));
        assert!(!forgiven(b"a\nb\n", b"a\r\nb\n"));
        assert!(!forgiven(b"a\nb\n", b"a\r\nc\r\n"));
        assert!(!forgiven(b"a\0\n", b"a\0\r\n"));
        assert!(!forgiven(b"a\nb\n", b"a\rb\r\n"));
    }

    #[test]
    fn a_checksum_file_that_names_another_archive_is_forged() {
        let digest = Digest::sha256([7; 32]);
        let text = format!(r#"{{"files":{{}},"package":"{}"}}"#, "00".repeat(32));
        let judged = Vendored.extra(
            SUMS,
            FileKind::File,
            Some(text.as_bytes()),
            &context(&digest),
        );
        assert!(matches!(judged, Extra::Forged(_)));
        let text = format!(r#"{{"files":{{}},"package":"{}"}}"#, "07".repeat(32));
        let judged = Vendored.extra(
            SUMS,
            FileKind::File,
            Some(text.as_bytes()),
            &context(&digest),
        );
        assert_eq!(judged, Extra::Generated);
    }
}
