//! The raw key by which the public Go checksum database is recognised.
//!
//! Only the key is compiled in. The log's name is read from a note (or from the tool's settings) and believed
//! when name and key together recompute the published key hash. Nothing here may ever learn an address.
//! Source of the fact: the verifier key that the `go` command (1.13 and later) ships.

/// The Ed25519 public key of the public Go checksum database, 32 raw bytes.
pub const PUBLIC_GO_SUMDB_KEY: [u8; 32] = [
    0xce, 0x33, 0x72, 0xd7, 0x5a, 0xd1, 0xee, 0x5e, 0xcd, 0xaf, 0x87, 0x27, 0x29, 0x3d, 0x4b, 0x11,
    0x1d, 0x87, 0xeb, 0x37, 0x53, 0x1d, 0x7c, 0x86, 0xd4, 0xd3, 0x00, 0x3f, 0x0e, 0xb8, 0x09, 0xfc,
];

/// The published key hash: the first four bytes, big endian, of the digest over name and key.
pub const PUBLIC_GO_SUMDB_KEY_HASH: u32 = 0x033d_e0ae;
