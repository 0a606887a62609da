//! A table of taints, each alone in a cache that the real `go` filled: what it is, and what must be said of it.
//!
//! Every row is scanned three times: online with nothing learned before, offline with what that scan learned, and offline
//! from nothing, with the log data that `go` itself cached as the only evidence.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::report::Scan;
use crate::table_parts::{
    Taint, add_line, append, cut, edit_keeping_time, forge_lookup, forge_tile, local_name, rewrite,
    sign_with_another_key, toolchain, vendored, without,
};
use crate::world::{EVIL, GREET, World, modules};

const LOOKUP: &str = "lookup/registry.example/!greet@v1.0.0";

/// Taints of unpacked modules.
pub(crate) fn trees() -> Vec<Taint> {
    vec![
        Taint::new("edited", &["tree-modified"], "greet.go", |w| {
            w.write(&w.tree("greet.go"), EVIL);
        }),
        Taint::new("same size and time", &["tree-modified"], "greet.go", |w| {
            edit_keeping_time(w, &w.tree("greet.go"), "hi", "HI");
        }),
        Taint::new("file added", &["tree-extra-file"], "evil.go", |w| {
            w.write(&w.tree("evil.go"), "package greet\n");
        }),
        Taint::new("folder added", &["tree-extra-file"], "more", |w| {
            w.write(&w.tree("internal/more/more.go"), "package more\n");
        }),
        Taint::new("hidden file added", &["tree-extra-file"], ".evil", |w| {
            w.write(&w.tree(".evil.s"), "TEXT evil(SB)\n");
        }),
        Taint::new("file missing", &["tree-missing-file"], "LICENSE", |w| {
            fs::remove_file(w.at(&w.tree("LICENSE"))).unwrap();
        }),
        Taint::new("go.mod edited", &["tree-modified"], "go.mod", |w| {
            w.write(
                &w.tree("go.mod"),
                "module registry.example/Greet\n\ngo 1.99\n",
            );
        }),
        Taint::new(
            "renamed by case",
            &["tree-extra-file", "tree-missing-file"],
            "reet.go",
            |w| {
                fs::rename(w.at(&w.tree("greet.go")), w.at(&w.tree("Greet.go"))).unwrap();
            },
        ),
        Taint::new(
            "link to other bytes",
            &["tree-irregular-file", "link-escape"],
            "greet.go",
            |w| {
                w.write("elsewhere/greet.go", EVIL);
                fs::remove_file(w.at(&w.tree("greet.go"))).unwrap();
                symlink(w.at("elsewhere/greet.go"), w.at(&w.tree("greet.go"))).unwrap();
            },
        ),
        Taint::new(
            "link to the same bytes",
            &["tree-irregular-file", "link-escape"],
            "greet.go",
            |w| {
                w.write("elsewhere/greet.go", GREET);
                fs::remove_file(w.at(&w.tree("greet.go"))).unwrap();
                symlink(w.at("elsewhere/greet.go"), w.at(&w.tree("greet.go"))).unwrap();
            },
        ),
        Taint::new(
            "link for a tree",
            &["tree-irregular-file", "link-escape"],
            "!greet@v1.0.0",
            |w| {
                let tree = w.at(w.tree("").trim_end_matches('/'));
                fs::rename(&tree, w.at("elsewhere")).unwrap();
                symlink(w.at("elsewhere"), tree).unwrap();
            },
        ),
        Taint::new(
            "link for a folder of trees",
            &["tree-irregular-file", "link-escape"],
            "registry.example",
            |w| {
                let folder = w.at(&w.cached("registry.example"));
                fs::rename(&folder, w.at("elsewhere")).unwrap();
                symlink(w.at("elsewhere"), folder).unwrap();
            },
        ),
        Taint::new(
            "folder for a file",
            &["tree-irregular-file", "tree-missing-file"],
            "greet.go",
            |w| {
                fs::remove_file(w.at(&w.tree("greet.go"))).unwrap();
                fs::create_dir(w.at(&w.tree("greet.go"))).unwrap();
            },
        ),
        Taint::new("executable", &["tree-irregular-file"], "greet.go", |w| {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(w.at(&w.tree("greet.go")), mode).unwrap();
        }),
        Taint::new(
            "tree of another version",
            &["tree-modified", "tree-missing-file", "tree-extra-file"],
            "!greet",
            |w| {
                let words = w.at(&w.cached("registry.example/words/v2@v2.1.0"));
                fs::remove_dir_all(w.at(&w.tree(""))).unwrap();
                fs::rename(words, w.at(w.tree("").trim_end_matches('/'))).unwrap();
            },
        ),
        Taint::new(
            "edited, and the zip is gone",
            &["tree-modified"],
            "greet.go",
            |w| {
                w.write(&w.tree("greet.go"), EVIL);
                fs::remove_file(w.at(&w.download("zip"))).unwrap();
            },
        )
        .unknown_to_the_cache(),
        Taint::new("unpacked toolchain", &["tree-modified"], "print.go", |w| {
            toolchain(w);
            let tree =
                w.cached("golang.org/toolchain@v0.0.1-go1.99.0.linux-amd64/src/fmt/print.go");
            w.write(&tree, "package fmt // EVIL\n");
        }),
    ]
}

/// Taints of downloaded files.
pub(crate) fn downloads() -> Vec<Taint> {
    let tampered: &'static [&'static str] = &["archive-tampered", "entry-misbound"];
    vec![
        Taint::new("zip", tampered, "v1.0.0.zip", |w| {
            let evil = modules()[0].clone().file("greet.go", EVIL);
            w.write(&w.download("zip"), evil.zip());
        }),
        Taint::new("zip without its tree", tampered, "v1.0.0.zip", |w| {
            let evil = modules()[0].clone().file("greet.go", EVIL);
            w.write(&w.download("zip"), evil.zip());
            fs::remove_dir_all(w.at(&w.tree(""))).unwrap();
        }),
        Taint::new("zip with one more file", tampered, "v1.0.0.zip", |w| {
            let evil = modules()[0].clone().file("zz.go", "package greet\n");
            w.write(&w.download("zip"), evil.zip());
        }),
        Taint::new("zip with one file less", tampered, "v1.0.0.zip", |w| {
            w.write(&w.download("zip"), without(&modules()[0], "LICENSE").zip());
        }),
        Taint::new("zip of another module", tampered, "v1.0.0.zip", |w| {
            let other = w.cached("cache/download/registry.example/words/v2/@v/v2.1.0.zip");
            w.write(&w.download("zip"), fs::read(w.at(&other)).unwrap());
        }),
        Taint::new("zip cut short", tampered, "v1.0.0.zip", |w| {
            cut(w, &w.download("zip"));
        }),
        Taint::new("zip of no bytes", tampered, "v1.0.0.zip", |w| {
            w.write(&w.download("zip"), b"");
        }),
        Taint::new("zip behind a zip", tampered, "v1.0.0.zip", |w| {
            let evil = modules()[0].clone().file("greet.go", EVIL);
            append(w, &w.download("zip"), &evil.zip());
        }),
        Taint::new(
            "zip before a zip",
            &["archive-ambiguous"],
            "v1.0.0.zip",
            |w| {
                let good = fs::read(w.at(&w.download("zip"))).unwrap();
                let evil = modules()[0].clone().file("greet.go", EVIL);
                w.write(&w.download("zip"), evil.zip());
                append(w, &w.download("zip"), &good);
            },
        ),
        Taint::new(
            "zip of two names",
            &["archive-ambiguous"],
            "v1.0.0.zip",
            local_name,
        ),
        Taint::new(
            "link for a zip",
            &["tree-irregular-file", "link-escape"],
            "v1.0.0.zip",
            |w| {
                fs::rename(w.at(&w.download("zip")), w.at("elsewhere.zip")).unwrap();
                symlink(w.at("elsewhere.zip"), w.at(&w.download("zip"))).unwrap();
            },
        ),
        Taint::new("go.mod file", tampered, "v1.0.0.mod", |w| {
            w.write(
                &w.download("mod"),
                "module registry.example/Greet\n\ngo 1.99\n",
            );
        }),
        Taint::new(
            "go.mod file of another module",
            tampered,
            "v1.0.0.mod",
            |w| {
                w.write(&w.download("mod"), modules()[1].go_mod());
            },
        ),
        Taint::new("go.mod file of no bytes", tampered, "v1.0.0.mod", |w| {
            w.write(&w.download("mod"), b"");
        }),
        Taint::new("recorded hash", &["sidecar-forged"], "ziphash", |w| {
            let evil = modules()[0].clone().file("greet.go", EVIL);
            w.write(&w.download("ziphash"), evil.h1());
        }),
        Taint::new(
            "recorded hash of another module",
            &["sidecar-forged"],
            "ziphash",
            |w| {
                w.write(&w.download("ziphash"), modules()[1].h1());
            },
        ),
        Taint::new(
            "what is said of a version",
            &["metadata-poisoned"],
            "v1.0.0.info",
            |w| {
                w.write(
                    &w.download("info"),
                    "{\"Version\":\"v0.9.0\",\"Time\":\"2026-01-01T00:00:00Z\"}",
                );
            },
        ),
        Taint::new("link for a list", &["link-escape"], "list", |w| {
            w.write("elsewhere/list", "v1.0.0\n");
            let list = w.cached("cache/download/registry.example/!greet/@v/list");
            let _ = fs::remove_file(w.at(&list));
            symlink(w.at("elsewhere/list"), w.at(&list)).unwrap();
        }),
        Taint::new("everything, consistently", tampered, "v1.0.0.zip", |w| {
            rewrite(w);
        }),
        Taint::new(
            "everything and its record",
            &["log-record-forged"],
            LOOKUP,
            |w| {
                let (good, evil) = rewrite(w);
                forge_lookup(w, |text| text.replace(&good, &evil));
            },
        ),
        Taint::new(
            "a version that never was",
            &["never-published"],
            "v9.9.9",
            |w| {
                let mut fake = modules()[0].clone();
                fake.version = "v9.9.9".to_owned();
                let at = w.cached("cache/download/registry.example/!greet/@v/v9.9.9");
                w.write(&format!("{at}.zip"), fake.zip());
                w.write(&format!("{at}.ziphash"), fake.h1());
                w.write(&format!("{at}.mod"), fake.go_mod());
                w.write(
                    &format!("{at}.info"),
                    "{\"Version\":\"v9.9.9\",\"Time\":\"2020-01-01T00:00:00Z\"}",
                );
            },
        )
        .only_online(),
    ]
}

/// Taints of what a project records and carries.
pub(crate) fn projects() -> Vec<Taint> {
    let mismatch: &'static [&'static str] = &["lockfile-hash-mismatch"];
    vec![
        Taint::new("go.sum, a zip", mismatch, "go.sum", |w| {
            let good = modules()[0].h1();
            let evil = modules()[1].h1();
            let sum = fs::read_to_string(w.at("project/go.sum")).unwrap();
            w.write("project/go.sum", sum.replace(&good, &evil));
        }),
        Taint::new("go.sum, a go.mod", mismatch, "go.sum", |w| {
            let good = modules()[0].go_mod_h1();
            let evil = modules()[1].go_mod_h1();
            let sum = fs::read_to_string(w.at("project/go.sum")).unwrap();
            w.write("project/go.sum", sum.replace(&good, &evil));
        }),
        Taint::new("go.sum, one line more", mismatch, "go.sum", |w| {
            let line = format!("registry.example/Greet v1.0.0 {}", modules()[1].h1());
            add_line(w, "project/go.sum", &line);
        }),
        Taint::new("go.sum, of what is not held", mismatch, "unused", |w| {
            let line = format!("registry.example/unused v0.3.0 {}", modules()[1].h1());
            add_line(w, "project/go.sum", &line);
        })
        .unknown_to_the_cache(),
        Taint::new("go.work.sum", mismatch, "go.work.sum", |w| {
            w.write("project/go.work", "go 1.21\n\nuse .\n");
            let line = format!("registry.example/Greet v1.0.0 {}", modules()[1].h1());
            add_line(w, "project/go.work.sum", &line);
        }),
        Taint::new("vendored file", &["tree-modified"], "greet.go", |w| {
            vendored(w);
            w.write("project/vendor/registry.example/Greet/greet.go", EVIL);
        }),
        Taint::new(
            "file added to a vendored module",
            &["tree-extra-file"],
            "evil.go",
            |w| {
                vendored(w);
                w.write(
                    "project/vendor/registry.example/Greet/evil.go",
                    "package greet\n",
                );
            },
        ),
        Taint::new(
            "module added to a vendor folder",
            &["tree-extra-file"],
            "more.go",
            |w| {
                vendored(w);
                w.write(
                    "project/vendor/registry.example/more/more.go",
                    "package more\n",
                );
            },
        ),
        Taint::new(
            "link in a vendor folder",
            &["tree-irregular-file", "link-escape"],
            "greet.go",
            |w| {
                vendored(w);
                let file = w.at("project/vendor/registry.example/Greet/greet.go");
                w.write("elsewhere/greet.go", EVIL);
                fs::remove_file(&file).unwrap();
                symlink(w.at("elsewhere/greet.go"), file).unwrap();
            },
        ),
    ]
}

/// Taints of the log data that the cache holds.
pub(crate) fn logs() -> Vec<Taint> {
    let forged: &'static [&'static str] = &["log-record-forged"];
    vec![
        Taint::new("a record's hash", forged, LOOKUP, |w| {
            let (good, evil) = (modules()[0].h1(), modules()[1].h1());
            forge_lookup(w, |text| text.replace(&good, &evil));
        }),
        Taint::new("hashes behind the record", forged, LOOKUP, |w| {
            let line = format!("registry.example/Greet v1.0.0 {}", modules()[1].h1());
            forge_lookup(w, |text| text.replacen("\n\n", &format!("\n\n{line}\n"), 1));
        }),
        Taint::new("another module's record", forged, LOOKUP, |w| {
            let other = w.log_file("lookup/registry.example/words/v2@v2.1.0");
            let other = fs::read_to_string(w.at(&other)).unwrap();
            forge_lookup(w, |_| other.clone());
        }),
        Taint::new("a head that nobody signed", forged, LOOKUP, |w| {
            forge_lookup(w, |text| text.replacen("\n304\n", "\n303\n", 1));
        }),
        Taint::new(
            "a head by another key of that name",
            forged,
            LOOKUP,
            sign_with_another_key,
        ),
        Taint::new("a tile of hashes", &["log-tile-forged"], "tile/8/0", |w| {
            forge_tile(w, "tile/8/0");
        }),
        Taint::new("a tile of tiles", &["log-tile-forged"], "tile/8/1", |w| {
            forge_tile(w, "tile/8/1");
        }),
    ]
}

fn check(taint: &Taint) {
    let world = World::downloaded();
    (taint.make)(&world);
    let project = world.at("project");
    let scan = |more: &[&str]| -> Scan {
        let mut arguments = vec![project.to_str().unwrap(), "--caches"];
        arguments.extend(more);
        world.call(&arguments, &[])
    };
    let online = scan(&[]);
    online.finds(taint.finds, taint.part);
    let learned = scan(&["--offline"]);
    if taint.offline {
        learned.finds(taint.finds, taint.part);
    } else {
        learned.exits(3);
    }
    world.forget_state();
    let alone = scan(&["--offline"]);
    if taint.offline && taint.alone {
        alone.finds(taint.finds, taint.part);
    } else {
        alone.is_no_alarm().exits(3);
    }
}

fn check_all(taints: &[Taint], at_least: usize) {
    assert!(taints.len() >= at_least, "{}", taints.len());
    let mut missed = Vec::new();
    for taint in taints {
        let result = std::panic::catch_unwind(|| check(taint));
        if let Err(why) = result {
            let why = why
                .downcast_ref::<String>()
                .map_or("", |text| text.lines().next().unwrap_or_default());
            missed.push(format!("{}: {why}", taint.name));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn clean_before_the_table() {
    let world = World::downloaded();
    let project = world.at("project");
    let arguments = [project.to_str().unwrap(), "--caches"];
    world.call(&arguments, &[]).is_clean();
    vendored(&world);
    toolchain(&world);
    world.call(&arguments, &[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_trees() {
    check_all(&trees(), 17);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_downloads() {
    check_all(&downloads(), 21);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_projects() {
    check_all(&projects(), 9);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn taints_of_log_data() {
    check_all(&logs(), 7);
}
