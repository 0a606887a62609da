//! The lock that is shared while a command runs, and those who hold it alone.

use std::fs::File;
use std::thread;
use std::time::Duration;

use super::{ends, shell, template};

#[test]
fn the_lock_of_the_cache_is_shared_while_the_command_runs() {
    let world = template().twin();
    // With --exclusive --nonblock flock(1) ends with 9 where somebody holds the lock.
    let alone =
        "flock --nonblock --conflict-exit-code 9 \"$CARGO_HOME/.package-cache-mutate\" true";
    ends(shell(&world, &["-q"], alone), 9);
    let shared = "flock --shared --nonblock --conflict-exit-code 9 \"$CARGO_HOME/.package-cache-mutate\" true";
    ends(shell(&world, &["-q"], shared), 0);
    let free = File::options()
        .write(true)
        .open(world.cargo_home().join(".package-cache-mutate"))
        .unwrap();
    free.try_lock().expect("it is given back");
}

#[test]
fn who_changes_the_cache_is_waited_for_and_named() {
    let world = template().twin();
    let path = world.cargo_home().join(".package-cache-mutate");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .unwrap();
    lock.lock().unwrap();
    let busy = ends(shell(&world, &["--lock-wait", "1s"], "touch ran"), 122);
    for words in ["waiting for", ".package-cache-mutate", "locked by process"] {
        assert!(busy.stderr.contains(words), "{}", busy.stderr);
    }
    assert!(!world.project().join("ran").exists());
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(1500));
            lock.unlock().unwrap();
        });
        ends(shell(&world, &["--lock-wait", "30s"], "touch ran"), 0);
    });
}

#[test]
fn guards_beside_each_other_and_beside_cargo_do_not_wait_for_each_other() {
    let world = template().twin();
    let nested = format!(
        "'{}' guard -q --no-advisories --trust '{}' -- cargo run --quiet --locked --offline",
        env!("CARGO_BIN_EXE_untaint"),
        world.trust_file().display()
    );
    let done = ends(shell(&world, &["-q"], &nested), 0);
    assert_eq!(done.stdout, "alpha-beta gamma\n");
}
