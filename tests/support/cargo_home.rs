//! Real projects and real cargo homes, made by the cargo that runs the tests.
//!
//! A `World` is a folder of its own: `home/` (with `.cargo`), `project/`, `state/` for untaint and a
//! trust file that pins the loopback registry. Cargo is started with an empty environment beside the
//! tool chain, so nothing of the machine's own settings leaks in, and nothing leaves the machine.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::archive::{Crate, sha256};
use super::registry::{Registry, index_path};
use super::untaint::Untaint;

/// How the project comes to its crates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `registry = "loop"` in every dependency; untaint is given the registry as a pinned root.
    Alternate,
    /// The default registry, replaced in the user's settings by the loopback one; untaint is given it
    /// as a mirror of the default index.
    Mirror,
}

/// One isolated machine: home, project, registry, trust.
pub(crate) struct World {
    dir: TempDir,
    /// Environment of every cargo in this world, beside the tool chain's.
    cargo_environment: Mutex<Vec<(String, String)>>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) source: Source,
}

impl World {
    /// An empty project and an empty cargo home with settings that name the registry.
    pub(crate) fn new(source: Source) -> Self {
        Self::on(Arc::new(Registry::start()), source)
    }

    pub(crate) fn on(registry: Arc<Registry>, source: Source) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("untaint-test-")
            .tempdir()
            .unwrap();
        let world = Self {
            dir,
            cargo_environment: Mutex::default(),
            registry,
            source,
        };
        for folder in ["home/.cargo", "project", "state", "trust"] {
            fs::create_dir_all(world.root().join(folder)).unwrap();
        }
        world.settings("");
        world.trust();
        world
    }

    /// A world whose alternate registry is called `origin`: cargo reaches it through the loopback
    /// server as its proxy, so that names and hashes do not depend on a port.
    pub(crate) fn recorded(origin: &str) -> Self {
        let registry = Registry::start();
        registry.call_it(origin);
        let proxy = registry.socket_origin();
        let world = Self::on(Arc::new(registry), Source::Alternate);
        world
            .cargo_environment
            .lock()
            .unwrap()
            .push(("CARGO_HTTP_PROXY".to_owned(), proxy));
        world
    }

    /// From now on cargo fetches with the git program, which finds `address` in `folder`.
    pub(crate) fn git_address(&self, address: &str, folder: &Path) {
        let rewrite = format!("url.file://{}.insteadOf", folder.display());
        let pairs = [
            ("CARGO_NET_GIT_FETCH_WITH_CLI", "true"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", &rewrite),
            ("GIT_CONFIG_VALUE_0", address),
        ];
        let mut environment = self.cargo_environment.lock().unwrap();
        environment.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    /// One more variable for every cargo of this world.
    pub(crate) fn cargo_variable(&self, name: &str, value: &str) {
        let pair = (name.to_owned(), value.to_owned());
        self.cargo_environment.lock().unwrap().push(pair);
    }

    /// The small closed world of most tests: `app` needs `alpha` (which needs `beta`) and `gamma`
    /// (with a build script); fetched and unpacked by cargo.
    pub(crate) fn clean(source: Source) -> Self {
        let world = Self::new(source);
        for release in standard_crates() {
            world.publish(&release);
        }
        world.manifest(&[("alpha", "1"), ("gamma", "0.3")], STANDARD_MAIN);
        world.cargo(&["generate-lockfile"]);
        world.cargo(&["fetch", "--locked"]);
        world
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub(crate) fn cargo_home(&self) -> PathBuf {
        self.home().join(".cargo")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    pub(crate) fn trust_file(&self) -> PathBuf {
        self.root().join("trust/trust.toml")
    }

    /// Writes the user's cargo settings for this source, followed by `more`.
    pub(crate) fn settings(&self, more: &str) {
        let index = self.registry.index_url();
        let text = match self.source {
            Source::Alternate => {
                format!("[registries.loop]\nindex = \"sparse+{index}\"\n")
            }
            Source::Mirror => format!(
                "[source.crates-io]\nreplace-with = \"loop\"\n\n[source.loop]\nregistry = \
                 \"sparse+{index}\"\n"
            ),
        };
        write_file(
            &self.cargo_home().join("config.toml"),
            format!("{text}{more}"),
        );
    }

    fn trust(&self) {
        let text = match self.source {
            Source::Alternate => format!(
                "[[root]]\necosystem = \"cargo\"\nrole = \"index\"\nurl = \"{}\"\n",
                self.registry.index_url()
            ),
            Source::Mirror => format!(
                "[[mirror]]\nof = \"sha256:{}\"\nurl = \"{}\"\n",
                default_index_fingerprint(),
                self.registry.index_url()
            ),
        };
        write_file(&self.trust_file(), text);
    }

    pub(crate) fn publish(&self, release: &Crate) -> Vec<u8> {
        match self.source {
            Source::Alternate => self.registry.publish(release),
            Source::Mirror => self.registry.publish_default(release),
        }
    }

    /// Writes the manifest and the program of the project.
    pub(crate) fn manifest(&self, deps: &[(&str, &str)], main: &str) {
        let mut text =
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n"
                .to_owned();
        for (name, requirement) in deps {
            text.push_str(&self.dependency(name, requirement));
        }
        write_file(&self.project().join("Cargo.toml"), text);
        write_file(&self.project().join("src/main.rs"), main);
    }

    /// One line of a `[dependencies]` table.
    pub(crate) fn dependency(&self, name: &str, requirement: &str) -> String {
        match self.source {
            Source::Alternate => {
                format!("{name} = {{ version = \"{requirement}\", registry = \"loop\" }}\n")
            }
            Source::Mirror => format!("{name} = \"{requirement}\"\n"),
        }
    }

    /// Runs cargo in the project; it must succeed. Returns what it printed.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> String {
        let output = self.try_cargo(arguments);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "cargo {arguments:?} failed:\n{printed}\n{errors}\nrequests: {:?}",
            self.registry.requests()
        );
        printed + &errors
    }

    pub(crate) fn try_cargo(&self, arguments: &[&str]) -> Output {
        self.cargo_command(arguments).output().unwrap()
    }

    pub(crate) fn cargo_command(&self, arguments: &[&str]) -> Command {
        let mut command = tool(&cargo_program());
        command
            .current_dir(self.project())
            .env("HOME", self.home())
            .env("CARGO_HOME", self.cargo_home())
            .env("CARGO_NET_RETRY", "0")
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .envs(self.cargo_environment.lock().unwrap().iter().cloned())
            .args(arguments);
        command
    }

    /// Builds and runs the project offline and locked, as a careful developer would.
    pub(crate) fn build_and_run(&self) -> String {
        self.cargo(&["run", "--quiet", "--locked", "--offline"])
    }

    /// The one folder of this registry below `registry/<kind>` (cache, src, index).
    pub(crate) fn registry_folder(&self, kind: &str) -> PathBuf {
        let parent = self.cargo_home().join("registry").join(kind);
        let mut found: Vec<PathBuf> = fs::read_dir(&parent)
            .unwrap_or_else(|error| panic!("{}: {error}", parent.display()))
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        assert_eq!(
            found.len(),
            1,
            "one registry folder in {}: {found:?}",
            parent.display()
        );
        found.pop().unwrap()
    }

    pub(crate) fn archive(&self, name: &str, version: &str) -> PathBuf {
        self.registry_folder("cache")
            .join(format!("{name}-{version}.crate"))
    }

    pub(crate) fn tree(&self, name: &str, version: &str) -> PathBuf {
        self.registry_folder("src")
            .join(format!("{name}-{version}"))
    }

    pub(crate) fn index_entry(&self, name: &str) -> PathBuf {
        self.registry_folder("index")
            .join(".cache")
            .join(index_path(name))
    }

    pub(crate) fn lockfile(&self) -> PathBuf {
        self.project().join("Cargo.lock")
    }

    /// The same world again in another folder, on the same registry; times and modes are kept.
    pub(crate) fn twin(&self) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("untaint-test-")
            .tempdir()
            .unwrap();
        copy_tree(self.root(), dir.path());
        Self {
            dir,
            cargo_environment: Mutex::new(self.cargo_environment.lock().unwrap().clone()),
            registry: Arc::clone(&self.registry),
            source: self.source,
        }
    }

    /// untaint on this project with this home, integrity only.
    pub(crate) fn untaint(&self) -> Untaint {
        Untaint::new(self)
    }
}

/// The program of the standard world.
pub(crate) const STANDARD_MAIN: &str =
    "fn main() { println!(\"{} {}\", alpha::name(), gamma::name()); }\n";

/// The crates of the standard world; `beta` has a later release that nobody locks.
pub(crate) fn standard_crates() -> Vec<Crate> {
    let filler: String = (0..60)
        .map(|line| format!("// line {line} of the notes\n"))
        .collect();
    vec![
        Crate::lib(
            "beta",
            "1.0.0",
            "pub fn name() -> &'static str { \"beta\" }\n",
        )
        .file("src/notes.rs", filler.clone())
        .published("2024-01-02T03:04:05Z"),
        Crate::lib(
            "alpha",
            "1.2.3",
            "pub mod deep;\npub fn name() -> String { format!(\"alpha-{}\", beta::name()) }\n",
        )
        .file("src/deep/mod.rs", "pub const DEPTH: u32 = 2;\n")
        .file("LICENSE-MIT", filler)
        .file(".gitignore", "/target\n")
        .dep("beta", "^1")
        .feature("default", &["std"])
        .feature("std", &[]),
        Crate::lib(
            "gamma",
            "0.3.1",
            "pub fn name() -> &'static str { env!(\"GAMMA\") }\n",
        )
        .file(
            "build.rs",
            "fn main() { println!(\"cargo:rustc-env=GAMMA=gamma\"); }\n",
        ),
    ]
}

/// SHA-256 of the canonical address of the default index, whose name no file of ours spells out.
fn default_index_fingerprint() -> String {
    let address = tame_index::index::sparse::CRATES_IO_HTTP_INDEX;
    let address = address.strip_prefix("sparse+").unwrap_or(address);
    sha256(format!("{}/", address.trim_end_matches('/')).as_bytes())
}

/// The cargo of the tool chain that runs the tests.
pub(crate) fn cargo_program() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A program in an environment that holds only what a tool chain needs.
pub(crate) fn tool(program: &Path) -> Command {
    let mut command = Command::new(program);
    let mut path = OsString::new();
    if let Some(folder) = program.parent().filter(|folder| folder.is_absolute()) {
        path.push(folder);
        path.push(":");
    }
    path.push(std::env::var_os("PATH").unwrap_or_default());
    command.env_clear().env("PATH", path).env("LC_ALL", "C");
    for name in ["RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if std::env::var_os("RUSTUP_HOME").is_none()
        && let Some(home) = std::env::var_os("HOME")
    {
        command.env("RUSTUP_HOME", Path::new(&home).join(".rustup"));
    }
    command
}

/// Runs git in `folder` with a fixed author and time; it must succeed.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = tool(Path::new("git"));
    command.current_dir(folder).args(arguments);
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Test House");
        command.env(format!("GIT_{who}_EMAIL"), "tests@registry.example");
        command.env(format!("GIT_{who}_DATE"), "2024-05-06T07:08:09Z");
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    let output = command.output().expect("git is needed by the tests");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "git {arguments:?} failed: {errors}"
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository with one commit that holds these files; returns the commit.
pub(crate) fn git_repository(folder: &Path, files: &[(&str, &str)]) -> String {
    fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    for (path, text) in files {
        write_file(&folder.join(path), text);
    }
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "first"]);
    git(folder, &["rev-parse", "HEAD"])
}

/// Writes a file and the folders above it.
pub(crate) fn write_file(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Copies a tree with modes, times and links.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_symlink() {
            symlink(fs::read_link(&path).unwrap(), &target).unwrap();
        } else if meta.is_dir() {
            copy_tree(&path, &target);
        } else if meta.is_file() {
            fs::copy(&path, &target).unwrap();
            let times = fs::FileTimes::new().set_modified(meta.modified().unwrap());
            fs::File::options()
                .write(true)
                .open(&target)
                .unwrap()
                .set_times(times)
                .unwrap();
            continue;
        }
        if meta.is_dir() {
            let mode = fs::Permissions::from_mode(meta.mode() & 0o7777);
            fs::set_permissions(&target, mode).unwrap();
        }
    }
}
