//! What it takes to have modules proven by the log, beside one transfer of the same files with 32 in flight.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Error, Result};
use std::path::Path;

use untaint::tlog::{Answer, Batch, Got, Options, Request, Resource, Step, VerifierKey, Wanted};

use crate::child::{Child, Cost};
use crate::go::Go;
use crate::rounds::{ratio, seconds, turns};

/// Modules that are looked up.
const MODULES: usize = 300;

/// Look-ups of many modules that nothing is known of.
pub(crate) fn look_ups(go: &Go) -> Result<String> {
    let Some(log) = &go.log else {
        return Ok("set UNTAINT_BENCH_LOG to where a proxy hands out the log's data".into());
    };
    let wanted = modules(&go.project)?;
    let project = go.work.join("log-project");
    std::fs::create_dir_all(&project)?;
    let mut sums = String::new();
    let mut needs = "module example.com/m\n\ngo 1.24\n\nrequire (\n".to_owned();
    for one in &wanted {
        let _ = writeln!(needs, "\t{} {} // indirect", one.module, one.version);
    }
    for line in std::fs::read_to_string(go.project.join("go.sum"))?.lines() {
        let mut fields = line.split(' ');
        let (Some(module), Some(version)) = (fields.next(), fields.next()) else {
            continue;
        };
        let plain = version.strip_suffix("/go.mod").unwrap_or(version);
        let named = Wanted {
            module: module.to_owned(),
            version: plain.to_owned(),
        };
        if wanted.contains(&named) {
            let _ = writeln!(sums, "{line}");
        }
    }
    std::fs::write(project.join("go.sum"), sums)?;
    std::fs::write(project.join("go.mod"), needs + ")\n")?;
    let urls = urls(go, log, &wanted)?;
    let bare = || transfer(go, &urls).map(|(cost, _)| cost);
    let audit = || {
        let state = go.work.join("log-state");
        if state.is_dir() {
            std::fs::remove_dir_all(&state)?;
        }
        let none = go.work.join("no-cache");
        std::fs::create_dir_all(&none)?;
        Child::new(&go.program)
            .state(&state)
            .env("GOMODCACHE", &none)
            .arg("scan")
            .arg("--no-advisories")
            .arg(&project)
            .cost()
    };
    let [bare, audit] = turns(go.rounds, [&bare, &audit])?;
    Ok(format!(
        "{} one transfer of the {} files for {} modules with 32 in flight (goal: at most 2; transfer {}, audit {})",
        ratio(&audit, &bare),
        urls.len(),
        wanted.len(),
        seconds(&bare),
        seconds(&audit),
    ))
}

/// Some of the modules that the project needs.
fn modules(project: &Path) -> Result<BTreeSet<Wanted>> {
    let text = std::fs::read_to_string(project.join("go.mod"))?;
    let all: Vec<Wanted> = text
        .lines()
        .filter_map(|line| {
            let mut fields = line.strip_prefix('\t')?.split(' ');
            let (module, version) = (fields.next()?, fields.next()?);
            version.starts_with('v').then(|| Wanted {
                module: module.to_owned(),
                version: version.to_owned(),
            })
        })
        .collect();
    // Spread over all of them.
    let step = (all.len() / MODULES).max(1);
    Ok(all.into_iter().step_by(step).take(MODULES).collect())
}

/// The addresses of everything that proves these modules, each once: found by proving them.
fn urls(go: &Go, log: &str, wanted: &BTreeSet<Wanted>) -> Result<Vec<String>> {
    let name = log.trim_end_matches('/').rsplit('/').next().unwrap_or(log);
    let key = VerifierKey::public_go_sumdb(name)
        .ok_or_else(|| Error::other(format!("{name} is not the log that the go command uses")))?;
    let options = Options {
        ask_latest: true,
        check_heads: false,
        older_heads: false,
    };
    let wanted = wanted.iter().cloned().collect();
    let mut batch = Batch::new(vec![key], None, Vec::new(), wanted, options);
    let (mut urls, mut answers) = (Vec::new(), Vec::new());
    while let Step::Need(requests) = batch.next(std::mem::take(&mut answers)) {
        let wave: Vec<String> = requests
            .iter()
            .map(|request| format!("{}/{}", log.trim_end_matches('/'), name_of(request)))
            .collect();
        let (_, bodies) = transfer(go, &wave)?;
        answers.extend(
            requests
                .into_iter()
                .zip(bodies)
                .map(|(request, body)| Answer {
                    request,
                    got: body.map_or(Got::Absent, Got::Bytes),
                }),
        );
        urls.extend(wave);
    }
    Ok(urls)
}

/// The path of a resource below the log's address.
fn name_of(request: &Request) -> String {
    let escaped = |text: &str| -> String {
        let mut out = String::new();
        for c in text.chars() {
            if c.is_ascii_uppercase() {
                out.push('!');
            }
            out.push(c.to_ascii_lowercase());
        }
        out
    };
    match &request.resource {
        Resource::Latest => "latest".to_owned(),
        Resource::Tile(tile) => tile.path(),
        Resource::Lookup(wanted) => {
            format!(
                "lookup/{}@{}",
                escaped(&wanted.module),
                escaped(&wanted.version)
            )
        }
    }
}

/// Transfers files in one go with 32 in flight; gives what it cost, and the bodies that came.
fn transfer(go: &Go, urls: &[String]) -> Result<(Cost, Vec<Option<Vec<u8>>>)> {
    let to = go.work.join("transfer");
    if to.is_dir() {
        std::fs::remove_dir_all(&to)?;
    }
    std::fs::create_dir_all(&to)?;
    let mut list = String::new();
    for (at, url) in urls.iter().enumerate() {
        let _ = writeln!(list, "url = \"{url}\"\noutput = \"{at}\"");
    }
    std::fs::write(to.join("list"), list)?;
    let cost = Child::tool("curl", &to)
        .arg("--silent")
        .arg("--fail")
        .arg("--parallel")
        .arg("--parallel-max")
        .arg("32")
        .arg("--config")
        .arg("list")
        .cost()?;
    let bodies = (0..urls.len()).map(|at| std::fs::read(to.join(at.to_string())).ok());
    Ok((cost, bodies.collect()))
}
