//! When a unit was made, by the times of its files: what is newer than a tainted unit may have been built with it, whatever
//! its fingerprint says, since cargo compares what a fingerprint lists as dependencies with nothing.
//!
//! Times are modification times in nanoseconds since 1970; cargo leaves them alone once a unit is made (1.95).

/// Times of a unit's files.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    /// Of objects: the first and the last.
    objects: Option<(i128, i128)>,
    /// Of what is written beside them.
    records: Option<(i128, i128)>,
}

fn wider(span: Option<(i128, i128)>, at: i128) -> Option<(i128, i128)> {
    let (first, last) = span.unwrap_or((at, at));
    Some((first.min(at), last.max(at)))
}

impl Made {
    /// Something that others are built with was written.
    pub(super) fn object(&mut self, at: i128) {
        self.objects = wider(self.objects, at);
    }

    /// Something was written down of it.
    pub(super) fn record(&mut self, at: i128) {
        self.records = wider(self.records, at);
    }

    /// From when on others could be built with it.
    pub(super) fn since(&self) -> Option<i128> {
        self.objects.or(self.records).map(|(first, _)| first)
    }

    /// When it was last written.
    pub(super) fn until(&self) -> Option<i128> {
        let last = |span: Option<(i128, i128)>| span.map(|(_, last)| last);
        last(self.objects).max(last(self.records))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_can_use_it_from_its_first_object_on() {
        let mut made = Made::default();
        assert_eq!((made.since(), made.until()), (None, None));
        made.record(3);
        assert_eq!((made.since(), made.until()), (Some(3), Some(3)));
        made.object(7);
        made.object(5);
        made.record(9);
        assert_eq!((made.since(), made.until()), (Some(5), Some(9)));
    }
}
