//! Tells the tests whether the real `go` command is on this machine, whether root builds, and whether it may mount: those that need one of them
//! are else reported as ignored, never as passed. Nothing is run, and the program itself is built the same either way.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script looks at the machine that builds"
)]

use std::os::unix::fs::MetadataExt as _;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(real_go)");
    println!("cargo::rustc-check-cfg=cfg(as_root)");
    println!("cargo::rustc-check-cfg=cfg(can_mount)");
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
        // Root of a container may lack the right to mount (CAP_SYS_ADMIN, number 21).
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let rights = rights.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        if rights.is_some_and(|rights| rights & (1 << 21) != 0) {
            println!("cargo::rustc-cfg=can_mount");
        }
    }
}
