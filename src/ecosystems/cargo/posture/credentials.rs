//! Tokens: which registries have one and who could read it. A token's value is never kept, compared or shown.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::ecosystems::contract::{PostureContext, PostureReport};
use crate::model::{Code, Line, Severity};

use super::file::{self, File};
use super::search::real;
use super::told::{Source, short};

/// Looks at the credentials file of a cargo home (`credentials` wins over `credentials.toml`, as in cargo).
pub(super) fn of_home(home: &Path, context: &PostureContext<'_>, report: &mut PostureReport) {
    for name in ["credentials", "credentials.toml"] {
        let path = home.join(name);
        let Ok(bytes) = context.fs.read_named(&path, file::LARGEST) else {
            continue;
        };
        let Ok(file) = file::parse(&path, &bytes) else {
            // Whatever it is, it may hold a secret.
            report.problems.push(crate::model::Problem::partial(
                path.display().to_string(),
                "is no TOML: mend it, or log in anew",
            ));
            continue;
        };
        let tokens = tokens(&file);
        report.read.push(path.display().to_string());
        if tokens.is_empty() {
            return;
        }
        exposed(&path, home, &tokens, context, report);
        return;
    }
}

/// Looks for tokens in a settings file.
pub(super) fn of_settings(
    file: &File,
    source: &Source,
    home: Option<&Path>,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    let tokens = tokens(file);
    if tokens.is_empty() {
        return;
    }
    if source.scanned {
        let (names, line) = shown(&tokens);
        let mut finding = source.finding(
            Code::CredentialsExposed,
            line,
            format!("a token for {names} stands in the settings of a scanned tree"),
        );
        finding.severity = Severity::High;
        finding.remedy = Some("revoke the token, then keep a new one with `cargo login`".into());
        report.findings.push(finding);
    } else if let Some(folder) = home.or(file.path.parent()) {
        exposed(&file.path, folder, &tokens, context, report);
    }
}

/// Names of registries with a token (or the key that proves to be one), and the line.
fn tokens(file: &File) -> BTreeSet<(String, Option<Line>)> {
    file.entries
        .iter()
        .filter(|entry| entry.value.text().is_some_and(|text| !text.is_empty()))
        .filter_map(|entry| match entry.parts().as_slice() {
            ["registry", "token" | "secret-key"] => {
                Some(("the default registry".to_owned(), entry.line))
            }
            ["registries", name, "token" | "secret-key"] => {
                Some((format!("`{}`", short(name)), entry.line))
            }
            _ => None,
        })
        .collect()
}

fn shown(tokens: &BTreeSet<(String, Option<Line>)>) -> (String, Option<Line>) {
    let names: Vec<&str> = tokens.iter().map(|(name, _)| name.as_str()).collect();
    (
        names.join(", "),
        tokens.iter().filter_map(|(_, line)| *line).min(),
    )
}

fn exposed(
    path: &Path,
    folder: &Path,
    tokens: &BTreeSet<(String, Option<Line>)>,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    let (Ok(stat), Ok(above)) = (context.fs.stat_named(path), context.fs.stat_named(folder)) else {
        return;
    };
    let shared = |gid| context.env.group_has_others(gid);
    let by_all = stat.mode & 0o004 != 0 && above.mode & 0o001 != 0;
    let by_group = stat.mode & 0o040 != 0
        && shared(stat.gid)
        && (above.mode & 0o001 != 0 || (above.mode & 0o010 != 0 && shared(above.gid)));
    if !by_all && !by_group {
        return;
    }
    let (names, line) = shown(tokens);
    let home = real(context.fs, folder);
    let source = Source::file(path, folder, Some(&home), context);
    let who = if by_all {
        "every user"
    } else {
        "other members of its group"
    };
    let mut finding = source.finding(
        Code::CredentialsExposed,
        line,
        format!("{who} of this machine can read the token for {names}"),
    );
    finding.remedy = Some(format!(
        "take the right away (`chmod 600 {}`), and replace the token if others use this machine",
        crate::model::shell::quote(path.as_os_str().as_bytes())
    ));
    report.findings.push(finding);
}
