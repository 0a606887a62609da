//! What changes while the command runs is found out, also where it was put back.

use std::fs;

use super::{ends, report, shell, template};
use crate::support::{Crate, Source, World, write_file};

/// What a command did, the kind of place where it is told, and the script; `$TREE`, `$ARCHIVE`, `$SRC` and `$LOCK` are paths.
const DEEDS: &[(&str, &str)] = &[
    ("an edited file", "echo '// evil' >> $TREE/src/lib.rs"),
    (
        "a file that was edited and put back with its old time",
        "cp -p $TREE/src/lib.rs ../good; echo '// evil' >> $TREE/src/lib.rs; cat ../good > $TREE/src/lib.rs; \
         touch -r ../good $TREE/src/lib.rs",
    ),
    (
        "a file that was replaced and put back",
        "mv $TREE/src/lib.rs $TREE/aside; echo evil > $TREE/src/lib.rs; mv $TREE/aside $TREE/src/lib.rs",
    ),
    ("an added file", "echo evil > $TREE/build.rs"),
    (
        "a file that came and went",
        "echo evil > $TREE/build.rs; rm $TREE/build.rs",
    ),
    ("a removed tree", "rm -r $TREE"),
    ("a changed mode", "chmod 755 $TREE/src/lib.rs"),
    ("a replaced archive", "echo evil > $ARCHIVE"),
    (
        "an archive that was replaced and put back",
        "cp -p $ARCHIVE $ARCHIVE.good; echo evil > $ARCHIVE; mv $ARCHIVE.good $ARCHIVE",
    ),
    (
        "a tree that was a link for a while",
        "cp -rp $TREE evil; mv $TREE $TREE.good; ln -s $PWD/evil $TREE; rm $TREE; mv $TREE.good $TREE; rm -r evil",
    ),
    (
        "a tree that became a link",
        "cp -rp $TREE evil; rm -r $TREE; ln -s $PWD/evil $TREE",
    ),
    (
        "all sources, swapped and put back",
        "mv $SRC $SRC.good; ln -s /nowhere $SRC; rm $SRC; mv $SRC.good $SRC",
    ),
    (
        "a lockfile that was changed and put back",
        "cp -p $LOCK good; echo '# evil' >> $LOCK; cat good > $LOCK; touch -r good $LOCK; rm good",
    ),
    (
        "a lockfile with another hash",
        "sed -i 's/^checksum = \"./checksum = \"0/' $LOCK",
    ),
    (
        "settings that lead elsewhere",
        "printf '[source.crates-io]\\nreplace-with = \"evil\"\\n[source.evil]\\nregistry = \"https://registry.example/\"\\n' \
         > $PWD/.cargo-new; mkdir .cargo; mv .cargo-new .cargo/config.toml",
    ),
    (
        "the whole cache, replaced by a copy",
        "cp -rp $CARGO_HOME/registry new; mv $CARGO_HOME/registry old; mv new $CARGO_HOME/registry",
    ),
];

fn after(world: &World, script: &str, own: u8) -> String {
    let paths = format!(
        "TREE='{}'; ARCHIVE='{}'; SRC='{}'; LOCK='{}'; {script}; exit {own}",
        world.tree("beta", "1.0.0").display(),
        world.archive("beta", "1.0.0").display(),
        world.registry_folder("src").display(),
        world.lockfile().display(),
    );
    ends(shell(world, &[], &paths), 120).stderr
}

#[test]
fn every_change_of_what_was_judged_ends_with_120() {
    for (at, (what, script)) in DEEDS.iter().enumerate() {
        let world = template().twin();
        let own = if at % 2 == 0 { 0 } else { 5 };
        let words = after(&world, script, own);
        assert!(words.contains("changed-during-run"), "{what}: {words}");
        assert!(
            words.contains(&format!("ended with {own}")),
            "{what}: {words}"
        );
        let (report, codes) = report(&world);
        assert!(
            codes.contains(&"changed-during-run".to_owned()),
            "{what}: {codes:?}"
        );
        assert_eq!(report["verdict"]["result"], "findings", "{what}");
        assert_eq!(report["verdict"]["exit_code"], 1, "{what}");
    }
    println!(
        "{} ways to change what was judged were found out",
        DEEDS.len()
    );
}

#[test]
fn what_is_new_is_verified() {
    let world = template().twin();
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    let plant = "mkdir -p $TREE/src && echo 'pub fn name() -> u8 { 0 }' > $TREE/src/lib.rs && touch $TREE/.cargo-ok";
    let tree = world.registry_folder("src").join("beta-1.0.0");
    let script = format!("TREE='{}'; {plant}", tree.display());
    ends(shell(&world, &[], &script), 120);
    let (_, codes) = report(&world);
    assert!(
        codes.contains(&"changed-during-run".to_owned()),
        "{codes:?}"
    );
    assert!(
        codes.iter().any(|code| code.starts_with("tree-")),
        "{codes:?}"
    );
}

#[test]
fn a_build_script_that_edits_the_cache_and_puts_it_back_is_found_out() {
    let world = World::new(Source::Alternate);
    world.publish(&Crate::lib(
        "victim",
        "1.0.0",
        "pub const WORD: &str = \"good\";\n",
    ));
    let evil = r#"fn main() {
        let home = std::env::var("CARGO_HOME").unwrap();
        let src = std::fs::read_dir(format!("{home}/registry/src")).unwrap().next().unwrap().unwrap().path();
        let path = src.join("victim-1.0.0/src/lib.rs");
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, "pub const WORD: &str = \"evil\";\n").unwrap();
        std::fs::write(&path, good).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_times(std::fs::FileTimes::new().set_modified(time)).unwrap();
    }"#;
    world.publish(&Crate::lib("worm", "1.0.0", "").file("build.rs", evil));
    world.manifest(
        &[("victim", "1"), ("worm", "1")],
        "fn main() { println!(\"{}\", victim::WORD); }\n",
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    let done = ends(
        shell(&world, &[], "cargo build --quiet --locked --offline"),
        120,
    );
    assert!(done.stderr.contains("victim"), "{}", done.stderr);
    let (report, _) = report(&world);
    let told: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["code"] == "changed-during-run")
        .map(|f| f["package"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["victim"]);
}

#[test]
fn untaints_own_memory_cannot_be_bent_meanwhile() {
    let world = template().twin();
    ends(shell(&world, &["-q"], "true"), 0);
    let script = format!(
        "echo '// evil' >> '{}'; rm -r '{}'/*",
        world.tree("beta", "1.0.0").join("src/lib.rs").display(),
        world.state().display()
    );
    ends(shell(&world, &[], &script), 120);
    write_file(&world.root().join("done"), "");
}
