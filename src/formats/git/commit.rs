//! Commit objects: `tree`, `parent`s, then people and a message that nothing here reads.

use super::{HashKind, Oid};

/// What a commit names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: Oid,
    /// Its parents, in order.
    pub parents: Vec<Oid>,
}

/// Reads a commit's first lines.
///
/// # Errors
/// The rule that is broken.
pub fn parse(hash: HashKind, bytes: &[u8]) -> Result<Commit, &'static str> {
    const ENDS: &str = "a commit ends early";
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let id = |text: &[u8]| {
        Oid::from_hex(text)
            .ok()
            .filter(|oid| oid.kind() == hash)
            .ok_or("a commit holds a malformed id")
    };
    let tree = id(lines
        .next()
        .and_then(|line| line.strip_prefix(b"tree "))
        .ok_or("a commit does not begin with its tree")?)?;
    let mut parents = Vec::new();
    for line in lines {
        if let Some(parent) = line.strip_prefix(b"parent ") {
            parents.push(id(parent)?);
        } else if line.starts_with(b"author ") {
            return Ok(Commit { tree, parents });
        } else {
            return Err("a commit does not name its author");
        }
    }
    Err(ENDS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OID: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn trees_and_parents() {
        let text =
            format!("tree {OID}\nparent {OID}\nparent {OID}\nauthor a <a> 0 +0000\n\ntree x\n");
        let commit = parse(HashKind::Sha1, text.as_bytes()).unwrap();
        assert_eq!(
            (commit.tree.to_string().as_str(), commit.parents.len()),
            (OID, 2)
        );
        assert!(parse(HashKind::Sha256, text.as_bytes()).is_err());
        for bad in [
            "",
            "tree x\n",
            &format!("parent {OID}\n"),
            &format!("tree {OID}"),
            &format!("tree {OID}\nparent x\nauthor a\n"),
        ] {
            assert!(parse(HashKind::Sha1, bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(HashKind::Sha1, &[b"tree ", bytes.as_slice()].concat());
        }
    }
}
