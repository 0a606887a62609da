//! `Cargo.lock` in every version, and broken in every way.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<ParsedLock, LockError> {
    CargoLock.parse(text.as_bytes(), &ParseLimits::default())
}

const V4: &str = r#"# made by cargo
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "itoa",
 "ghost 9.9.9",
]

[[package]]
name = "itoa"
version = "1.0.11"
source = "registry+https://registry.example/index"
checksum = "49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b"

[[package]]
name = "side"
version = "0.2.0"
source = "git+https://user:secret@git.example/side?branch=main#0123456789012345678901234567890123456789"
"#;

#[test]
fn version_4_with_lines_sources_and_graph() {
    let lock = parse(V4).unwrap();
    assert_eq!(lock.format, "cargo-lock v4");
    let [app, itoa, side] = lock.packages.as_slice() else {
        panic!("three packages")
    };
    assert_eq!(app.source, LockedSource::Path);
    assert_eq!(app.depends_on, [1]);
    assert_eq!(itoa.line, 12);
    assert_eq!(itoa.digests[0].line, 16);
    assert_eq!(&*itoa.file, "itoa-1.0.11.crate");
    let LockedSource::Git { url, commit } = &side.source else {
        panic!("git")
    };
    assert_eq!(&**url, "https://git.example/side");
    assert_eq!(commit.len(), 40);
    assert_eq!(lock.problems.len(), 1);
}

#[test]
fn version_1_keeps_checksums_in_metadata() {
    let lock = parse(
        r#"
[[package]]
name = "a"
version = "1.0.0"
source = "registry+https://registry.example/index"

[metadata]
"checksum a 1.0.0 (registry+https://registry.example/index)" = "49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b"
"#,
    )
    .unwrap();
    assert_eq!(lock.format, "cargo-lock v1");
    assert_eq!(lock.packages[0].digests.len(), 1);
    assert!(lock.findings.is_empty());
}

#[test]
fn a_missing_checksum_is_a_finding() {
    let lock = parse(
        "version = 3\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.example/i\"\n",
    )
    .unwrap();
    assert_eq!(lock.findings[0].code, Code::LockfileHashMissing);
}

#[test]
fn version_5_is_not_guessed_at() {
    assert!(matches!(
        parse("version = 5\n"),
        Err(LockError::UnknownVersion(_))
    ));
    assert!(matches!(
        parse("version = \"x\"\n"),
        Err(LockError::Broken { .. })
    ));
}

#[test]
fn a_broken_line_is_named() {
    let error = parse("version = 4\n\n[[package]\n").unwrap_err();
    let LockError::Broken { line, .. } = error else {
        panic!("broken")
    };
    assert_eq!(line, Some(3));
}

#[test]
fn a_hostile_checksum_is_a_problem_of_its_package_alone() {
    let hostile = V4.replace("49f1f14", "4é9f1f");
    let lock = parse(&hostile).unwrap();
    assert_eq!(lock.packages.len(), 3);
    assert!(lock.packages[1].digests.is_empty());
    assert_eq!(lock.problems.len(), 2);
}

#[test]
fn deep_nesting_and_bytes_that_are_no_text_are_errors() {
    let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(&deep).is_err());
    assert!(
        CargoLock
            .parse(b"version = 4\n\xff", &ParseLimits::default())
            .is_err()
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,400}") {
        let _ = parse(&text);
    }

    #[test]
    fn mangled_lockfiles_never_panic(at in 0usize..600, byte in any::<u8>()) {
        let mut bytes = V4.as_bytes().to_vec();
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        let _ = CargoLock.parse(&bytes, &ParseLimits::default());
    }
}
