//! Fixtures as ustar files: what git would lose (modes, links, empty folders) and what would make our
//! own scan of this repository see lockfiles that are bad on purpose is kept in one plain file.

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::archive::Tar;

/// Packs everything below `root` in the order of names; `skip` decides by the path below `root`.
pub(crate) fn pack(root: &Path, skip: &dyn Fn(&Path) -> bool) -> Vec<u8> {
    let mut tar = Tar::new();
    add(root, Path::new(""), skip, &mut tar);
    tar.finish()
}

fn add(root: &Path, below: &Path, skip: &dyn Fn(&Path) -> bool, tar: &mut Tar) {
    let mut names: Vec<_> = fs::read_dir(root.join(below))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    for name in names {
        let path = below.join(name);
        if skip(&path) {
            continue;
        }
        let full = root.join(&path);
        let meta = fs::symlink_metadata(&full).unwrap();
        let (bytes, mode) = (path.as_os_str().as_bytes(), meta.mode() & 0o7777);
        if meta.is_symlink() {
            let target = fs::read_link(&full).unwrap();
            tar.raw_entry(b'2', bytes, target.as_os_str().as_bytes(), 0o777, &[]);
        } else if meta.is_dir() {
            tar.raw_entry(b'5', bytes, &[], mode, &[]);
            add(root, &path, skip, tar);
        } else {
            tar.raw_entry(b'0', bytes, &[], mode, &fs::read(&full).unwrap());
        }
    }
}

/// Puts everything back below `root`, with modes and links.
pub(crate) fn unpack(mut tar: &[u8], root: &Path) {
    let mut folders = Vec::new();
    while tar.len() >= 512 && tar[0] != 0 {
        let (header, rest) = tar.split_at(512);
        let mut name = text(&header[345..500]).to_vec();
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend_from_slice(text(&header[..100]));
        let path = root.join(PathBuf::from(std::ffi::OsString::from_vec(name)));
        let size = usize::try_from(octal(&header[124..136])).unwrap();
        let mode = u32::try_from(octal(&header[100..108])).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match header[156] {
            b'2' => {
                let target = std::ffi::OsString::from_vec(text(&header[157..257]).to_vec());
                symlink(target, &path).unwrap();
            }
            b'5' => {
                fs::create_dir_all(&path).unwrap();
                folders.push((path, mode));
            }
            _ => {
                fs::write(&path, &rest[..size]).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        tar = &rest[size.next_multiple_of(512)..];
    }
    for (path, mode) in folders {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn octal(field: &[u8]) -> u64 {
    let digits = std::str::from_utf8(text(field)).unwrap().trim();
    u64::from_str_radix(digits, 8).unwrap()
}
