//! Who holds a file lock, for a message: `/proc/locks` of Linux (proc(5)) names process, device and inode of each.
//!
//! Only ever a hint for people; elsewhere, and where the system hides it, nobody is named.

use std::os::fd::OwnedFd;

/// Process number and name of whoever holds a lock on this file.
pub(super) fn of(handle: &OwnedFd) -> Option<String> {
    let stat = rustix::fs::fstat(handle).ok()?;
    let inode = stat.st_ino.to_string();
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    let process = table.lines().find_map(|line| holder(line, &inode))?;
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    let name = crate::model::text::printable(name.trim_end());
    Some(if name.is_empty() {
        format!("process {process}")
    } else {
        format!("process {process} ({name})")
    })
}

/// `1: FLOCK  ADVISORY  WRITE 4242 08:01:131074 0 EOF`: the fifth word, if the sixth ends in the inode.
fn holder<'a>(line: &'a str, inode: &str) -> Option<&'a str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let place = words.get(5)?;
    let same = place.rsplit(':').next() == Some(inode);
    let process = words.get(4).copied()?;
    (same && process.bytes().all(|b| b.is_ascii_digit()) && !words.contains(&"->"))
        .then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_read_from_the_systems_table() {
        let line = "3: FLOCK  ADVISORY  WRITE 4242 08:01:131074 0 EOF";
        assert_eq!(holder(line, "131074"), Some("4242"));
        assert_eq!(holder(line, "31074"), None);
        assert_eq!(
            holder("3: -> FLOCK ADVISORY WRITE 7 08:01:131074 0 EOF", "131074"),
            None
        );
        assert_eq!(holder("", "1"), None);
    }
}
