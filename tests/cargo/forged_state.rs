//! A state folder that somebody forged who has our own program to do it with: every checksum fits, every record lies.
//!
//! Beside `--isolated` it changes nothing. Without it our state is ours; there, what is not whole is set aside and said.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::Digest as _;
use untaint::model::{Digest, Listing, Manifest, ManifestEntry, VersionFacts};
use untaint::trust::address::Address;
use untaint::trust::claims::ClaimStore;
use untaint::trust::ledger::{FileIdentity, Ledger};
use untaint::world::real::StateFolder;

use crate::support::{Crate, Scan, World, write_file};
use crate::tamper::home_template;

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

fn folder(world: &World) -> PathBuf {
    world.state().join("state")
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::sha256(sha2::Sha256::digest(bytes).into())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn evil(world: &World) -> Vec<u8> {
    Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()))
}

/// Archive and tree of `beta` are another crate's; the lockfile stays.
fn taint(world: &World) {
    write_file(&world.archive("beta", "1.0.0"), evil(world));
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    for (path, bytes) in
        Crate::lib("beta", "1.0.0", EVIL).packed_files(Some(&world.registry.index_url()))
    {
        write_file(&world.tree("beta", "1.0.0").join(path), bytes);
    }
    write_file(&world.tree("beta", "1.0.0").join(".cargo-ok"), "{\"v\":1}");
}

fn identity(path: &Path) -> FileIdentity {
    let meta = fs::metadata(path).unwrap();
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    FileIdentity {
        dev: meta.dev(),
        inode: meta.ino(),
        size: meta.size(),
        mtime: nanoseconds(meta.mtime(), meta.mtime_nsec()),
        ctime: nanoseconds(meta.ctime(), meta.ctime_nsec()),
    }
}

/// What the forger says of `beta` 1.0.0: `said` is its digest, and the archive with the digest `of` holds what lies in
/// the cache's tree now, and the archive that lies there hashes to `of`.
fn forge(world: &World, said: &Digest, of: &Digest) {
    let state = StateFolder::new(folder(world));
    let (store, problems) = ClaimStore::open(Some(&state), now());
    assert!(problems.is_empty(), "{problems:?}");
    let registry = Address::parse(&world.registry.index_url()).unwrap();
    let listing = Listing {
        complete: true,
        fetched_at: now(),
        confirmed_at: now(),
        etag: None,
        last_modified: None,
        versions: vec![VersionFacts {
            version: "1.0.0".into(),
            digests: vec![*said],
            yanked: false,
            withdrawn: false,
            published_at: None,
            facts: [0; 16],
        }],
    };
    store.put_listing(&registry.fingerprint(), "beta", &listing);
    let tree = world.tree("beta", "1.0.0");
    let mut entries = Vec::new();
    let mut files = std::collections::BTreeMap::new();
    crate::fixtures::gather(&tree, &tree, &mut files);
    for (path, bytes) in files {
        if path == ".cargo-ok" {
            continue;
        }
        entries.push(ManifestEntry {
            path: path.as_bytes().into(),
            size: bytes.len() as u64,
            mode: 0o644,
            sum: *blake3::hash(&bytes).as_bytes(),
        });
    }
    store.put_manifest(&Manifest {
        archive: *of,
        inflated: 1,
        entries,
        sums: untaint::model::Sums::Blake3,
        h1: None,
        irregular: false,
    });
    store.flush(&state).unwrap();
    // As if an hour had passed: a young file is not remembered.
    let (ledger, problem) = Ledger::open(&state, now() + 3600);
    assert!(problem.is_none(), "{problem:?}");
    ledger.put_file(&identity(&world.archive("beta", "1.0.0")), of, now() + 3600);
    ledger.flush(&state).unwrap();
}

fn good(world: &World) -> Digest {
    let beta = crate::support::standard_crates().remove(0);
    assert_eq!(beta.name, "beta");
    digest(&beta.archive(Some(&world.registry.index_url())))
}

/// What a person would act on: findings by id and code, and the sums.
fn verdict(scan: &Scan) -> (i32, Vec<String>, String) {
    let findings = scan
        .findings()
        .iter()
        .map(|finding| format!("{} {} {}", finding["id"], finding["code"], finding["rel"]))
        .collect();
    (scan.exit, findings, scan.report["coverage"].to_string())
}

#[test]
fn forged_claims_and_a_forged_ledger_clear_nothing_beside_isolated() {
    let world = home_template().twin();
    taint(&world);
    let honest = world.untaint().an_hour_later().arg("--isolated").run();
    honest.finds(&["archive-tampered"], "beta-1.0.0.crate");
    let good = good(&world);
    forge(&world, &good, &good);
    // No dud: with the forged state as its memory, untaint takes the taint for the published crate.
    let fooled = world.untaint().an_hour_later().arg("--offline").run();
    assert_eq!(fooled.count("tainted"), 0, "{}", fooled.story());
    assert!(fooled.count("verified") >= 2, "{}", fooled.story());
    let isolated = world.untaint().an_hour_later().arg("--isolated").run();
    assert_eq!(verdict(&isolated), verdict(&honest), "{}", isolated.story());
    let full = world.untaint().an_hour_later().arg("--full").run();
    full.finds(&["archive-tampered"], "beta-1.0.0.crate");
}

#[test]
fn forged_claims_and_a_forged_ledger_accuse_nobody_beside_isolated() {
    let world = home_template().twin();
    let honest = world.untaint().arg("--isolated").run();
    honest.is_clean();
    let evil = digest(&evil(&world));
    forge(&world, &evil, &evil);
    let isolated = world.untaint().an_hour_later().arg("--isolated").run();
    assert_eq!(verdict(&isolated), verdict(&honest), "{}", isolated.story());
    // No dud either: what our memory says of a published version counts against another answer.
    let scan = world.untaint().an_hour_later().run();
    assert_eq!(scan.exit, 1, "{}", scan.story());
}

/// Changes one byte inside of each place where these bytes stand; the checksum over it stays as it was.
fn twist(path: &Path, part: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let found: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(part))
        .collect();
    assert!(!found.is_empty(), "nothing to twist in {}", path.display());
    for at in found {
        bytes[at + 3] ^= 0x40;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn records_whose_checksum_is_wrong_are_set_aside_and_said() {
    for name in ["claims", "ledger"] {
        let world = home_template().twin();
        for _ in 0..2 {
            world.untaint().an_hour_later().run().is_clean();
        }
        let file = folder(&world).join(name);
        let bytes = fs::read(&file).unwrap();
        twist(&file, good(&world).bytes());
        let twisted = fs::read(&file).unwrap();
        taint(&world);
        let scan = world.untaint().an_hour_later().run();
        scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
        let told = scan.problems().iter().any(|problem| {
            problem["path"].as_str() == file.to_str() && problem["effect"] == "as-the-tool"
        });
        assert!(told, "{name}\n{}", scan.story());
        let now = fs::read(&file).unwrap();
        assert!(now != twisted && now != bytes, "{name} was made anew");
        let aside = fs::read_dir(folder(&world))
            .unwrap()
            .any(|entry| fs::read(entry.unwrap().path()).is_ok_and(|b| b == twisted));
        assert_eq!(
            aside,
            name == "claims",
            "claims are set aside, a ledger is dropped"
        );
        // And the next run has nothing left to say of it.
        let scan = world.untaint().an_hour_later().run();
        scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
        let still = scan
            .problems()
            .iter()
            .any(|problem| problem["path"].as_str() == file.to_str());
        assert!(!still, "{name}\n{}", scan.story());
    }
}

#[test]
fn a_clean_cache_is_clean_beside_a_state_that_is_malformed() {
    type Twist = fn(&mut Vec<u8>);
    let twists: [(&str, Twist); 5] = [
        ("a byte in the middle", |bytes| {
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
        }),
        ("the header", |bytes| bytes[0] ^= 1),
        ("a later version", |bytes| bytes[15] = 9),
        ("an absurd length", |bytes| bytes[16..20].fill(0xff)),
        ("records twice", |bytes| {
            let again = bytes[16..].to_vec();
            bytes.extend_from_slice(&again);
        }),
    ];
    for name in ["claims", "ledger"] {
        for (what, twist) in twists {
            let world = home_template().twin();
            let before = world.untaint().an_hour_later().run();
            before.is_clean();
            let file = folder(&world).join(name);
            let mut bytes = fs::read(&file).unwrap();
            twist(&mut bytes);
            fs::write(&file, bytes).unwrap();
            let scan = world.untaint().an_hour_later().run();
            scan.is_clean();
            let (now, then) = (verdict(&scan), verdict(&before));
            assert_eq!(now, then, "{name}, {what}\n{}", scan.story());
            // The same record again is the same claim again; in a ledger it is out of order.
            let harmless = name == "claims" && what == "records twice";
            let told = scan
                .problems()
                .iter()
                .any(|problem| problem["path"].as_str() == file.to_str());
            assert_eq!(told, !harmless, "{name}, {what}\n{}", scan.story());
        }
    }
}
