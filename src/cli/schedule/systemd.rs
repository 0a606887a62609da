//! User units for systemd: a service that runs once, and a timer that starts it.
//!
//! Quoting by systemd.syntax(7) and systemd.service(5), version 255: words in double quotes with C escapes, `%` doubled
//! against specifiers, `$` doubled against variables.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use super::Job;

/// Name of both units, without what follows the dot.
pub const UNIT: &str = "untaint-schedule";

/// The service and the timer.
///
/// # Errors
/// A word that no unit can hold.
pub fn units(job: &Job) -> Result<(Vec<u8>, Vec<u8>), String> {
    let mut service = b"# Written by untaint schedule; `untaint schedule remove` takes it away.\n[Unit]\nDescription=Audit of package caches\n\n[Service]\nType=oneshot\n".to_vec();
    let words = job.plain()?;
    for (name, value) in &job.variables {
        service.extend_from_slice(b"Environment=");
        let mut pair = name.as_bytes().to_vec();
        pair.push(b'=');
        pair.extend_from_slice(value.as_bytes());
        service.extend_from_slice(&quoted(&pair, false));
        service.push(b'\n');
    }
    service.extend_from_slice(b"ExecStart=");
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            service.push(b' ');
        }
        service.extend_from_slice(&quoted(word, true));
    }
    service.extend_from_slice(b"\nNice=10\nIOSchedulingClass=idle\n");
    let timer = format!(
        "# Written by untaint schedule; `untaint schedule remove` takes it away.\n[Unit]\nDescription=Nightly audit of package caches\n\n\
         [Timer]\nOnCalendar=*-*-* {}:00\nRandomizedDelaySec=10min\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
        job.at
    );
    Ok((service, timer.into_bytes()))
}

/// A word in double quotes; in commands `$` stands for a variable.
fn quoted(word: &[u8], command: bool) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in word {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            b'%' => out.extend(b"%%"),
            b'$' if command => out.extend(b"$$"),
            b' '..=b'~' => out.push(*byte),
            other => {
                let mut escape = String::new();
                let _ = write!(escape, "\\x{other:02x}");
                out.extend_from_slice(escape.as_bytes());
            }
        }
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::job::tests::hard;
    use super::*;

    #[test]
    fn hard_words_stay_one_word_each() {
        let (service, timer) = units(&hard()).unwrap();
        let service = String::from_utf8(service).unwrap();
        let line = service
            .lines()
            .find(|line| line.starts_with("ExecStart="))
            .unwrap();
        assert!(
            line.contains(r#""cargo=/h/50%% \"of\" $$HOME's \\n <&>;`x`\xff""#),
            "{line}"
        );
        assert!(
            line.starts_with(r#"ExecStart="/opt/un taint/untaint" "schedule" "run""#),
            "{line}"
        );
        assert!(
            line.contains(r#""mail -s 'untaint $$(hostname)' me""#),
            "{line}"
        );
        assert!(
            service.contains("Environment=\"UNTAINT_HOME=/h/50%% home\"\n"),
            "{service}"
        );
        let timer = String::from_utf8(timer).unwrap();
        assert!(timer.contains("OnCalendar=*-*-* 03:07:00\n"), "{timer}");
    }
}
