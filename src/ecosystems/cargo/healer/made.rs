//! When a unit was made, by the times of its files: what is newer than a tainted unit may have been built with it, whatever
//! its fingerprint says, since cargo compares what a fingerprint lists as dependencies with nothing (1.95).
//!
//! Whoever owns a file sets its modification time as he likes, and its change time not at all. So something was written as
//! early as the earlier of the two says, and as late as the later one; and where a file pretends to be from after its own last
//! change, it says nothing of when it was first there.

use crate::world::Stat;

/// Nanoseconds by which clocks of file systems may differ from that of the writer.
const SLACK: i128 = 2_000_000_000;

/// Times of a unit's files, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    /// Of objects: the first and the last.
    objects: Option<(i128, i128)>,
    /// Of what is written beside them.
    records: Option<(i128, i128)>,
}

fn wider(span: Option<(i128, i128)>, stat: &Stat) -> Option<(i128, i128)> {
    let (written, changed) = (stat.mtime, stat.ctime);
    let first = if written > changed + SLACK {
        i128::MIN
    } else {
        written.min(changed)
    };
    let last = written.max(changed);
    Some(span.map_or((first, last), |(f, l)| (f.min(first), l.max(last))))
}

impl Made {
    /// Something that others are built with was written.
    pub(super) fn object(&mut self, stat: &Stat) {
        self.objects = wider(self.objects, stat);
    }

    /// Something was written down of it.
    pub(super) fn record(&mut self, stat: &Stat) {
        self.records = wider(self.records, stat);
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
    use crate::world::FileKind;

    fn at(mtime: i128, ctime: i128) -> Stat {
        Stat {
            kind: FileKind::File,
            size: 0,
            mode: 0o644,
            uid: 0,
            gid: 0,
            links: 1,
            dev: 1,
            inode: 1,
            mtime,
            ctime,
        }
    }

    #[test]
    fn others_can_use_it_from_its_first_object_on() {
        let mut made = Made::default();
        assert_eq!((made.since(), made.until()), (None, None));
        made.record(&at(3, 3));
        assert_eq!((made.since(), made.until()), (Some(3), Some(3)));
        made.object(&at(7, 7));
        made.object(&at(5, 5));
        made.record(&at(9, 9));
        assert_eq!((made.since(), made.until()), (Some(5), Some(9)));
    }

    #[test]
    fn times_that_were_set_by_hand_help_nobody() {
        let mut back = Made::default();
        back.object(&at(1, 70));
        assert_eq!((back.since(), back.until()), (Some(1), Some(70)));
        let mut ahead = Made::default();
        ahead.object(&at(90 * SLACK, 70));
        assert_eq!(ahead.since(), Some(i128::MIN));
    }
}
