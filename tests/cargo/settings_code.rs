//! Settings that bring code into a build, and settings that do not.

use std::fs;

use crate::support::{Source, World, write_file};
use crate::tamper::home_template;

fn with(text: &str) -> World {
    let world = home_template().twin();
    write_file(&world.project().join(".cargo/config.toml"), text);
    world
}

#[test]
fn settings_of_a_scanned_tree_that_run_code_are_findings() {
    for (text, part) in [
        ("[env]\nCOMPILER_PATH = \"tools\"\n", "COMPILER_PATH"),
        ("[env]\nGCC_EXEC_PREFIX = \"tools/\"\n", "GCC_EXEC_PREFIX"),
        ("[env]\nHOST_CC = \"tools/cc\"\n", "HOST_CC"),
        ("[env]\nTARGET_CC = \"evilcc\"\n", "TARGET_CC"),
        ("[env]\nLIBRARY_PATH = \"lib\"\n", "LIBRARY_PATH"),
        ("[env]\nCFLAGS = \"-O2 -fplugin=evil\"\n", "CFLAGS"),
        ("[env]\nPROTOC = \"protoc\"\n", "PROTOC"),
        ("[env]\nOPENSSL_LIB_DIR = \"lib\"\n", "OPENSSL_LIB_DIR"),
        ("[env]\nLIBCLANG_PATH = \"lib\"\n", "LIBCLANG_PATH"),
        ("[env]\nPYTHONPATH = \"lib\"\n", "PYTHONPATH"),
        (
            "[env]\nCC = { value = \"evilcc\", relative = true }\n",
            "CC",
        ),
        ("[build]\nrustflags = [\"--cfg\", \"@args\"]\n", "@args"),
        (
            "[build]\nrustflags = [\"-Clink-arg=-Wl,--dynamic-linker=evil\"]\n",
            "--dynamic-linker",
        ),
        (
            "[alias]\nb = [\"build\", \"--config\", \"build.rustc-wrapper='evil'\"]\n",
            "cargo b",
        ),
        ("[build]\nrustc-wrapper = \"./sccache\"\n", "sccache"),
    ] {
        let scan = with(text).untaint().run();
        scan.finds(&["code-in-settings"], part);
        let severity = &scan.findings()[0]["severity"];
        assert_eq!(severity, "high", "{text}\n{}", scan.story());
    }
}

#[test]
fn usual_settings_stop_nothing() {
    for text in [
        "[env]\nRUST_LOG = \"debug\"\nRUST_BACKTRACE = \"1\"\nCARGO_TERM_COLOR = \"always\"\n",
        "[env]\nCARGO_WORKSPACE_DIR = { value = \"\", relative = true }\n",
        "[alias]\nb = \"build\"\nxtask = \"run -p xtask -- --config x\"\n",
        "[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n",
        "[build]\nrustflags = [\"-Clink-arg=-fuse-ld=lld\", \"-Clink-arg=-Wl,--gc-sections\"]\n",
        "[target.'cfg(unix)']\nrustflags = [\"-C\", \"link-arg=-Wl,-z,relro,-z,now\"]\n",
        "[env]\nCFLAGS = \"-O2 -g -Wall\"\nLDFLAGS = \"-s -Wl,--as-needed\"\n",
    ] {
        with(text).untaint().run().is_clean();
    }
}

#[test]
fn what_is_a_choice_or_unknown_is_shown_and_stops_nothing() {
    for (text, severity) in [
        (
            "[env]\nMY_APP_VERSION = \"1\"\nDATABASE_URL = \"x\"\n",
            "low",
        ),
        ("[build]\nrustc-wrapper = \"sccache\"\n", "medium"),
        ("[env]\nCC = \"clang\"\n", "medium"),
    ] {
        let scan = with(text).untaint().run();
        scan.exits(0);
        assert_eq!(scan.findings().len(), 1, "{}", scan.story());
        assert_eq!(scan.findings()[0]["severity"], severity);
    }
}

#[test]
fn a_name_that_the_tree_provides_is_no_choice() {
    let world = with("[build]\nrustc-wrapper = \"sccache\"\n");
    write_file(&world.project().join("bin/sccache"), "#!/bin/sh\n");
    let path = format!("{}/bin:/usr/bin:/bin", world.project().display());
    let scan = world.untaint().env("PATH", path).run();
    scan.finds(&["code-in-settings"], "sccache");
    let scan = world.untaint().env("PATH", "/usr/bin:bin").run();
    scan.finds(&["code-in-settings"], "sccache");
    world.untaint().run().exits(0);
}

#[test]
fn a_file_of_flags_is_read_wherever_it_stands() {
    let world = World::clean(Source::Mirror);
    let main = "fn main() { println!(\"{}\", if cfg!(evil) { \"EVIL\" } else { \"good\" }); }\n";
    write_file(&world.project().join("src/main.rs"), main);
    let args = world.project().join("args");
    write_file(&args, "harmless\n--cfg\nevil\n");
    let text = format!(
        "[build]\nrustflags = [\"--cfg\", \"@{}\"]\n",
        args.display()
    );
    write_file(&world.project().join(".cargo/config.toml"), text);
    world.untaint().run().finds(&["code-in-settings"], "args");
    assert!(world.build_and_run().contains("EVIL"));
    fs::remove_dir_all(world.project().join("target")).unwrap();
}
