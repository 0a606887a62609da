//! Imports run one way: `cli` -> `pipeline` -> `ecosystems` -> (`trust`, `tlog`, `formats`) -> `model`; the traits of
//! `world` are handed down. Stages do not import each other, and those that judge and report get no port.

use std::collections::BTreeSet;

use crate::paths::named;
use crate::source::{Source, below, sources};

/// Stages of the pipeline, one folder each. The files beside them are where their values meet.
const STAGES: &[&str] = &[
    "discover",
    "inventory",
    "verify",
    "advise",
    "decide",
    "report",
    "heal",
];

/// What a part of the house may name besides itself.
fn may(house: &str) -> &'static [&'static str] {
    match house {
        "cli" => &[
            "pipeline",
            "ecosystems",
            "trust",
            "tlog",
            "formats",
            "model",
            "world",
        ],
        "pipeline" => &["ecosystems", "trust", "tlog", "formats", "model", "world"],
        "ecosystems" => &["trust", "tlog", "formats", "model", "world"],
        "trust" | "tlog" | "formats" => &["model", "world"],
        "world" => &["model"],
        "model" => &[],
        "main" => &["cli", "world"],
        "" => &[
            "cli",
            "ecosystems",
            "formats",
            "model",
            "pipeline",
            "tlog",
            "trust",
            "world",
        ],
        other => panic!("`src/{other}` is no part of the house: DESIGN section 4 has the list"),
    }
}

/// Every import that a rule forbids: `path: what`.
fn offenders(of: &dyn Fn(&Source, &[String]) -> bool) -> Vec<String> {
    let mut found = BTreeSet::new();
    for source in sources().iter().filter(|source| !source.test) {
        for path in named(&source.code(), &source.module) {
            if of(source, &path) {
                found.insert(format!("{}: {}", source.path, path.join("::")));
            }
        }
    }
    found.into_iter().collect()
}

fn none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

fn part(path: &[String], at: usize) -> &str {
    path.get(at).map_or("", String::as_str)
}

#[test]
fn imports_run_one_way() {
    let houses: BTreeSet<String> = sources().iter().map(|s| s.house().to_owned()).collect();
    let wrong = offenders(&|source, path| {
        let to = part(path, 0);
        houses.contains(to) && to != source.house() && !may(source.house()).contains(&to)
    });
    none(
        &wrong,
        "imports run cli -> pipeline -> ecosystems -> (trust, tlog, formats) -> model",
    );
}

#[test]
fn stages_do_not_import_each_other() {
    let wrong = offenders(&|source, path| {
        source.house() == "pipeline"
            && STAGES.contains(&source.room())
            && part(path, 0) == "pipeline"
            && STAGES.contains(&part(path, 1))
            && part(path, 1) != source.room()
    });
    none(
        &wrong,
        "values of stages meet beside the stages, in `src/pipeline`",
    );
}

#[test]
fn what_judges_and_reports_gets_no_port() {
    let wrong = offenders(&|source, path| {
        source.house() == "pipeline"
            && (matches!(source.room(), "decide" | "report") || source.room() == "truth")
            && part(path, 0) == "world"
    });
    none(&wrong, "deciding and reporting are pure");
}

#[test]
fn only_healing_gets_the_writing_port() {
    let port = |name: &str| matches!(name, "write_fs" | "WriteFs" | "SystemWriteFs");
    let wrong = offenders(&|source, path| {
        let commands = ["heal", "restore", "quarantine"];
        let may = matches!(
            (source.house(), source.room()),
            ("world", _) | ("pipeline", "heal")
        ) || (source.house() == "cli"
            && source
                .module
                .last()
                .is_some_and(|name| commands.contains(&name.as_str())));
        path.iter().any(|part| port(part)) && !may
    });
    none(&wrong, "only `heal` changes things");
}

#[test]
fn only_the_schedule_gets_the_port_to_the_users_timers() {
    let port = |name: &str| matches!(name, "services" | "Services" | "SystemServices");
    let wrong = offenders(&|source, path| {
        let may = source.house() == "world"
            || (source.house() == "cli" && source.module.iter().any(|name| name == "schedule"));
        path.iter().any(|part| port(part)) && !may
    });
    none(&wrong, "only `schedule` starts programs of the system");
}

#[test]
fn only_the_guard_starts_programs() {
    let port = |name: &str| matches!(name, "process" | "Processes" | "SystemProcesses");
    let is_guard = |source: &Source| {
        source.house() == "world"
            || (source.house() == "cli"
                && source
                    .module
                    .last()
                    .is_some_and(|name| name.starts_with("guard")))
    };
    let wrong = offenders(&|source, path| {
        part(path, 0) == "world" && path.iter().any(|part| port(part)) && !is_guard(source)
    });
    none(&wrong, "only `guard` starts what the user typed");
    let handed: Vec<String> = sources()
        .iter()
        .filter(|source| !source.test && !is_guard(source))
        .filter(|source| source.code().contains(".processes()"))
        .map(|source| source.path.clone())
        .collect();
    none(
        &handed,
        "only `guard` is handed the port that starts programs",
    );
}

#[test]
fn only_the_entrance_opens_the_real_world() {
    let wrong = offenders(&|source, path| {
        part(path, 0) == "world"
            && part(path, 1) == "real"
            && !matches!(source.house(), "main" | "cli" | "world")
    });
    none(
        &wrong,
        "ports are handed down; only the entrance makes real ones",
    );
}

#[test]
fn the_fences_around_the_machine_open_only_in_its_own_folder() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.test) {
        let code = source.code();
        let opens = code.contains("clippy::disallowed_methods")
            || code.contains("clippy::disallowed_types");
        if opens && !source.path.starts_with("src/world/real/") {
            wrong.push(source.path.clone());
        }
    }
    none(&wrong, "what touches the machine lives in `src/world/real`");
}

/// Folders of ecosystems.
fn ecosystems() -> BTreeSet<String> {
    below("src/ecosystems")
        .iter()
        .filter_map(|path| {
            path.strip_prefix("src/ecosystems/")?
                .strip_suffix("/mod.rs")
        })
        .filter(|folder| !folder.contains('/'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn nobody_outside_its_folder_names_an_ecosystem() {
    let all = ecosystems();
    assert!(all.contains("cargo"));
    let wrong = offenders(&|source, path| {
        let registry = source.path == "src/ecosystems/mod.rs";
        let own = source.house() == "ecosystems" && source.room() == part(path, 1);
        part(path, 0) == "ecosystems" && all.contains(part(path, 1)) && !own && !registry
    });
    none(
        &wrong,
        "an ecosystem is reached through the registry and the contract",
    );
}

#[test]
fn nobody_outside_its_folder_matches_on_an_ecosystems_id() {
    let all = ecosystems();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.test) {
        let own = source.house() == "ecosystems" && all.contains(source.room());
        for (number, line) in source.code().lines().enumerate() {
            let compares = line.contains("=>")
                || line.contains("==")
                || line.contains("!=")
                || line.contains("matches!");
            if !own && compares && all.iter().any(|id| line.contains(&format!("\"{id}\""))) {
                wrong.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    none(
        &wrong,
        "no code outside an ecosystem's folder depends on its id",
    );
}
