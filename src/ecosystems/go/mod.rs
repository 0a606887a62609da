//! Go: the pure pieces. What is spelt, parsed, ordered, matched and hashed as the `go` command does it.
//!
//! | file | one idea |
//! |---|---|
//! | `escape` | module paths and versions as file and address names |
//! | `h1` | the hash of a module's files |
//! | `gosum` | `go.sum` and `go.work.sum` |
//! | `gomod` | `go.mod`: what it says, line by line |
//! | `gomod_lexer` | the words of `go.mod` and `go.work` files |
//! | `gomod_remarks` | what the comments in them say |
//! | `modulestxt` | `vendor/modules.txt` |
//! | `version` | the order of versions |
//! | `match_patterns` | the globs of GOPRIVATE and its kin |
//!
//! Facts from golang.org/x/mod and the `go` command, 1.26 and 1.27. Bytes and values in, values out; problems are
//! returned beside what could be read and never dropped.

pub mod escape;
pub mod gomod;
mod gomod_lexer;
mod gomod_remarks;
pub mod gosum;
pub mod h1;
pub mod match_patterns;
pub mod modulestxt;

pub mod version;

#[cfg(test)]
mod differential_tests;
