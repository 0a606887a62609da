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
    let tools = Tools::default();
    let programs = file.entries.iter();
    let programs = programs.filter_map(|entry| judge(entry, source, &tools));
    programs
        .chain(super::super::given::judge(&file, source, &tools))
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
        "[env]\nCOMPILER_PATH = 'x'",
        "[env]\nGCC_EXEC_PREFIX = 'x'",
        "[env]\nHOST_CC = 'x'",
        "[env]\nTARGET_CC = './x'",
        "[env]\nCC_x86_64_unknown_linux_gnu = 'evilcc'",
        "[env]\nCC = { value = 'gcc', relative = true }",
        "[env]\nCC = '/usr/bin/../../p/gcc'",
        "[env]\nCC = '/usr/bin/env x'",
        "[env]\nLIBRARY_PATH = 'x'",
        "[env]\nCFLAGS = '-O2 -fplugin=x'",
        "[env]\nCFLAGS = '-O2 @x'",
        "[env]\nCXXFLAGS_x = '-Bx'",
        "[env]\nLDFLAGS = '-Wl,--dynamic-linker=x'",
        "[env]\nBINDGEN_EXTRA_CLANG_ARGS = '-load x'",
        "[env]\nPROTOC = 'x'",
        "[env]\nOPENSSL_LIB_DIR = 'x'",
        "[env]\nLIBCLANG_PATH = 'x'",
        "[env]\nPYTHONPATH = 'x'",
        "[env]\nPERL5LIB = 'x'",
        "[env]\nNODE_OPTIONS = '-r x'",
        "[env]\nRUSTC_WRAPPER = 'x'",
        "[env]\nRUSTFLAGS = '-Lx'",
        "[env]\nCARGO_TARGET_X_LINKER = './x'",
        "[env]\nGIT_SSH_COMMAND = 'x'",
        "[env]\nSSH_ASKPASS = 'x'",
        "[env]\nMY_TOOL_LIB_DIR = 'x'",
        "[build]\nrustc-wrapper = '/p/sccache'",
        "[build]\nrustc-wrapper = 'sccache x'",
        "[build]\nrustflags = ['--cfg', '@args']",
        "[build]\nrustflags = ['-Clink-arg=-Wl,--dynamic-linker=x']",
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
        "[env]\nCC = 'clang'",
        "[env]\nCC_aarch64_unknown_linux_gnu = 'aarch64-linux-gnu-gcc'",
        "[env]\nRUSTC_BOOTSTRAP = '1'",
        "[build]\nrustc-wrapper = 'sccache'",
        "[build]\nrustc-workspace-wrapper = 'ccache'",
        "[build]\ntarget = 'x86_64-mine.json'",
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
        "[env]\nRUST_LOG = 'debug'\nRUST_BACKTRACE = '1'\nCARGO_TERM_COLOR = 'always'\nNODE_ENV = 'x'",
        "[env]\nCARGO_WORKSPACE_DIR = { value = '', relative = true }",
        "[env]\nCFLAGS = '-O2 -g -Wall -fPIC -DX=1 -march=native'\nLDFLAGS = '-Wl,-z,relro -s'",
        "[env]\nRUSTFLAGS = '-Ctarget-cpu=native'",
        "[env]\nPKG_CONFIG_ALLOW_CROSS = '1'\nLD_PRELOAD = ''",
        "[profile.release]\nlto = true",
    ] {
        assert_eq!(tree(text), [], "{text}");
    }
}

#[test]
fn a_variable_that_nobody_knows_is_told_and_stops_nothing() {
    let text = "[env]\nMY_APP_VERSION = '1'\nDATABASE_URL = 'sqlite:x'\nTEMPLATES_DIR = { value = 't', relative = true }\nFEATURE_FLAGS = 'a,b'";
    assert_eq!(tree(text), [Severity::Low]);
}
