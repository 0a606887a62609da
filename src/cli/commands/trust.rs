//! `untaint trust discover|pin|show`: what tools are set to, what is believed, and how to believe one more.

use std::fmt::Write as _;

use super::own_file::{change, machine};
use crate::cli::args::{PinArgs, TrustArgs, TrustCommand};
use crate::cli::exit::Exit;
use crate::cli::settings::Base;
use crate::cli::{Ports, fail, print};
use crate::ecosystems;
use crate::ecosystems::contract::PostureContext;
use crate::model::RootId;
use crate::model::text::printable;
use crate::trust::discover::{fingerprint_text, propose};
use crate::trust::{Address, PinRequest, Role, pin};

/// Shows or changes trust.
pub(in crate::cli) fn run(args: TrustArgs, ports: &Ports<'_>) -> Exit {
    let text = match &args.command {
        TrustCommand::Pin(args) => add(args, ports),
        TrustCommand::Show(common) => Base::load(common, ports.env, ports.fs)
            .map(|base| show(&base))
            .map_err(|e| e.to_string()),
        TrustCommand::Discover(common) => Base::load(common, ports.env, ports.fs)
            .map(|base| discover(&base, ports))
            .map_err(|e| e.to_string()),
        TrustCommand::Fingerprint { address } => {
            fingerprint_text(address).map_err(|e| e.to_string())
        }
    };
    match text {
        Ok(text) => print(ports, text.as_bytes()),
        Err(why) => fail(ports, &why),
    }
}

fn add(args: &PinArgs, ports: &Ports<'_>) -> Result<String, String> {
    let base = Base::load(&args.common, ports.env, ports.fs).map_err(|e| e.to_string())?;
    let world = machine(&base, ports.sinks)?;
    let names: Vec<&str> = ecosystems::all()
        .iter()
        .map(|e| e.facts().id.as_str())
        .collect();
    let request = PinRequest {
        ecosystem: &args.ecosystem,
        role: args.role,
        url: &args.url,
        name: args.name.as_deref(),
        key: args.key.as_deref(),
        require: args.require,
        token: args.token.as_deref(),
    };
    let written = change(&world, "trust.toml", |old| {
        pin(old, "trust.toml", &request, &names).map_err(|e| e.to_string())
    })?;
    let what = if written { "pinned" } else { "pinned already" };
    Ok(format!(
        "{what}: {} {} {}\n",
        args.ecosystem,
        args.role.as_str(),
        printable(&args.url)
    ))
}

/// One line per pinned root, mirror and private name; publicly known roots are recognised besides.
fn show(base: &Base) -> String {
    let mut text = String::new();
    for root in base.trust.roots() {
        let _ = writeln!(
            text,
            "{:<9} {:<8} {:<10} {} {}",
            root.ecosystem,
            root.role.as_str(),
            "pinned",
            root.fingerprint,
            printable(root.address.as_ref().map_or("-", |a| a.as_str()))
        );
    }
    for mirror in base.trust.mirrors() {
        let address = printable(mirror.address.as_str());
        let _ = writeln!(text, "mirror of {} {address}", mirror.of);
    }
    for private in base.trust.private_patterns() {
        for (ecosystem, patterns) in &private.patterns {
            let patterns: Vec<String> = patterns.iter().map(|p| printable(p)).collect();
            let _ = writeln!(text, "private {ecosystem}: {}", patterns.join(", "));
        }
    }
    for known in crate::trust::known::KNOWN {
        let _ = writeln!(
            text,
            "{:<9} {:<8} {:<10} {} {}",
            known.ecosystem,
            known.role.as_str(),
            "recognised",
            known
                .primary()
                .map_or_else(|| "-".to_owned(), |f| f.to_string()),
            known.id
        );
    }
    text
}

/// What the settings of every tool name, seen from the working folder. Nothing is asked and nothing is pinned.
fn discover(base: &Base, ports: &Ports<'_>) -> String {
    let here: Vec<_> = ports
        .env
        .current_dir()
        .map(|path| (path, RootId::new("project")))
        .into_iter()
        .collect();
    let mut text = String::new();
    for ecosystem in ecosystems::all() {
        let Some(posture) = ecosystem.posture() else {
            continue;
        };
        let id = ecosystem.facts().id.as_str();
        let standing = |address: &str| {
            let address = Address::parse(address).ok()?;
            Some(base.trust.resolve(id, Role::Index, &address).is_believed())
        };
        let report = posture.examine(&PostureContext {
            env: ports.env,
            fs: ports.fs,
            projects: &here,
            folders: &[],
            described: &std::collections::BTreeSet::new(),
            excluded: &|_| false,
            caches: &[],
            standing: &standing,
            log_stands: &|_| true,
        });
        let named = report
            .registries
            .iter()
            .map(|(name, url)| (&**name, &**url));
        let replaced = report.replacements.iter().map(|(of, by)| (&**of, &**by));
        let mut lines: Vec<String> = named
            .chain(replaced)
            .map(|(at, url)| propose(&base.trust, id, Role::Index, url, at).text())
            .collect();
        lines.sort();
        lines.dedup();
        for problem in &report.problems {
            lines.push(format!(
                "not read: {}: {}\n",
                printable(&problem.path),
                printable(&problem.message)
            ));
        }
        text.extend(lines);
    }
    if text.is_empty() {
        text.push_str("the settings of the tools name no registry\n");
    }
    text
}
