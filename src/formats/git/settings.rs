//! Settings of a repository that could run a program, send requests elsewhere or loosen a check. What cargo (libgit2) itself
//! writes into its databases, checkouts and submodules yields none.

use super::config::{Config, Entry};

/// What a setting could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Git would start the program that it names.
    RunsCode,
    /// It moves the worktree, an address, attributes or the settings themselves somewhere else.
    Redirects,
    /// It switches a check off or changes how the repository is to be understood.
    Loosens,
}

/// A setting worth a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its full name; user and password of an address in it are left out.
    pub name: String,
    /// What it could do.
    pub effect: Effect,
    /// Where it stands, counted from 1.
    pub line: u32,
}

/// The settings of a configuration file that are worth a finding, in the file's order.
#[must_use]
pub fn risky(config: &Config) -> Vec<Setting> {
    config
        .entries
        .iter()
        .filter_map(|entry| {
            Some(Setting {
                name: name(entry),
                effect: effect(entry)?,
                line: entry.line,
            })
        })
        .collect()
}

fn effect(entry: &Entry) -> Option<Effect> {
    use Effect::{Loosens, Redirects, RunsCode};
    let value = entry.value.as_deref().unwrap_or("true");
    let off = matches!(
        value.to_ascii_lowercase().as_str(),
        "false" | "no" | "off" | "0" | ""
    );
    Some(match (entry.section.as_str(), entry.key.as_str()) {
        ("core", "fsmonitor") if off => return None,
        (
            "core",
            "fsmonitor"
            | "hookspath"
            | "sshcommand"
            | "gitproxy"
            | "editor"
            | "pager"
            | "askpass"
            | "alternaterefscommand"
            | "virtualfilesystem",
        )
        | ("filter", "clean" | "smudge" | "process")
        | ("diff", "command" | "textconv" | "external")
        | ("merge", "driver")
        | ("credential", "helper")
        | ("sequence", "editor")
        | ("interactive", "difffilter")
        | ("gpg", "program" | "defaultkeycommand")
        | ("uploadpack", "packobjectshook")
        | ("remote", "uploadpack" | "receivepack" | "vcs")
        | ("difftool" | "mergetool" | "guitool" | "man" | "browser", "cmd" | "path")
        | ("trailer", "command" | "cmd")
        | ("web", "browser")
        | ("tar", "command")
        | ("hook", "command")
        | ("alias" | "pager", _) => RunsCode,
        ("submodule", "update") if value.starts_with('!') => RunsCode,
        ("include" | "includeif", "path")
        | ("url", "insteadof" | "pushinsteadof")
        | ("remote", "proxy" | "promisor" | "partialclonefilter")
        | (
            "http" | "https",
            "proxy" | "sslcainfo" | "sslcapath" | "extraheader" | "cookiefile" | "followredirects"
            | "curloptresolve",
        )
        | ("core", "worktree" | "attributesfile" | "excludesfile")
        | ("init", "templatedir") => Redirects,
        ("http" | "https", "sslverify") if off => Loosens,
        ("protocol", "allow") | ("safe", _) => Loosens,
        // The one extension that only says how ids are made.
        ("extensions", "objectformat") if matches!(value, "sha1" | "sha256") => return None,
        ("extensions", _) => Loosens,
        _ => return None,
    })
}

fn name(entry: &Entry) -> String {
    let Some(sub) = &entry.subsection else {
        return format!("{}.{}", entry.section, entry.key);
    };
    let sub = match (sub.find("://"), sub.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let (head, tail) = (sub.get(..scheme + 3), sub.get(at + 1..));
            format!("{}{}", head.unwrap_or_default(), tail.unwrap_or_default())
        }
        _ => sub.clone(),
    };
    format!("{}.{sub}.{}", entry.section, entry.key)
}

#[cfg(test)]
mod tests {
    use super::super::config::parse;
    use super::*;

    fn found(text: &str) -> Vec<(String, u32)> {
        risky(&parse(text.as_bytes(), 1000))
            .into_iter()
            .map(|setting| (setting.name, setting.line))
            .collect()
    }

    #[test]
    fn what_cargo_writes_is_quiet() {
        // As cargo 1.95 writes a database, a checkout with a submodule, and the submodule.
        let database = "[core]\n\tbare = true\n\trepositoryformatversion = 0\n\tfilemode = true\n";
        let checkout = "[core]\n\tbare = false\n\trepositoryformatversion = 0\n\tfilemode = true\n\tlogallrefupdates = true\n\tautocrlf = false\n[remote \"origin\"]\n\turl = file:///home/u/.cargo/git/db/dep-140a012f02b6f03e\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"master\"]\n\tremote = origin\n\tmerge = refs/heads/master\n[submodule \"vendor/sub\"]\n\turl = file:///srv/sub\n";
        assert_eq!(found(database), []);
        assert_eq!(found(checkout), []);
        assert_eq!(
            found("[extensions]\n\tobjectformat = sha256\n[core]\nfsmonitor = false\n"),
            []
        );
    }

    #[test]
    fn every_dangerous_setting_is_named_with_its_line() {
        let text = "[core]\nfsmonitor=x\nhooksPath=x\nsshCommand=x\ngitProxy=x\neditor=x\npager=x\nworktree=x\nattributesFile=x\n\
            [filter \"l\"]\nclean=x\nsmudge=x\nprocess=x\n[diff \"l\"]\ncommand=x\ntextconv=x\n[merge \"m\"]\ndriver=x\n\
            [credential]\nhelper=x\n[credential \"https://h.example\"]\nhelper=x\n[include]\npath=x\n[includeIf \"gitdir:/\"]\npath=x\n\
            [url \"https://u:secret@h.example/\"]\ninsteadOf=x\npushInsteadOf=x\n[remote \"o\"]\nuploadpack=x\nreceivepack=x\nvcs=x\nproxy=x\n\
            [protocol \"ext\"]\nallow=always\n[protocol]\nallow=always\n[alias]\nst=!x\n[extensions]\npartialClone=o\n[gpg]\nprogram=x\n\
            [gpg \"ssh\"]\nprogram=x\n[uploadpack]\npackObjectsHook=x\n[submodule \"s\"]\nupdate=!x\n[http]\nsslVerify=false\n[core]\nfsmonitor\n";
        let settings = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('['))
            .count();
        let found = found(text);
        assert_eq!(found.len(), settings);
        assert_eq!(found[0], ("core.fsmonitor".into(), 2));
        assert!(
            found
                .iter()
                .any(|(name, _)| name == "url.https://h.example/.insteadof")
        );
        assert!(found.iter().all(|(name, _)| !name.contains("secret")));
    }
}
