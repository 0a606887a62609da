//! An agent for launchd, to be printed: `~/Library/LaunchAgents/untaint.schedule.plist`.
//!
//! By launchd.plist(5).

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use super::Job;

/// The property list.
///
/// # Errors
/// A word that no property list can hold.
pub fn agent(job: &Job) -> Result<String, String> {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n  <key>Label</key><string>untaint.schedule</string>\n  <key>ProgramArguments</key>\n  <array>\n",
    );
    for word in job.plain()? {
        let _ = writeln!(out, "    <string>{}</string>", escaped(&word)?);
    }
    out.push_str("  </array>\n");
    if !job.variables.is_empty() {
        out.push_str("  <key>EnvironmentVariables</key>\n  <dict>\n");
        for (name, value) in &job.variables {
            let value = escaped(value.as_bytes())?;
            let _ = writeln!(out, "    <key>{name}</key><string>{value}</string>");
        }
        out.push_str("  </dict>\n");
    }
    let _ = write!(
        out,
        "  <key>StartCalendarInterval</key>\n  <dict>\n    <key>Hour</key><integer>{}</integer>\n    <key>Minute</key><integer>{}</integer>\n  </dict>\n  <key>LowPriorityIO</key><true/>\n  <key>Nice</key><integer>10</integer>\n</dict>\n</plist>\n",
        job.at.hour, job.at.minute
    );
    Ok(out)
}

fn escaped(word: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(word).map_err(|_| {
        format!(
            "{}: a path that is not UTF-8 fits into no property list",
            String::from_utf8_lossy(word)
        )
    })?;
    Ok(text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::super::job::tests::hard;
    use super::*;

    #[test]
    fn words_cannot_leave_their_string() {
        let mut job = hard();
        assert!(agent(&job).unwrap_err().contains("UTF-8"));
        job.roots = vec![("cargo".into(), "/h/</string><string>&".into())];
        let text = agent(&job).unwrap();
        assert!(
            text.contains("<string>cargo=/h/&lt;/string&gt;&lt;string&gt;&amp;</string>"),
            "{text}"
        );
        assert!(text.contains("<integer>3</integer>") && text.contains("<integer>7</integer>"));
        assert_eq!(
            text.matches("<string>").count(),
            text.matches("</string>").count()
        );
    }
}
