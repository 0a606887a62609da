//! `untaint schema NAME`.

use crate::cli::args::SchemaArgs;
use crate::cli::exit::Exit;
use crate::cli::{Ports, fail, print};
use crate::pipeline::report::schema;

/// Prints the JSON Schema of a format.
pub(in crate::cli) fn run(args: &SchemaArgs, ports: &Ports<'_>) -> Exit {
    match schema::named(&args.name) {
        Some(text) => print(ports, text.as_bytes()),
        None => fail(
            ports,
            &format!(
                "no schema of the name '{}': known are {}",
                args.name,
                schema::NAMES.join(", ")
            ),
        ),
    }
}
