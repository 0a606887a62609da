//! Settings and lockfiles that were swapped while the command ran are found out, also where everything is as it was again.

use std::fs;

use super::{ends, report, shell, template};
use crate::support::{World, write_file};

const EVIL: &str = "[build]\\nrustc-wrapper = \\\"/tmp/evil\\\"\\n";

fn world() -> World {
    let world = template().twin();
    write_file(
        &world.project().join(".cargo/config.toml"),
        "[term]\nquiet = false\n",
    );
    world
}

#[test]
fn settings_that_are_swapped_and_put_back_end_with_120() {
    let script = [
        // In place, by another file, with the old time, and where there were none.
        "F=$PWD/.cargo/config.toml; cp $F ../good; printf \"$EVIL\" > $F; cat ../good > $F",
        "F=$CARGO_HOME/config.toml; cp $F ../good; printf \"$EVIL\" > $F; cat ../good > $F",
        "F=$CARGO_HOME/config.toml; mv $F ../good; printf \"$EVIL\" > $F; mv ../good $F",
        "F=$CARGO_HOME/config.toml; cp -p $F ../good; printf \"$EVIL\" > $F; cat ../good > $F; touch -r ../good $F",
        "F=$CARGO_HOME/config.toml; cp -p $F ../good; printf \"$EVIL\" > $F; cat ../good > $F; echo '# other' >> $F",
        "F=$PWD/.cargo/config; printf \"$EVIL\" > $F; rm $F",
        "F=$PWD/Cargo.lock; cp $F ../good; echo '# evil' >> $F; cat ../good > $F",
        "F=$PWD/Cargo.lock; mv $F ../good; cp ../good $F; echo '# evil' >> $F; mv ../good $F",
    ];
    for script in script {
        let world = world();
        let words = ends(
            shell(&world, &[], &format!("EVIL='{EVIL}'; sleep 0.05; {script}")),
            120,
        );
        assert!(
            words.stderr.contains("changed-during-run"),
            "{script}: {}",
            words.stderr
        );
        let (report, codes) = report(&world);
        assert_eq!(codes, ["changed-during-run"], "{script}");
        let place = report["findings"][0]["place"].as_str().unwrap();
        let lock = script.contains("Cargo.lock");
        assert_eq!(
            place,
            if lock { "lockfile" } else { "settings" },
            "{script}"
        );
    }
}

#[test]
fn settings_that_nobody_changes_are_nothing_to_complain_of() {
    let world = world();
    fs::create_dir_all(world.home().join(".config/go")).unwrap();
    // Read again, and other files made beside them, as tools do.
    for script in [
        "cat .cargo/config.toml Cargo.lock > /dev/null",
        "cargo build --quiet --locked --offline",
        "touch made; rm made; touch $CARGO_HOME/.made; rm $CARGO_HOME/.made",
        "mkdir -p $HOME/.config/go/telemetry; touch $HOME/.made; rm $HOME/.made",
    ] {
        ends(shell(&world, &[], script), 0);
        assert!(report(&world).1.is_empty(), "{script}");
    }
}
