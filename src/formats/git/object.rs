//! Objects: a header `<kind> <length>\0`, then the content; loose ones are one zlib stream each, named by the hash of both.

use super::inflate::inflate;
use super::oid::{Hashed, Hasher};
use super::{Files, GitError, HashKind, Limits, Oid};

/// The four kinds of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A directory.
    Tree,
    /// A file's content or a link's target.
    Blob,
    /// An annotated tag.
    Tag,
}

impl Kind {
    /// The word in the header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    fn parse(word: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag]
            .into_iter()
            .find(|kind| kind.name().as_bytes() == word)
    }
}

/// An object whose bytes hash to the id that it was asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its content without the header.
    pub data: Vec<u8>,
}

/// The id of an object with this content.
#[must_use]
pub fn hash_object(hash: HashKind, kind: Kind, data: &[u8]) -> Hashed {
    let mut hasher = object_hasher(hash, kind, data.len() as u64);
    hasher.update(data);
    hasher.finish()
}

/// A hasher that has seen the header of an object of this length.
pub(super) fn object_hasher(hash: HashKind, kind: Kind, length: u64) -> Hasher {
    let mut hasher = Hasher::new(hash);
    hasher.update(format!("{} {length}\0", kind.name()).as_bytes());
    hasher
}

/// Says what is wrong if the hash of an object is not the id it is stored under.
pub(super) fn check(file: &str, oid: &Oid, hashed: Hashed) -> Result<(), GitError> {
    if hashed.collision {
        return Err(GitError::Collision {
            file: file.to_owned(),
            oid: *oid,
        });
    }
    if hashed.oid != *oid {
        return Err(GitError::Forged {
            file: file.to_owned(),
            oid: *oid,
            actual: hashed.oid,
        });
    }
    Ok(())
}

/// Where a loose object lies under an `objects` folder.
pub(super) fn loose_path(objects: &str, oid: &Oid) -> String {
    let hex = oid.to_string();
    let (fan, rest) = hex.split_at(2);
    format!("{objects}/{fan}/{rest}")
}

/// Reads the loose object at `rel` and checks that it is `oid`. With `keep` its content is returned, otherwise only hashed.
/// `None` where there is no such file.
pub(super) fn read_loose(
    files: &dyn Files,
    rel: &str,
    oid: &Oid,
    limits: &Limits,
    keep: bool,
) -> Result<Option<(Object, u64)>, GitError> {
    let Some(size) = files
        .size(rel)
        .map_err(|fault| GitError::fault(rel, fault))?
    else {
        return Ok(None);
    };
    let mut loose = Loose {
        rel,
        keep,
        most: limits.object,
        head: Vec::new(),
        body: None,
    };
    // The stream's own length is bounded by the header inside it; deflate cannot grow by more than about 1032 times.
    let most = size.saturating_mul(1040).saturating_add(64);
    let stream = inflate(files, rel, 0, most, &mut |bytes| {
        loose.take(oid.kind(), bytes)
    })?;
    let Some(body) = loose.body else {
        return Err(GitError::corrupt(rel, "it has no object header"));
    };
    if body.left != 0 {
        return Err(GitError::corrupt(
            rel,
            "an object is shorter than its header says",
        ));
    }
    if stream.consumed != size {
        return Err(GitError::corrupt(rel, "bytes follow the object"));
    }
    check(rel, oid, body.hasher.finish())?;
    Ok(Some((
        Object {
            kind: body.kind,
            data: body.data,
        },
        stream.produced,
    )))
}

struct Loose<'a> {
    rel: &'a str,
    keep: bool,
    most: u64,
    head: Vec<u8>,
    body: Option<Body>,
}

struct Body {
    kind: Kind,
    left: u64,
    hasher: Hasher,
    data: Vec<u8>,
}

impl Loose<'_> {
    fn take(&mut self, hash: HashKind, bytes: &[u8]) -> Result<(), GitError> {
        let mut bytes = bytes;
        if self.body.is_none() {
            let end = bytes.iter().position(|byte| *byte == 0);
            self.head.extend_from_slice(
                bytes
                    .get(..end.unwrap_or(bytes.len()).min(64))
                    .unwrap_or_default(),
            );
            if self.head.len() > 32 {
                return Err(GitError::corrupt(self.rel, "it has no object header"));
            }
            let Some(end) = end else { return Ok(()) };
            let (kind, length) = parse_header(&self.head)
                .ok_or_else(|| GitError::corrupt(self.rel, "its object header is malformed"))?;
            if self.keep && length > self.most {
                return Err(GitError::limit(
                    self.rel,
                    "the object is too large to hold in memory",
                ));
            }
            self.body = Some(Body {
                kind,
                left: length,
                hasher: object_hasher(hash, kind, length),
                data: Vec::new(),
            });
            bytes = bytes.get(end + 1..).unwrap_or_default();
        }
        let Some(body) = self.body.as_mut() else {
            return Ok(());
        };
        body.left = body.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            GitError::corrupt(self.rel, "an object is longer than its header says")
        })?;
        body.hasher.update(bytes);
        if self.keep {
            body.data.extend_from_slice(bytes);
        }
        Ok(())
    }
}

/// `<kind> <decimal without leading zero>`.
fn parse_header(head: &[u8]) -> Option<(Kind, u64)> {
    let space = head.iter().position(|byte| *byte == b' ')?;
    let kind = Kind::parse(head.get(..space)?)?;
    let digits = head.get(space + 1..)?;
    if digits.is_empty()
        || !digits.iter().all(u8::is_ascii_digit)
        || (digits.len() > 1 && digits.first() == Some(&b'0'))
    {
        return None;
    }
    Some((kind, std::str::from_utf8(digits).ok()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Memory, deflate};
    use super::*;

    #[test]
    fn ids_are_gits() {
        assert_eq!(
            hash_object(HashKind::Sha1, Kind::Blob, b"").oid.to_string(),
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        );
        assert_eq!(
            hash_object(HashKind::Sha1, Kind::Tree, b"").oid.to_string(),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
        assert_eq!(
            hash_object(HashKind::Sha256, Kind::Tree, b"")
                .oid
                .to_string(),
            "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
        );
    }

    #[test]
    fn a_loose_object_is_read_and_every_flipped_byte_noticed() {
        let oid = hash_object(HashKind::Sha1, Kind::Blob, b"hello\n").oid;
        let good = deflate(b"blob 6\0hello\n");
        let mut files = Memory::default();
        files.put("objects/x", good.clone());
        let read = |files: &Memory| read_loose(files, "objects/x", &oid, &Limits::default(), true);
        assert_eq!(read(&files).unwrap().unwrap().0.data, b"hello\n");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x20;
            files.put("objects/x", bad);
            // Bits of the two zlib header bytes that no reader uses leave the content as it is.
            if let Ok(Some((object, _))) = read(&files) {
                assert_eq!(object.data, b"hello\n", "byte {at}");
            }
        }
        files.put("objects/x", [good, vec![0]].concat());
        assert!(read(&files).unwrap_err().is_bad_content());
    }

    #[test]
    fn headers_are_canonical() {
        let mut files = Memory::default();
        let oid = hash_object(HashKind::Sha1, Kind::Blob, b"a").oid;
        for bad in [
            "blob 01\0a",
            "blob 2\0a",
            "blob 0\0a",
            "blob \0a",
            "blob +1\0a",
            "blub 1\0a",
            "blob 1",
            "blob 99999999999999999999\0a",
        ] {
            files.put("o", deflate(bad.as_bytes()));
            assert!(
                read_loose(&files, "o", &oid, &Limits::default(), true)
                    .unwrap_err()
                    .is_bad_content(),
                "{bad}"
            );
        }
        files.put("o", deflate(b"blob 99999999999\0a"));
        assert!(matches!(
            read_loose(&files, "o", &oid, &Limits::default(), true),
            Err(GitError::Limit { .. })
        ));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), size in 0..200_u32) {
            let oid = hash_object(HashKind::Sha1, Kind::Blob, b"never made").oid;
            let mut files = Memory::default();
            for stream in [bytes.clone(), deflate(&bytes), deflate(&[format!("blob {size}\0").as_bytes(), &bytes].concat())] {
                files.put("o", stream);
                prop_assert!(read_loose(&files, "o", &oid, &Limits::default(), true).is_err());
            }
        }
    }
}
