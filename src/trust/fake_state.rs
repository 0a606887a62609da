//! A state folder in memory, for tests, that can be read-only, full or locked.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::world::state::StateLock;
use crate::world::{PathError, StateDir};

/// A state folder in memory.
#[derive(Default)]
pub(crate) struct FakeState {
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) read_only: bool,
    /// Bytes that still fit; an append writes as many as do, then fails.
    pub(crate) room: Mutex<Option<usize>>,
    locked: Arc<Mutex<bool>>,
}

struct Held(Arc<Mutex<bool>>);

impl StateLock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = false;
    }
}

impl FakeState {
    pub(crate) fn with(name: &str, bytes: &[u8]) -> Self {
        let state = Self::default();
        state.set(name, bytes);
        state
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set(&self, name: &str, bytes: &[u8]) {
        let mut files = self.files.lock().unwrap();
        files.insert(name.to_owned(), bytes.to_vec());
    }

    fn error(&self, kind: io::ErrorKind) -> PathError {
        PathError {
            path: self.path(),
            source: kind.into(),
        }
    }

    fn writable(&self) -> Result<(), PathError> {
        if self.read_only {
            return Err(self.error(io::ErrorKind::ReadOnlyFilesystem));
        }
        Ok(())
    }

    /// How many of some bytes fit.
    fn fitting(&self, count: usize) -> usize {
        let mut room = self.room.lock().unwrap();
        let fits = room.unwrap_or(usize::MAX).min(count);
        *room = room.map(|left| left - fits);
        fits
    }
}

impl StateDir for FakeState {
    fn read(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, PathError> {
        match self.get(name) {
            Some(bytes) if bytes.len() as u64 > max => Err(self.error(io::ErrorKind::FileTooLarge)),
            found => Ok(found),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PathError> {
        self.writable()?;
        if self.fitting(bytes.len()) < bytes.len() {
            return Err(self.error(io::ErrorKind::StorageFull));
        }
        self.set(name, bytes);
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> Result<(), PathError> {
        self.writable()?;
        assert!(*self.locked.lock().unwrap(), "appending needs the lock");
        let fits = self.fitting(bytes.len());
        let mut files = self.files.lock().unwrap();
        let file = files.entry(name.to_owned()).or_default();
        file.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(self.error(io::ErrorKind::StorageFull));
        }
        Ok(())
    }

    fn lock(&self, _name: &str) -> Result<Option<Box<dyn StateLock>>, PathError> {
        self.writable()?;
        for _ in 0..100 {
            let mut locked = self.locked.lock().unwrap();
            if !*locked {
                *locked = true;
                return Ok(Some(Box::new(Held(Arc::clone(&self.locked)))));
            }
            drop(locked);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        Ok(None)
    }

    fn set_aside(&self, name: &str) -> Result<String, PathError> {
        self.writable()?;
        let aside = format!("{name}.unreadable-1");
        let mut files = self.files.lock().unwrap();
        let bytes = files.remove(name);
        let bytes = bytes.ok_or_else(|| self.error(io::ErrorKind::NotFound))?;
        files.insert(aside.clone(), bytes);
        Ok(aside)
    }

    fn remove(&self, name: &str) -> Result<(), PathError> {
        self.writable()?;
        self.files.lock().unwrap().remove(name);
        Ok(())
    }

    fn size(&self, name: &str) -> Result<u64, PathError> {
        Ok(self.get(name).map_or(0, |bytes| bytes.len() as u64))
    }

    fn list(&self) -> Result<Vec<String>, PathError> {
        Ok(self.files.lock().unwrap().keys().cloned().collect())
    }

    fn path(&self) -> PathBuf {
        PathBuf::from("/state")
    }
}
