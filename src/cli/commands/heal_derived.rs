//! What heal takes away of build folders, folder by folder: how much, and every program and library that somebody may miss.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::text;
use crate::pipeline::ailing::Aftermath;
use crate::pipeline::heal::plan::{Planned, Step};
use crate::pipeline::heal::record::Role;
use crate::pipeline::report::Detail;

/// One line per build folder, and with details every part.
pub(super) fn table(out: &mut String, step: &Step, aftermath: &Aftermath, detail: Detail) {
    let mut folders: BTreeMap<usize, Vec<&Planned>> = BTreeMap::new();
    for planned in step.moves.iter().filter(|m| m.role == Role::Derived) {
        folders.entry(planned.root).or_default().push(planned);
    }
    for (root, parts) in folders {
        let Some(ground) = aftermath.grounds.get(root) else {
            continue;
        };
        let shown = |rel: &std::path::Path| text::printable(&rel.to_string_lossy());
        let products: Vec<String> = parts
            .iter()
            .filter(|part| step.products.contains(&(root, part.rel.clone())))
            .map(|part| shown(&part.rel))
            .collect();
        let plural = if parts.len() == 1 { "" } else { "s" };
        let with = match products.as_slice() {
            [] => String::new(),
            all => format!(", with {}", all.join(", ")),
        };
        let unnamed = if ground.unnamed {
            " (not named by this call: an earlier scan met its project)"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "  {:<10}  {}: {} part{plural}{with}{unnamed}",
            "derived",
            shown(&ground.path),
            parts.len()
        );
        if detail == Detail::Verbose {
            for part in parts {
                let _ = writeln!(
                    out,
                    "  {:<10}    {}",
                    "",
                    shown(&ground.path.join(&part.rel))
                );
            }
        }
    }
}

/// What a person should know beside.
pub(super) fn notes(out: &mut String, notes: &[String]) {
    for note in notes {
        let _ = writeln!(out, "note: {}", text::printable(note));
    }
    if !notes.is_empty() {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_lines_of_their_own() {
        let mut out = String::new();
        notes(&mut out, &[]);
        assert_eq!(out, "");
        notes(&mut out, &["a\nb".to_owned(), "c".to_owned()]);
        assert_eq!(out.lines().count(), 3, "{out}");
        assert!(!out.contains("a\nb"));
    }
}
