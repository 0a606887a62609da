//! Settings of the environment, the user's file and the installation, and what is said of them; each risky one has a harmless twin.

use super::*;
use crate::model::{Code, RootId, Severity};
use crate::world::fake::{Disk, Given};
use std::path::PathBuf;

struct World {
    disk: Disk,
    env: Given,
}

impl World {
    /// A project in `/h/p`, the user's home in `/h`, Go in `/usr/local/go`.
    fn new() -> Self {
        let mut disk = Disk::of(1000, 1000);
        disk.folder("/h/go/pkg/mod");
        disk.file("/h/p/go.mod", "module registry.example/p\n\ngo 1.26\n");
        disk.file(
            "/usr/local/go/go.env",
            "# shipped\nGOPROXY=https://known.example,direct\nGOSUMDB=known.example\nGOTOOLCHAIN=auto\n",
        );
        let env = Given {
            home: Some("/h".into()),
            current_dir: Some("/h/p".into()),
            uid: 1000,
            gids: vec![1000],
            ..Given::default()
        };
        Self { disk, env }
    }

    fn variable(name: &str, value: &str) -> Self {
        let mut world = Self::new();
        world.env = world.env.set(name, value);
        world
    }

    fn user(text: &str) -> Self {
        let mut world = Self::new();
        world.disk.file("/h/.config/go/env", text);
        world
    }

    fn project(text: &str) -> Self {
        let mut world = Self::new();
        world.disk.file("/h/p/go.mod", text);
        world
    }

    fn examine(&self) -> PostureReport {
        let projects = [(PathBuf::from("/h/p"), RootId::new("project"))];
        let caches = [(PathBuf::from("/h/go/pkg/mod"), RootId::new("go-mod-cache"))];
        GoPosture.examine(&PostureContext {
            env: &self.env,
            fs: &self.disk,
            projects: &projects,
            folders: &["/h/p/sub".into()],
            described: &std::collections::BTreeSet::new(),
            excluded: &|_| false,
            caches: &caches,
            standing: &|address| {
                let address = crate::trust::address::Address::parse(address).ok()?;
                Some(address.as_str().contains("known.example"))
            },
            log_stands: &|log| log.starts_with("known.example"),
        })
    }

    fn told(&self) -> Vec<(Code, Severity, String)> {
        let report = self.examine();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        report
            .findings
            .iter()
            .map(|f| {
                let location = f.location.as_ref().unwrap();
                let line = location.line.map(|l| format!(":{l}")).unwrap_or_default();
                (f.code, f.severity, format!("{}{line}", location.file))
            })
            .collect()
    }
}

const HIGH: Severity = Severity::High;
const MEDIUM: Severity = Severity::Medium;

#[test]
fn as_shipped_nothing_is_said() {
    assert_eq!(World::new().told(), []);
    let report = World::new().examine();
    assert_eq!(report.read, ["/usr/local/go/go.env"]);
}

#[test]
fn every_risky_variable_is_said_with_its_name() {
    use Code::{ChecksumDatabaseDisabled, CodeInSettings, InsecureTransport, SourceRedirected};
    for (name, value, code, severity) in [
        ("GOSUMDB", "off", ChecksumDatabaseDisabled, HIGH),
        (
            "GOSUMDB",
            "evil.example+01020304+AAAA",
            SourceRedirected,
            HIGH,
        ),
        (
            "GOSUMDB",
            "known.example http://evil.example",
            InsecureTransport,
            HIGH,
        ),
        (
            "GOSUMDB",
            "known.example evil.example/sumdb",
            SourceRedirected,
            MEDIUM,
        ),
        ("GONOSUMDB", "*", ChecksumDatabaseDisabled, HIGH),
        (
            "GONOSUMDB",
            "corp.example,*.*",
            ChecksumDatabaseDisabled,
            HIGH,
        ),
        ("GONOSUMDB", "[a-z]*", ChecksumDatabaseDisabled, HIGH),
        ("GOPRIVATE", "*/*", ChecksumDatabaseDisabled, HIGH),
        ("GOPROXY", "direct", SourceRedirected, MEDIUM),
        (
            "GOPROXY",
            "https://evil.example,direct",
            SourceRedirected,
            MEDIUM,
        ),
        (
            "GOPROXY",
            "https://known.example|evil.example",
            SourceRedirected,
            MEDIUM,
        ),
        ("GOPROXY", "http://evil.example", InsecureTransport, HIGH),
        (
            "GOPROXY",
            "HTTP://evil.example,off",
            InsecureTransport,
            HIGH,
        ),
        (
            "GOPROXY",
            "file:///srv/modules,off",
            SourceRedirected,
            MEDIUM,
        ),
        ("GOINSECURE", "*.corp.example", InsecureTransport, HIGH),
        ("GO111MODULE", "off", SourceRedirected, HIGH),
        ("GOFLAGS", "-toolexec=/tmp/evil", CodeInSettings, MEDIUM),
        ("GOFLAGS", "-toolexec=/h/p/evil", CodeInSettings, HIGH),
        ("GOFLAGS", "-toolexec=./evil", CodeInSettings, HIGH),
        (
            "GOFLAGS",
            "-toolexec=/tmp/../h/p/evil",
            CodeInSettings,
            HIGH,
        ),
        ("GOFLAGS", "-insecure", InsecureTransport, HIGH),
        ("GOFLAGS", "-mod=mod", SourceRedirected, MEDIUM),
        ("GOFLAGS", "-overlay=/tmp/o.json", SourceRedirected, HIGH),
        ("GOFLAGS", "-modfile=other.mod", SourceRedirected, HIGH),
        ("GOFLAGS", "-not-known-yet", CodeInSettings, MEDIUM),
        ("GOAUTH", "netrc; /tmp/steal", CodeInSettings, MEDIUM),
        ("GOCACHEPROG", "/opt/cache", CodeInSettings, MEDIUM),
        ("GOVCS", "*:all", CodeInSettings, MEDIUM),
        (
            "GOVCS",
            "private:all,public:git|bzr",
            CodeInSettings,
            MEDIUM,
        ),
        ("GOTOOLCHAIN", "path", CodeInSettings, MEDIUM),
        ("GOTOOLCHAIN", "go1.26.1+path", CodeInSettings, MEDIUM),
        ("GOTOOLCHAIN", "go1.26.1-mine", CodeInSettings, MEDIUM),
        ("GOROOT", "/h/p/go", CodeInSettings, HIGH),
        ("GOWORK", "/elsewhere/go.work", SourceRedirected, HIGH),
        ("CC", "/opt/evil/cc", CodeInSettings, MEDIUM),
        ("CC", "./cc", CodeInSettings, HIGH),
        ("CXX", "clang++ -fplugin=evil.so", CodeInSettings, MEDIUM),
        ("PKG_CONFIG", "/h/p/pkg-config", CodeInSettings, HIGH),
        (
            "CGO_CFLAGS",
            "-O2 -fplugin=/tmp/evil.so",
            CodeInSettings,
            MEDIUM,
        ),
        ("CGO_LDFLAGS", "-fuse-ld=/tmp/ld", CodeInSettings, MEDIUM),
        ("CGO_LDFLAGS", "-Wl,-plugin,/h/p/x.so", CodeInSettings, HIGH),
        ("CGO_LDFLAGS", "-lm -L/h/p/lib", CodeInSettings, HIGH),
        (
            "CGO_LDFLAGS",
            "-L /h/go/pkg/mod/x/lib -lx",
            CodeInSettings,
            HIGH,
        ),
        (
            "CGO_LDFLAGS",
            "-Wl,-rpath,/h/p/../p/lib",
            CodeInSettings,
            HIGH,
        ),
        ("CGO_LDFLAGS", "/h/p/evil.o", CodeInSettings, HIGH),
        ("CGO_LDFLAGS", "-L/opt/x -Llib", CodeInSettings, MEDIUM),
        ("CGO_CFLAGS", "-I/h/go/pkg/mod/x", CodeInSettings, HIGH),
        ("CGO_CPPFLAGS", "-include ./evil.h", CodeInSettings, HIGH),
        ("CGO_CXXFLAGS", "-isystem/h/p", CodeInSettings, HIGH),
        ("GOSUMDB", "off ", SourceRedirected, HIGH),
        ("CGO_LDFLAGS_ALLOW", ".*", CodeInSettings, MEDIUM),
    ] {
        let told = World::variable(name, value).told();
        let expected = vec![(code, severity, format!("env:{name}"))];
        assert_eq!(told, expected, "{name}={value}");
    }
}

#[test]
fn genuine_settings_are_quiet() {
    for (name, value) in [
        ("GOSUMDB", "known.example"),
        ("GOSUMDB", "known.example https://known.example/sumdb"),
        ("GONOSUMDB", "corp.example,*.corp.example"),
        ("GOPRIVATE", "git.corp.example/*,corp.example/team"),
        ("GOPROXY", "https://known.example,direct"),
        ("GOPROXY", "https://known.example|direct"),
        ("GOPROXY", "https://known.example"),
        ("GOPROXY", "off"),
        ("GO111MODULE", "on"),
        (
            "GOFLAGS",
            "-mod=readonly -modcacherw -trimpath '-ldflags=-s -w'",
        ),
        ("GOAUTH", "netrc"),
        ("GOAUTH", "git /home/u/src; off"),
        ("GOVCS", "public:git,private:all"),
        ("GOVCS", "*:git|hg"),
        ("GOVCS", "public:off"),
        ("GOTOOLCHAIN", "local"),
        ("GOTOOLCHAIN", "auto"),
        ("GOTOOLCHAIN", "go1.26.3+auto"),
        ("GOTOOLCHAIN", "go1.27rc1"),
        ("GOROOT", "/usr/local/go"),
        ("GOWORK", "off"),
        ("GOWORK", "/h/p/go.work"),
        ("GOMODCACHE", "/h/p/.cache/mod"),
        ("CC", "clang"),
        ("CC", "/usr/bin/gcc-14 -m64"),
        ("CC", "zig cc -target x86_64-linux-musl"),
        ("CGO_CFLAGS", "-g -O2 -I/opt/native/include -DX=1"),
        (
            "CGO_LDFLAGS",
            "-L/opt/native/lib -lnative -Wl,-rpath,/opt/native/lib",
        ),
        ("CGO_LDFLAGS", "-fuse-ld=mold"),
        ("CGO_LDFLAGS", "-L /opt/lib -Wl,-rpath,/opt/lib -lx -lm"),
        ("CGO_CFLAGS", "-O2 -isystem /opt/include -std=c11 -Wall"),
        ("PKG_CONFIG", "pkgconf"),
    ] {
        assert_eq!(World::variable(name, value).told(), [], "{name}={value}");
    }
}

#[test]
fn a_folder_as_the_only_proxy_leaves_toolchains_unjudged() {
    let told = World::variable("GOPROXY", "file:///srv/modules").told();
    let codes: Vec<Code> = told.iter().map(|(code, ..)| *code).collect();
    assert_eq!(
        codes,
        [Code::SourceRedirected, Code::ChecksumDatabaseDisabled]
    );
    let mut local = World::variable("GOPROXY", "file:///srv/modules");
    local.env = local.env.set("GOTOOLCHAIN", "local");
    assert_eq!(local.told().len(), 1);
}

#[test]
fn an_unknown_proxy_is_grave_where_no_log_judges() {
    let mut world = World::variable("GOPROXY", "https://evil.example");
    world.env = world.env.set("GOSUMDB", "off");
    let found = world.told();
    let proxy = found.iter().find(|(_, _, at)| at == "env:GOPROXY").unwrap();
    assert_eq!((proxy.0, proxy.1), (Code::SourceRedirected, HIGH));
}

#[test]
fn files_are_named_with_the_line_that_counts() {
    let world = World::user("# mine\nGOFLAGS=-toolexec=/a\nGOSUMDB=off\nGOFLAGS=-toolexec=/b\n");
    let told = world.told();
    assert_eq!(
        told,
        [
            (
                Code::ChecksumDatabaseDisabled,
                HIGH,
                "/h/.config/go/env:3".into()
            ),
            (Code::CodeInSettings, MEDIUM, "/h/.config/go/env:4".into()),
        ]
    );
    // The environment is stronger, and GOENV moves the file or leaves it out.
    let mut world = World::user("GOSUMDB=off\n");
    world.env = world.env.set("GOSUMDB", "known.example");
    assert_eq!(world.told(), []);
    let mut world = World::user("GOSUMDB=off\n");
    world.env = world.env.set("GOENV", "off");
    assert_eq!(world.told(), []);
    // A file of settings within a scanned project is of others.
    let mut world = World::variable("GOENV", "/h/p/env");
    world.disk.file("/h/p/env", "GOAUTH=/bin/helper\n");
    assert_eq!(
        world.told(),
        [(Code::CodeInSettings, HIGH, "/h/p/env:1".into())]
    );
}

#[test]
fn settings_of_the_installation_that_the_users_file_names_count() {
    let mut world = World::user("GOROOT=/opt/go\n");
    world.env = world.env.set("GOROOT", "/usr/local/go");
    world.disk.file("/opt/go/go.env", "GOSUMDB=off\n");
    assert_eq!(
        world.told(),
        [(
            Code::ChecksumDatabaseDisabled,
            HIGH,
            "/opt/go/go.env:1".into()
        )]
    );
}

#[test]
fn another_installation_than_that_of_the_program_is_told() {
    let told = [(Code::CodeInSettings, MEDIUM)];
    let codes = |world: &World| -> Vec<(Code, Severity)> {
        let told = world.told().into_iter();
        told.map(|(code, severity, _)| (code, severity)).collect()
    };
    assert_eq!(codes(&World::user("GOROOT=/opt/go\n")), told);
    let with = |mut world: World| {
        for file in ["/usr/lib/go/bin/go", "/usr/lib/go/go.env", "/opt/go/go.env"] {
            world.disk.file(file, "");
        }
        world.env = world.env.set("PATH", "/usr/lib/go/bin");
        world
    };
    for same in ["/usr/lib/go", "/usr/lib/go/"] {
        assert_eq!(codes(&with(World::variable("GOROOT", same))), []);
        assert_eq!(codes(&with(World::user(&format!("GOROOT={same}\n")))), []);
    }
    assert_eq!(codes(&with(World::variable("GOROOT", "/opt/go"))), told);
    assert_eq!(codes(&with(World::user("GOROOT=/opt/go\n"))), told);
}

#[test]
fn toolchains_that_a_project_names() {
    for quiet in ["go1.26.3", "go1.27rc2", "default", "go1.21"] {
        let text = format!("module registry.example/p\n\ngo 1.26\n\ntoolchain {quiet}\n");
        assert_eq!(World::project(&text).told(), [], "{quiet}");
    }
    let text = "module registry.example/p\n\ngo 1.26\n\ntoolchain go1.26.3-evil\n";
    let told = World::project(text).told();
    assert_eq!(told, [(Code::CodeInSettings, HIGH, "/h/p/go.mod:5".into())]);
    let mut local = World::project(text);
    local.env = local.env.set("GOTOOLCHAIN", "local");
    assert_eq!(local.told(), []);
    let mut work = World::new();
    work.disk
        .file("/h/p/sub/go.work", "go 1.26\n\ntoolchain go1.26.3-evil\n");
    assert_eq!(work.told().len(), 1);
}

#[test]
fn without_go_nothing_is_read() {
    let mut world = World::variable("GOSUMDB", "off");
    world.disk = Disk::of(1000, 1000);
    let report = GoPosture.examine(&PostureContext {
        env: &world.env,
        fs: &world.disk,
        projects: &[("/h/p".into(), RootId::new("project"))],
        folders: &[],
        described: &std::collections::BTreeSet::new(),
        excluded: &|_| false,
        caches: &[],
        standing: &|_| None,
        log_stands: &|_| false,
    });
    assert!(report.findings.is_empty() && report.read.is_empty());
}
