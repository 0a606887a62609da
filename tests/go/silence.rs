//! Who is told the names of modules: the settings in force alone choose, and what Go itself tells nobody, nobody is told. Every
//! connection that leaves goes through a proxy on the loopback interface, which counts them and serves nothing.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::report::Scan;
use crate::world::World;

/// A way out that counts who takes it, and its address.
fn counted() -> (Arc<AtomicUsize>, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            shared.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (count, address)
}

fn scan(world: &World, way_out: &str, settings: &[(&str, &str)]) -> Scan {
    let project = world.at("project");
    let mut environment = vec![("HTTPS_PROXY", way_out), ("NO_PROXY", "127.0.0.1")];
    environment.extend(settings);
    world.forget_state();
    world.call(&[project.to_str().unwrap()], &environment)
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn names_that_go_tells_nobody_are_told_to_nobody() {
    let world = World::downloaded();
    let pins = std::fs::read_to_string(world.at("trust.toml")).unwrap();
    let own = world.proxy.url();
    world.write("trust.toml", "");
    let (count, way_out) = counted();
    let silent: [&[(&str, &str)]; 6] = [
        &[("GOSUMDB", "off"), ("GOPROXY", "https://athens.example")],
        &[("GOSUMDB", "off"), ("GOPROXY", "off")],
        &[("GOSUMDB", "off"), ("GOPROXY", "direct")],
        &[("GOSUMDB", "off"), ("GOPROXY", "")],
        &[("GOSUMDB", ""), ("GOPROXY", "off")],
        &[
            ("GOSUMDB", ""),
            ("GOPROXY", "https://athens.example,direct"),
        ],
    ];
    for settings in silent {
        let scan = scan(&world, &way_out, settings);
        assert_eq!(count.load(Ordering::SeqCst), 0, "{settings:?}");
        assert_ne!(scan.exit, 0, "{}", scan.story());
        assert_eq!(scan.count("verified"), 0, "{}", scan.story());
        assert!(
            scan.unverifiable("private-unconfirmed") > 0,
            "{settings:?} {}",
            scan.story()
        );
        let said = scan.notices().iter().any(|notice| {
            let message = notice["message"].as_str().unwrap_or_default();
            message.contains("nobody was asked") && message.contains("(environment)")
        });
        assert!(said, "{settings:?} {}", scan.story());
    }
    // What Go asks by itself is asked as before: the log of the shipped settings, with and without a proxy.
    for settings in [
        [("GOSUMDB", ""), ("GOPROXY", "")],
        [("GOSUMDB", ""), ("GOPROXY", "direct")],
    ] {
        count.store(0, Ordering::SeqCst);
        let scan = scan(&world, &way_out, &settings);
        scan.is_no_alarm().exits(3);
        assert!(count.load(Ordering::SeqCst) > 0, "{settings:?}");
    }
    // A pin of the user's own may be asked whatever the settings say.
    world.write("trust.toml", &pins);
    count.store(0, Ordering::SeqCst);
    for proxy in ["off", "https://athens.example", &own] {
        world.proxy.served.lock().unwrap().requests.clear();
        let settings = [("GOSUMDB", "off"), ("GOPROXY", proxy)];
        let scan = scan(&world, &way_out, &settings);
        assert!(scan.count("verified") > 0, "{proxy} {}", scan.story());
        let asked = world.proxy.served.lock().unwrap().requests.len();
        assert!(asked > 0, "{proxy} {}", scan.story());
        assert_eq!(count.load(Ordering::SeqCst), 0, "{proxy}");
    }
}
