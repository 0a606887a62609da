//! The file of `go env -w` is read byte for byte as Go reads it: each text is shown to the real `go env` too.

use std::fs;

use crate::world::World;

/// Texts with `A` and `B` in place of two folders.
const TEXTS: [&str; 16] = [
    "GOMODCACHE=A\n GOMODCACHE=B\n",
    "GOMODCACHE=A\nGOMODCACHE=B\n",
    "GOMODCACHE=A \n",
    "GOMODCACHE=A\r\n",
    "GOMODCACHE= A\n",
    "GOMODCACHE =A\nGOMODCACHE=B",
    "GOMODCACHE=\"A\"\n",
    "GOMODCACHE=A\nGOMODCACHE=\n",
    "#GOMODCACHE=A\n",
    "\tGOMODCACHE=A\n",
    "gomodcache=A\n",
    "GOMODCACHE=A#B\n",
    "GOMODCACHE=A=B\n",
    "export GOMODCACHE=A\n",
    "GOMODCACHE\nGOMODCACHE=A",
    "\u{feff}GOMODCACHE=A\nGOMODCACHE=B\n",
];

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_file_of_go_env_is_read_as_go_reads_it() {
    let world = World::built();
    let (project, file) = (world.at("project"), world.at("go-env"));
    let (a, b) = (world.at("cache-a"), world.at("cache-b"));
    let show = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let environment = [("GOENV", &*show(&file))];
    let mut seen = std::collections::BTreeSet::new();
    for text in TEXTS {
        let text = text.replace("=A", "=\u{1}").replace("\"A\"", "\"\u{1}\"");
        let text = text.replace("= A", "= \u{1}").replace("=B", "=\u{2}");
        let text = text.replace('\u{1}', &show(&a)).replace('\u{2}', &show(&b));
        world.write("go-env", &text);
        let told = world.try_go(&["env", "GOMODCACHE"], &environment);
        let told = String::from_utf8(told.stdout).unwrap();
        let told = told.strip_suffix('\n').unwrap();
        if told.starts_with('/') {
            fs::create_dir_all(told).unwrap();
        }
        let scan = world.call(&[&show(&project)], &environment);
        let path = scan.report["run"]["roots"]["go-mod-cache"].get("path");
        // A relative one is refused by Go, whatever is looked into then.
        if told.starts_with('/') {
            let path = path.and_then(serde_json::Value::as_str);
            let path = path.map(|path| path.replace("%0D", "\r").replace("%20", " "));
            assert_eq!(path.as_deref(), Some(told), "{text:?}");
        }
        seen.insert(told.to_owned());
    }
    assert!(seen.len() >= 7, "{seen:?}");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn checks_are_off_where_go_says_so_and_nowhere_else() {
    let world = World::built();
    let project = world.at("project");
    let file = world.at("go-env");
    let environment = [("GOENV", file.to_str().unwrap()), ("GOSUMDB", "")];
    for text in [
        "GOSUMDB=off\n",
        " GOSUMDB=off\n",
        "GOSUMDB=off\nGOSUMDB=\n",
        "GOSUMDB=off\n GOSUMDB=known.example\n",
        "GOSUMDB=\nGOSUMDB=off",
        "#\nGOSUMDB =off\n",
    ] {
        world.write("go-env", text);
        let told = world.try_go(&["env", "GOSUMDB"], &environment);
        let is_off = told.stdout == b"off\n";
        let scan = world.call(&[project.to_str().unwrap()], &environment);
        let said = scan.codes().contains(&"checksum-database-disabled");
        assert_eq!(said, is_off, "{text:?}: {}", scan.story());
    }
}
