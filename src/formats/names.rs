//! What can be wrong with the name of an archive member, and whether two members meet in one place.
//!
//! Names are bytes with `/` between components. Nothing here touches a file system, and nothing is repaired:
//! flaws are reported, and the caller decides whether the member is looked at.

use std::collections::HashMap;

use super::ambiguity::Weight;
use super::casefold::collision_key;

/// A property of a member name that tools treat differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameFlaw {
    /// No name, or nothing but separators and dots.
    Empty,
    /// Begins with a slash.
    Absolute,
    /// Has a `..` component.
    Parent,
    /// Has a `.` component; tools drop it.
    Dot,
    /// Two slashes in a row; tools drop one.
    EmptyComponent,
    /// Contains a backslash, a separator on Windows and to some tools everywhere.
    Backslash,
    /// Contains a NUL byte, where many tools end the name.
    Nul,
    /// Contains another control character.
    Control,
    /// Begins with a drive letter.
    Drive,
    /// Contains a colon, which names a stream on Windows.
    Colon,
    /// A component is a device name on Windows.
    Reserved,
    /// A component ends in a dot or a space, which Windows drops.
    TrailingDotOrSpace,
    /// Not UTF-8: tools decode it differently.
    NotUtf8,
}

impl NameFlaw {
    /// Whether tools can put the content elsewhere, or only dislike the name.
    #[must_use]
    pub const fn weight(self) -> Weight {
        match self {
            Self::Empty | Self::Absolute | Self::Parent | Self::Backslash | Self::Nul => {
                Weight::Splits
            }
            Self::Control | Self::Drive | Self::NotUtf8 => Weight::Splits,
            Self::Dot | Self::EmptyComponent | Self::Colon => Weight::Odd,
            Self::Reserved | Self::TrailingDotOrSpace => Weight::Odd,
        }
    }
}

/// Reports every flaw of `name`, each kind at most once. A folder's final slash is to be cut off before.
pub fn flaws(name: &[u8], mut report: impl FnMut(NameFlaw)) {
    let mut seen = 0u32;
    let mut once = |flaw: NameFlaw| {
        let bit = 1 << flaw as u32;
        if seen & bit == 0 {
            seen |= bit;
            report(flaw);
        }
    };
    for byte in name {
        match byte {
            0 => once(NameFlaw::Nul),
            1..=31 | 127 => once(NameFlaw::Control),
            b'\\' => once(NameFlaw::Backslash),
            b':' => once(NameFlaw::Colon),
            _ => {}
        }
    }
    if !name.is_ascii() {
        match str::from_utf8(name) {
            Ok(text) if text.chars().any(char::is_control) => once(NameFlaw::Control),
            Ok(_) => {}
            Err(_) => once(NameFlaw::NotUtf8),
        }
    }
    if name.first() == Some(&b'/') {
        once(NameFlaw::Absolute);
    }
    if matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic()) {
        once(NameFlaw::Drive);
    }
    let mut solid = false;
    for (at, component) in name.split(|b| *b == b'/').enumerate() {
        match component {
            [] if at > 0 => once(NameFlaw::EmptyComponent),
            [] => {}
            b"." => once(NameFlaw::Dot),
            b".." => {
                solid = true;
                once(NameFlaw::Parent);
            }
            [.., b'.' | b' '] => {
                solid = true;
                once(NameFlaw::TrailingDotOrSpace);
            }
            _ => {
                solid = true;
                if is_reserved(component) {
                    once(NameFlaw::Reserved);
                }
            }
        }
    }
    if !solid {
        once(NameFlaw::Empty);
    }
}

/// Whether Windows takes a component for a device: a device name, alone or before the first dot.
fn is_reserved(component: &[u8]) -> bool {
    let stem = component.split(|b| *b == b'.').next().unwrap_or_default();
    let is = |name: &[u8]| stem.eq_ignore_ascii_case(name);
    match stem {
        [_, _, _] => is(b"con") || is(b"prn") || is(b"aux") || is(b"nul"),
        [a, b, c, b'1'..=b'9'] => {
            [*a, *b, *c].eq_ignore_ascii_case(b"com") || [*a, *b, *c].eq_ignore_ascii_case(b"lpt")
        }
        _ => is(b"conin$") || is(b"conout$"),
    }
}

/// What a member is, as far as its place is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Anything with content or a target.
    File,
    /// A folder.
    Folder,
}

/// Two members want one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clash {
    /// The same name twice, at least one of them no folder.
    Duplicate,
    /// The same folder listed twice.
    DuplicateFolder,
    /// Names that differ, but not to a system that ignores case or normalises.
    Folded,
    /// A name is a file in one member and a folder in another.
    FileAndFolder,
}

impl Clash {
    /// Whether it decides about content.
    #[must_use]
    pub const fn weight(self) -> Weight {
        match self {
            Self::DuplicateFolder => Weight::Odd,
            Self::Duplicate | Self::Folded | Self::FileAndFolder => Weight::Splits,
        }
    }
}

#[derive(Debug)]
struct Place {
    shape: Shape,
    /// Listed by a member of its own, not only as a parent.
    listed: bool,
    /// The spelling, if it is not the key.
    spelling: Option<Box<[u8]>>,
}

/// The places that the members of one archive take, parents included. Components `.` and empty ones are
/// dropped, as tools do.
#[derive(Debug, Default)]
pub struct Places {
    taken: HashMap<Box<[u8]>, Place>,
    plain: Vec<u8>,
    key: Vec<u8>,
}

impl Places {
    /// Takes the place of `name`, and reports each clash with what was there.
    pub fn take(&mut self, name: &[u8], shape: Shape, mut report: impl FnMut(Clash)) {
        self.plain.clear();
        for component in name.split(|b| *b == b'/') {
            if component.is_empty() || component == b"." {
                continue;
            }
            if !self.plain.is_empty() {
                self.plain.push(b'/');
            }
            self.plain.extend_from_slice(component);
        }
        collision_key(&self.plain, &mut self.key);

        let (mut plain, mut key) = (self.plain.as_slice(), self.key.as_slice());
        let mut listed = true;
        let mut shape = shape;
        loop {
            match self.taken.get_mut(key) {
                None => {
                    let spelling = (plain != key).then(|| plain.into());
                    self.taken.insert(
                        key.into(),
                        Place {
                            shape,
                            listed,
                            spelling,
                        },
                    );
                }
                Some(place) => {
                    let same = place.spelling.as_deref().unwrap_or(key) == plain;
                    match (place.shape, shape) {
                        _ if !same => report(Clash::Folded),
                        (Shape::Folder, Shape::Folder) if listed && place.listed => {
                            report(Clash::DuplicateFolder);
                        }
                        (Shape::Folder, Shape::Folder) => place.listed |= listed,
                        (Shape::File, Shape::File) => report(Clash::Duplicate),
                        _ if listed && place.listed => report(Clash::Duplicate),
                        _ => report(Clash::FileAndFolder),
                    }
                    // A known folder with this spelling has known parents.
                    if same && !listed {
                        return;
                    }
                }
            }
            let (Some(a), Some(b)) = (parent(plain), parent(key)) else {
                return;
            };
            (plain, key, listed, shape) = (a, b, false, Shape::Folder);
        }
    }
}

fn parent(name: &[u8]) -> Option<&[u8]> {
    let slash = name.iter().rposition(|b| *b == b'/')?;
    name.get(..slash)
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
