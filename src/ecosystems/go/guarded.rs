//! How a command is made to use the audited GOMODCACHE, and the proxy and log that were judged (cmd/go 1.26).
//!
//! What the settings say stays in force, word by word, and is exported so that a settings file that changes meanwhile has
//! no say. Where they say nothing, the pinned proxy and log stand in. Go shares no lock while it builds.

use std::ffi::OsString;
use std::path::Path;

use crate::ecosystems::contract::{CommandLine, Export, GuardContext, Guarded};

use super::command_line;
use super::settings::Settings;

/// The guard's part of Go.
pub(super) struct GoGuarded;

impl Guarded for GoGuarded {
    fn exports(&self, context: &GuardContext<'_>) -> Vec<Export> {
        let settings = Settings::load(context.env, context.fs);
        let said = |name: &str| settings.get(name).map(|setting| setting.value.clone());
        let pinned_log = context.logs.first().map(|(name, key, address)| {
            let usual = format!("https://{name}");
            match address.as_deref().map(|a| a.trim_end_matches('/')) {
                Some(address) if address != usual => format!("{key} {address}"),
                _ => key.clone(),
            }
        });
        let pinned_proxies = (!context.proxies.is_empty()).then(|| context.proxies.join(","));
        let values = [
            (
                "GOMODCACHE",
                context.cache("go-mod-cache").map(OsString::from),
            ),
            (
                "GOPROXY",
                said("GOPROXY").or(pinned_proxies).map(OsString::from),
            ),
            (
                "GOSUMDB",
                said("GOSUMDB").or(pinned_log).map(OsString::from),
            ),
        ];
        values
            .into_iter()
            .filter(|(_, value)| value.is_some())
            .collect()
    }

    fn reads(&self, program: &str, words: &[OsString]) -> Option<CommandLine> {
        (program == "go").then(|| command_line::read(words))
    }

    /// A program that stands in for the build cache would answer from what it has.
    fn fresh(&self, folder: &Path) -> Vec<Export> {
        vec![
            ("GOCACHE", Some(folder.join("go-build").into())),
            ("GOCACHEPROG", None),
        ]
    }

    fn is_written_by_builds(&self, cache: &str) -> bool {
        cache == "go-build-cache"
    }

    /// Lists of versions and what is kept of the log follow their servers.
    fn is_renewed(&self, kind: &str) -> bool {
        kind == "listing" || kind.starts_with("log-")
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::world::fake::{Disk, Given};

    fn exports(variables: &Given, pinned: bool) -> Vec<(String, String)> {
        let caches = [("go-mod-cache", PathBuf::from("/h/go/pkg/mod"))];
        let proxies = ["https://proxy.example/".to_owned()];
        let logs = [(
            "log.example".to_owned(),
            "log.example+00000000+AAAA".to_owned(),
            Some("https://proxy.example/sumdb/log.example/".to_owned()),
        )];
        let context = GuardContext {
            env: variables,
            fs: &Disk::of(0, 0),
            caches: &caches,
            proxies: if pinned { &proxies } else { &[] },
            logs: if pinned { &logs } else { &[] },
        };
        GoGuarded
            .exports(&context)
            .into_iter()
            .map(|(name, value)| {
                let value = value.unwrap().into_string().unwrap();
                (name.to_owned(), value)
            })
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn what_settings_say_stays_and_pins_stand_in_where_they_say_nothing() {
        let nothing = Given::default();
        assert_eq!(
            exports(&nothing, false),
            [pair("GOMODCACHE", "/h/go/pkg/mod")]
        );
        assert_eq!(
            exports(&nothing, true),
            [
                pair("GOMODCACHE", "/h/go/pkg/mod"),
                pair("GOPROXY", "https://proxy.example/"),
                pair(
                    "GOSUMDB",
                    "log.example+00000000+AAAA https://proxy.example/sumdb/log.example"
                ),
            ]
        );
        let said = Given::default()
            .set("GOPROXY", "https://mirror.example,off")
            .set("GOSUMDB", "other.example");
        assert_eq!(
            exports(&said, true),
            [
                pair("GOMODCACHE", "/h/go/pkg/mod"),
                pair("GOPROXY", "https://mirror.example,off"),
                pair("GOSUMDB", "other.example"),
            ]
        );
    }
}
