//! A registry that is slow, broken, forgetful or hostile: never clean for want of an answer, never
//! tainted for want of one either, and never led to another host.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::support::{Crate, Fault, Registry, Source, World, standard_crates, write_file};
use crate::tamper::home_template;

/// A world with a registry of its own (the shared template's must stay honest).
fn own() -> World {
    let world = World::clean(Source::Alternate);
    world.registry.forget();
    world
}

#[test]
fn an_index_that_does_not_answer_is_incomplete_and_nothing_else() {
    let faults = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(401),
        Fault::TooMany(1),
        Fault::Hangup,
        Fault::ShortBody,
        Fault::HugeLength,
        Fault::Body(b"<html>a hotel's welcome page</html>".to_vec()),
        Fault::Body(vec![0; 100_000]),
        Fault::Body("{\"name\":\"beta\"".repeat(1000).into_bytes()),
        Fault::Redirect("http://127.0.0.1:1/index/be/ta/beta".to_owned()),
        Fault::Redirect("file:///etc/passwd".to_owned()),
    ];
    for fault in faults {
        let world = own();
        world.registry.misbehave("/index/be/ta/beta", fault.clone());
        let scan = world.untaint().within(Duration::from_secs(60)).run();
        assert_eq!(scan.exit, 3, "{fault:?}\n{}", scan.story());
        assert_eq!(
            scan.count("tainted") + scan.count("conflict"),
            0,
            "{}",
            scan.story()
        );
        assert!(
            scan.count("verified") > 0,
            "the other crates are still judged\n{}",
            scan.story()
        );
        // The same with a taint elsewhere: found all the same.
        write_file(
            &world.tree("gamma", "0.3.1").join("build.rs"),
            "fn main() { evil() }\n",
        );
        let scan = world.untaint().within(Duration::from_secs(60)).run();
        scan.finds(&["tree-modified"], "build.rs");
    }
}

#[test]
fn bytes_after_a_listing_do_not_take_away_what_it_says() {
    let world = own();
    world
        .registry
        .misbehave("/index/be/ta/beta", Fault::LongBody);
    let scan = world.untaint().run();
    assert!(matches!(scan.exit, 0 | 3), "{}", scan.story());
    assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let world = own();
    let stranger = Registry::start();
    let evil = Crate::lib(
        "beta",
        "1.0.0",
        "pub fn name() -> &'static str { \"EVIL\" }\n",
    );
    let archive = stranger.publish(&evil);
    write_file(&world.archive("beta", "1.0.0"), archive);
    let target = format!("{}be/ta/beta", stranger.index_url());
    world
        .registry
        .misbehave("/index/be/ta/beta", Fault::Redirect(target));
    let scan = world.untaint().run();
    assert!(matches!(scan.exit, 1 | 3), "{}", scan.story());
    assert_eq!(
        stranger.requests(),
        Vec::<String>::new(),
        "the stranger was asked"
    );
}

#[test]
fn a_crate_that_the_index_does_not_know_was_never_published() {
    for status in [404, 410] {
        let world = own();
        world
            .registry
            .misbehave("/index/be/ta/beta", Fault::Status(status));
        let scan = world.untaint().run();
        scan.finds(&["never-published", "withdrawn"], "beta");
    }
}

#[test]
fn a_release_that_vanished_is_withdrawn_when_it_was_known() {
    let world = own();
    world.untaint().run().is_clean();
    world.registry.withdraw("beta", "1.0.0");
    let scan = world.untaint().run();
    // The listing is current for a day, so an ordinary second run may still rest on the first answer.
    assert!(matches!(scan.exit, 0 | 1), "{}", scan.story());
    let full = world.untaint().arg("--full").run();
    assert!(matches!(full.exit, 0 | 1), "{}", full.story());
    if full.exit == 1 {
        full.finds(&["withdrawn"], "beta");
    }
    let isolated = world.untaint().arg("--isolated").run();
    isolated.finds(&["never-published", "withdrawn"], "beta");
}

#[test]
fn a_yanked_release_is_told_below_the_threshold() {
    let world = own();
    world.registry.yank("beta", "1.0.0");
    let scan = world.untaint().run();
    scan.is_clean();
    assert!(scan.codes().contains(&"yanked"), "{}", scan.story());
}

#[test]
fn a_published_hash_that_changes_is_a_conflict() {
    let world = own();
    world.untaint().run().is_clean();
    let evil = Crate::lib(
        "beta",
        "1.0.0",
        "pub fn name() -> &'static str { \"EVIL\" }\n",
    )
    .archive(Some(&world.registry.index_url()));
    let sum = crate::support::sha256(&evil);
    world
        .registry
        .change_row("beta", "1.0.0", |row| row["cksum"] = json!(sum));
    // The attacker holds the registry now and has changed the cache to fit.
    write_file(&world.archive("beta", "1.0.0"), evil);
    fs::remove_dir_all(world.tree("beta", "1.0.0")).unwrap();
    let scan = world.untaint().arg("--full").run();
    assert_eq!(scan.exit, 1, "{}", scan.story());
    assert_eq!(
        scan.findings()
            .iter()
            .filter(|f| f["remedy"].to_string().contains("generate-lockfile"))
            .count(),
        0,
        "no remedy proposes to change the lockfile\n{}",
        scan.story()
    );
}

#[test]
fn a_silent_registry_does_not_hold_a_scan_beyond_its_time() {
    let world = own();
    world
        .registry
        .misbehave("/index/", Fault::Stall(Duration::from_secs(120)));
    let scan = world
        .untaint()
        .args(&["--timeout", "3s"])
        .within(Duration::from_secs(30))
        .run();
    scan.exits(3);
    assert!(scan.took < Duration::from_secs(15), "{}", scan.story());
}

#[test]
fn offline_means_that_no_packet_leaves() {
    let world = own();
    world.untaint().arg("--offline").run().exits(3);
    assert_eq!(world.registry.requests(), Vec::<String>::new());
    world.untaint().run().is_clean();
    world.registry.forget();
    world.untaint().arg("--offline").run().is_clean();
    assert_eq!(world.registry.requests(), Vec::<String>::new());
}

#[test]
fn a_scan_asks_politely() {
    let world = own();
    world.untaint().run().is_clean();
    let first = world.registry.requests();
    assert!(
        first.iter().all(|line| line.starts_with("GET ")),
        "{first:?}"
    );
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(
        first.len(),
        distinct.len(),
        "nothing is asked twice: {first:?}"
    );
    assert!(
        !first.iter().any(|line| line.contains("/dl/")),
        "archives are held: {first:?}"
    );
}

#[test]
fn a_registry_that_nobody_pinned_is_not_believed() {
    let world = home_template().twin();
    write_file(&world.trust_file(), "");
    let scan = world.untaint().run();
    scan.exits(3);
    assert_eq!(scan.count("verified"), 0, "{}", scan.story());
    assert!(scan.unverifiable("unpinned-root") > 0, "{}", scan.story());
}

#[test]
fn a_settings_file_of_the_scanned_tree_does_not_choose_the_registry() {
    let world = own();
    let stranger = Arc::new(Registry::start());
    let evil = Crate::lib(
        "beta",
        "1.0.0",
        "pub fn name() -> &'static str { \"EVIL\" }\n",
    );
    write_file(&world.archive("beta", "1.0.0"), stranger.publish(&evil));
    write_file(
        &world.project().join(".cargo/config.toml"),
        format!(
            "[source.x]\nregistry = \"sparse+{}\"\nreplace-with = \"y\"\n\n[source.y]\nregistry = \
             \"sparse+{}\"\n",
            world.registry.index_url(),
            stranger.index_url()
        ),
    );
    let scan = world.untaint().run();
    scan.finds(&["source-redirected"], ".cargo/config.toml");
    scan.finds(&["archive-tampered"], "beta-1.0.0.crate");
    assert_eq!(
        stranger.requests(),
        Vec::<String>::new(),
        "the stranger was asked"
    );
}

#[test]
fn downloads_that_lie_are_not_believed() {
    for fault in [
        Fault::Body(b"evil".to_vec()),
        Fault::ShortBody,
        Fault::Status(404),
    ] {
        let world = own();
        fs::remove_file(world.archive("beta", "1.0.0")).unwrap();
        world.registry.misbehave("/dl/beta", fault.clone());
        let scan = world.untaint().run();
        assert!(matches!(scan.exit, 1 | 3), "{fault:?}\n{}", scan.story());
        assert_ne!(
            scan.count("verified"),
            scan.count("subjects"),
            "{}",
            scan.story()
        );
    }
}

#[test]
fn downloads_come_from_where_the_index_says() {
    let world = World::new(Source::Alternate);
    let elsewhere = Registry::start();
    for release in standard_crates() {
        let archive = world.publish(&release);
        elsewhere.publish_bytes(&release, archive);
    }
    world.registry.download_from(&format!(
        "{}/dl/{{crate}}/{{version}}/{{sha256-checksum}}",
        elsewhere.origin()
    ));
    world.manifest(&[("alpha", "1"), ("gamma", "0.3")], "fn main() {}\n");
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    elsewhere.forget();
    fs::remove_file(world.archive("beta", "1.0.0")).unwrap();
    world.untaint().run().is_clean();
    let asked = elsewhere.requests();
    assert!(
        asked
            .iter()
            .any(|line| line.starts_with("GET /dl/beta/1.0.0/")),
        "{asked:?}"
    );
    assert!(
        !world
            .registry
            .requests()
            .iter()
            .any(|line| line.contains("/dl/"))
    );
}

#[test]
fn an_answer_ends_where_it_says_that_it_ends() {
    let world = own();
    world
        .registry
        .misbehave("/index/be/ta/beta", Fault::LongBody);
    let scan = world.untaint().within(Duration::from_secs(60)).run();
    assert!(matches!(scan.exit, 0 | 3), "{}", scan.story());
    assert_eq!(scan.count("tainted"), 0, "{}", scan.story());
}

#[test]
fn a_registry_that_recovers_is_believed_again() {
    let world = own();
    world.registry.misbehave("/index/", Fault::Status(503));
    world
        .untaint()
        .within(Duration::from_secs(60))
        .run()
        .exits(3);
    world.registry.behave();
    world.untaint().run().is_clean();
}
