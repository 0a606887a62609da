//! A line in the user's crontab, between two marks of ours.
//!
//! By crontab(5) of Vixie cron and cronie: the rest of a line goes to `sh`, an unescaped `%` ends it.

use super::Job;
use crate::model::shell;

const BEGIN: &str = "# begin untaint schedule";
const END: &str = "# end untaint schedule";

/// Our part of a crontab, marks included.
///
/// # Errors
/// A word that no crontab can hold.
pub fn block(job: &Job) -> Result<Vec<u8>, String> {
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = Vec::new();
    for (name, value) in &job.variables {
        command.push(format!("{name}={}", shell::quote(value.as_bytes())));
    }
    for word in job.plain()? {
        // Bytes that are no text are written as `$'…'`, which the `sh` of many systems does not know.
        if std::str::from_utf8(&word).is_err() {
            return Err(format!(
                "{}: a path that is not UTF-8 fits into no crontab",
                String::from_utf8_lossy(&word)
            ));
        }
        command.push(shell::quote(&word));
    }
    // `\\%` stands for `%`; a backslash before it would be taken for that one, so the quotes are closed between them.
    let line = command
        .join(" ")
        .replace("\\%", "\\''%")
        .replace('%', "\\%");
    Ok(format!(
        "{BEGIN}\n{} {} * * * {line}\n{END}\n",
        job.at.minute, job.at.hour
    )
    .into_bytes())
}

/// A crontab with our part in place of the one that it had, or without one. Everything else stays as it is.
///
/// # Errors
/// When one of our marks stands without the other.
pub fn edit(crontab: &[u8], block: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(crontab.len() + 200);
    let (mut inside, mut found) = (false, false);
    for line in crontab.split_inclusive(|b| *b == b'\n') {
        let bare = line.trim_ascii_end();
        match (inside, bare == BEGIN.as_bytes(), bare == END.as_bytes()) {
            (false, true, _) if !found => (inside, found) = (true, true),
            (true, _, true) => inside = false,
            (false, false, false) => out.extend_from_slice(line),
            (true, false, false) => {}
            _ => {
                return Err(
                    "the marks of untaint in the crontab are torn: mend it with `crontab -e`"
                        .to_owned(),
                );
            }
        }
    }
    if inside {
        return Err(
            "the marks of untaint in the crontab are torn: mend it with `crontab -e`".to_owned(),
        );
    }
    if let Some(block) = block {
        if out.last().is_some_and(|b| *b != b'\n') {
            out.push(b'\n');
        }
        out.extend_from_slice(block);
    }
    Ok(out)
}

/// Our part of a crontab.
pub fn installed(crontab: &[u8]) -> Option<Vec<u8>> {
    let without = edit(crontab, None).ok()?;
    let text = String::from_utf8_lossy(crontab);
    let begin = text.find(BEGIN)?;
    let rest = text.get(begin..)?;
    let end = rest.find(END)?;
    (without.len() < crontab.len()).then(|| {
        let mut block = rest.get(..end).unwrap_or_default().as_bytes().to_vec();
        block.extend_from_slice(END.as_bytes());
        block.push(b'\n');
        block
    })
}

#[cfg(test)]
mod tests {
    use super::super::job::tests::hard;
    use super::*;

    #[test]
    fn hard_words_arrive_through_a_shell() {
        let mut job = hard();
        job.roots = vec![("cargo".into(), "/h/50% \"of\" $HOME's".into())];
        let text = String::from_utf8(block(&job).unwrap()).unwrap();
        let line = text.lines().nth(1).unwrap();
        assert!(line.starts_with("7 3 * * * UNTAINT_HOME='/h/50\\% home' '/opt/un taint/untaint' schedule run --cache "), "{line}");
        assert!(
            line.contains(r#"'cargo=/h/50\% "of" $HOME'\''s'"#),
            "{line}"
        );
        assert!(block(&hard()).unwrap_err().contains("UTF-8"));
    }

    /// What cron hands to `sh` (cronie 1.7, `do_command.c`): an unescaped `%` ends the command.
    fn as_cron_reads(line: &str) -> String {
        let (mut out, mut escaped) = (String::new(), false);
        for c in line.chars() {
            match (escaped, c) {
                (true, '%') => {
                    out.pop();
                    out.push('%');
                    escaped = false;
                }
                (true, other) => {
                    out.push(other);
                    escaped = false;
                }
                (false, '%') => break,
                (false, other) => {
                    out.push(other);
                    escaped = other == '\\';
                }
            }
        }
        out
    }

    #[test]
    fn no_path_ends_the_line_early() {
        for odd in ["/a\\%b", "/a\\\\%b", "/%%", "/it's%\\%'%", "/\\", "/a%\\"] {
            let mut job = hard();
            job.roots = vec![("cargo".into(), odd.into())];
            (job.metrics, job.notify, job.webhook) = (None, None, None);
            let text = String::from_utf8(block(&job).unwrap()).unwrap();
            let read = as_cron_reads(text.lines().nth(1).unwrap());
            let quoted = read.replace("\\''%", "\\%");
            let whole = format!(
                "--cache {} --heal",
                shell::quote(format!("cargo={odd}").as_bytes())
            );
            assert!(
                quoted.contains(&whole.replace("\\''%", "\\%")),
                "{odd}: {read}"
            );
            assert!(read.ends_with("--cool-down 3600s"), "{odd}: {read}");
        }
    }

    #[test]
    fn everything_else_in_a_crontab_stays() {
        let own = b"# begin untaint schedule\n1 2 * * * x\n# end untaint schedule\n";
        for before in [&b""[..], b"MAILTO=me\n0 0 * * * y\n", b"0 0 * * * y"] {
            let with = edit(before, Some(own)).unwrap();
            assert_eq!(installed(&with).unwrap(), own);
            let twice = edit(&with, Some(own)).unwrap();
            assert_eq!(twice, with);
            let mut expected = before.to_vec();
            if !before.is_empty() && !before.ends_with(b"\n") {
                expected.push(b'\n');
            }
            assert_eq!(edit(&with, None).unwrap(), expected);
            assert_eq!(installed(before), None);
        }
    }

    #[test]
    fn torn_marks_are_not_guessed_at() {
        for torn in [
            &b"# begin untaint schedule\n1 2 * * * x\n"[..],
            b"1 2 * * * x\n# end untaint schedule\n",
            b"# begin untaint schedule\n# begin untaint schedule\n# end untaint schedule\n",
        ] {
            assert!(edit(torn, None).is_err());
            assert_eq!(installed(torn), None);
        }
    }
}
