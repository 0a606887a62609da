//! Adds to a file of the user's own configuration and leaves every byte that is there as it is.

use crate::cli::open::open;
use crate::cli::settings::Base;
use crate::world::real::World;
use crate::world::{PathError, Sinks, StateDir as _};

const LARGEST: u64 = 1 << 20;

/// Opens the machine for a command that changes configuration.
///
/// # Errors
/// A line for the person when there is no configuration to change.
pub(super) fn machine(base: &Base, sinks: &dyn Sinks) -> Result<World, String> {
    if base.isolated {
        return Err("with --isolated there is no configuration to change".to_owned());
    }
    let world = open(base, sinks);
    if world.config.is_none() {
        return Err("no home folder: set UNTAINT_HOME to a folder".to_owned());
    }
    Ok(world)
}

/// Replaces a file by what `change` makes of it, alone among untaint's processes; `None` leaves it as it is.
///
/// # Errors
/// A line for the person.
pub(super) fn change(
    world: &World,
    name: &str,
    change: impl FnOnce(Option<&[u8]>) -> Result<Option<Vec<u8>>, String>,
) -> Result<bool, String> {
    let Some(folder) = &world.config else {
        return Err("no configuration folder".to_owned());
    };
    let text = |error: PathError| error.to_string();
    let Some(_held) = folder.lock("config.lock").map_err(text)? else {
        return Err("another untaint is changing the configuration: run again".to_owned());
    };
    let old = folder.read(name, LARGEST).map_err(text)?;
    match change(old.as_deref())? {
        None => Ok(false),
        Some(new) => {
            folder.replace(name, &new).map_err(text)?;
            Ok(true)
        }
    }
}

/// A text as a TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The old text with a new table at its end.
pub(super) fn appended(old: Option<&[u8]>, table: &str) -> Vec<u8> {
    let mut new = old.unwrap_or_default().to_vec();
    if !new.is_empty() {
        if new.last() != Some(&b'\n') {
            new.push(b'\n');
        }
        new.push(b'\n');
    }
    new.extend_from_slice(table.as_bytes());
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays() {
        assert_eq!(appended(None, "x\n"), b"x\n");
        assert_eq!(appended(Some(b"a = 1"), "x\n"), b"a = 1\n\nx\n");
        assert_eq!(appended(Some(b"# c\n"), "x\n"), b"# c\n\nx\n");
    }

    #[test]
    fn any_text_is_one_string() {
        for text in ["plain", "quo\"te", "line\nend\\", "\u{7f}\u{1b}", "'''", ""] {
            let document = format!("k = {}", quoted(text));
            let table: toml::Table = document.parse().unwrap();
            assert_eq!(table["k"].as_str(), Some(text));
        }
    }
}
