//! Repositories made by the real git, and a checkout made by the real cargo, in a temporary folder and with settings of their own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use untaint::formats::git::Oid;

/// The ways of storing objects that are tried: loose, and packs with each kind of delta and index.
pub(crate) const REPACKS: [&[&str]; 4] = [
    &["count-objects"],
    &["gc", "-q", "--aggressive"],
    &[
        "-c",
        "pack.indexVersion=1",
        "-c",
        "repack.useDeltaBaseOffset=false",
        "repack",
        "-adfq",
    ],
    &["repack", "-adfq", "--write-midx", "--write-bitmap-index"],
];

pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, rel: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(rel)
    }

    fn run(&self, program: &str, folder: &str, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new(program);
        command.current_dir(self.path(folder)).args(arguments);
        command.env("CARGO_HOME", self.path("cargo-home"));
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GIT_DIR");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "A")
                .env(format!("GIT_{role}_EMAIL"), "a@host.example");
            command.env(format!("GIT_{role}_DATE"), "1700000000 +0000");
        }
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    pub(crate) fn git_bytes(&self, folder: &str, arguments: &[&str]) -> Vec<u8> {
        self.run("git", folder, arguments)
    }

    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        String::from_utf8(self.git_bytes(folder, arguments)).unwrap()
    }

    fn write(&self, rel: &str, text: &str) {
        let path = self.path(rel);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self, folder: &str) {
        self.git(folder, &["add", "-A"]);
        self.git(folder, &["commit", "-qm", "note"]);
    }

    fn head(&self, folder: &str) -> Oid {
        Oid::from_hex(self.git(folder, &["rev-parse", "HEAD"]).trim().as_bytes()).unwrap()
    }

    fn init(&self, name: &str, format: &str) {
        self.git(
            "",
            &[
                "init",
                "-q",
                "--template=",
                "-b",
                "main",
                &format!("--object-format={format}"),
                name,
            ],
        );
    }

    /// A few commits, few files.
    pub(crate) fn small(&self, format: &str) -> Oid {
        self.init("project", format);
        self.write("project/a.txt", &"line\n".repeat(50));
        self.commit("project");
        self.write("project/a.txt", &("line\n".repeat(50) + "more\n"));
        self.write("project/src/lib.rs", "pub fn f() {}\n");
        self.commit("project");
        self.head("project")
    }

    /// Twenty commits with a file that grows, a link, a program, names that sort oddly, a tag.
    pub(crate) fn project(&self, format: &str) -> Oid {
        self.init("project", format);
        self.write("project/run.sh", "#!/bin/sh\n");
        fs::set_permissions(
            self.path("project/run.sh"),
            fs::Permissions::from_mode(0o755),
        )
        .unwrap();
        symlink("src/lib.rs", self.path("project/link")).unwrap();
        for name in ["src/deep/er/x", "src.txt", "src-a", "src0", "ü/ñ"] {
            self.write(&format!("project/{name}"), name);
        }
        let mut text = String::new();
        for n in 0..20 {
            text += &format!("line {n} {}\n", n * n * 7919);
            self.write("project/src/lib.rs", &text);
            self.write("project/src/last", &format!("{n}\n"));
            self.commit("project");
        }
        self.git("project", &["tag", "-a", "v1", "-m", "note"]);
        self.head("project")
    }

    /// How many loose and packed objects git counts.
    pub(crate) fn counts(&self, folder: &str) -> (u64, u64) {
        let text = self.git(folder, &["count-objects", "-v"]);
        let number = |key: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .unwrap();
            line.trim().parse().unwrap()
        };
        (number("count: "), number("in-pack: "))
    }

    /// Lets cargo fetch a git dependency with converted files and two submodules, one of them left out. Returns the locked
    /// commit, the checkout and the database.
    pub(crate) fn cargo_checkout(&self) -> (Oid, PathBuf, PathBuf) {
        self.init("sub", "sha1");
        self.write("sub/s.txt", "s\n");
        self.commit("sub");
        self.init("dep", "sha1");
        self.write(
            "dep/Cargo.toml",
            "[package]\nname = \"dep\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        );
        self.write("dep/src/lib.rs", "pub fn f() {}\n");
        self.write("dep/.gitattributes", "*.bat text eol=crlf\n*.id ident\n");
        self.write("dep/x.bat", "a\nb\n");
        self.write("dep/x.id", "x $Id$ y\n");
        let url = format!("file://{}", self.path("sub").display());
        for path in ["vendor/sub", "vendor/unused"] {
            self.git(
                "dep",
                &[
                    "-c",
                    "protocol.file.allow=always",
                    "submodule",
                    "--quiet",
                    "add",
                    &url,
                    path,
                ],
            );
        }
        self.git(
            "dep",
            &[
                "config",
                "-f",
                ".gitmodules",
                "submodule.vendor/unused.update",
                "none",
            ],
        );
        self.commit("dep");
        // A file that was committed as it is before the attribute asked for one kind of line ending.
        self.write("mixed", "a\r\nb\n");
        let blob = self.git("dep", &["hash-object", "-w", "--no-filters", "../mixed"]);
        let row = format!("100644,{},mixed.bat", blob.trim());
        self.git("dep", &["update-index", "--add", "--cacheinfo", &row]);
        self.git("dep", &["commit", "-qm", "note"]);
        let locked = self.head("dep");
        self.write("app/src/lib.rs", "");
        let url = format!("file://{}", self.path("dep").display());
        self.write(
            "app/Cargo.toml",
            &format!("[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\ndep = {{ git = \"{url}\" }}\n"),
        );
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        self.run(&cargo, "app", &["fetch", "-q"]);
        let only = |folder: PathBuf, start: &str| {
            let mut found = fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path());
            found
                .find(|path| {
                    path.file_name()
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .starts_with(start)
                })
                .unwrap()
        };
        let checkout = only(only(self.path("cargo-home/git/checkouts"), "dep-"), "");
        (
            locked,
            checkout,
            only(self.path("cargo-home/git/db"), "dep-"),
        )
    }
}

/// Every regular file below a folder with its bytes, by path.
pub(crate) fn every_file(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let rel = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.push((rel.to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
