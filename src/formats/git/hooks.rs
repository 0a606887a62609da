//! Hooks: any file in `hooks/` that does not end in `.sample`. A clone made by a package manager has none.

use super::{Item, ItemKind};

/// A hook that git could start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hook {
    /// Its file name.
    pub name: Vec<u8>,
    /// Whether it could run as it is: executable, or a link to something.
    pub armed: bool,
}

/// The hooks among the entries of a `hooks` folder, by name. Folders and devices are none.
#[must_use]
pub fn active(items: &[Item]) -> Vec<Hook> {
    let mut hooks: Vec<Hook> = items
        .iter()
        .filter(|item| !item.name.ends_with(b".sample"))
        .filter_map(|item| {
            let armed = match item.kind {
                ItemKind::File { executable, .. } => executable,
                ItemKind::Link => true,
                ItemKind::Directory | ItemKind::Other => return None,
            };
            Some(Hook {
                name: item.name.clone(),
                armed,
            })
        })
        .collect();
    hooks.sort();
    hooks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_sleep() {
        let file = |name: &str, executable| Item {
            name: name.into(),
            kind: ItemKind::File {
                size: 1,
                executable,
            },
        };
        let items = [
            file("pre-commit.sample", true),
            file("README.sample", false),
            file("post-checkout", true),
            file("fsmonitor", false),
            Item {
                name: b"pre-push".to_vec(),
                kind: ItemKind::Link,
            },
            Item {
                name: b"folder".to_vec(),
                kind: ItemKind::Directory,
            },
        ];
        let found: Vec<_> = active(&items)
            .into_iter()
            .map(|hook| (String::from_utf8(hook.name).unwrap(), hook.armed))
            .collect();
        assert_eq!(
            found,
            [
                ("fsmonitor".into(), false),
                ("post-checkout".into(), true),
                ("pre-push".into(), true)
            ]
        );
    }
}
