//! A thread that swaps folders for links the whole time while real heals run: what the links lead to is never touched.

#![expect(
    clippy::disallowed_methods,
    reason = "the race is with the real file system, from outside the port"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::allowed::Allowed;
use super::plan::{Choice, plan};
use super::receipt::Ended;
use super::recover;
use super::restore::{self, Restoring};
use super::scenes::{GOOD, Shop, ailing};
use super::transaction::{self, Orders};
use super::vault::Vault;
use crate::model::{Code, RootId};
use crate::pipeline::ailing::{Aftermath, Ground};
use crate::world::real::SystemWriteFs;

const FOLDERS: [&str; 2] = ["registry/cache/r-1", "registry/src/r-1"];
const ARCHIVE: &str = "registry/cache/r-1/beta-1.0.0.crate";
const TREE: &str = "registry/src/r-1/beta-1.0.0";

/// Everything of a folder that a change would show in.
fn image(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(path) = open.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let mut text = format!(
            "{:o} {} {} {}",
            meta.mode(),
            meta.ino(),
            meta.mtime(),
            meta.mtime_nsec()
        );
        if meta.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else {
            text += &format!("{:?}", fs::read(&path).unwrap());
        }
        all.insert(path, text);
    }
    all
}

fn lay(root: &Path, archive: &str, source: &str) {
    for (path, text) in [
        (root.join("beta-1.0.0.crate"), archive),
        (root.join("beta-1.0.0/src/lib.rs"), source),
    ] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn links_swapped_in_by_a_racing_thread_lead_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let (home, victim, state) = (
        dir.path().join("h"),
        dir.path().join("v"),
        dir.path().join("s"),
    );
    lay(&victim, "precious", "precious too");
    for folder in FOLDERS {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    let before = image(&victim);
    let (stop, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let gate = Mutex::new(());
    let uid = fs::metadata(dir.path()).unwrap().uid();
    let aftermath = Aftermath {
        grounds: vec![Ground {
            id: RootId::new("cargo-home"),
            path: home.clone(),
            build: false,
            project: false,
            unnamed: false,
        }],
        ailing: vec![
            ailing("archive", ARCHIVE, Code::ArchiveTampered),
            ailing("tree", TREE, Code::TreeModified),
        ],
        findings: Vec::new(),
        notes: Vec::new(),
    };
    let allowed = Allowed::of([home.clone()]);
    let (mut healed, mut refused) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for folder in FOLDERS {
                    let place = home.join(folder);
                    let aside = place.with_extension("aside");
                    let _gate = gate.lock().unwrap();
                    if fs::rename(&place, &aside).is_ok() {
                        let _ = symlink(&victim, &place);
                        thread::yield_now();
                        let _ = fs::remove_file(&place);
                        let _ = fs::rename(&aside, &place);
                        swaps.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        for round in 0..120 {
            // The taint is laid while nothing is swapped: the test itself must not follow a link.
            let laid = gate.lock().unwrap();
            for (folder, name) in FOLDERS.iter().zip(["beta-1.0.0.crate", "beta-1.0.0"]) {
                let place = home.join(folder).join(name);
                if !place.exists() {
                    let temporary = dir.path().join(format!("t{round}-{name}"));
                    lay(&temporary, "the evil archive", "evil code");
                    // A heal that was taken back while the folder was away may have taken the folder for its own.
                    let _ = fs::create_dir(home.join(folder));
                    fs::rename(temporary.join(name), place).unwrap();
                }
            }
            drop(laid);
            let fs_port = SystemWriteFs::default();
            let Ok(vault) = Vault::open(&fs_port, &state, uid, Duration::from_secs(5)) else {
                continue;
            };
            let vault = vault.sealed(Some(super::scenes::seal()));
            let _ = recover::all(&vault, uid, 7, Duration::ZERO, &allowed);
            let supply = Shop { open: true };
            let run = format!("01R{round}");
            let orders = Orders {
                supply: &supply,
                grounds: &aftermath.grounds,
                run: &run,
                now: 7,
                uid,
                wait: Duration::ZERO,
                keep_if_unfetchable: false,
                evict: false,
                retention: 30 * 24 * 3600,
                audited: false,
                cancelled: &|| false,
            };
            let receipts =
                transaction::carry_out(&vault, &plan(&aftermath, &Choice::default()), &orders);
            match receipts.map(|r| r.done.into_iter().map(|d| d.ended).collect::<Vec<_>>()) {
                Ok(ended) if ended.iter().any(|e| matches!(e, Ended::Healed)) => healed += 1,
                _ => refused += 1,
            }
            if round % 3 == 0 {
                let restoring = Restoring {
                    yes: true,
                    force: true,
                    now: 8,
                    uid,
                    wait: Duration::ZERO,
                    allowed: allowed.clone(),
                };
                let _ = restore::run(&vault, &run, &restoring);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let swaps = swaps.into_inner();
    println!(
        "heals against {swaps} swaps: {healed} healed, {refused} refused; nothing behind the links was touched"
    );
    assert!(swaps > 100, "{swaps}");
    assert_eq!(image(&victim), before);
    assert!(!GOOD.is_empty());
}
