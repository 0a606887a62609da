//! The recorded fixtures of Go: made by the real `go`, packed, made again here to see that they are true, and scanned.
//!
//! Every case is a function that prepares a world. Proxy and log on the loopback interface have the same content and key on
//! every machine, and no address of theirs is written into caches, so that what `go` makes is the same too.
//! `UNTAINT_MAKE_FIXTURES=1 cargo test --test go fixtures::` writes the files anew; without it the test makes them in memory
//! and compares. A fixture made by another version of Go is compared in its names only: the recorded one is the fact.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::pack::{pack, unpack};
use crate::report::Scan;
use crate::world::{EVIL, World, copy_folder, modules};

struct Case {
    name: &'static str,
    what: &'static str,
    make: fn(&World),
    /// What an offline scan of it answers: from the recorded log data alone.
    expect: fn() -> Value,
}

const CASES: &[Case] = &[
    Case {
        name: "clean",
        what: "two modules, fetched and unpacked, with the log data that proves them",
        make: |_| {},
        expect: || json!({"exit": 0, "codes": [], "verified": 17, "unverifiable": {}}),
    },
    Case {
        name: "vendored",
        what: "the clean case after go mod vendor",
        make: |world| {
            world.go(&["mod", "vendor"]);
        },
        expect: || json!({"exit": 0, "codes": [], "verified": 19, "unverifiable": {}}),
    },
    Case {
        name: "workspace",
        what: "two modules of a workspace; go.work.sum holds what their go.sum files do not",
        make: workspace,
        expect: || json!({"exit": 0, "codes": [], "verified": 17, "unverifiable": {}}),
    },
    Case {
        name: "uncovered",
        what: "the clean case with the lines of one required module taken out of go.sum by hand",
        make: |world| {
            let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
            let rest = sum.lines().filter(|line| !line.contains("words"));
            world.write(
                "project/go.sum",
                rest.map(|line| format!("{line}\n")).collect::<String>(),
            );
        },
        expect: || json!({"exit": 3, "codes": ["lockfile-hash-missing"], "names": "registry.example/words/v2"}),
    },
    Case {
        name: "poisoned-tree",
        what: "the clean case with one unpacked source file edited and one added",
        make: |world| {
            world.write(&world.tree("greet.go"), EVIL);
            world.write(&world.tree("more.go"), "package greet\n");
        },
        expect: || json!({"exit": 1, "codes": ["tree-modified"], "names": "greet.go"}),
    },
    Case {
        name: "poisoned-archive",
        what: "the clean case with one zip replaced before go unpacked it",
        make: |world| {
            let evil = modules()[0].clone().file("greet.go", EVIL);
            world.write(&world.download("zip"), evil.zip());
            fs::remove_dir_all(world.at(&world.tree(""))).unwrap();
            world.forget_builds();
            assert!(world.runs().contains("EVIL"));
        },
        expect: || json!({"exit": 1, "codes": ["archive-tampered"], "names": "v1.0.0.zip"}),
    },
    Case {
        name: "poisoned-everything",
        what: "zip, record of its hash, tree, go.sum and cached log record rewritten together; go mod verify calls it good",
        make: |world| {
            let good = modules()[0].clone();
            let evil = good.clone().file("greet.go", EVIL);
            world.write(&world.download("zip"), evil.zip());
            world.write(&world.download("ziphash"), evil.h1());
            world.write(&world.tree("greet.go"), EVIL);
            let lookup = world.log_file("lookup/registry.example/!greet@v1.0.0");
            for path in ["project/go.sum", &lookup] {
                let text = fs::read_to_string(world.at(path)).unwrap();
                world.write(path, text.replace(&good.h1(), &evil.h1()));
            }
            assert!(
                world
                    .go(&["mod", "verify"])
                    .contains("all modules verified")
            );
        },
        expect: || json!({"exit": 1, "code": "log-record-forged", "names": "!greet@v1.0.0"}),
    },
    Case {
        name: "poisoned-vendor",
        what: "the vendored case with one file edited",
        make: |world| {
            world.go(&["mod", "vendor"]);
            world.write("project/vendor/registry.example/Greet/greet.go", EVIL);
            assert!(world.runs().contains("EVIL"));
        },
        expect: || json!({"exit": 1, "codes": ["tree-modified"], "names": "greet.go"}),
    },
    Case {
        name: "poisoned-tile",
        what: "the clean case with one bit of a cached tile of the log turned",
        make: |world| {
            let tile = world.log_file("tile/8/0/001.p");
            let partial = fs::read_dir(world.at(&tile))
                .unwrap()
                .next()
                .unwrap()
                .unwrap();
            let path = format!("{tile}/{}", partial.file_name().to_str().unwrap());
            let mut bytes = fs::read(world.at(&path)).unwrap();
            bytes[0] ^= 1;
            world.write(&path, bytes);
        },
        expect: || json!({"exit": 1, "code": "log-tile-forged", "names": "tile/8/0/001.p"}),
    },
];

fn workspace(world: &World) {
    world.write("project/go.work", "go 1.21\n\nuse (\n\t.\n\t./sub\n)\n");
    world.write(
        "project/sub/go.mod",
        "module registry.example/sub\n\ngo 1.21\n\nrequire registry.example/words/v2 v2.1.0\n",
    );
    world.write(
        "project/sub/sub.go",
        "package sub\n\nimport _ \"registry.example/words/v2\"\n",
    );
    fs::remove_file(world.at("project/go.sum")).unwrap();
    assert!(world.runs().contains("hi"));
    assert!(world.at("project/go.work.sum").exists());
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/go")
}

/// Prepares a case and packs it: `project/` and `gopath/`.
fn make(case: &Case) -> Vec<u8> {
    let world = World::built();
    (case.make)(&world);
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&world.at("project"), &folder.path().join("project"));
    copy_folder(&world.at("home/go"), &folder.path().join("gopath"));
    pack(folder.path(), &|path| {
        path.extension().is_some_and(|end| end == "lock")
    })
}

fn description(case: &Case, tool: &str, key: &str) -> String {
    let value = json!({
        "case": case.name,
        "what": case.what,
        "made_by": tool,
        "maker": "UNTAINT_MAKE_FIXTURES=1 cargo test --test go fixtures::",
        "log": key,
        "expect": (case.expect)(),
    });
    format!("{value:#}\n")
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_recorded_fixtures_are_what_go_makes() {
    let world = World::furnished();
    let tool = world.go(&["version"]).trim().to_owned();
    let key = world.proxy.served.lock().unwrap().log.verifier();
    let write = std::env::var_os("UNTAINT_MAKE_FIXTURES").is_some();
    for case in CASES {
        let made = make(case);
        let at = |end: &str| folder().join(format!("{}.{end}", case.name));
        if write {
            fs::write(at("tar"), &made).unwrap();
            fs::write(at("json"), description(case, &tool, &key)).unwrap();
            continue;
        }
        let recorded: Value = serde_json::from_slice(&fs::read(at("json")).unwrap()).unwrap();
        assert_eq!(
            recorded["expect"],
            (case.expect)(),
            "{}: make it anew",
            case.name
        );
        let same_tool = recorded["made_by"] == tool.as_str();
        let (then, now) = (listing(&fs::read(at("tar")).unwrap()), listing(&made));
        let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&then), names(&now), "{}: other files", case.name);
        for (path, bytes) in then.iter().filter(|_| same_tool) {
            let (then, now) = (
                String::from_utf8_lossy(bytes),
                String::from_utf8_lossy(&now[path]),
            );
            assert_eq!(then, now, "{}: {path}", case.name);
        }
    }
}

/// Every regular file of a packed tree.
fn listing(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    unpack(tar, folder.path());
    let mut files = BTreeMap::new();
    let mut open = vec![folder.path().to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let below = path.strip_prefix(folder.path()).unwrap().to_str().unwrap();
                files.insert(below.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn every_fixture_gives_what_it_is_expected_to_give() {
    let mut names: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    names.sort();
    assert_eq!(names.len(), CASES.len(), "each has a maker: {names:?}");
    for path in names {
        let recorded: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let world = World::furnished();
        let unpacked = tempfile::tempdir().unwrap();
        unpack(
            &fs::read(path.with_extension("tar")).unwrap(),
            unpacked.path(),
        );
        copy_folder(&unpacked.path().join("project"), &world.at("project"));
        copy_folder(&unpacked.path().join("gopath"), &world.at("home/go"));
        let key = world.proxy.served.lock().unwrap().log.verifier();
        assert_eq!(recorded["log"], key.as_str(), "made with another log");
        let expect = &recorded["expect"];
        hold(
            &world.scan(&["--offline"]),
            expect,
            &path.display().to_string(),
        );
        // With the log itself to ask, nothing that was found is lost.
        world.forget_state();
        let online = world.scan(&[]);
        assert_eq!(
            Some(i64::from(online.exit)),
            expect["exit"].as_i64(),
            "{}",
            online.story()
        );
    }
}

fn hold(scan: &Scan, expect: &Value, name: &str) {
    let story = || format!("{name}\n{}", scan.story());
    for (key, value) in expect.as_object().unwrap() {
        match key.as_str() {
            "exit" => assert_eq!(Some(i64::from(scan.exit)), value.as_i64(), "{}", story()),
            "codes" => assert_eq!(json!(scan.codes()), *value, "{}", story()),
            "verified" => assert_eq!(Some(scan.count("verified")), value.as_u64(), "{}", story()),
            "unverifiable" => {
                assert_eq!(
                    scan.report["coverage"]["unverifiable"],
                    *value,
                    "{}",
                    story()
                );
            }
            "code" => assert!(
                scan.codes().contains(&value.as_str().unwrap()),
                "{}",
                story()
            ),
            "names" => assert!(scan.names(value.as_str().unwrap()), "{}", story()),
            other => panic!("{name} expects `{other}`, which no test knows"),
        }
    }
}
