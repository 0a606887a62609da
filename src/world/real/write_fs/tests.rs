//! The port on the real disk.
