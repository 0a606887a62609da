//! What a repository says is checked out: `HEAD`, through `refs/` and `packed-refs`. A claim by the suspect: it may raise a
//! finding and proves nothing. Reference tables (`extensions.refStorage = reftable`) are not read.

use super::{Files, Limits, Oid};

/// What `HEAD` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// A commit id.
    At(Oid),
    /// A branch without a commit, or no `HEAD` at all.
    Unborn,
    /// Something that cannot be read or understood.
    Unreadable,
}

/// Follows `HEAD` through at most five symbolic references.
#[must_use]
pub fn head(files: &dyn Files, limits: &Limits) -> Head {
    let mut name = "HEAD".to_owned();
    for _ in 0..5 {
        let text = match files.read(&name, limits.text) {
            Ok(Some(text)) => text,
            Ok(None) => return packed(files, limits, &name),
            Err(_) => return Head::Unreadable,
        };
        let text = text.trim_ascii_end();
        if let Ok(oid) = Oid::from_hex(text) {
            return Head::At(oid);
        }
        let target = text.strip_prefix(b"ref:").map(<[u8]>::trim_ascii_start);
        match target
            .and_then(|target| std::str::from_utf8(target).ok())
            .filter(|target| is_ref(target))
        {
            Some(target) => name = target.to_owned(),
            None => return Head::Unreadable,
        }
    }
    Head::Unreadable
}

fn packed(files: &dyn Files, limits: &Limits, name: &str) -> Head {
    // Large repositories have long lists; the bound is still small against an object's.
    let bytes = match files.read("packed-refs", limits.text.saturating_mul(16)) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Head::Unborn,
        Err(_) => return Head::Unreadable,
    };
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(space) = line.iter().position(|byte| *byte == b' ') else {
            continue;
        };
        let (oid, rest) = line.split_at_checked(space).unwrap_or_default();
        if rest
            .get(1..)
            .is_some_and(|written| written == name.as_bytes())
        {
            return Oid::from_hex(oid).map_or(Head::Unreadable, Head::At);
        }
    }
    Head::Unborn
}

/// A name that stays within `refs/`.
fn is_ref(name: &str) -> bool {
    name.starts_with("refs/")
        && !name.contains(['\\', '\0', ':'])
        && name
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::Memory;
    use super::*;

    const OID: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn heads_are_followed() {
        let mut files = Memory::default();
        let limits = Limits::default();
        assert_eq!(head(&files, &limits), Head::Unborn);
        files.put("HEAD", b"ref: refs/heads/main\n".to_vec());
        assert_eq!(head(&files, &limits), Head::Unborn);
        files.put(
            "packed-refs",
            format!("# pack-refs with: peeled\n{OID} refs/heads/main\n").into_bytes(),
        );
        let oid = Oid::from_hex(OID.as_bytes()).unwrap();
        assert_eq!(head(&files, &limits), Head::At(oid));
        files.put("refs/heads/main", format!("{OID}\n").into_bytes());
        assert_eq!(head(&files, &limits), Head::At(oid));
        files.put("HEAD", format!("{OID}\n").into_bytes());
        assert_eq!(head(&files, &limits), Head::At(oid));
        for bad in [
            "ref: refs/../../x",
            "ref: /etc/passwd",
            "x",
            "ref: refs/heads/loop",
        ] {
            files.put("HEAD", bad.as_bytes().to_vec());
            files.put("refs/heads/loop", b"ref: refs/heads/loop".to_vec());
            assert_eq!(head(&files, &limits), Head::Unreadable, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(one in prop::collection::vec(any::<u8>(), 0..60), two in "ref: ?[a-z/.]{0,20}\n?", three in "[0-9a-f ]{0,60}") {
            let mut files = Memory::default();
            files.put("HEAD", two);
            files.put("packed-refs", [three.as_bytes(), &one].concat());
            let _ = head(&files, &Limits::default());
            files.put("HEAD", one);
            let _ = head(&files, &Limits::default());
        }
    }
}
