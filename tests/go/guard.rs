//! The guard: real `go` runs on what was audited, and what changes meanwhile is found out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::world::{EVIL, GREET, World};

/// `untaint guard project -- sh -c SCRIPT` in the project, with `go` on the PATH.
fn guard(world: &World, more: &[&str], script: &str) -> Output {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/local/go/bin".into());
    Command::new(env!("CARGO_BIN_EXE_untaint"))
        .args(["guard", "--no-advisories", "--ecosystem", "go", "--trust"])
        .arg(world.at("trust.toml"))
        .arg("-o")
        .arg(format!("json={}", world.at("report.json").display()))
        .args(more)
        .arg(world.at("project"))
        .args(["--", "sh", "-c", script])
        .current_dir(world.at("project"))
        .env_clear()
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("GOFLAGS", "-modcacherw")
        .env("UNTAINT_HOME", world.at("state"))
        .envs(world.environment())
        .output()
        .unwrap()
}

/// It ends with this code; what the command printed, and what guard said.
#[track_caller]
fn ends(output: &Output, code: i32) -> (String, String) {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

fn codes(world: &World) -> Vec<String> {
    let report: Value =
        serde_json::from_slice(&fs::read(world.at("report.json")).unwrap()).unwrap();
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|f| f["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn go_runs_on_what_was_audited_and_knows_where_it_lies() {
    let world = World::built();
    let script = "go run . && go env GOMODCACHE && go test ./... >/dev/null && go vet ./...";
    let (out, _) = ends(&guard(&world, &[], script), 0);
    let cache = world.at(&world.cached("")).canonicalize().unwrap();
    assert_eq!(out, format!("hi words 1\n{}\n", cache.display()));
    assert!(codes(&world).is_empty(), "{:?}", codes(&world));
    ends(&guard(&world, &["-q"], "exit 9"), 9);
    // What settings files say now is what the command gets, whatever they say by then.
    let said = "test \"$GOPROXY\" = \"$WAS\" && test -n \"$GOSUMDB\"";
    let script = format!("WAS='{}'; {said}", world.proxy.url());
    ends(&guard(&world, &["-q"], &script), 0);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_build_that_has_to_download_ends_well() {
    let world = World::built();
    let all = world.at(&world.cached(""));
    fs::remove_dir_all(&all).unwrap();
    let (out, _) = ends(&guard(&world, &[], "go run ."), 0);
    assert_eq!(out, "hi words 1\n");
    assert!(codes(&world).is_empty(), "{:?}", codes(&world));
    assert!(all.is_dir());
    // One module more, and versions asked for: lists are renewed, go.mod and go.sum are judged anew.
    for script in [
        "go get registry.example/unused@v0.3.0 && go list -m -versions registry.example/Greet && go mod download",
        "go mod tidy && go mod vendor && rm -r vendor",
    ] {
        ends(&guard(&world, &[], script), 0);
        assert!(codes(&world).is_empty(), "{:?}", codes(&world));
    }
    // Both at once leave no trace of what was used meanwhile.
    let script = "go get registry.example/unused@v0.3.0 && go mod tidy";
    ends(&guard(&world, &[], script), 120);
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_tainted_cache_is_refused_and_can_be_healed_first() {
    let world = World::built();
    world.write(&world.tree("greet.go"), EVIL);
    let (out, err) = ends(&guard(&world, &[], "touch ran"), 121);
    assert!(out.is_empty() && err.contains("tree-modified"), "{err}");
    assert!(!world.at("project/ran").exists(), "it was started");
    world.forget_builds();
    let (out, err) = ends(&guard(&world, &["--heal"], "go run ."), 0);
    assert_eq!(out, "hi words 1\n", "{err}");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn every_change_of_what_was_judged_ends_with_120() {
    let deeds = [
        ("an edited file", "echo '// evil' >> $TREE/greet.go"),
        (
            "a file that was edited and put back with its old time",
            "cp -p $TREE/greet.go good; echo '// evil' >> $TREE/greet.go; cat good > $TREE/greet.go; touch -r good $TREE/greet.go; rm good",
        ),
        (
            "an added file that came and went",
            "echo evil > $TREE/evil.go; rm $TREE/evil.go",
        ),
        ("a replaced zip", "echo evil > $ZIP"),
        (
            "a zip that was replaced and put back",
            "cp -p $ZIP good; echo evil > $ZIP; mv good $ZIP",
        ),
        ("a hash record", "sed -i 's/h1:./h1:A/' ${ZIP}hash"),
        (
            "a go.mod file that was put back",
            "cp -p $MOD good; echo evil >> $MOD; mv good $MOD",
        ),
        (
            "a tree that was a link for a while",
            "mv $TREE $TREE.good; ln -s $PWD $TREE; rm $TREE; mv $TREE.good $TREE",
        ),
        (
            "go.sum, put back",
            "cp -p go.sum good; echo >> go.sum; cat good > go.sum; touch -r good go.sum; rm good",
        ),
        ("the whole cache, gone", "go clean -modcache"),
    ];
    for (what, script) in deeds {
        let world = World::downloaded();
        let text = |path: String| world.at(&path).display().to_string();
        let paths = format!(
            "TREE='{}'; ZIP='{}'; MOD='{}'; {script}",
            text(world.tree("")).trim_end_matches('/'),
            text(world.download("zip")),
            text(world.download("mod"))
        );
        let (_, err) = ends(&guard(&world, &[], &paths), 120);
        assert!(err.contains("changed-during-run"), "{what}: {err}");
        assert!(
            codes(&world).contains(&"changed-during-run".to_owned()),
            "{what}"
        );
    }
    println!(
        "{} ways to change what was judged were found out",
        deeds.len()
    );
}

/// The file in the build cache that holds the compiled package.
fn object(world: &World) -> PathBuf {
    let arguments = [
        "list",
        "-export",
        "-f",
        "{{.Export}}",
        "registry.example/Greet",
    ];
    PathBuf::from(world.go(&arguments).lines().last().unwrap())
}

/// Lets every action whose output is `clean` name `evil` instead.
fn plant(world: &World, clean: &Path, evil: &Path) {
    let id = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.strip_suffix("-d").unwrap().to_owned()
    };
    let size = fs::metadata(evil).unwrap().len();
    let mut planted = 0;
    for folder in fs::read_dir(world.at("home/build")).unwrap() {
        let Ok(files) = fs::read_dir(folder.unwrap().path()) else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap_or_default();
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            if let ["v1", action, output, _, time] = words.as_slice()
                && *output == id(clean)
            {
                let line = format!("v1 {action} {} {size:20} {time:>20}\n", id(evil));
                fs::write(&path, line).unwrap();
                planted += 1;
            }
        }
    }
    assert!(planted > 0, "no action names the object");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_planted_object_of_the_build_cache_is_not_linked_into_a_fresh_build() {
    let world = World::built();
    // The attacker builds a tainted tree, takes the edit back with its time, and puts the object under the action that the
    // good tree has: a pair that agrees with itself.
    let tree = world.at(&world.tree("greet.go"));
    let time = fs::metadata(&tree).unwrap().modified().unwrap();
    let clean = object(&world);
    fs::write(&tree, EVIL).unwrap();
    let evil = object(&world);
    fs::write(&tree, GREET).unwrap();
    let file = fs::File::options().write(true).open(&tree).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(time))
        .unwrap();
    assert_ne!(clean, evil);
    plant(&world, &clean, &evil);
    let (stained, _) = ends(&guard(&world, &["-q"], "go run ."), 0);
    assert_eq!(
        stained, "EVIL words 1\n",
        "the plant works, so that the next line says something"
    );
    let (fresh, _) = ends(&guard(&world, &["-q", "--fresh-derived"], "go run ."), 0);
    assert_eq!(fresh, "hi words 1\n");
}

#[test]
#[cfg_attr(
    not(all(real_go, target_os = "linux")),
    ignore = "needs the real go command, and Landlock"
)]
fn go_builds_in_a_sandbox_and_the_cache_is_shut() {
    let world = World::built();
    for more in [&["--sandbox"][..], &["--sandbox", "--fresh-derived"]] {
        let (out, _) = ends(&guard(&world, more, "go run ."), 0);
        assert_eq!(out, "hi words 1\n");
    }
    let script = format!(
        "echo evil >> '{}'",
        world.at(&world.tree("greet.go")).display()
    );
    let output = guard(&world, &["--sandbox"], &script);
    assert!(
        (1..100).contains(&output.status.code().unwrap()),
        "{output:?}"
    );
    world.scan(&[]).is_clean();
}

/// The same call with a settings file of the user.
fn with_settings(world: &World, script: &str) -> Output {
    let file = world.at("env");
    fs::write(&file, "GOPRIVATE=\n").unwrap();
    Command::new(env!("CARGO_BIN_EXE_untaint"))
        .args(["guard", "--no-advisories", "--ecosystem", "go", "--trust"])
        .arg(world.at("trust.toml"))
        .arg("-o")
        .arg(format!("json={}", world.at("report.json").display()))
        .arg(world.at("project"))
        .args(["--", "sh", "-c", script])
        .current_dir(world.at("project"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("UNTAINT_HOME", world.at("state"))
        .envs(world.environment())
        .env("GOENV", &file)
        .env("F", &file)
        .output()
        .unwrap()
}

#[test]
fn settings_and_locks_that_were_swapped_and_put_back_end_with_120() {
    for script in [
        "cp $F ../good; echo GOFLAGS=-modfile=/tmp/evil.mod >> $F; cat ../good > $F",
        "mv $F ../good; echo GOSUMDB=off > $F; mv ../good $F",
        "echo GOSUMDB=off > $F",
        "cp go.sum ../good; : > go.sum; cat ../good > go.sum",
        "mv go.mod ../good; : > go.mod; mv ../good go.mod",
    ] {
        let world = World::built();
        let script = format!("sleep 0.05; {script}");
        let (_, err) = ends(&with_settings(&world, &script), 120);
        assert!(err.contains("changed-during-run"), "{script}: {err}");
        assert_eq!(codes(&world).last().unwrap(), "changed-during-run");
    }
    let world = World::built();
    ends(
        &with_settings(&world, "cat $F go.mod go.sum > /dev/null"),
        0,
    );
}
