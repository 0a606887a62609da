//! Which build folders are reached: what state says is a hint by anybody, and opens nothing by itself.

use std::sync::Arc;

use super::*;
use crate::model::{
    ArtifactId, Code, Coordinate, Digest, EcosystemId, Finding, Origin, Outcome, Place,
};
use crate::pipeline::ailing::Ailing;
use crate::pipeline::heal::plan::{Choice, plan};
use crate::trust::fake_state::FakeState;
use crate::world::fake::Disk;

const TREE: &str = "registry/src/r-1/beta-1.0.0";
const HASH: &str = "0123456789abcdef";

fn cargo() -> EcosystemId {
    let cargo = crate::ecosystems::all().iter().map(|e| e.facts().id);
    cargo.into_iter().find(|id| id.as_str() == "cargo").unwrap()
}

fn aftermath() -> Aftermath {
    let coordinate = Coordinate {
        ecosystem: cargo(),
        name: Arc::from("beta"),
        version: Arc::from("1.0.0"),
        origin: Origin::Unknown,
    };
    let healers = crate::ecosystems::all().iter();
    let healer = healers
        .filter(|e| e.facts().id == cargo())
        .find_map(|e| e.healer());
    let ailing = Ailing {
        ecosystem: cargo(),
        healer,
        root: 0,
        kind: "tree",
        rel: PathBuf::from(TREE),
        place: Place::Cache,
        coordinate: Some(Arc::new(coordinate.clone())),
        artifact: Some(Arc::new(ArtifactId {
            coordinate,
            file: Arc::from("beta-1.0.0.crate"),
        })),
        outcome: Outcome::Tainted,
        observed: None,
        must: Some(Digest::sha256([1; 32])),
        trusted: true,
        unwanted: false,
        tree: None,
        archived: true,
        held: Vec::new(),
        beside: Vec::new(),
        remade: None,
        packages: Vec::new(),
        is_built: true,
        behind: Vec::new(),
        findings: vec![Finding::new(Code::TreeModified, Place::Cache, "edited")],
        named_by: vec!["/p/Cargo.lock".to_owned()],
    };
    Aftermath {
        grounds: vec![Ground {
            id: RootId::new("cargo-home"),
            path: PathBuf::from("/h"),
            build: false,
            project: false,
            unnamed: false,
        }],
        ailing: vec![ailing],
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

/// A build folder with one unit of the tainted crate.
fn folder(disk: &mut Disk, path: &str, mark: bool) {
    disk.file(
        &format!("{path}/debug/deps/beta-{HASH}.d"),
        format!("x: /h/{TREE}/src/lib.rs\n"),
    )
    .file(&format!("{path}/debug/deps/libbeta-{HASH}.rlib"), "x");
    if mark {
        disk.file(&format!("{path}/CACHEDIR.TAG"), "Signature");
    }
}

fn state(paths: &[(&str, bool)]) -> FakeState {
    let roots: Vec<_> = paths
        .iter()
        .map(|(path, build)| serde_json::json!({"id": "x", "path": path, "build": build}))
        .collect();
    let head = serde_json::json!({"scan": {"version": 1, "at": 1, "run": "r", "targets": [], "roots": roots}});
    let text = format!("{head}\nno line of ours\n");
    FakeState::with("seen-0123456789abcdef", text.as_bytes())
}

/// Folders of which something is moved, and what is left.
fn reached(
    disk: &Disk,
    state: Option<&dyn StateDir>,
    named: &[PathBuf],
) -> (Vec<String>, Vec<Left>) {
    let reach = Reach {
        fs: disk,
        state,
        uid: 0,
        named,
    };
    let mut aftermath = aftermath();
    let mut plan = plan(&aftermath, &Choice::default());
    let left = reach.extend(&mut plan, &mut aftermath).unwrap();
    let moved = plan.steps.iter().flat_map(|s| &s.moves);
    let mut folders: Vec<String> = moved
        .filter_map(|m| aftermath.grounds.get(m.root).filter(|g| g.build))
        .map(|g| g.path.display().to_string())
        .collect();
    folders.sort();
    folders.dedup();
    (folders, left)
}

#[test]
fn build_folders_of_earlier_scans_and_beside_lockfiles_are_reached() {
    let mut disk = Disk::of(0, 0);
    for path in ["/p/target", "/q/target", "/elsewhere/b", "/never/target"] {
        folder(&mut disk, path, true);
    }
    let state = state(&[("/elsewhere/b", true), ("/q", false), ("/gone", true)]);
    let (folders, left) = reached(&disk, Some(&state), &[]);
    assert_eq!(folders, ["/elsewhere/b", "/p/target", "/q/target"]);
    assert!(left.is_empty(), "{left:?}");
    let (folders, _) = reached(&disk, None, &[PathBuf::from("/elsewhere/b")]);
    assert_eq!(folders, ["/elsewhere/b", "/p/target"]);
}

#[test]
fn what_is_not_recognised_or_of_another_user_is_named_and_not_touched() {
    let mut disk = Disk::of(0, 0);
    folder(&mut disk, "/precious", false);
    folder(&mut disk, "/theirs", true);
    folder(&mut disk, "/clean", true);
    disk.own("/theirs", 7, 7)
        .file("/file", "no folder")
        .file("/docs/letter", "x");
    let state = state(&[
        ("/precious", true),
        ("/theirs", true),
        ("/", true),
        ("/a/../precious", true),
        ("relative", true),
        ("/file", true),
        ("/docs", true),
    ]);
    let reach = Reach {
        fs: &disk,
        state: Some(&state),
        uid: 0,
        named: &[],
    };
    assert!(reach.known().is_empty());
    let (folders, left) = reached(&disk, Some(&state), &[]);
    assert!(folders.is_empty(), "{folders:?}");
    let tops: BTreeSet<String> = left
        .iter()
        .filter(|l| l.tainted)
        .map(|l| {
            l.path
                .iter()
                .take(2)
                .collect::<PathBuf>()
                .display()
                .to_string()
        })
        .collect();
    assert_eq!(
        tops.into_iter().collect::<Vec<_>>(),
        ["/precious", "/theirs"]
    );
}

#[test]
fn a_plan_without_trees_looks_at_nothing() {
    let mut disk = Disk::of(0, 0);
    folder(&mut disk, "/p/target", true);
    let reach = Reach {
        fs: &disk,
        state: None,
        uid: 0,
        named: &[],
    };
    let left = reach
        .extend(&mut Plan::default(), &mut aftermath())
        .unwrap();
    assert!(left.is_empty());
    let missing = [PathBuf::from("/nowhere")];
    let reach = Reach {
        named: &missing,
        ..reach
    };
    assert!(
        reach
            .extend(&mut Plan::default(), &mut aftermath())
            .is_err()
    );
}
