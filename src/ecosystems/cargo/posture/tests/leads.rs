//! Where settings lead: variables before files, every home, long chains, links, aliases, patches, names of programs.

use super::*;

#[test]
fn a_variable_is_stronger_than_files_for_where_a_registry_lies() {
    let text = "[source.crates-io]\nreplace-with = 'my_m'\n[registries.my_m]\nindex = 'sparse+https://known.registry.example/'\n";
    let high = [(Code::SourceRedirected, Severity::High)];
    assert_eq!(World::user(text).codes(), []);
    let mut world = World::user(text);
    let variable = "CARGO_REGISTRIES_MY_M_INDEX";
    world.env = world
        .env
        .set(variable, "sparse+https://evil.registry.example/");
    assert_eq!(world.codes(), high);
    // What the files say is judged too: the variable may be gone in the next build.
    let mut world = World::user(&text.replace("known", "evil"));
    world.env = world
        .env
        .set(variable, "sparse+https://known.registry.example/");
    assert_eq!(world.codes(), high);
    // Known by the variable alone, whatever the spelling of the name.
    let mut world = World::user("[source.crates-io]\nreplace-with = 'my_m'\n");
    world.env = world
        .env
        .set(variable, "sparse+https://u@KNOWN.registry.example/");
    assert_eq!(world.codes(), []);
    let spelled = world.examine().spelled;
    let written = |s: &crate::ecosystems::contract::Spelled| s.reveal().contains("u@KNOWN");
    assert!(spelled.iter().any(written));
}

#[test]
fn every_cargo_home_of_a_run_is_a_home_of_every_project() {
    let world = World::user("");
    let mut disk = world.disk.clone();
    disk.file(
        "/srv/home/config.toml",
        "[source.crates-io]\nreplace-with = 'm'\n[source.m]\ndirectory = '/srv/evil'\n",
    );
    let caches = [
        (PathBuf::from("/h/.cargo"), RootId::new("cargo-home")),
        (PathBuf::from("/srv/home"), RootId::new("cargo-home-2")),
    ];
    let report = CargoPosture.examine(&PostureContext {
        env: &world.env,
        fs: &disk,
        projects: &[(PathBuf::from("/h/p"), RootId::new("project"))],
        folders: &["/h/p".into()],
        described: &BTreeSet::new(),
        excluded: &|_| false,
        caches: &caches,
        standing: &|_| None,
        log_stands: &|_| false,
    });
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.places[0].path, Path::new("/srv/evil"));
}

#[test]
fn long_chains_are_followed_or_told() {
    let chain = |steps: usize| {
        let mut text = "[source.crates-io]\nreplace-with = 's0'\n".to_owned();
        for n in 0..steps {
            let next = n + 1;
            text += &format!("[source.s{n}]\nreplace-with = 's{next}'\ndirectory = 'd{n}'\n");
        }
        text + &format!("[source.s{steps}]\ndirectory = '/srv/evil'\n")
    };
    let report = World::project(&chain(40)).examine();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.problems, []);
    let report = World::project(&chain(400)).examine();
    assert!(!report.problems.is_empty());
    assert!(
        report
            .problems
            .iter()
            .all(|p| p.effect == crate::model::Effect::Partial)
    );
}

#[test]
fn a_folder_is_where_the_system_finds_it() {
    let text = "[source.crates-io]\nreplace-with = 'v'\n[source.v]\ndirectory = 'lnk/../vendor'\n";
    let mut world = World::project(text);
    world
        .disk
        .folder("/h/p/vendor")
        .folder("/srv/vendor")
        .folder("/srv/x")
        .link("/h/p/lnk", "/srv/x");
    assert_eq!(world.codes(), [(Code::SourceRedirected, Severity::High)]);
    // A linked home: what is relative is so to the folder above the link.
    let text = "[source.crates-io]\nreplace-with = 'v'\n[source.v]\ndirectory = 'p/vendor'\n";
    let mut world = World::new();
    world
        .disk
        .file("/srv/home/config.toml", text)
        .folder("/h/p/vendor")
        .link("/h/linked", "/srv/home");
    world.env = world.env.set("CARGO_HOME", "/h/linked");
    assert_eq!(world.codes(), []);
}

#[test]
fn aliases_that_bring_in_more_than_a_command() {
    let high = [(Code::CodeInSettings, Severity::High)];
    for alias in [
        "['build', '--config', 'build.rustc-wrapper=\"x\"']",
        "'build --config=x.toml'",
        "'rustc -- -Clinker=./x'",
        "'clippy -- --sysroot=x'",
        "'install --git https://registry.example/x'",
        "'run --manifest-path .git/x/Cargo.toml --'",
        "'run --manifest-path=/srv/x/Cargo.toml'",
    ] {
        let text = format!("[alias]\nb = {alias}\n");
        assert_eq!(World::project(&text).codes(), high, "{text}");
    }
    let text = "[alias]\nb = 'build'\nxtask = 'run -p xtask -- --config x'\nlint = ['clippy', '--', '-D', 'warnings']\nm = 'run --manifest-path ./sub/Cargo.toml --'\n";
    let mut world = World::project(text);
    world.disk.folder("/h/p/sub");
    world.described.insert("/h/p/sub".into());
    assert_eq!(world.codes(), []);
}

#[test]
fn a_known_name_is_a_choice_unless_a_scanned_tree_provides_it() {
    let text = "[build]\nrustc-wrapper = 'sccache'\n";
    let medium = [(Code::CodeInSettings, Severity::Medium)];
    let high = [(Code::CodeInSettings, Severity::High)];
    assert_eq!(World::project(text).codes(), medium);
    for (path, file, expected) in [
        ("/usr/bin:/h/.cargo/bin", "/h/.cargo/bin/sccache", &medium),
        ("/usr/bin:/h/p/bin", "/h/p/bin/sccache", &high),
        ("/usr/bin:/h/p/bin", "/h/p/bin/other", &medium),
        ("bin:/usr/bin", "/h/p/bin/sccache", &high),
        (":/usr/bin", "/h/p/sub/sccache", &high),
    ] {
        let mut world = World::project(text);
        world.disk.file(file, "x");
        world.env = world.env.set("PATH", path);
        assert_eq!(world.codes(), *expected, "{path} {file}");
    }
    let moved = format!("{text}[env]\nPATH = '/p'\n");
    assert_eq!(World::project(&moved).codes(), [high[0], high[0]]);
}

#[test]
fn patches_of_settings_come_from_paths_or_are_told() {
    let high = [(Code::SourceRedirected, Severity::High)];
    for text in [
        "[patch.crates-io]\na = { git = 'https://registry.example/a' }\n",
        "[patch.crates-io]\na = { version = '1', registry = 'other' }\n",
        "[patch.'https://registry.example/a']\na = '1'\n",
        "[patch.crates-io]\na = { version = '1' }\n",
    ] {
        assert_eq!(World::user(text).codes(), high, "{text}");
        assert_eq!(World::project(text).codes(), high, "{text}");
    }
}
