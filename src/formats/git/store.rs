//! The objects of one repository, loose and packed, each hashed anew before it is handed out.

use super::alternates::{self, Alternate};
use super::object::{check, hash_object, loose_path, read_loose};
use super::pack::{Budget, Cache, Pack};
use super::{Files, GitError, HashKind, ItemKind, Limits, Object, Oid};

/// An opened repository.
pub struct Store<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) hash: HashKind,
    pub(super) limits: Limits,
    /// The `objects` folders: the repository's own, then alternates within the same root.
    pub(super) folders: Vec<String>,
    pub(super) packs: Vec<Pack>,
    alternates: Vec<Alternate>,
    faults: Vec<GitError>,
}

/// The answer to one look-up.
#[derive(Debug, Default)]
pub struct Lookup {
    /// The object, if a copy was found whose bytes hash to its id.
    pub object: Option<Object>,
    /// What was wrong with other copies, in the order of looking.
    pub faults: Vec<GitError>,
}

impl<'a> Store<'a> {
    /// Lists the packs and reads their tables. What cannot be read is kept as a fault; the rest is used.
    #[must_use]
    pub fn open(files: &'a dyn Files, hash: HashKind, limits: Limits) -> Self {
        let mut faults = Vec::new();
        let (folders, alternates) = alternates::folders(files, &limits, &mut faults);
        let mut store = Self {
            files,
            hash,
            limits,
            folders,
            packs: Vec::new(),
            alternates,
            faults,
        };
        for folder in store.folders.clone() {
            store.open_packs(&format!("{folder}/pack"));
        }
        store
    }

    /// Where else git would look for objects; those outside the repository's folder were not followed.
    #[must_use]
    pub fn alternates(&self) -> &[Alternate] {
        &self.alternates
    }

    /// What could not be opened.
    #[must_use]
    pub fn faults(&self) -> &[GitError] {
        &self.faults
    }

    /// Looks for an object among the loose ones and in every pack until a good copy is found.
    #[must_use]
    pub fn get(&self, oid: &Oid) -> Lookup {
        let mut lookup = Lookup::default();
        if oid.kind() != self.hash {
            return lookup;
        }
        for folder in &self.folders {
            match read_loose(
                self.files,
                &loose_path(folder, oid),
                oid,
                &self.limits,
                true,
            ) {
                Ok(None) => {}
                Ok(Some((object, _))) => {
                    lookup.object = Some(object);
                    return lookup;
                }
                Err(error) => lookup.faults.push(error),
            }
        }
        for pack in &self.packs {
            match self.packed(pack, oid) {
                Ok(None) => {}
                Ok(Some(object)) => {
                    lookup.object = Some(object);
                    return lookup;
                }
                Err(error) => lookup.faults.push(error),
            }
        }
        lookup
    }

    fn packed(&self, pack: &Pack, oid: &Oid) -> Result<Option<Object>, GitError> {
        let Some(at) = pack.index.find(self.files, oid)? else {
            return Ok(None);
        };
        let mut budget = Budget(self.limits.work);
        let ((kind, data), _) = pack.rebuild(
            self.files,
            at,
            &self.limits,
            &mut Cache::new(0),
            &mut budget,
        )?;
        check(&pack.rel, oid, hash_object(self.hash, kind, &data))?;
        let data = std::rc::Rc::try_unwrap(data).unwrap_or_else(|shared| shared.as_ref().clone());
        Ok(Some(Object { kind, data }))
    }

    fn open_packs(&mut self, folder: &str) {
        let items = match self.files.list(folder) {
            Ok(items) => items,
            Err(fault) => return self.faults.push(GitError::fault(folder, fault)),
        };
        let mut stems: Vec<String> = items
            .iter()
            .filter(|item| matches!(item.kind, ItemKind::File { .. }))
            .filter_map(|item| std::str::from_utf8(&item.name).ok()?.strip_suffix(".idx"))
            .map(|stem| format!("{folder}/{stem}"))
            .collect();
        stems.sort();
        for stem in stems {
            if self.packs.len() >= self.limits.packs {
                return self
                    .faults
                    .push(GitError::limit(folder, "it holds too many packs"));
            }
            match Pack::open(self.files, &stem, self.hash) {
                Ok(pack) => self.packs.push(pack),
                Err(error) => self.faults.push(error),
            }
        }
    }
}

/// Looks through several repositories until a good copy is found.
pub(super) fn find(stores: &[Store<'_>], oid: &Oid) -> Lookup {
    let mut faults = Vec::new();
    for store in stores {
        let mut lookup = store.get(oid);
        faults.append(&mut lookup.faults);
        if lookup.object.is_some() {
            return Lookup {
                object: lookup.object,
                faults,
            };
        }
    }
    Lookup {
        object: None,
        faults,
    }
}
