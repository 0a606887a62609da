//! An isolated machine: home, project, module cache and build cache, filled by the real `go` from the loopback proxy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::log::NAME;
use crate::module::Module;
use crate::proxy::Proxy;
use crate::report::Scan;

pub(crate) const GREET: &str = "package greet\n\nfunc Hi() string { return \"hi\" }\n";
pub(crate) const EVIL: &str = "package greet\n\nfunc Hi() string { return \"EVIL\" }\n";

/// The machine.
pub(crate) struct World {
    dir: TempDir,
    pub(crate) proxy: Proxy,
}

/// The module that is tampered with, and one that it needs.
pub(crate) fn modules() -> Vec<Module> {
    vec![
        Module::new("registry.example/Greet", "v1.0.0")
            .file("greet.go", GREET)
            .file("LICENSE", "free\n"),
        Module::new("registry.example/words/v2", "v2.1.0")
            .file("words.go", "package words\n\nconst All = \"words\"\n")
            .file("deep/deep.go", "package deep\n\nconst Deep = 1\n"),
        // Published, and needed by nobody here.
        Module::new("registry.example/unused", "v0.3.0").file("unused.go", "package unused\n"),
        Module::new("golang.org/toolchain", "v0.0.1-go1.99.0.linux-amd64")
            .file("bin/go", "a program\n")
            .file("src/fmt/print.go", "package fmt\n"),
    ]
}

/// Runs a call of untaint that prints a report, and checks what every report must hold.
pub(crate) fn answer(command: &mut Command) -> Scan {
    let started = std::time::Instant::now();
    let output = command.output().unwrap();
    let arguments = command.get_args().map(ToOwned::to_owned).collect();
    let (stdout, stderr) = (output.stdout, output.stderr);
    let scan = Scan::new(arguments, output.status, stdout, stderr, started.elapsed());
    scan.check();
    scan
}

impl World {
    /// A project that was built once. What `go` downloaded and built is made once per test program, and copied.
    pub(crate) fn built() -> Self {
        let world = Self::copied(&["home", "project", "standard"]);
        // The log of the copy's proxy has the same records, so what was cached of it holds.
        assert!(world.runs().contains("hi words 1"));
        world
    }

    /// The same without anything that `go` built: nothing can be built in it in a hurry.
    pub(crate) fn downloaded() -> Self {
        Self::copied(&["home/go", "project"])
    }

    fn copied(folders: &[&str]) -> Self {
        static MADE: LazyLock<World> = LazyLock::new(World::made);
        let world = Self::furnished();
        for folder in folders {
            copy_folder(&MADE.at(folder), &world.at(folder));
        }
        world
    }

    fn made() -> Self {
        let world = Self::furnished();
        let standard = world.at("standard").display().to_string();
        let built = world.try_go(&["build", "fmt"], &[("GOCACHE", &standard)]);
        assert!(built.status.success(), "{built:?}");
        copy_folder(&world.at("standard"), &world.at("home/build"));
        world.go(&["mod", "tidy"]);
        assert!(world.runs().contains("hi words 1"));
        world
    }

    /// A project that nobody built yet.
    pub(crate) fn furnished() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("untaint-go-")
            .tempdir()
            .unwrap();
        let world = Self {
            dir,
            proxy: Proxy::start(modules()),
        };
        for folder in ["home", "project", "state", "tmp"] {
            fs::create_dir_all(world.at(folder)).unwrap();
        }
        world.write(
            "project/go.mod",
            "module registry.example/app\n\ngo 1.21\n\nrequire (\n\tregistry.example/Greet v1.0.0\n\
             \tregistry.example/words/v2 v2.1.0\n)\n",
        );
        world.write(
            "project/main.go",
            "package main\n\nimport (\n\t\"fmt\"\n\tgreet \"registry.example/Greet\"\n\
             \t\"registry.example/words/v2\"\n\t\"registry.example/words/v2/deep\"\n)\n\n\
             func main() { fmt.Println(greet.Hi(), words.All, deep.Deep) }\n",
        );
        let key = world.proxy.served.lock().unwrap().log.verifier();
        let url = world.proxy.url();
        world.write(
            "trust.toml",
            format!(
                "[[root]]\necosystem = \"go\"\nrole = \"log\"\nurl = \"{url}/sumdb/{NAME}/\"\nname = \"{NAME}\"\n\
                 key = \"{key}\"\n\n[[root]]\necosystem = \"go\"\nrole = \"proxy\"\nurl = \"{url}/\"\n"
            ),
        );
        world
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        fs::write(path, content).unwrap();
    }

    /// A path in the module cache.
    pub(crate) fn cached(&self, path: &str) -> String {
        format!("home/go/pkg/mod/{path}")
    }

    /// The downloaded file of the tampered module with this extension.
    pub(crate) fn download(&self, kind: &str) -> String {
        self.cached(&format!(
            "cache/download/registry.example/!greet/@v/v1.0.0.{kind}"
        ))
    }

    pub(crate) fn tree(&self, file: &str) -> String {
        self.cached(&format!("registry.example/!greet@v1.0.0/{file}"))
    }

    /// A file of the cached log data.
    pub(crate) fn log_file(&self, path: &str) -> String {
        self.cached(&format!("cache/download/sumdb/{NAME}/{path}"))
    }

    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |p: &str| self.at(p).display().to_string();
        vec![
            ("HOME", path("home")),
            ("GOPATH", path("home/go")),
            ("GOCACHE", path("home/build")),
            ("TMPDIR", path("tmp")),
            ("GOPROXY", self.proxy.url()),
            ("GOSUMDB", self.proxy.served.lock().unwrap().log.verifier()),
            ("GOENV", "off".to_owned()),
            ("GOTOOLCHAIN", "local".to_owned()),
            ("LC_ALL", "C".to_owned()),
        ]
    }

    pub(crate) fn try_go(&self, arguments: &[&str], more: &[(&str, &str)]) -> Output {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.push(PathBuf::from("/usr/local/go/bin"));
        Command::new("go")
            .args(arguments)
            .current_dir(self.at("project"))
            .env_clear()
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("GOFLAGS", "-modcacherw")
            .envs(self.environment())
            .envs(more.iter().copied())
            .output()
            .expect("the go command: these tests need it")
    }

    /// Runs go, which must succeed; what it printed.
    pub(crate) fn go(&self, arguments: &[&str]) -> String {
        let output = self.try_go(arguments, &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "go {arguments:?}: {text}");
        text
    }

    /// Builds and runs the project, without the network.
    pub(crate) fn runs(&self) -> String {
        let output = self.try_go(&["run", "."], &[("GOPROXY", "off")]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "go run: {text}");
        text
    }

    /// Go forgets what it built and indexed, except its own library.
    pub(crate) fn forget_builds(&self) {
        let _ = fs::remove_dir_all(self.at("home/build"));
        copy_folder(&self.at("standard"), &self.at("home/build"));
    }

    pub(crate) fn forget_state(&self) {
        let _ = fs::remove_dir_all(self.at("state"));
    }

    /// `untaint scan project --json …`.
    pub(crate) fn scan(&self, more: &[&str]) -> Scan {
        let project = self.at("project");
        let mut arguments = vec![project.to_str().unwrap()];
        arguments.extend(more);
        self.call(&arguments, &[])
    }

    pub(crate) fn call(&self, more: &[&str], environment: &[(&str, &str)]) -> Scan {
        let trust = self.at("trust.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_untaint"));
        command
            .args([
                "scan",
                "--json",
                "--no-advisories",
                "--ecosystem",
                "go",
                "--trust",
            ])
            .arg(&trust)
            .args(more)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("UNTAINT_HOME", self.at("state"))
            .envs(self.environment())
            .envs(environment.iter().copied());
        answer(&mut command)
    }

    /// Every scan that should notice: online with what was learned before, from nothing, and offline from nothing.
    pub(crate) fn scans(&self) -> Vec<Scan> {
        let learned = self.scan(&[]);
        self.forget_state();
        let online = self.scan(&[]);
        self.forget_state();
        vec![learned, online, self.scan(&["--offline"])]
    }
}

/// Copies a folder with its modes and times.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success(), "{from:?} to {to:?}");
}

pub(crate) fn copy_file(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}
