//! The head of the public log that a release brings along: made anew with the real `go`, and held against the public key.
//!
//! `UNTAINT_MAKE_LOG_HEAD=1 cargo test --test go log_head::` lets the real `go` download one small module, which makes it ask for
//! the log's newest head and prove it, and writes that head without the log's name. Without the variable nothing is asked: the
//! committed head must be signed by the public log, under the name that the installed `go` gives it.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use untaint::tlog::{SignedHead, VerifierKey};

const FILE: &str = "src/ecosystems/go/log_head.txt";

fn go(home: &Path, arguments: &[&str]) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/local/go/bin".into());
    let output = Command::new("go")
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("HOME", home)
        .env("GOFLAGS", "-modcacherw")
        .env("GOENV", "off")
        .output()
        .expect("the go command: these tests need it");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn the_head_is_signed_by_the_public_log() {
    let home = tempfile::tempdir().unwrap();
    let name = go(home.path(), &["env", "GOSUMDB"]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("UNTAINT_MAKE_LOG_HEAD").is_some() {
        go(
            home.path(),
            &["mod", "download", "golang.org/x/text@v0.14.0"],
        );
        let latest = home.path().join("go/pkg/sumdb").join(&name).join("latest");
        let note = fs::read_to_string(latest).unwrap();
        let lines: Vec<&str> = note.lines().collect();
        let signed = STANDARD
            .decode(lines[4].rsplit(' ').next().unwrap())
            .unwrap();
        let old = fs::read_to_string(&file).unwrap();
        let comments: String = old
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect();
        let signature = STANDARD.encode(&signed[4..]);
        fs::write(
            &file,
            format!(
                "{comments}{}\n{}\n{signature}\n{}\n",
                lines[1],
                lines[2],
                jiff::Timestamp::now().strftime("%Y-%m-%d")
            ),
        )
        .unwrap();
    }
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let [size, root, signature, _] = lines[..] else {
        panic!("{text}")
    };
    let key = VerifierKey::public_go_sumdb(&name).expect("the name and the public key fit");
    let mut signed = 0x033d_e0ae_u32.to_be_bytes().to_vec();
    signed.extend(STANDARD.decode(signature).unwrap());
    let note = format!(
        "go.sum database tree\n{size}\n{root}\n\n\u{2014} {name} {}\n",
        STANDARD.encode(signed)
    );
    let head = SignedHead::open(note.as_bytes(), &[key]).expect("signed by the public log");
    assert_eq!(head.head().size, size.parse::<u64>().unwrap());
    // One digit more or less, and it is signed by nobody.
    let forged = note.replace(&format!("\n{size}\n"), &format!("\n{size}0\n"));
    let key = VerifierKey::public_go_sumdb(&name).unwrap();
    assert!(SignedHead::open(forged.as_bytes(), &[key]).is_err());
}
