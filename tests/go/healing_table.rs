//! Every taint of the table, each alone: healed to what a fresh download gives, built offline by the real `go`, restored to
//! the exact taint. What heal leaves to the user is named, with the finding that it is told by.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::healing::{heal, untaint};
use crate::table::{downloads, logs, projects, trees};
use crate::table_parts::{Taint, toolchain};
use crate::world::World;

/// Kind, mode, time and bytes of everything below a folder but locks.
fn image(root: &Path) -> BTreeMap<PathBuf, String> {
    use std::os::unix::fs::MetadataExt;
    fn note(path: &Path, root: &Path, all: &mut BTreeMap<PathBuf, String>) {
        let meta = fs::symlink_metadata(path).unwrap();
        if path.extension().is_some_and(|e| e == "lock") {
            return;
        }
        let mut text = format!("{:o} ", meta.mode());
        if path != root {
            text += &format!("{}.{} ", meta.mtime(), meta.mtime_nsec());
        }
        if meta.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                note(&entry.unwrap().path(), root, all);
            }
        } else if meta.is_symlink() {
            text += &format!("-> {:?}", fs::read_link(path).unwrap());
        } else {
            text += &format!("{:?}", fs::read(path).unwrap());
        }
        all.insert(path.strip_prefix(root).unwrap().to_owned(), text);
    }
    let mut all = BTreeMap::new();
    note(root, root, &mut all);
    all
}

/// The same without times: what is fetched anew is younger.
fn timeless(image: BTreeMap<PathBuf, String>) -> BTreeMap<PathBuf, String> {
    let plain = |text: String| {
        let (mode, rest) = text.split_once(' ').unwrap();
        let (_, rest) = rest.split_once(' ').unwrap_or(("", rest));
        format!("{mode} {rest}")
    };
    image
        .into_iter()
        .map(|(path, text)| (path, plain(text)))
        .collect()
}

fn differences(was: &BTreeMap<PathBuf, String>, is: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut all: Vec<String> = was
        .keys()
        .chain(is.keys())
        .filter(|path| was.get(*path) != is.get(*path))
        .map(|path| {
            let cut = |text: Option<&String>| text.map(|t| t.chars().take(60).collect::<String>());
            format!(
                "{}: {:?} became {:?}",
                path.display(),
                cut(was.get(path)),
                cut(is.get(path))
            )
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// What Go makes anew when it needs it, and may be absent until then.
fn is_made_anew(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("cache/download/sumdb/")
        || text.ends_with(".info")
        || text.ends_with("/list")
        || text.starts_with("golang.org/toolchain@")
}

fn cache(world: &World) -> PathBuf {
    world.at("home/go/pkg/mod")
}

fn heal_all(world: &World, more: &[&str]) -> (i32, Value, String) {
    let project = world.at("project");
    let mut arguments = vec![project.to_str().unwrap(), "--caches"];
    arguments.extend(more);
    heal(world, &arguments)
}

fn ends_of<'a>(report: &'a Value, key: &str) -> Vec<&'a str> {
    let steps = report[key].as_array().unwrap();
    steps.iter().map(|s| s["ended"].as_str().unwrap()).collect()
}

/// What is unverifiable by the word of the contract: heal acts on it only when told to.
const PURGED: [&str; 2] = ["link for a folder of trees", "link for a list"];
/// What is healed in the cache and still stays wrong in the lockfile.
const HALF: [&str; 2] = ["everything, consistently", "everything and its record"];
/// The taint that brings its toolchain along.
const TOOLCHAIN: &str = "unpacked toolchain";

/// What a fresh download gives, toolchain included where there is one.
fn fresh(taint: &Taint) -> BTreeMap<PathBuf, String> {
    let world = World::built();
    if taint.name == TOOLCHAIN {
        toolchain(&world);
    }
    timeless(image(&cache(&world)))
}

/// Heals one taint and looks at everything that was promised.
fn check(taint: &Taint, project: bool) {
    let fresh = fresh(taint);
    let world = World::built();
    let project_folder = world.at("project");
    let good_lock = fs::read(world.at("project/go.sum")).unwrap();
    let arguments = [project_folder.to_str().unwrap(), "--caches"];
    (taint.make)(&world);
    let (before, carried) = (image(&cache(&world)), image(&project_folder));
    let half = HALF.contains(&taint.name);
    let mut yes = vec!["--yes"];
    if project {
        yes.push("--project");
        let (code, plan, text) = heal_all(&world, &[]);
        assert_eq!(code, 1, "{text}");
        assert!(ends_of(&plan, "steps").is_empty(), "{text}");
        assert!(
            text.contains(" --project --only f-"),
            "named with the command: {text}"
        );
    }
    if PURGED.contains(&taint.name) {
        yes.push("--purge-unverified");
    }
    let (code, plan, text) = heal_all(&world, yes.get(1..).unwrap());
    assert_eq!(code, 1, "a dry run has a plan: {text}");
    assert!(!plan["steps"].as_array().unwrap().is_empty(), "{text}");
    let touched = differences(&before, &image(&cache(&world)));
    assert!(touched.is_empty(), "a dry run changed {touched:#?}");

    let (code, done, text) = heal_all(&world, &yes);
    assert_eq!(code, i32::from(half), "{text}");
    let ended = ends_of(&done, "steps");
    assert!(
        ended.iter().all(|e| matches!(*e, "healed" | "removed")),
        "{text}"
    );

    let root = project_folder.to_str().unwrap();
    let (code, text) = untaint(&world, &["restore", "last", "--yes", "--root", root]);
    assert_eq!(code, 0, "{text}");
    let back = differences(&before, &image(&cache(&world)));
    assert!(back.is_empty(), "not restored exactly: {back:#?}");
    let back = differences(&carried, &image(&project_folder));
    assert!(back.is_empty(), "not restored exactly: {back:#?}");

    let (code, _, text) = heal_all(&world, &yes);
    assert_eq!(code, i32::from(half), "{text}");
    if half {
        fs::write(world.at("project/go.sum"), good_lock).unwrap();
    }
    world.forget_builds();
    assert!(world.runs().contains("hi words 1"));
    world.call(&arguments, &[]).is_clean();
    let now = timeless(image(&cache(&world)));
    let other: Vec<String> = differences(&fresh, &now)
        .into_iter()
        .filter(|line| !is_made_anew(Path::new(line.split(": ").next().unwrap())))
        .collect();
    assert!(
        other.is_empty(),
        "not what a fresh download gives: {other:#?}"
    );
    for (path, text) in &now {
        let same = fresh.get(path).is_none_or(|good| good == text);
        assert!(same, "{} is not what was downloaded", path.display());
    }
}

fn check_all(taints: &[Taint], project: bool) -> usize {
    let mut missed = Vec::new();
    for taint in taints {
        if let Err(why) = std::panic::catch_unwind(|| check(taint, project)) {
            let why = why.downcast_ref::<String>().map_or("", String::as_str);
            missed.push(format!("{}: {why}", taint.name));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
    taints.len()
}

/// What lockfiles say is left to the user: explained, never changed.
fn check_left(taint: &Taint) {
    let world = World::built();
    (taint.make)(&world);
    let (cached, carried) = (image(&cache(&world)), image(&world.at("project")));
    let (code, done, text) = heal_all(&world, &["--project", "--yes"]);
    assert_eq!(code, 1, "{text}");
    assert!(ends_of(&done, "steps").is_empty(), "{text}");
    let told = done["by_hand"].as_array().unwrap().iter().any(|f| {
        let codes = taint.finds.iter();
        codes.clone().any(|code| f["code"] == *code)
            && f["remedy"]
                .as_str()
                .unwrap()
                .contains("heal leaves lockfiles alone")
    });
    assert!(told, "{text}");
    assert!(differences(&cached, &image(&cache(&world))).is_empty());
    assert!(differences(&carried, &image(&world.at("project"))).is_empty());
}

fn said(what: &str, healed: usize, left: usize) -> String {
    format!(
        "go, {what}: {healed} taints healed, equal to a fresh download, built offline, restored exactly; {left} left to the user"
    )
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_trees_heal() {
    println!("{}", said("trees", check_all(&trees(), false), 0));
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_downloads_heal() {
    println!("{}", said("downloads", check_all(&downloads(), false), 0));
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_log_data_heal() {
    println!("{}", said("log data", check_all(&logs(), false), 0));
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_projects_heal_or_are_left_to_the_user() {
    let (left, carried): (Vec<Taint>, Vec<Taint>) = projects()
        .into_iter()
        .partition(|t| t.name.starts_with("go."));
    left.iter().for_each(check_left);
    println!(
        "{}",
        said("projects", check_all(&carried, true), left.len())
    );
}
