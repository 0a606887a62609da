//! What editors and desktops leave behind is litter only where nothing embeds it, as the real `go` embeds.

use std::fs;

use crate::module::Module;
use crate::world::{EVIL, World};

const SITE: &str = "package site\n\nimport (\n\t\"embed\"\n\t\"io/fs\"\n)\n\n//go:embed all:dist\nvar files embed.FS\n\n\
    func All() (all string) {\n\tfs.WalkDir(files, \".\", func(path string, d fs.DirEntry, _ error) error {\n\
    \t\tif !d.IsDir() {\n\t\t\ttext, _ := files.ReadFile(path)\n\t\t\tall += string(text)\n\t\t}\n\t\treturn nil\n\t})\n\treturn\n}\n";

/// A project that prints all that a module embeds, in which the folder of another module lies.
fn embedding() -> World {
    let world = World::built();
    let mut site = Module::new("registry.example/site", "v1.0.0")
        .file("site.go", SITE)
        .file("dist/index.html", "index\n");
    for n in 0..200 {
        site = site.file(&format!("testdata/{}{n}", "a".repeat(200)), "");
    }
    world.proxy.publish(site);
    let inner = "registry.example/site/dist/inner";
    world
        .proxy
        .publish(Module::new(inner, "v1.0.0").file("inner.go", "package inner\n"));
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        format!("{manifest}\nrequire (\n\tregistry.example/site v1.0.0\n\t{inner} v1.0.0\n)\n"),
    );
    let main = fs::read_to_string(world.at("project/main.go")).unwrap();
    let main = main.replace(
        "import (\n",
        &format!("import (\n\t\"registry.example/site\"\n\t_ \"{inner}\"\n"),
    );
    let main = main.replace("greet.Hi(),", "greet.Hi(), site.All(),");
    world.write("project/main.go", main);
    world.go(&["mod", "tidy"]);
    assert!(world.runs().contains("index"));
    world
}

/// What is embedded is found, and what is not stays litter.
fn is_judged_by_what_embeds(world: &World, module: &str, other: &str) {
    world.scan(&[]).is_clean();
    for name in [
        "dist/.index.html.swp",
        "dist/.DS_Store",
        "dist/deep/.DS_Store",
    ] {
        let path = format!("{module}/{name}");
        world.write(&path, "EVIL\n");
        world.forget_builds();
        assert!(world.runs().contains("EVIL"), "{path}");
        for scan in world.scans() {
            scan.finds(&["tree-extra-file"], name);
        }
        fs::remove_file(world.at(&path)).unwrap();
        let _ = fs::remove_dir(world.at(&format!("{module}/dist/deep")));
    }
    for path in [format!("{module}/.DS_Store"), format!("{other}/.a.go.swp")] {
        world.write(&path, "EVIL\n");
        world.forget_builds();
        assert!(!world.runs().contains("EVIL"), "{path}");
        let scan = world.scan(&[]);
        scan.is_clean();
        assert!(scan.unverifiable("orphan") > 0, "{path}: {}", scan.story());
        fs::remove_file(world.at(&path)).unwrap();
    }
    world.scan(&[]).is_clean();
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn litter_in_the_cache_is_judged_by_what_embeds_it() {
    let world = embedding();
    let site = world.cached("registry.example/site@v1.0.0");
    is_judged_by_what_embeds(&world, &site, &world.tree("").replace("//", "/"));
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn litter_in_a_vendor_folder_is_judged_by_what_embeds_it() {
    let world = embedding();
    world.go(&["mod", "vendor"]);
    let site = "project/vendor/registry.example/site";
    is_judged_by_what_embeds(&world, site, "project/vendor/registry.example/Greet");
    // Without go.mod files in between, a pattern reaches into the folder of another module.
    let name = "dist/inner/.inner.go.swp";
    world.write(&format!("{site}/{name}"), "EVIL\n");
    assert!(world.runs().contains("EVIL"));
    world.scan(&[]).finds(&["tree-extra-file"], ".inner.go.swp");
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn litter_in_a_copy_of_a_folder_is_judged_by_what_embeds_it() {
    let world = World::built();
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        format!("{manifest}\nreplace registry.example/Greet v1.0.0 => ./greet\n"),
    );
    world.write(
        "project/greet/go.mod",
        "module registry.example/Greet\n\ngo 1.21\n",
    );
    let greet = SITE.replace("package site", "package greet");
    world.write("project/greet/greet.go", greet.replace("All()", "Hi()"));
    world.write("project/greet/dist/hi", "hi\n");
    world.go(&["mod", "tidy"]);
    world.go(&["mod", "vendor"]);
    is_judged_by_what_embeds(
        &world,
        "project/vendor/registry.example/Greet",
        "project/vendor/registry.example/words/v2",
    );
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_source_that_was_edited_to_embed_without_end_is_found_and_not_asked() {
    let world = embedding();
    world.go(&["mod", "vendor"]);
    let line = |n: usize| format!("//go:embed {}{n}b\n", "*a".repeat(2000));
    let lines: String = (0..200).map(line).collect();
    world.write(
        "project/vendor/registry.example/site/site.go",
        format!("package site\n\nimport \"embed\"\n\n{lines}var files embed.FS\n"),
    );
    let scan = world.scan(&[]);
    scan.finds(&["tree-modified"], "site.go");
    assert_eq!(scan.unverifiable("limit"), 0, "{}", scan.story());
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn a_published_module_that_embeds_without_end_is_not_judged_and_that_is_said() {
    let world = World::built();
    let line = |n: usize| format!("//go:embed {}{n}b\n", "*a".repeat(1000));
    let lines: String = (0..200).map(line).collect();
    let mut site = Module::new("registry.example/site", "v1.0.0")
        .file("site.go", "package site\n")
        // No build takes it in, but its words are the module's own.
        .file(
            "p_test.go",
            &format!("package site\n\nimport \"embed\"\n\n{lines}var files embed.FS\n"),
        );
    for n in 0..50 {
        site = site.file(&format!("{}{n}/x", "a".repeat(100)), "");
    }
    world.proxy.publish(site);
    let manifest = fs::read_to_string(world.at("project/go.mod")).unwrap();
    world.write(
        "project/go.mod",
        format!("{manifest}\nrequire registry.example/site v1.0.0\n"),
    );
    let main = fs::read_to_string(world.at("project/main.go")).unwrap();
    let main = main.replace("import (\n", "import (\n\t_ \"registry.example/site\"\n");
    world.write("project/main.go", main);
    world.go(&["mod", "tidy"]);
    world.scan(&[]).is_clean();
    let site = world.cached("registry.example/site@v1.0.0");
    // What would be litter elsewhere: nobody can say here.
    for n in 0..50 {
        let name = format!("{site}/.{}{n}.swp", "a".repeat(200));
        world.write(&name, "");
    }
    let scan = world.scan(&[]);
    scan.exits(3);
    assert_eq!(scan.unverifiable("limit"), 1, "{}", scan.story());
    // Who edits it gets no further.
    world.write(&format!("{site}/site.go"), EVIL.replace("greet", "site"));
    world.scan(&[]).finds(&["tree-modified"], "site.go");
}
