//! A registry that serves the taint again, other lengths, or sends us elsewhere: nothing of it is ever put in place.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use super::world::{differences, flip, heal, image, restored};
use crate::support::{Crate, Fault, Registry, Scan, Source, World, standard_crates};

const EVIL: &str = "pub fn name() -> &'static str { \"EVIL\" }\n";

/// A world of its own registry, which may misbehave; `beta` is tainted.
fn tainted() -> (World, Vec<u8>) {
    let world = World::new(Source::Alternate);
    for release in standard_crates() {
        world.publish(&release);
    }
    world.manifest(
        &[("alpha", "1"), ("gamma", "0.3")],
        "fn main() { println!(\"{} {}\", alpha::name(), gamma::name()); }\n",
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    let evil = Crate::lib("beta", "1.0.0", EVIL).archive(Some(&world.registry.index_url()));
    fs::write(world.archive("beta", "1.0.0"), &evil).unwrap();
    (world, evil)
}

#[test]
fn nothing_but_the_published_bytes_is_put_in_place() {
    let (world, evil) = tainted();
    let hostile = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    hostile.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/evil.crate", hostile.local_addr().unwrap());
    let before = image(&world.cargo_home(), true);
    let faults = [
        ("the taint again", Fault::Body(evil)),
        ("half of the bytes", Fault::ShortBody),
        ("more bytes", Fault::LongBody),
        ("a length beyond all measure", Fault::HugeLength),
        ("a redirect to somebody else", Fault::Redirect(elsewhere)),
        ("nothing", Fault::Status(404)),
        ("no access", Fault::Status(403)),
        ("an error", Fault::Status(500)),
        ("silence", Fault::Hangup),
    ];
    for (what, fault) in faults {
        world.registry.behave();
        world.registry.misbehave("/dl/beta", fault);
        let kept = heal(&world, &["--yes", "--keep-if-unfetchable"])
            .within(Duration::from_secs(120))
            .run_raw();
        assert_eq!(kept.exit, 1, "{what}: {}", kept.story());
        assert_eq!(
            kept.report["steps"][0]["ended"], "kept",
            "{what}: {}",
            kept.stdout
        );
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{what}: {same:#?}");

        let done = heal(&world, &["--yes"])
            .within(Duration::from_secs(120))
            .run_raw();
        assert_eq!(
            done.report["steps"][0]["ended"], "removed",
            "{what}: {}",
            done.stdout
        );
        assert!(!world.archive("beta", "1.0.0").exists(), "{what}");
        restored(&world);
        let same = differences(&before, &image(&world.cargo_home(), true));
        assert!(same.is_empty(), "{what}: {same:#?}");
    }
    assert!(hostile.accept().is_err(), "somebody else was asked");
    world.registry.behave();
    let done = heal(&world, &["--yes"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    world.untaint().run().is_clean();
    let _ = Registry::start();
}

/// Both `beta` and `gamma` are tainted, and the server gives the one drop by drop.
fn dripping() -> World {
    let (world, _) = tainted();
    world.untaint().run();
    flip(&world, "gamma", "0.3.1");
    world.registry.misbehave("/dl/beta", Fault::Drip);
    world
}

fn ended<'a>(done: &'a Scan, package: &str) -> &'a serde_json::Value {
    let steps = done.report["steps"].as_array().unwrap();
    let step = steps.iter().find(|s| s["package"] == package);
    step.unwrap_or_else(|| panic!("{}", done.stdout))
}

#[test]
fn a_slow_server_keeps_back_its_own_step_alone_and_not_for_ever() {
    let world = dripping();
    let done = heal(&world, &["--yes"])
        .within(Duration::from_secs(90))
        .run_raw();
    assert_eq!(ended(&done, "gamma@0.3.1")["ended"], "healed");
    let slow = ended(&done, "beta@1.0.0");
    assert_eq!(slow["ended"], "removed", "{}", done.stdout);
    let why = slow["why"].as_str().unwrap();
    assert!(why.contains("too slow"), "{why}");
}

#[test]
fn what_was_fetched_is_put_in_place_when_the_run_is_asked_to_end() {
    let world = dripping();
    let evil = fs::read(world.archive("beta", "1.0.0")).unwrap();
    let done = heal(&world, &["--yes"])
        .interrupt_after(Duration::from_secs(5))
        .within(Duration::from_secs(60))
        .run_raw();
    assert_ne!(done.exit, 0, "{}", done.story());
    assert_eq!(ended(&done, "gamma@0.3.1")["ended"], "healed");
    let open = ended(&done, "beta@1.0.0");
    assert_eq!(open["ended"], "failed", "{}", done.stdout);
    assert!(open["why"].as_str().unwrap().contains("asked to end"));
    assert_eq!(fs::read(world.archive("beta", "1.0.0")).unwrap(), evil);
    world.registry.behave();
    assert_eq!(heal(&world, &["--yes"]).run_raw().exit, 0);
    world.untaint().run().is_clean();
}

#[test]
fn a_registry_that_serves_something_else_ends_one_and_others_say_what_they_did() {
    let (world, evil) = tainted();
    for (fault, exit, words) in [
        (Fault::Body(evil), 1, "other bytes than it published"),
        (Fault::Status(500), 0, "answered with an error: status 500"),
        (
            Fault::Redirect("file:///etc/hostname".into()),
            0,
            "a redirect to an address of `file:`",
        ),
        (Fault::Status(404), 0, "answered with status 404"),
    ] {
        world.registry.behave();
        world.registry.misbehave("/dl/beta", fault);
        let done = heal(&world, &["--yes"])
            .within(Duration::from_secs(120))
            .run_raw();
        assert_eq!(done.exit, exit, "{words}: {}", done.stdout);
        let why = ended(&done, "beta@1.0.0")["why"].as_str().unwrap();
        assert!(why.contains(words), "{words}: {why}");
        let reasons = done.report["verdict"]["reasons"].to_string();
        assert_eq!(reasons.contains("an attack"), exit == 1, "{reasons}");
        restored(&world);
    }
    world.registry.behave();
    world.registry.misbehave("config.json", Fault::Status(500));
    let done = heal(&world, &["--yes"])
        .within(Duration::from_secs(120))
        .run_raw();
    let why = ended(&done, "beta@1.0.0")["why"].as_str().unwrap();
    assert!(why.contains("where its registry keeps archives"), "{why}");
    assert!(why.contains("status 500"), "{why}");
}

#[test]
fn without_a_network_what_is_tainted_is_taken_away_and_cargo_fetches_it_anew() {
    let (world, _) = tainted();
    world.untaint().run();
    let done = heal(&world, &["--yes", "--offline"]).run_raw();
    assert_eq!(done.exit, 0, "{}", done.story());
    assert_eq!(
        done.report["steps"][0]["ended"], "removed",
        "{}",
        done.stdout
    );
    assert!(!world.archive("beta", "1.0.0").exists());
    world.cargo(&["fetch", "--locked"]);
    world.untaint().run().is_clean();
}

#[test]
fn a_version_that_never_was_and_one_that_is_gone_are_removed() {
    let (world, _) = tainted();
    assert_eq!(heal(&world, &["--yes"]).run_raw().exit, 0);
    let planted = world.registry_folder("cache").join("planted-6.6.6.crate");
    fs::copy(world.archive("gamma", "0.3.1"), &planted).unwrap();
    let done = heal(&world, &["--yes", "--caches"]).run_raw();
    let steps = done.report["steps"].as_array().unwrap();
    let step = steps.iter().find(|s| s["package"] == "planted@6.6.6");
    let step = step.unwrap_or_else(|| panic!("{}", done.stdout));
    assert_eq!(step["ended"], "removed", "{}", done.stdout);
    assert!(!planted.exists());
}
