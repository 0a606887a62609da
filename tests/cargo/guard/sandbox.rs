//! Caches that the command can read and not write.
#![cfg(target_os = "linux")]

use std::fs;

use super::{ends, shell, template};
use crate::support::{copy_tree, write_file};

#[test]
fn cargo_builds_in_a_sandbox_and_the_cache_is_shut() {
    let world = template().twin();
    let done = ends(
        shell(
            &world,
            &["--sandbox"],
            "cargo run --quiet --locked --offline",
        ),
        0,
    );
    assert_eq!(done.stdout, "alpha-beta gamma\n");
    let lib = world.tree("beta", "1.0.0").join("src/lib.rs");
    let good = fs::read(&lib).unwrap();
    for deed in [
        "echo evil >> $TREE/src/lib.rs",
        "rm $TREE/src/lib.rs",
        "mv $TREE $TREE.aside",
        "touch $TREE/new",
        "echo x > $HOME/x",
    ] {
        let script = format!("TREE='{}'; {deed}", world.tree("beta", "1.0.0").display());
        let done = shell(&world, &["--sandbox"], &script).run_raw();
        assert!((1..100).contains(&done.exit), "{deed}: {}", done.story());
        assert!(
            done.stderr.contains("could write only into"),
            "{}",
            done.stderr
        );
    }
    assert_eq!(fs::read(&lib).unwrap(), good);
    // Projects, temporary files and devices stay open, in a fresh build folder too.
    let open = "echo x > here && echo x > \"$TMPDIR/x\" && echo x > /dev/null && cargo build --quiet --locked --offline";
    ends(shell(&world, &["--sandbox", "--fresh-derived"], open), 0);
    world.untaint().run().is_clean();
}

#[test]
fn a_cache_that_cannot_be_shut_is_no_sandbox() {
    let world = template().twin();
    let inside = world.project().join("home");
    copy_tree(&world.cargo_home(), &inside);
    let call = shell(&world, &["--sandbox"], "touch ran").env("CARGO_HOME", &inside);
    let done = ends(call, 122);
    assert!(
        done.stderr.contains("--sandbox cannot shut"),
        "{}",
        done.stderr
    );
    assert!(!world.project().join("ran").exists());
    write_file(&world.root().join("done"), "");
}

#[test]
fn what_only_metadata_tells_is_still_found_out() {
    let world = template().twin();
    let lib = world.tree("beta", "1.0.0").join("src/lib.rs");
    ends(
        shell(
            &world,
            &["--sandbox"],
            &format!("touch -d yesterday '{}'", lib.display()),
        ),
        120,
    );
}
