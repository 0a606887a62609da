//! Cargo settings along the search path, and what is said of them.

use std::path::Path;

use proptest::prelude::*;

use super::*;

mod leads;
mod toolchains;

use crate::model::{Code, RootId, Severity};
use crate::world::fake::{Disk, Given};

struct World {
    disk: Disk,
    env: Given,
    /// Folders with manifests that the walk saw.
    described: BTreeSet<PathBuf>,
}

impl World {
    /// A project in `/h/p`, the user's home in `/h`.
    fn new() -> Self {
        let mut disk = Disk::of(1000, 1000);
        disk.folder("/h/p").folder("/h/.cargo");
        let env = Given {
            home: Some("/h".into()),
            current_dir: Some("/h/p".into()),
            uid: 1000,
            gids: vec![1000],
            ..Given::default()
        };
        let described = BTreeSet::new();
        Self {
            disk,
            env,
            described,
        }
    }

    fn project(text: &str) -> Self {
        let mut world = Self::new();
        world.disk.file("/h/p/.cargo/config.toml", text);
        world
    }

    fn user(text: &str) -> Self {
        let mut world = Self::new();
        world.disk.file("/h/.cargo/config.toml", text);
        world
    }

    fn variable(name: &str, value: &str) -> Self {
        let mut world = Self::new();
        world.env = world.env.set(name, value);
        world
    }

    fn examine(&self) -> PostureReport {
        let projects = [(PathBuf::from("/h/p"), RootId::new("project"))];
        let caches = [(PathBuf::from("/h/.cargo"), RootId::new("cargo-home"))];
        let folders = ["/h/p/sub".into()];
        CargoPosture.examine(&PostureContext {
            env: &self.env,
            fs: &self.disk,
            projects: &projects,
            folders: &folders,
            described: &self.described,
            excluded: &|_| false,
            caches: &caches,
            standing: &|address| {
                let address = crate::trust::address::Address::parse(address).ok()?;
                Some(address.as_str().contains("known"))
            },
            log_stands: &|_| false,
        })
    }

    fn codes(&self) -> Vec<(Code, Severity)> {
        let report = self.examine();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        report
            .findings
            .iter()
            .map(|f| (f.code, f.severity))
            .collect()
    }
}

#[test]
fn a_wrapper_is_high_in_a_scanned_tree_and_medium_of_the_user() {
    let text = "[build]\nrustc-wrapper = './sccache'\n";
    let tree = World::project(text).examine();
    assert_eq!(tree.findings.len(), 1);
    let finding = &tree.findings[0];
    assert_eq!(finding.severity, Severity::High);
    let at = finding.location.clone().unwrap();
    assert_eq!((at.file.as_str(), at.line), (".cargo/config.toml", Some(2)));
    assert_eq!(finding.root, Some(RootId::new("project")));
    assert_eq!(
        World::user(text).codes(),
        [(Code::CodeInSettings, Severity::Medium)]
    );
    let variable = World::variable("RUSTC_WRAPPER", "sccache").examine();
    assert_eq!(variable.findings[0].severity, Severity::Medium);
    let at = variable.findings[0].location.clone().unwrap();
    assert_eq!((at.file.as_str(), at.line), ("env:RUSTC_WRAPPER", None));
}

#[test]
fn settings_above_the_project_and_below_it_count() {
    let mut world = World::new();
    let text = "[build]\nrustc-wrapper = 'x'\n";
    world.disk.file("/.cargo/config.toml", text);
    world.disk.file("/h/p/sub/.cargo/config", text);
    assert_eq!(
        world.codes(),
        [
            (Code::CodeInSettings, Severity::Medium),
            (Code::CodeInSettings, Severity::High)
        ]
    );
}

#[test]
fn the_users_own_home_is_the_users_where_all_of_it_is_scanned() {
    let world = World::user("[build]\nrustc-wrapper = 'sccache'\n");
    let projects = [(PathBuf::from("/h"), RootId::new("project"))];
    let report = CargoPosture.examine(&PostureContext {
        env: &world.env,
        fs: &world.disk,
        projects: &projects,
        folders: &[],
        described: &BTreeSet::new(),
        excluded: &|_| false,
        caches: &[],
        standing: &|_| None,
        log_stands: &|_| false,
    });
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].severity, Severity::Medium);
}

#[test]
fn a_registry_may_be_replaced_by_a_known_one_only() {
    let text = |host: &str| {
        format!(
            "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nreplace-with = 'b'\n[registries.b]\nindex = 'sparse+https://{host}.registry.example/'\n"
        )
    };
    let known = World::user(&text("known")).examine();
    assert_eq!(known.findings, []);
    assert_eq!(known.replacements.len(), 1);
    assert_eq!(known.registries.len(), 1);
    for world in [World::user(&text("evil")), World::project(&text("evil"))] {
        let report = world.examine();
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].code, Code::SourceRedirected);
        assert_eq!(report.findings[0].severity, Severity::High);
        assert_eq!(report.findings[0].location.as_ref().unwrap().line, Some(2));
        // It stays one, so that its cache folder is known by name and asked nothing.
        assert_eq!(report.replacements.len(), 1);
    }
}

#[test]
fn the_nearer_file_decides_where_a_source_leads() {
    let mut world = World::user(
        "[source.crates-io]\nreplace-with = 'm'\n[source.m]\nregistry = 'sparse+https://known.registry.example/'\n",
    );
    assert_eq!(world.codes(), []);
    world.disk.file(
        "/h/p/.cargo/config.toml",
        "[source.m]\nregistry = 'sparse+https://evil.registry.example/'\n",
    );
    assert_eq!(world.codes(), [(Code::SourceRedirected, Severity::High)]);
    let report = World::variable("CARGO_REGISTRIES_B_INDEX", "https://evil.registry.example/");
    assert_eq!(report.examine().registries.len(), 1);
}

#[test]
fn redefining_the_default_registry_is_a_redirection() {
    let text = "[source.crates-io]\nregistry = 'https://evil.registry.example/index'\n";
    assert_eq!(
        World::project(text).codes(),
        [(Code::SourceRedirected, Severity::High)]
    );
    let old = "[registry]\nindex = 'https://evil.registry.example/index'\n";
    assert_eq!(
        World::user(old).codes(),
        [(Code::SourceRedirected, Severity::High)]
    );
}

#[test]
fn a_vendored_folder_inside_the_project_is_a_place_and_no_finding() {
    let text = "[source.crates-io]\nreplace-with = 'v'\n[source.'sparse+https://known.registry.example/']\nregistry = 'sparse+https://known.registry.example/'\nreplace-with = 'v'\n[source.v]\ndirectory = 'vendor'\n";
    let mut world = World::project(text);
    world.disk.folder("/h/p/vendor");
    let report = world.examine();
    assert_eq!(report.findings, []);
    assert_eq!(report.places.len(), 2);
    assert!(
        report
            .places
            .iter()
            .all(|p| p.kind == "vendor" && p.path == Path::new("/h/p/vendor"))
    );
    assert!(report.places.iter().all(|p| p.stands_for.is_some()));
    let local = "[source.crates-io]\nreplace-with = 'v'\n[source.v]\nlocal-registry = '../l'\n";
    let report = World::project(local).examine();
    assert_eq!(report.findings.len(), 1, "outside of the project");
    assert_eq!(report.places[0].path, Path::new("/h/p/../l"));
    assert_eq!(report.places[0].kind, "local-registry");
}

#[test]
fn a_link_out_of_the_project_is_outside() {
    let text = "[source.crates-io]\nreplace-with = 'v'\n[source.v]\ndirectory = 'vendor'\n";
    let mut world = World::project(text);
    world
        .disk
        .folder("/srv/vendor")
        .link("/h/p/vendor", "/srv/vendor");
    assert_eq!(world.codes(), [(Code::SourceRedirected, Severity::High)]);
}

#[test]
fn chains_that_lead_nowhere_end() {
    for text in [
        "[source.crates-io]\nreplace-with = 'b'\n[source.b]\nreplace-with = 'crates-io'\n",
        "[source.crates-io]\nreplace-with = 'gone'\n",
    ] {
        let report = World::project(text).examine();
        assert_eq!(report.findings, []);
        assert!(!report.problems.is_empty());
    }
}

#[test]
fn transport_that_anyone_can_change() {
    let high = [(Code::InsecureTransport, Severity::High)];
    let text = "[registries.a]\nindex = 'sparse+http://registry.example/'\n";
    assert_eq!(World::user(text).codes(), high);
    assert_eq!(
        World::user("[registries.a]\nindex = 'sparse+http://127.0.0.1:8080/'\n").codes(),
        []
    );
    assert_eq!(
        World::user("[registries.a]\nindex = 'sparse+https://registry.example/'\n").codes(),
        []
    );
    assert_eq!(World::project("[http]\ncainfo = 'ca.pem'\n").codes(), high);
    assert_eq!(
        World::user("[http]\ncainfo = '/etc/ssl/ca.pem'\n").codes(),
        []
    );
    assert_eq!(
        World::user("[http]\ncainfo = '/h/p/ca.pem'\n").codes(),
        high
    );
    assert_eq!(
        World::variable("CARGO_HTTP_CAINFO", "/h/p/ca.pem").codes(),
        high
    );
    assert_eq!(
        World::variable("SSL_CERT_FILE", "/h/p/ca.pem").codes(),
        high
    );
    assert_eq!(World::variable("SSL_CERT_FILE", "/etc/ca.pem").codes(), []);
    assert_eq!(World::variable("GIT_SSL_NO_VERIFY", "1").codes(), high);
    assert_eq!(World::variable("GIT_SSL_NO_VERIFY", "0").codes(), []);
    let mut world = World::variable("GIT_CONFIG_COUNT", "1");
    world.env = world
        .env
        .set("GIT_CONFIG_KEY_0", "http.sslVerify")
        .set("GIT_CONFIG_VALUE_0", "false");
    assert_eq!(world.codes(), high);
    let proxy = "[http]\nproxy = 'proxy.example:1'\n";
    assert_eq!(
        World::project(proxy).codes(),
        [(Code::SourceRedirected, Severity::Medium)]
    );
    assert_eq!(World::user(proxy).codes(), []);
}

#[test]
fn credentials_inside_addresses_are_not_shown() {
    let text = "[source.crates-io]\nreplace-with = 'm'\n[source.m]\nregistry = 'http://me:hunter2@registry.example/'\n[registries.x]\nindex = 'http://me:hunter2@registry.example/'\ntoken = 'hunter2'\n";
    let report = World::project(text).examine();
    assert!(report.findings.len() >= 3);
    assert!(!format!("{report:?}").contains("hunter2"));
}

#[test]
fn tokens_that_others_can_read() {
    let token = "[registries.loop]\ntoken = 'very-secret'\n[registry]\ntoken = 'other-secret'\n";
    let path = "/h/.cargo/credentials.toml";
    let with = |mode: u32, shared: bool| {
        let mut world = World::new();
        world.disk.file(path, token).mode(path, mode);
        if shared {
            world.env.shared_groups.push(1000);
        }
        let report = world.examine();
        assert!(!format!("{report:?}").contains("secret"));
        report.findings.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(with(0o644, false), [Code::CredentialsExposed]);
    assert_eq!(with(0o640, true), [Code::CredentialsExposed]);
    assert_eq!(with(0o640, false), []);
    assert_eq!(with(0o600, true), []);
    let mut world = World::new();
    world.disk.file(path, token).mode("/h/.cargo", 0o700);
    assert_eq!(world.codes(), [], "nobody else gets there");
    let mut world = World::new();
    world.disk.file(path, "[registries.loop]\n");
    assert_eq!(world.codes(), [], "no token, no secret");
    assert_eq!(
        World::project(token).codes(),
        [(Code::CredentialsExposed, Severity::High)]
    );
}

#[test]
fn places_and_patches() {
    let moved = World::project("[build]\ntarget-dir = '/tmp/elsewhere'\n");
    assert_eq!(moved.codes(), [(Code::PlaceRedirected, Severity::Medium)]);
    assert_eq!(
        World::project(
            "[build]\ntarget-dir = 'out'\nbuild-dir = '{workspace-root}/b/{workspace-path-hash}'\n"
        )
        .codes(),
        []
    );
    assert_eq!(
        World::user("[build]\ntarget-dir = '/tmp/elsewhere'\n").codes(),
        []
    );
    let mut world = World::variable("CARGO_TARGET_DIR", "/var/t");
    assert!(world.examine().places.is_empty(), "not there");
    world.disk.folder("/var/t");
    assert_eq!(world.examine().places[0].named_by, "env:CARGO_TARGET_DIR");
    let mut world = World::variable("CARGO_TARGET_DIR", "/h");
    world.disk.folder("/h");
    assert!(world.examine().places.is_empty(), "it holds the project");
    let mut world = World::user("[build]\nbuild-dir = '{workspace-root}/out'\n");
    world.described.insert("/w/here".into());
    world.disk.folder("/w/here/out").folder("/w/there/out");
    let places = world.examine().places;
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].path, Path::new("/w/here/out"));
}

#[test]
fn folders_that_stand_in_for_packages_must_be_scanned() {
    let high = [(Code::SourceRedirected, Severity::High)];
    let both =
        "paths = ['../other']\n[patch.crates-io]\na = { path = '../a' }\nb = { path = 'b' }\n";
    assert_eq!(World::project(both).codes(), [high[0], high[0], high[0]]);
    assert_eq!(World::user("paths = ['/srv/serde']\n").codes(), high);
    let inner = "paths = ['sub/serde']\n[patch.crates-io]\na = { path = 'sub/serde' }\n";
    assert_eq!(World::project(inner).codes().len(), 2, "nobody saw it");
    let mut world = World::project(inner);
    world.disk.folder("/h/p/sub/serde");
    world.described.insert("/h/p/sub/serde".into());
    assert_eq!(world.codes(), []);
    let mut world = World::user("paths = ['/h/p/sub/serde']\n");
    world.disk.folder("/h/p/sub/serde");
    world.described.insert("/h/p/sub/serde".into());
    assert_eq!(world.codes(), high, "the tree does not say it");
    let mut world = World::project("paths = ['lent']\n");
    world
        .disk
        .folder("/srv/lent")
        .link("/h/p/lent", "/srv/lent");
    assert_eq!(world.codes(), high, "a link out of the project");
}

#[test]
fn flags_of_the_environment_are_judged() {
    let medium = [(Code::CodeInSettings, Severity::Medium)];
    for (name, value) in [
        ("RUSTFLAGS", "-Clink-arg=/tmp/evil.o"),
        ("CARGO_BUILD_RUSTFLAGS", "-L /tmp/evil"),
        ("CARGO_ENCODED_RUSTFLAGS", "-L\u{1f}native=/tmp/evil"),
        ("CARGO_ENCODED_RUSTDOCFLAGS", "--sysroot=/tmp/evil"),
        ("CARGO_TARGET_X_RUSTFLAGS", "@/tmp/args"),
    ] {
        assert_eq!(World::variable(name, value).codes(), medium, "{name}");
    }
}

#[test]
fn malformed_settings_are_a_problem_and_the_rest_is_judged() {
    let mut world = World::user("[build]\nrustc-wrapper = 'x'\n");
    world.disk.file("/h/p/.cargo/config.toml", "[build\n");
    let report = world.examine();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.problems.len(), 1);
    assert!(
        report.problems[0]
            .path
            .starts_with("/h/p/.cargo/config.toml:")
    );
}

#[test]
fn ordinary_settings_are_quiet() {
    let text = "[net]\ngit-fetch-with-cli = true\nretry = 3\n[alias]\nxtask = 'run'\n[build]\njobs = 4\nrustflags = ['-D', 'warnings']\n[term]\ncolor = 'auto'\n[profile.dev]\ndebug = 0\n[http]\nmultiplexing = false\ncheck-revoke = false\n[registries.mine]\nindex = 'sparse+https://registry.example/'\n[env]\nRUST_LOG = 'info'\n";
    assert_eq!(World::project(text).codes(), []);
    assert_eq!(World::user(text).codes(), []);
    let mut world = World::new();
    for (name, value) in [
        ("CARGO_HOME", "/h/.cargo"),
        ("RUSTFLAGS", "-D warnings"),
        ("RUSTC_WRAPPER", ""),
        ("CARGO_NET_GIT_FETCH_WITH_CLI", "true"),
        ("CARGO_HTTP_CHECK_REVOKE", "false"),
        ("HTTPS_PROXY", "http://proxy.example:1"),
    ] {
        world.env = world.env.set(name, value);
    }
    assert_eq!(world.codes(), []);
}

proptest! {
    #[test]
    fn hostile_settings_never_panic(
        name in "(source|registries|target|patch|env|build|http|registry|paths|include)",
        key in "([a-z.-]|'[^'\n]{0,8}'){1,20}",
        value in "('[^'\n]{0,40}'|\\['[^'\n]{0,20}', '[^'\n]{0,20}'\\]|\\{ path = '[^'\n]{0,20}' \\}|true|1)",
    ) {
        let text = format!("{name}.{key} = {value}\n");
        let _ = World::project(&text).examine();
        let text = format!("[source.crates-io]\nreplace-with = {value}\n[source.x]\n{key} = {value}\nregistry = {value}\n");
        let _ = World::user(&text).examine();
    }

    #[test]
    fn hostile_variables_never_panic(name in "(CARGO_TARGET_|CARGO_REGISTRIES_|GIT_CONFIG_|CARGO_)[A-Z_0-9]{0,20}", value in ".{0,40}") {
        let _ = World::variable(&name, &value).examine();
        let _ = World::variable("RUSTFLAGS", &value).examine();
        let _ = World::variable("GIT_CONFIG_COUNT", &value).examine();
    }
}

#[test]
fn a_redirect_behind_dummies_is_named() {
    let redirect = "crates-io.replace-with = 'x'\nx.registry = 'https://evil.registry.example/'\n";
    let dummies = |line: &str| -> String {
        let each = (0..20_001).map(|n| line.replace('#', &n.to_string()));
        each.collect()
    };
    for (text, cut) in [
        (
            format!("[env]\n{}[source]\n{redirect}", dummies("K# = 'x'\n")),
            true,
        ),
        (
            format!("[term]\n{}[source]\n{redirect}", dummies("a# = 'x'\n")),
            false,
        ),
        (
            format!("[source]\n{}{redirect}", dummies("a#.note = 'x'\n")),
            false,
        ),
        (
            format!("[source]\n{}{redirect}", dummies("a#.tag = 'x'\n")),
            false,
        ),
        (
            format!("[source]\n{}{redirect}", dummies("a#.git = 'x'\n")),
            true,
        ),
    ] {
        let report = World::project(&text).examine();
        let named = report.findings.iter().any(|finding| {
            finding.code == Code::SourceRedirected
                && finding.message.contains("evil.registry.example")
        });
        assert!(named, "{:?}", text.get(..60));
        // What was cut is said, and the run is not complete.
        let told = report
            .problems
            .iter()
            .any(|p| p.message.contains("more settings"));
        assert_eq!(told, cut, "{:?}", text.get(..60));
    }
}
