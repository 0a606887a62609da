//! Every registered ecosystem has fixtures, and every folder of fixtures has an owner.

use std::collections::BTreeSet;

use untaint::ecosystems;

use crate::source::{below, root};

/// Folders of fixtures that belong to a stage, and not to an ecosystem.
const OF_STAGES: &[&str] = &["advisories"];

fn fixture_folders() -> BTreeSet<String> {
    below("fixtures")
        .iter()
        .filter_map(|path| path.strip_prefix("fixtures/")?.split_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect()
}

#[test]
fn every_ecosystem_has_fixtures() {
    let folders = fixture_folders();
    for ecosystem in ecosystems::all() {
        let id = ecosystem.facts().id.as_str();
        assert!(folders.contains(id), "no fixtures/{id}");
    }
}

#[test]
fn every_folder_of_fixtures_has_an_owner() {
    for folder in fixture_folders() {
        let owned = OF_STAGES.contains(&folder.as_str())
            || root().join("src/ecosystems").join(&folder).is_dir();
        assert!(owned, "fixtures/{folder} belongs to nobody");
    }
}

#[test]
fn every_packed_fixture_says_what_it_is() {
    let files: BTreeSet<String> = below("fixtures").into_iter().collect();
    for tar in files.iter().filter(|path| path.ends_with(".tar")) {
        let sheet = tar.replace(".tar", ".json");
        assert!(files.contains(&sheet), "{tar} has no {sheet}");
    }
}

#[test]
fn ids_and_cache_names_are_unique() {
    let mut ids = BTreeSet::new();
    let mut caches = BTreeSet::new();
    for ecosystem in ecosystems::all() {
        let facts = ecosystem.facts();
        assert!(
            ids.insert(facts.id),
            "two ecosystems are called {}",
            facts.id
        );
        for name in facts.cache_names {
            assert!(caches.insert(*name), "two caches are called {name}");
        }
        for cache in ecosystem.caches() {
            assert!(
                facts.cache_names.contains(&cache.name()),
                "{} is not listed",
                cache.name()
            );
        }
    }
}
