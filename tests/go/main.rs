//! Black-box tests of the Go side: the real program on real projects and caches, made by the real `go` command against a
//! module proxy and a transparency log on the loopback interface.
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

mod advisories;
#[path = "../support/archive.rs"]
#[expect(dead_code, reason = "what makers of other fixtures need")]
mod archive;
mod around;
mod cache;
mod clean;
mod fixtures;
mod goenv;
mod guard;
mod healing;
mod healing_back;
mod healing_gaps;
mod healing_table;
mod litter;
mod log;
mod log_data;
mod log_head;
mod module;
#[path = "../support/pack.rs"]
mod pack;
mod proxy;
mod proxy_said;
#[path = "../support/remedy.rs"]
mod remedy;
#[path = "../support/report.rs"]
#[expect(
    dead_code,
    reason = "what the tests of other ecosystems ask of a report"
)]
mod report;
mod settings;
mod silence;
mod table;
mod table_parts;
mod taints;
mod unbounded;
mod vendor;
mod workspace;
mod world;
