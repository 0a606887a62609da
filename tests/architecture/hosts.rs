//! No name of a registry's host stands in this repository: addresses come from settings, lockfiles and libraries.
//!
//! The forbidden names stand here as digests, for the same reason. Names in tables of other formats that look like a
//! host (an ecosystem's name in OSV records) are not hosts that anything asks, and not in the list.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::source::root;

/// SHA-256 of lower-case host names: indexes, proxies, logs and file hosts of the common registries.
const FORBIDDEN: &[&str] = &[
    "00a7dc5a0cc388586b8665846e7d8ae94a6dd096f2aa1aa3b4aab4ac484f998a",
    "0dc11026ac75c015aaa1deafff4a7a54ef6d0cf6b3c7f9b1d2c8f3502929aa9e",
    "317d2d52829b78129d2c9e43d001899f0c8d30968bae00b848a47154df56b0ca",
    "384fe328e9cc3d5c9406406e651a2117c1412eed65cc92ff189d3ad41d37f93f",
    "3d01f3609be82d98eeedcd977fae947ee6da479acbfd5d19619bda2184977921",
    "4189e62695dc2b69c1bab6cdfc8f49ad7dfc63b6793ac93e52d41b408bde7767",
    "43c04ed1dabe979b9c552549bf0ab023abd3e1cc6d5ff7f42cfa2296b0973a67",
    "4445b86dcaaff09821fb693807f61fb7236e90447fe5343d830d0d0a1bf3c02e",
    "70bb4000cd2fab03af01fed086c6bf3c2c970f8b8b8001c311028ec3b80e775a",
    "7117c828d2afa4e2b4703ed11564f81cb02a6ab6b7e6a758e881e68007ad5d35",
    "71741fe2460a615058687c4585f665af5e825968e51a512ffb14c6f2684a397d",
    "9495278a74715c7e246a36404b3589f0f2f0b564defdec00b228aa07ecb515e0",
    "9ab2ad663f3d2a5e0a38190483536f53c576599778c6e6d1adb9f357122f355c",
    "9da5f32d964125123cc368f231b473bea59307f811c7b9b2e731601e586b82b5",
    "a4aa2ac280bb8d1a0ce7a1be5a7bfb10292b49fe9435ad5cff19f421f3c70e41",
    "aa924a6f6c848636266515fc0609fb2cb280908305487ce95a6c106de826386c",
    "c899567ee906851741bf7f3bde17a33777859ff9f53ff54d6f0ea54cf31ad636",
    "eb7e11c7f9ecbcf48099060ec1c8c593134ff031f587e07be17293b2a3a0ee36",
    "f5c653675ede2254ff68a7878bbfa33069eb68b234b007e4d6206d80d34f61b3",
];

fn digest(host: &str) -> String {
    Sha256::digest(host.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The host of an address.
fn host(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap();
    rest.split('/').next().unwrap()
}

/// Every forbidden host that a text names.
fn hosts(text: &[u8]) -> BTreeSet<String> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let mut found = BTreeSet::new();
    for word in text
        .split(|byte| !part(byte))
        .filter(|word| word.contains(&b'.'))
    {
        if !(5..=80).contains(&word.len()) {
            continue;
        }
        let word = String::from_utf8_lossy(word).to_ascii_lowercase();
        // Folders of caches are called `host-hash`.
        let cuts = word
            .match_indices('-')
            .map(|(at, _)| at)
            .chain([word.len()]);
        for cut in cuts.collect::<Vec<_>>() {
            let name = word[..cut].trim_matches('.');
            if FORBIDDEN.contains(&digest(name).as_str()) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

/// Every file of the checkout that could be committed.
fn checkout() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            if name == ".git" || (dir == root() && name == "target") {
                continue;
            }
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_list_knows_the_host_that_the_index_library_ships() {
    let shipped = host(tame_index::CRATES_IO_HTTP_INDEX);
    assert!(FORBIDDEN.contains(&digest(shipped).as_str()));
    let folder = format!("x registry/src/{shipped}-0123456789abcdef/y");
    assert_eq!(hosts(folder.as_bytes()).len(), 1);
}

#[test]
fn no_host_of_a_registry_is_named() {
    let mut wrong = Vec::new();
    for path in checkout() {
        for name in hosts(&fs::read(&path).unwrap()) {
            wrong.push(format!("{}: {name}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
