//! Tells the tests whether the real `go` command is on this machine, and whether root builds: those that need one of them
//! are else reported as ignored, never as passed. Nothing is run, and the program itself is built the same either way.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script looks at the machine that builds"
)]

use std::os::unix::fs::MetadataExt as _;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(real_go)");
    println!("cargo::rustc-check-cfg=cfg(as_root)");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-env-changed=HOME");
    println!("cargo::rerun-if-changed=build.rs");
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join("go").is_file()) {
        println!("cargo::rustc-cfg=real_go");
    }
    // The owner of the running process; where there is no such folder, nothing is claimed.
    if std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        println!("cargo::rustc-cfg=as_root");
    }
}
