//! Black-box tests of healing: the real program repairs real cargo homes from a registry on the loopback interface.

mod slice;
mod world;
