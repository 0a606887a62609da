//! `untaint feeds update|status|import|snapshot`, the real program.

use std::path::Path;
use std::process::{Command, Output};

use super::data::{NEWER, many, put, record, sha256, zip};
use super::server::{Answer, Server};

const TIME: &str = "2026-09-10T12:00:00Z";

/// A home of the program with a server pinned for Cargo's advisories.
pub(crate) struct Home(pub(crate) tempfile::TempDir);

impl Home {
    pub(crate) fn new(url: &str) -> Self {
        Self::with(&[("cargo", url)])
    }

    /// With a server for each of these ecosystems.
    fn with(servers: &[(&str, &str)]) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let pin: String = servers
            .iter()
            .map(|(ecosystem, url)| {
                format!("[[root]]\necosystem = \"{ecosystem}\"\nrole = \"advisories\"\nurl = \"{url}\"\n")
            })
            .collect();
        for folder in ["", "config"] {
            put(
                &home.0.path().join("home").join(folder).join("trust.toml"),
                &pin,
            );
        }
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_at(arguments, TIME)
    }

    pub(crate) fn run_at(&self, arguments: &[&str], now: &str) -> (i32, String, String) {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_untaint"))
            .env_clear()
            .env("HOME", self.path())
            .env("UNTAINT_HOME", self.path().join("home"))
            .env("CARGO_HOME", self.path().join("cargo"))
            .env("PATH", "/usr/bin:/bin")
            .current_dir(self.path())
            .args(arguments)
            .args(["--now", now])
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// Imports a file that lies in this home.
    fn import(&self, bytes: &[u8], more: &[&str]) -> (i32, String, String) {
        put(&self.path().join("file"), bytes);
        let digest = sha256(bytes);
        let mut arguments = vec!["feeds", "import", "file", "--sha256", &digest];
        arguments.extend(more);
        self.run(&arguments)
    }
}

fn feed(count: usize) -> Vec<u8> {
    zip(&many("cargo", count, "new-one", NEWER))
}

/// What the other ecosystem of a whole status has: no fewer records than what is embedded.
fn other_feed() -> Vec<u8> {
    zip(&many("go", 4500, "registry.example/new", NEWER))
}

#[test]
fn update_then_status() {
    let server = Server::new(Answer::Feed("\"e\"", feed(1300)));
    let other = Server::new(Answer::Feed("\"o\"", other_feed()));
    let home = Home::with(&[("cargo", &server.url), ("go", &other.url)]);
    let (exit, out, _) = home.run(&["feeds", "status"]);
    assert_eq!(exit, 4, "{out}");
    assert!(out.contains("embedded, too old"), "{out}");
    let (exit, out, err) = home.run(&["feeds", "update"]);
    assert_eq!(exit, 0, "{out}{err}");
    assert!(
        out.contains("1300 advisories of 2026-09-10, fetched"),
        "{out}"
    );
    let (exit, out, err) = home.run(&["feeds", "status"]);
    assert_eq!((exit, err.as_str()), (0, ""));
    assert!(out.contains("fetched"), "{out}");
    // An update asks although nothing is old.
    assert_eq!(home.run(&["feeds", "update"]).0, 0);
    assert_eq!(server.asked().len(), 2);
    assert!(server.asked()[1].contains("if-none-match"));
    let (exit, out, _) = home.run_at(&["feeds", "status"], "2026-09-20T00:00:00Z");
    assert_eq!(exit, 4);
    assert!(out.contains("too old"));
}

#[test]
fn an_update_that_brings_nothing_says_so() {
    let server = Server::new(Answer::Status("404 Not Found"));
    let home = Home::new(&server.url);
    let (exit, _, err) = home.run(&["feeds", "update"]);
    assert_eq!(exit, 3, "{err}");
    assert!(err.contains("404"), "{err}");
    server.now_answers(Answer::Feed("\"e\"", feed(10)));
    let (exit, _, err) = home.run(&["feeds", "update"]);
    assert_eq!(exit, 1, "{err}");
    assert!(
        err.contains("refused") && err.contains("10 advisories"),
        "{err}"
    );
    assert_eq!(home.run(&["feeds", "update", "--offline"]).0, 2);
    assert_eq!(home.run(&["feeds", "update", "--isolated"]).0, 2);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_file_is_taken_only_if_it_is_the_one_that_is_meant() {
    let home = Home::new("http://127.0.0.1:1/x");
    let good = feed(1300);
    put(&home.path().join("file"), &good);
    let (exit, _, err) = home.run(&["feeds", "import", "file", "--sha256", &"0".repeat(64)]);
    assert_eq!(exit, 2);
    assert!(err.contains(&sha256(&good)), "{err}");
    assert_eq!(
        home.run(&["feeds", "import", "none", "--sha256", &"0".repeat(64)])
            .0,
        2
    );
    assert_eq!(home.import(&good, &["--as-of", "2026-09-11"]).0, 2);
    assert_eq!(home.import(&good, &["--isolated"]).0, 2);
    let (exit, out, err) = home.import(&good, &["--as-of", "2026-09-10"]);
    assert_eq!((exit, err.as_str()), (0, ""));
    assert_eq!(out, "taken: rustsec, 1300 advisories of 2026-09-10\n");
    let (exit, out, _) = home.run(&["feeds", "status"]);
    assert_eq!(exit, 4, "the other ecosystem's is still old: {out}");
    let (exit, _, err) = home.import(&other_feed(), &["--as-of", "2026-09-10"]);
    assert_eq!((exit, err.as_str()), (0, ""));
    let (exit, out, _) = home.run(&["feeds", "status"]);
    assert_eq!(exit, 0, "{out}");
    assert!(out.contains("2026-09-10, imported"), "{out}");
}

#[test]
fn a_file_that_goes_back_is_refused() {
    let home = Home::new("http://127.0.0.1:1/x");
    assert_eq!(home.import(&feed(1300), &["--as-of", "2026-09-10"]).0, 0);
    for (bytes, more) in [
        (feed(1000), ["--as-of", "2026-09-10"]),
        (feed(1300), ["--as-of", "2026-09-09"]),
    ] {
        let (exit, out, err) = home.import(&bytes, &more);
        assert_eq!((exit, out.as_str()), (1, ""), "{err}");
        assert!(err.contains("refused"), "{err}");
    }
    for bytes in [
        b"garbage".to_vec(),
        Vec::new(),
        feed(1300)[..5000].to_vec(),
        zip(&[]),
    ] {
        assert_eq!(home.import(&bytes, &[]).0, 2);
    }
    let (_, out, _) = home.run(&["feeds", "status"]);
    assert!(
        out.contains("1300 advisories of 2026-09-10, imported"),
        "{out}"
    );
}

#[test]
fn an_export_tells_which_ecosystem_it_is_of() {
    let home = Home::new("http://127.0.0.1:1/x");
    let npm = zip(&[record("npm", "GHSA-1", "left", "1.0.0", NEWER)]);
    let (exit, out, _) = home.import(&npm, &[]);
    assert_eq!(
        (exit, out.as_str()),
        (0, "taken: osv-npm, 1 advisories of 2026-09-09\n")
    );
    let cobol = [(
        "x.json".to_owned(),
        r#"{"id":"X-1","affected":[{"package":{"ecosystem":"Cobol:85","name":"x"}}]}"#.to_owned(),
    )];
    let (exit, _, err) = home.import(&zip(&cobol), &[]);
    assert_eq!(exit, 2);
    assert!(err.contains("Cobol"), "{err}");
}

#[test]
fn a_snapshot_is_made_only_from_the_listed_files() {
    let home = Home::new("http://127.0.0.1:1/x");
    put(&home.path().join("from/osv/Go/all.zip"), feed(3));
    let (exit, _, err) = home.run_bare(&["feeds", "snapshot", "--from", "from", "-o", "to"]);
    assert_eq!(exit, 2);
    assert!(err.contains("snapshot.toml"), "{err}");
}

impl Home {
    fn run_bare(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_untaint"))
            .env_clear()
            .current_dir(self.path())
            .args(arguments)
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}
