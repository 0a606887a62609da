//! Advisory feeds between servers, files, our state and a scan: what is taken, what is refused, and what is said.
//!
//! The server is a socket on the loopback interface that answers byte for byte what a test says; the program is the real one where a command
//! is tested, its library where a single decision is.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests prepare the machine that the program then looks at, and fail by panicking"
)]

mod asking;
mod command;
mod data;
mod named;
mod refresh;
mod scanning;
mod server;
