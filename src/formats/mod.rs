//! Byte-level readers that several ecosystems share. They take bytes and limits and return a value or a problem.
