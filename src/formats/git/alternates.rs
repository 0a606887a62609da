//! `objects/info/alternates`: further object folders, one a line. Only those that lie within the same repository folder are
//! followed (by their spelling alone); the others are reported.

use super::{Files, GitError, Limits};

/// One line of an alternates file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternate {
    /// The line as written.
    pub written: Vec<u8>,
    /// The `objects` folder it leads to, if that lies inside the repository's folder.
    pub inside: Option<String>,
}

/// The repository's `objects` folders: its own first, then what it borrows from inside its own root.
pub(super) fn folders(
    files: &dyn Files,
    limits: &Limits,
    faults: &mut Vec<GitError>,
) -> (Vec<String>, Vec<Alternate>) {
    let mut folders = vec!["objects".to_owned()];
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(folder) = folders.get(at).cloned() {
        at += 1;
        let rel = format!("{folder}/info/alternates");
        let bytes = match files.read(&rel, limits.text) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(fault) => {
                faults.push(GitError::fault(rel, fault));
                continue;
            }
        };
        for alternate in parse(&folder, &bytes) {
            if all.len() >= limits.alternates {
                faults.push(GitError::limit(
                    rel.as_str(),
                    "it names too many alternates",
                ));
                return (folders, all);
            }
            if let Some(inside) = alternate
                .inside
                .clone()
                .filter(|inside| !folders.contains(inside))
            {
                folders.push(inside);
            }
            all.push(alternate);
        }
    }
    (folders, all)
}

/// Reads the lines of an alternates file that stands in the objects folder `folder`; comments and empty lines are left out.
#[must_use]
pub fn parse(folder: &str, bytes: &[u8]) -> Vec<Alternate> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty() && line.first() != Some(&b'#'))
        .map(|line| Alternate {
            written: line.to_vec(),
            inside: std::str::from_utf8(line)
                .ok()
                .and_then(|line| join(folder, line)),
        })
        .collect()
}

/// Follows a relative path by its spelling; `None` if it is absolute, quoted or leaves the root.
fn join(folder: &str, line: &str) -> Option<String> {
    if line.starts_with(['/', '"', '~']) || line.contains(['\\', ':', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in line.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::Memory;
    use super::*;

    #[test]
    fn only_what_lies_inside_is_followed() {
        let found = parse(
            "objects",
            b"# note\n../modules/x/objects\n/abs/objects\n../../other/objects\n\n\xff\n",
        );
        let inside: Vec<_> = found
            .iter()
            .map(|alternate| alternate.inside.as_deref())
            .collect();
        assert_eq!(inside, [Some("modules/x/objects"), None, None, None]);
    }

    #[test]
    fn circles_and_crowds_end() {
        let mut files = Memory::default();
        files.put(
            "objects/info/alternates",
            b"../a/objects\n../objects\n".to_vec(),
        );
        files.put(
            "a/objects/info/alternates",
            "../../objects\n".repeat(100).into_bytes(),
        );
        let mut faults = Vec::new();
        let (found, all) = folders(&files, &Limits::default(), &mut faults);
        assert_eq!(found, ["objects", "a/objects"]);
        assert_eq!((all.len(), faults.len()), (16, 1));
    }

    proptest! {
        #[test]
        fn never_leaves_the_root(line in "[./a\\\\~:\"]{0,40}") {
            for alternate in parse("objects", line.as_bytes()) {
                if let Some(inside) = alternate.inside {
                    prop_assert!(!inside.starts_with('/') && inside.split('/').all(|part| part != ".." && !part.is_empty()));
                }
            }
        }
    }
}
