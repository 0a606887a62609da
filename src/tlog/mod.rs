//! Transparency-log mathematics: notes, tree heads, tiles, proofs. Pure, over one small port.
