//! Tells the tests whether the real `go` command is on this machine: without it they are reported as ignored, never as
//! passed. Nothing is run, and the program itself is built the same either way.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script looks at the machine that builds"
)]

fn main() {
    println!("cargo::rustc-check-cfg=cfg(real_go)");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-changed=build.rs");
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join("go").is_file()) {
        println!("cargo::rustc-cfg=real_go");
    }
}
