//! Black-box tests of the Cargo side: the real program on real projects and caches, made by the real
//! cargo against a registry on the loopback interface.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests prepare the machine that the program then looks at, and fail by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod clean;
mod conformance;
mod fixtures;
mod real_cargo;
