//! What differs between two files, for people: a unified diff of texts, a summary in bytes of anything else.
//!
//! Bounded whatever the bytes are; the same bytes give the same words. Nothing here decides anything.

use std::fmt::Write as _;

use crate::model::text;

/// Largest text of which lines are compared, in bytes.
const TEXT: usize = 512 << 10;
/// Cells of the table by which lines are matched; beyond it, what lies between the common ends is shown as replaced.
const CELLS: usize = 4 << 20;
/// Lines around a change.
const AROUND: usize = 3;
/// Longest line that is shown, in bytes.
const LONGEST: usize = 2048;

/// A line of a diff.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Same(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// Writes what differs. `old` is what lay there, `new` what was published; `None` for what is absent.
pub(super) fn write(out: &mut String, name: &str, old: Option<&[u8]>, new: Option<&[u8]>) {
    let name = text::printable(name);
    match (old.map(readable), new.map(readable)) {
        (Some(Some(old)), Some(Some(new))) => unified(out, (&name, old), (&name, new)),
        (Some(Some(old)), None) => unified(out, (&name, old), ("/dev/null", "")),
        (None, Some(Some(new))) => unified(out, ("/dev/null", ""), (&name, new)),
        _ => {
            let _ = writeln!(out, "{name}: {}", summary(old, new));
        }
    }
}

/// Text that can be shown by lines.
fn readable(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() <= TEXT && !text.contains('\0'))
}

/// Sizes, the first difference, how many bytes differ.
fn summary(old: Option<&[u8]>, new: Option<&[u8]>) -> String {
    let (Some(old), Some(new)) = (old, new) else {
        return match (old, new) {
            (Some(old), None) => format!("{} bytes that were not published", old.len()),
            (None, Some(new)) => format!("{} published bytes were missing", new.len()),
            _ => "nothing".to_owned(),
        };
    };
    let differ = old.iter().zip(new).filter(|(a, b)| a != b).count();
    let first = old.iter().zip(new).position(|(a, b)| a != b);
    match first.or((old.len() != new.len()).then(|| old.len().min(new.len()))) {
        None => format!("{} bytes, as published", old.len()),
        Some(at) => format!(
            "{} bytes, published were {}; the first difference is at byte {at}, {differ} bytes differ where both have one; there: {} and published: {}",
            old.len(),
            new.len(),
            hex_at(old, at),
            hex_at(new, at)
        ),
    }
}

/// Up to 16 bytes from a place on.
fn hex_at(bytes: &[u8], at: usize) -> String {
    let end = bytes.len().min(at.saturating_add(16));
    match bytes.get(at..end) {
        Some(some) if !some.is_empty() => crate::model::digest::hex(some),
        _ => "the end".to_owned(),
    }
}

fn unified(out: &mut String, old: (&str, &str), new: (&str, &str)) {
    if old.1 == new.1 {
        return;
    }
    let steps = steps(
        &old.1.split_inclusive('\n').collect::<Vec<_>>(),
        &new.1.split_inclusive('\n').collect::<Vec<_>>(),
    );
    let side = |name: &str, which: &str| match name {
        "/dev/null" => name.to_owned(),
        name => format!("{which}/{name}"),
    };
    let _ = writeln!(
        out,
        "--- {}\n+++ {}",
        side(old.0, "found"),
        side(new.0, "published")
    );
    let changed = |step: &Step<'_>| !matches!(step, Step::Same(_));
    let (mut at, mut lines) = (0, (0, 0));
    while let Some(first) = steps.iter().skip(at).position(changed).map(|n| n + at) {
        let start = first.saturating_sub(AROUND).max(at);
        advance(&mut lines, steps.get(at..start).unwrap_or_default());
        let mut end = first;
        while let Some(next) = steps
            .iter()
            .skip(end)
            .take(2 * AROUND + 1)
            .position(changed)
        {
            end += next + 1;
        }
        let stop = steps.len().min(end + AROUND);
        hunk(out, lines, steps.get(start..stop).unwrap_or_default());
        advance(&mut lines, steps.get(start..stop).unwrap_or_default());
        at = stop;
    }
}

fn advance(lines: &mut (usize, usize), steps: &[Step<'_>]) {
    lines.0 += steps.iter().filter(|s| !matches!(s, Step::New(_))).count();
    lines.1 += steps.iter().filter(|s| !matches!(s, Step::Old(_))).count();
}

fn hunk(out: &mut String, before: (usize, usize), steps: &[Step<'_>]) {
    let mut after = before;
    advance(&mut after, steps);
    let range = |from: usize, to: usize| match to - from {
        0 => format!("{from},0"),
        count => format!("{},{count}", from + 1),
    };
    let _ = writeln!(
        out,
        "@@ -{} +{} @@",
        range(before.0, after.0),
        range(before.1, after.1)
    );
    for step in steps {
        let (sign, line) = match step {
            Step::Same(line) => (' ', line),
            Step::Old(line) => ('-', line),
            Step::New(line) => ('+', line),
        };
        let whole = line.strip_suffix('\n');
        let shown = shown(whole.unwrap_or(line));
        let _ = writeln!(out, "{sign}{shown}");
        if whole.is_none() {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

/// A line without anything that a terminal obeys; tabs stay.
fn shown(line: &str) -> String {
    let cut = (0..=LONGEST.min(line.len()))
        .rev()
        .find(|at| line.is_char_boundary(*at));
    let (start, rest) = line
        .split_at_checked(cut.unwrap_or(0))
        .unwrap_or((line, ""));
    let mut shown = start
        .split('\t')
        .map(text::printable)
        .collect::<Vec<_>>()
        .join("\t");
    if !rest.is_empty() {
        let _ = write!(shown, " … {} more bytes", rest.len());
    }
    shown
}

fn steps<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Step<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (
        old.get(head..).unwrap_or_default(),
        new.get(head..).unwrap_or_default(),
    );
    let tail = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let old_mid = old_rest.get(..old_rest.len() - tail).unwrap_or_default();
    let new_mid = new_rest.get(..new_rest.len() - tail).unwrap_or_default();
    let same = |lines: &[&'a str]| lines.iter().copied().map(Step::Same).collect::<Vec<_>>();
    let mut all = same(old.get(..head).unwrap_or_default());
    all.extend(middle(old_mid, new_mid));
    all.extend(same(
        old_rest.get(old_rest.len() - tail..).unwrap_or_default(),
    ));
    all
}

/// Longest common subsequence of lines, where the table for it is small enough.
fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Step<'a>> {
    let width = new.len() + 1;
    if (old.len() + 1).saturating_mul(width) > CELLS {
        let gone = old.iter().copied().map(Step::Old);
        return gone.chain(new.iter().copied().map(Step::New)).collect();
    }
    let mut table = vec![0u32; (old.len() + 1) * width];
    let cell = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let best = if a == b {
                cell(&table, i + 1, j + 1) + 1
            } else {
                cell(&table, i + 1, j).max(cell(&table, i, j + 1))
            };
            if let Some(place) = table.get_mut(i * width + j) {
                *place = best;
            }
        }
    }
    let (mut i, mut j, mut all) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (None, None) => return all,
            (Some(a), Some(b)) if a == b => {
                all.push(Step::Same(a));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), other)
                if other.is_none() || cell(&table, i + 1, j) >= cell(&table, i, j + 1) =>
            {
                all.push(Step::Old(a));
                i += 1;
            }
            (_, Some(b)) => {
                all.push(Step::New(b));
                j += 1;
            }
            (Some(a), None) => {
                all.push(Step::Old(a));
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn diff(old: &str, new: &str) -> String {
        let mut out = String::new();
        write(
            &mut out,
            "src/a.rs",
            Some(old.as_bytes()),
            Some(new.as_bytes()),
        );
        out
    }

    #[test]
    fn lines_are_shown_as_a_unified_diff() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n";
        let new = old.replace("3\n", "three\n").replacen("16\n", "16\n17", 1);
        let new = new
            .replacen("13\n", "1three\n", 1)
            .replacen("1three", "13", 1);
        assert_eq!(
            diff(old, &new),
            "--- found/src/a.rs\n+++ published/src/a.rs\n@@ -1,6 +1,6 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n\
             @@ -14,3 +14,4 @@\n 14\n 15\n 16\n+17\n\\ No newline at end of file\n"
        );
        assert_eq!(diff(old, old), "");
    }

    #[test]
    fn what_is_absent_or_no_text_is_told() {
        let mut out = String::new();
        write(&mut out, "a", Some(b"x\n"), None);
        write(&mut out, "b", None, Some(b"y\n"));
        write(&mut out, "c", Some(b"\0ab"), Some(b"\0xb"));
        assert!(
            out.contains("+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n"),
            "{out}"
        );
        assert!(out.contains("--- /dev/null"), "{out}");
        assert!(
            out.contains(
                "c: 3 bytes, published were 3; the first difference is at byte 1, 1 bytes differ"
            ),
            "{out}"
        );
        let mut out = String::new();
        write(
            &mut out,
            "\x1b[2J",
            Some(b"\x1b[31mred\n"),
            Some(b"plain\n"),
        );
        assert!(!out.contains('\x1b'), "{out:?}");
    }

    proptest! {
        #[test]
        fn both_sides_can_be_read_from_a_diff(old in prop::collection::vec("[ab]{0,2}\n", 0..30), new in prop::collection::vec("[ab]{0,2}\n", 0..30)) {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            let all = steps(&old, &new);
            let left: Vec<&str> = all.iter().filter_map(|s| match s { Step::Same(l) | Step::Old(l) => Some(*l), Step::New(_) => None }).collect();
            let right: Vec<&str> = all.iter().filter_map(|s| match s { Step::Same(l) | Step::New(l) => Some(*l), Step::Old(_) => None }).collect();
            prop_assert_eq!(left, old);
            prop_assert_eq!(right, new);
        }

        #[test]
        fn no_bytes_make_it_panic(old in prop::collection::vec(any::<u8>(), 0..200), new in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut out = String::new();
            write(&mut out, "x", Some(&old), Some(&new));
        }
    }
}
