//! Journals as this user, or somebody else, seals them: what an attacker who has the key could write, and one who has not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::World;

/// Where the key of the world's user lies.
pub(super) fn key_file(world: &World) -> PathBuf {
    world.home().join(".local/share/untaint/heal.key")
}

/// The key of the world's user; made if no heal made one yet.
pub(super) fn own_key(world: &World) -> [u8; 32] {
    let file = key_file(world);
    if !file.exists() {
        let folder = file.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&file, [7; 32]).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::read(&file).unwrap().try_into().unwrap()
}

fn next(key: &[u8; 32], run: &str, before: &str, line: &str) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in ["untaint journal, sealed 1", run, before, line] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// A journal that is sealed with this key.
pub(super) fn journal(key: &[u8; 32], run: &str, lines: &[Value]) -> String {
    let mut seal = next(key, run, "", "");
    let mut text = String::new();
    for line in lines {
        let json = line.to_string();
        seal = next(key, run, &seal, &json);
        text += &format!("{seal} {json}\n");
    }
    text
}

/// What the lines of a journal say.
pub(super) fn lines(text: &str) -> Vec<Value> {
    let json = |line: &str| serde_json::from_str(&line[65..]).unwrap();
    text.lines().map(json).collect()
}

/// The one run of a vault that is closed: its name and its journal.
pub(super) fn closed(vault: &Path) -> (String, PathBuf) {
    let mut runs = fs::read_dir(vault.join("quarantine")).unwrap();
    let run = runs.next().unwrap().unwrap().path();
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    (name, run.join("journal"))
}

/// Makes a closed run one that was interrupted behind this many lines: all of it was done, and what was written last is not
/// on disk.
pub(super) fn interrupt(vault: &Path, behind: usize) -> (String, PathBuf) {
    let (run, closed) = closed(vault);
    let text = fs::read_to_string(&closed).unwrap();
    let kept: Vec<&str> = text.lines().take(behind).collect();
    let open = vault.join(format!("heal-{run}.journal"));
    fs::write(&open, kept.join("\n") + "\n").unwrap();
    fs::remove_file(closed).unwrap();
    (run, open)
}
