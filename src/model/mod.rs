//! The nouns of the house: plain values without I/O, whose constructors hold their invariants.
