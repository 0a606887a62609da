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
    clippy::print_stdout,
    reason = "tests prepare the machine that the program then looks at, and fail by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod archives;
mod bad_input;
mod bad_state;
mod clean;
mod conformance;
mod credentials;
mod first_seen;
mod fixtures;
mod folders;
mod forged_state;
mod guard;
mod healing;
mod impact;
mod listing_rows;
mod live;
mod lock_covers;
mod many_entries;
mod names_of_places;
mod no_false_alarm;
mod private_names;
mod promises;
mod real_cargo;
mod registry_faults;
mod schedule;
mod settings_code;
mod settings_leads;
mod status;
mod taints;
mod tamper;
mod tamper_dice;
mod tamper_matrix;
mod tamper_rewrites;
mod uses;
mod weak_claims;
