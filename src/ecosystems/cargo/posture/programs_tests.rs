//! Settings that name a program: which are told, and which never run anything.

use std::path::Path;

use super::super::file;
use super::*;

/// Severities of the findings about settings of a scanned tree.
fn tree(text: &str) -> Vec<Severity> {
    let mut source = Source::variable("X", Path::new("/p"));
    source.scanned = true;
    found(text, &source)
}

fn found(text: &str, source: &Source) -> Vec<Severity> {
    let file = file::parse(Path::new("/p/.cargo/config.toml"), text.as_bytes()).unwrap();
    file.entries
        .iter()
        .filter_map(|entry| judge(entry, source))
        .map(|finding| {
            assert_eq!(finding.code, Code::CodeInSettings);
            finding.severity
        })
        .collect()
}

#[test]
fn wrappers_and_compilers_run_code() {
    for text in [
        "[build]\nrustc-wrapper = './evil.sh'",
        "[build]\nrustc-workspace-wrapper = 'x'",
        "[build]\nrustc = 'x'",
        "build.rustdoc = 'x'",
        "doc.browser = ['x', 'y']",
        "[target.x86_64-unknown-linux-gnu]\nlinker = './ld.sh'",
        "[target.'cfg(all())']\nrunner = ['sh', '-c', 'evil']",
        "[target.x]\nrunner = 'qemu-arm -plugin /p/evil.so'",
        "[host]\nlinker = './x'",
        "[build]\nrustflags = ['-C', 'linker=./x']",
        "[build]\nrustflags = '-Clinker=/p/x -g'",
        "[target.x]\nrustflags = ['-Clink-arg=-fuse-ld=/p/x']",
        "[build]\nrustflags = ['-Zcodegen-backend=/p/x.so']",
        "[build]\nrustflags = ['-Clink-arg=/tmp/evil.o']",
        "[build]\nrustflags = ['--sysroot=/tmp/evil']",
        "[build]\nrustflags = '@/tmp/args'",
        "[target.x]\nrustflags = ['-L', 'native=/tmp/evil']",
        "[build]\nrustdocflags = ['--extern', 'a=/tmp/a.rlib']",
        "[profile.dev.package.a]\nrustflags = ['-L/tmp/evil']",
        "[build]\nrustflags = ['-Clinker=clang', '-L/tmp/evil']",
        "[target.x.foo]\nrustc-link-lib = ['foo']",
        "[target.x.foo]\nrustc-link-search = ['/tmp/evil']",
        "[registry]\nglobal-credential-providers = ['cargo:token', '/p/x --y']",
        "[registry]\nglobal-credential-providers = ['cargo:token-from-stdout /p/x']",
        "[registries.a]\ncredential-provider = ['x', '{index_url}']",
        "[credential-alias]\na = ['x']",
        "[env]\nLD_PRELOAD = '/p/x.so'",
        "[env]\nPATH = { value = 'bin', relative = true, force = true }",
    ] {
        assert_eq!(tree(text), [Severity::High], "{text}");
        let user = Source::variable("X", Path::new("/p"));
        assert_eq!(found(text, &user), [Severity::Medium], "{text}");
    }
}

#[test]
fn choosing_a_tool_of_the_tool_chain_is_shown_and_no_more() {
    for text in [
        "[target.x]\nlinker = 'aarch64-linux-gnu-gcc'",
        "[target.x]\nlinker = 'rust-lld'",
        "[target.x]\nrunner = 'probe-rs run --chip X'",
        "[target.x]\nrunner = ['qemu-system-arm', '-cpu', 'y', '-kernel']",
        "[build]\nrustflags = ['-C', 'linker=clang']",
        "[build]\nrustflags = ['-C', 'link-arg=-Tlink.x']",
        "[env]\nCC = '/usr/bin/gcc'",
    ] {
        assert_eq!(tree(text), [Severity::Medium], "{text}");
    }
}

#[test]
fn what_runs_nothing_is_nothing() {
    for text in [
        "[build]\nrustc-wrapper = ''",
        "[build]\nrustc-wrapper = 7",
        "[build]\nrustflags = ['-C', 'target-cpu=native', '-Clink-arg=-fuse-ld=mold', '-D', 'warnings']",
        "[build]\ntarget = 'x'\njobs = 2",
        "[alias]\nxtask = 'run -p xtask --'",
        "[net]\ngit-fetch-with-cli = true",
        "[registry]\nglobal-credential-providers = ['cargo:token', 'cargo:libsecret']",
        "[env]\nRUST_LOG = 'debug'\nCC = 'clang'",
        "[profile.release]\nlto = true",
    ] {
        assert_eq!(tree(text), [], "{text}");
    }
}
