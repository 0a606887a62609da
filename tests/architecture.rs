//! Holds the house to its plan: who may import whom, what a file must have, what every ecosystem brings along,
//! and that the README says what the program says.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests read the checkout they stand in, and fail by panicking"
)]

#[path = "architecture/ecosystems.rs"]
mod ecosystems;
#[path = "architecture/files.rs"]
mod files;
#[path = "architecture/hosts.rs"]
mod hosts;
#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/readme.rs"]
mod readme;
#[path = "architecture/source.rs"]
mod source;
