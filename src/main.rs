//! The real world in, an exit code out.

use std::process::ExitCode;

use untaint::cli::{self, Ports};
use untaint::world::real::{ProcessEnv, SystemFs, SystemSinks, arguments};

fn main() -> ExitCode {
    let env = ProcessEnv::new();
    let ports = Ports {
        env: &env,
        fs: &SystemFs,
        sinks: &SystemSinks,
    };
    ExitCode::from(cli::run(arguments(), &ports).code())
}
