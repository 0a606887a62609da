//! What is done every night, as one command line whose every place is resolved.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A time of day in the machine's own time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl Clock {
    /// Reads `HH:MM`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let two = |digits: &str, most: u8| -> Option<u8> {
            let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            let number = digits.parse::<u8>().ok().filter(|_| plain)?;
            (number <= most).then_some(number)
        };
        Some(Self {
            hour: two(hour, 23)?,
            minute: two(minute, 59)?,
        })
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// What is done, when, and who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Our own program, absolute.
    pub program: PathBuf,
    /// Caches by the names of `--cache`, absolute, links resolved.
    pub roots: Vec<(String, PathBuf)>,
    /// When.
    pub at: Clock,
    /// Whether what is tainted is healed.
    pub heal: bool,
    /// Where metrics are written.
    pub metrics: Option<PathBuf>,
    /// Where findings are posted to.
    pub webhook: Option<String>,
    /// The shell command that is told of findings.
    pub notify: Option<String>,
    /// How long a finding must have been gone to be told again, in seconds.
    pub cool_down: Option<u64>,
    /// Variables that say where our own folders are: the timer has no other environment.
    pub variables: Vec<(&'static str, OsString)>,
}

impl Job {
    /// The words of the command that a timer runs.
    pub fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![self.program.clone().into()];
        words.extend(["schedule", "run"].map(OsString::from));
        for (name, path) in &self.roots {
            let mut root = OsString::from(format!("{name}="));
            root.push(path);
            words.extend(["--cache".into(), root]);
        }
        if self.heal {
            words.push("--heal".into());
        }
        let mut option = |name: &str, value: OsString| words.extend([name.into(), value]);
        if let Some(file) = &self.metrics {
            option("--metrics", file.clone().into());
        }
        if let Some(url) = &self.webhook {
            option("--webhook", url.into());
        }
        if let Some(command) = &self.notify {
            option("--notify", command.into());
        }
        if let Some(seconds) = self.cool_down {
            option("--cool-down", format!("{seconds}s").into());
        }
        words
    }

    /// The words as bytes; a line end or a NUL fits into no timer.
    ///
    /// # Errors
    /// The word that does not fit.
    pub fn plain(&self) -> Result<Vec<Vec<u8>>, String> {
        let fits = |word: &OsString| {
            let bytes = word.as_bytes();
            if bytes.iter().any(|b| b.is_ascii_control()) {
                return Err(format!(
                    "{word:?}: no timer can name this: it holds a control character"
                ));
            }
            Ok(bytes.to_vec())
        };
        self.variables
            .iter()
            .map(|(_, value)| value)
            .try_for_each(|value| fits(value).map(|_| ()))?;
        self.words().iter().map(fits).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    /// A job whose every word is hard to quote.
    pub(in crate::cli::schedule) fn hard() -> Job {
        let odd = OsString::from_vec(b"/h/50% \"of\" $HOME's \\n <&>;`x`\xff".to_vec());
        Job {
            program: "/opt/un taint/untaint".into(),
            roots: vec![
                ("cargo".into(), odd.into()),
                ("go".into(), "/h/go/pkg/mod".into()),
            ],
            at: Clock { hour: 3, minute: 7 },
            heal: true,
            metrics: Some("/var/m.prom".into()),
            webhook: Some("https://hooks.example/x?a=b&c=%20".into()),
            notify: Some("mail -s 'untaint $(hostname)' me".into()),
            cool_down: Some(3600),
            variables: vec![("UNTAINT_HOME", "/h/50% home".into())],
        }
    }

    #[test]
    fn clocks_are_two_digits_each() {
        assert_eq!(Clock::parse("03:07").unwrap().to_string(), "03:07");
        for bad in [
            "", "3:7", "24:00", "12:60", "12", "12:0a", "+1:00", "12:00:00",
        ] {
            assert_eq!(Clock::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_name_every_place_and_control_characters_do_not_fit() {
        let job = hard();
        let words = job.plain().unwrap();
        assert_eq!(words.iter().filter(|w| *w == b"--cache").count(), 2);
        assert!(words.contains(&b"--heal".to_vec()) && words.contains(&b"3600s".to_vec()));
        let mut broken = hard();
        broken.metrics = Some("/a\nb".into());
        assert!(broken.plain().unwrap_err().contains("control character"));
        let mut broken = hard();
        broken.variables = vec![("UNTAINT_HOME", "a\nExecStart=x".into())];
        assert!(broken.plain().is_err());
    }
}
