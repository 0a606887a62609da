//! Scenes of Go's module cache, and of vendored copies in a project.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::{Taint, UID, ailing};
use crate::ecosystems::contract::{Binding, Ecosystem, NamedPlace, OpenContext, TreePart, Wanted};
use crate::formats::tar::fixture as tar;
use crate::formats::zip::fixture as zip;
use crate::formats::{h1, hex};
use crate::model::{
    ArtifactId, Code, Coordinate, Digest, Entry, EntryKind, Fingerprint, Origin, Place,
};
use crate::pipeline::ailing::Ailing;
use crate::world::fake::Disk;
use crate::world::fake_disk::FakeDisk;

const AT: &str = "cache/download/a.example/m/@v/v1.0.0";
const TREE: &str = "a.example/m@v1.0.0";
const FILES: [(&str, &str); 3] = [
    ("go.mod", "module a.example/m\n"),
    ("m.go", "package m\n"),
    ("LICENSE", "free\n"),
];
const GO_MOD: &str = "module a.example/m\n";
/// Files of the vendored crate.
const CRATE: [(&str, &str); 4] = [
    (
        "Cargo.toml",
        "[package]\nname = \"delta\"\nversion = \"1.0.0\"\n",
    ),
    ("src/lib.rs", "pub fn good() {}\n"),
    ("src/more/deep.rs", "pub fn deep() {}\n"),
    ("build.rs", "fn main() {}\n"),
];

fn ecosystem(id: &str) -> &'static dyn Ecosystem {
    let mut all = crate::ecosystems::all().iter().copied();
    all.find(|e| e.facts().id.as_str() == id).unwrap()
}

fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let items: Vec<zip::Item> = files
        .iter()
        .map(|(name, text)| {
            zip::Item::stored(&format!("a.example/m@v1.0.0/{name}"), text.as_bytes())
        })
        .collect();
    zip::archive(&items)
}

fn zip_digest() -> Digest {
    let sum = |text: &str| <[u8; 32]>::from(Sha256::digest(text.as_bytes()));
    let names: Vec<(String, [u8; 32])> = FILES
        .iter()
        .map(|(name, text)| (format!("a.example/m@v1.0.0/{name}"), sum(text)))
        .collect();
    h1::of_files(names.iter().map(|(name, sum)| (name.as_str(), *sum))).unwrap()
}

static CRATE_BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let parts: Vec<Vec<u8>> = CRATE
        .iter()
        .map(|(name, text)| tar::file(&format!("delta-1.0.0/{name}"), text.as_bytes()))
        .collect();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&tar::archive(&parts)).unwrap();
    packed.finish().unwrap()
});

fn crate_digest() -> Digest {
    Digest::sha256(Sha256::digest(&*CRATE_BYTES).into())
}

/// What a registry has under these names.
pub(super) fn published(file: &str) -> Option<Vec<u8>> {
    match file {
        "v1.0.0.zip" => Some(zip_of(&FILES)),
        "v1.0.0.mod" => Some(GO_MOD.into()),
        "delta-1.0.0.crate" => Some(CRATE_BYTES.clone()),
        _ => None,
    }
}

fn sums(evil: &str) -> String {
    let files: Vec<String> = CRATE
        .iter()
        .map(|(name, text)| {
            let text = if *name == "src/lib.rs" { evil } else { text };
            format!(
                "\"{name}\":\"{}\"",
                hex::encode(&Sha256::digest(text.as_bytes()))
            )
        })
        .collect();
    let package = crate_digest().hex();
    format!(
        "{{\"files\":{{{}}},\"package\":\"{package}\"}}",
        files.join(",")
    )
}

/// Puts a taint on the disk; says whether it is one of ours.
pub(super) fn lay(taint: Taint, disk: &FakeDisk) -> bool {
    let file = |path: &str, text: &str| disk.file(path, text.as_bytes(), 0o644);
    let tree = |evil: bool| {
        for (name, text) in FILES {
            let text = if evil && name == "m.go" {
                "evil code"
            } else {
                text
            };
            file(&format!("/h/{TREE}/{name}"), text);
        }
    };
    let vendored = |lib: &str| {
        for (name, text) in CRATE {
            let text = if name == "src/lib.rs" { lib } else { text };
            file(&format!("/p/vendor/delta/{name}"), text);
        }
        file("/p/vendor/delta/.cargo-checksum.json", &sums(lib));
        file("/p/vendor/other/Cargo.toml", "the user's own");
    };
    let evil_zip = zip_of(&[("m.go", "the evil archive")]);
    disk.dir("/h/cache/download");
    match taint {
        Taint::GoTree => {
            disk.file(&format!("/h/{AT}.zip"), &zip_of(&FILES), 0o644);
            tree(true);
        }
        Taint::GoTreeZipGone => {
            file(&format!("/h/{AT}.info"), "{}");
            tree(true);
        }
        Taint::GoZipAndTree => {
            disk.file(&format!("/h/{AT}.zip"), &evil_zip, 0o644);
            file(&format!("/h/{AT}.ziphash"), "h1:the evil record");
            tree(true);
        }
        Taint::GoMod => file(&format!("/h/{AT}.mod"), "the evil archive"),
        Taint::GoLookup => file("/h/cache/download/sumdb/l/lookup/m", "an evil listing"),
        Taint::Vendored => {
            vendored("evil code");
            file("/p/vendor/delta/src/plugin/evil.rs", "evil plugin");
            disk.delete("/p/vendor/delta/src/more/deep.rs");
            disk.delete("/p/vendor/delta/src/more");
            disk.delete("/p/vendor/delta/build.rs");
            disk.link("/p/vendor/delta/build.rs", "/elsewhere/evil.rs");
        }
        Taint::VendoredStray => {
            file("/p/vendor/modules.txt", "# a.example/m v1.0.0\n");
            file("/p/vendor/a.example/m/m.go", "package m\n");
            file("/p/vendor/a.example/stray/x.go", "evil code");
        }
        _ => return false,
    }
    // As the tool leaves them.
    disk.file(&format!("/h/{AT}.lock"), b"", 0o644);
    true
}

fn of_go(kind: &'static str, rel: &str, file: &str, must: Digest, code: Code) -> Ailing {
    let go = ecosystem("go");
    let artifact = Arc::new(ArtifactId {
        coordinate: Coordinate {
            ecosystem: go.facts().id,
            name: Arc::from("a.example/m"),
            version: Arc::from("v1.0.0"),
            origin: Origin::Unknown,
        },
        file: Arc::from(file),
    });
    Ailing {
        ecosystem: go.facts().id,
        healer: go.healer(),
        coordinate: Some(Arc::new(artifact.coordinate.clone())),
        artifact: Some(artifact),
        must: Some(must),
        ..ailing(kind, rel, code)
    }
}

/// How a folder of a vendor folder is read.
fn part(rel: &str) -> TreePart {
    let mut disk = Disk::of(UID, UID);
    disk.file("/v/delta/Cargo.toml", CRATE[0].1);
    let place = NamedPlace {
        kind: "vendor",
        path: "/v".into(),
        named_by: "project".into(),
        stands_for: None,
    };
    let known = [crate::ecosystems::contract::KnownRegistry {
        fingerprint: Fingerprint([1; 32]),
        addresses: vec![Arc::from("https://registry.example/")],
        trusted: true,
    }];
    let locked = Wanted::default();
    let context = OpenContext {
        registries: &known,
        wanted: Some(&locked),
        locked: &locked,
        places: &[],
        full: false,
    };
    let session =
        ecosystem("cargo")
            .posture()
            .unwrap()
            .open_place(&place, &*disk.dir("/v"), &context);
    let unit = session
        .units
        .into_iter()
        .find(|u| u.tree.is_some())
        .unwrap();
    assert!(!matches!(unit.binding, Binding::Nothing));
    let tree = unit.tree.unwrap();
    assert_eq!(tree.rel, PathBuf::from(rel));
    tree
}

/// What a scan would say of it.
pub(super) fn found(taint: Taint) -> Vec<Ailing> {
    let tree = || of_go("tree", TREE, "v1.0.0.zip", zip_digest(), Code::TreeModified);
    match taint {
        Taint::GoTree => vec![tree()],
        Taint::GoTreeZipGone => vec![Ailing {
            archived: false,
            ..tree()
        }],
        Taint::GoZipAndTree => {
            let at = |kind: &str| format!("{AT}.{kind}");
            vec![
                of_go(
                    "archive",
                    &at("zip"),
                    "v1.0.0.zip",
                    zip_digest(),
                    Code::ArchiveTampered,
                ),
                of_go(
                    "sidecar",
                    &at("ziphash"),
                    "v1.0.0.zip",
                    zip_digest(),
                    Code::SidecarForged,
                ),
                tree(),
            ]
        }
        Taint::GoMod => vec![of_go(
            "archive",
            &format!("{AT}.mod"),
            "v1.0.0.mod",
            h1::of_go_mod(GO_MOD.as_bytes()),
            Code::ArchiveTampered,
        )],
        Taint::GoLookup => {
            let mut record = of_go(
                "log-record",
                "cache/download/sumdb/l/lookup/m",
                "",
                zip_digest(),
                Code::LogRecordForged,
            );
            (record.artifact, record.must) = (None, None);
            vec![record]
        }
        Taint::Vendored => {
            let mut copy = ailing("tree", "delta", Code::TreeModified);
            let artifact = copy.artifact.take().unwrap();
            copy.artifact = Some(Arc::new(ArtifactId {
                coordinate: artifact.coordinate.clone(),
                file: Arc::from("delta-1.0.0.crate"),
            }));
            copy.must = Some(crate_digest());
            (copy.root, copy.place) = (2, Place::Vendor);
            copy.tree = Some(part("delta"));
            vec![copy]
        }
        Taint::VendoredStray => {
            let mut rest = of_go("tree", "", "", zip_digest(), Code::TreeExtraFile);
            (rest.artifact, rest.must, rest.trusted) = (None, None, false);
            (rest.root, rest.place) = (2, Place::Vendor);
            rest.beside = vec![PathBuf::from("a.example/m")];
            rest.findings[0].entries = vec![Entry {
                path: "a.example/stray/x.go".to_owned(),
                path_escaped: false,
                kind: EntryKind::Extra,
            }];
            vec![rest]
        }
        _ => Vec::new(),
    }
}
