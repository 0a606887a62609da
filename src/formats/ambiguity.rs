//! Places where an archive leaves room for interpretation, collected with a bound.
//!
//! A reader of this folder goes on where real tools go on, and records here what another tool might read
//! otherwise. Whether that is a finding is decided by the ecosystem, which knows the tools that read there.

/// What an ambiguity can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Unusual, but the readers known to us extract the same content to the same place on this system.
    Odd,
    /// Two real readers can extract different content, different names or a different set of members.
    Splits,
}

/// A kind of ambiguity that knows its weight.
pub trait Weighed {
    /// How much it matters.
    fn weight(&self) -> Weight;
}

/// One ambiguity: the member it concerns (empty for the archive as a whole) and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguity<K> {
    /// Name of the member, as the archive spells it.
    pub entry: Box<[u8]>,
    /// What is ambiguous.
    pub kind: K,
}

/// The ambiguities of one archive in the order of reading. At most [`Ambiguities::KEPT`] are kept, those that
/// split readers first in line: an archive cannot hide one of them behind a flood of oddities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguities<K> {
    kept: Vec<Ambiguity<K>>,
    odd: u64,
    splitting: u64,
}

impl<K> Default for Ambiguities<K> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            odd: 0,
            splitting: 0,
        }
    }
}

impl<K: Weighed> Ambiguities<K> {
    /// How many of each weight are kept in full; all are counted.
    pub const KEPT: u64 = 128;

    /// Records one.
    pub fn push(&mut self, entry: &[u8], kind: K) {
        let count = match kind.weight() {
            Weight::Odd => &mut self.odd,
            Weight::Splits => &mut self.splitting,
        };
        *count += 1;
        if *count <= Self::KEPT {
            self.kept.push(Ambiguity {
                entry: entry.into(),
                kind,
            });
        }
    }

    /// Those that were kept, in the order of reading.
    #[must_use]
    pub fn kept(&self) -> &[Ambiguity<K>] {
        &self.kept
    }

    /// How many were seen, kept or not.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.odd + self.splitting
    }

    /// How many were seen that let two readers extract different content.
    #[must_use]
    pub const fn splitting(&self) -> u64 {
        self.splitting
    }

    /// The first that lets two readers extract different content.
    pub fn first_splitting(&self) -> Option<&Ambiguity<K>> {
        self.kept.iter().find(|a| a.kind.weight() == Weight::Splits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weighed for Weight {
        fn weight(&self) -> Weight {
            *self
        }
    }

    #[test]
    fn a_flood_of_oddities_hides_nothing() {
        let mut all = Ambiguities::default();
        for _ in 0..10_000 {
            all.push(b"x", Weight::Odd);
        }
        assert_eq!(all.first_splitting(), None);
        all.push(b"y", Weight::Splits);
        assert_eq!(all.total(), 10_001);
        assert_eq!(all.splitting(), 1);
        assert_eq!(all.first_splitting().map(|a| &*a.entry), Some(&b"y"[..]));
        assert_eq!(all.kept().len() as u64, Ambiguities::<Weight>::KEPT + 1);
    }
}
