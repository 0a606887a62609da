//! What the rows of the table of taints are made of.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::log::NAME;
use crate::module::Module;
use crate::world::{EVIL, World, modules};

/// One row.
pub(crate) struct Taint {
    pub(crate) name: &'static str,
    /// One of these codes,
    pub(crate) finds: &'static [&'static str],
    /// on a finding that mentions this.
    pub(crate) part: &'static str,
    pub(crate) make: fn(&World),
    /// Whether it is also found offline with what an online scan learned,
    pub(crate) offline: bool,
    /// and with nothing but what the cache holds.
    pub(crate) alone: bool,
}

impl Taint {
    pub(crate) fn new(
        name: &'static str,
        finds: &'static [&'static str],
        part: &'static str,
        make: fn(&World),
    ) -> Self {
        Self {
            name,
            finds,
            part,
            make,
            offline: true,
            alone: true,
        }
    }

    /// The cache holds no record of what was tampered with.
    pub(crate) fn unknown_to_the_cache(mut self) -> Self {
        self.alone = false;
        self
    }

    /// That something does not exist is only ever said by a fresh answer.
    pub(crate) fn only_online(mut self) -> Self {
        self.offline = false;
        self
    }
}

pub(crate) fn edit_keeping_time(world: &World, path: &str, from: &str, to: &str) {
    let at = world.at(path);
    let time = fs::metadata(&at).unwrap().modified().unwrap();
    let text = fs::read_to_string(&at).unwrap();
    let edited = text.replace(from, to);
    assert_ne!(text, edited);
    assert_eq!(text.len(), edited.len());
    fs::write(&at, edited).unwrap();
    let file = fs::File::options().write(true).open(&at).unwrap();
    file.set_modified(time).unwrap();
}

pub(crate) fn without(module: &Module, file: &str) -> Module {
    let mut module = module.clone();
    module.files.remove(file).unwrap();
    module
}

pub(crate) fn cut(world: &World, path: &str) {
    let bytes = fs::read(world.at(path)).unwrap();
    world.write(path, &bytes[..bytes.len() / 2]);
}

pub(crate) fn append(world: &World, path: &str, more: &[u8]) {
    let mut bytes = fs::read(world.at(path)).unwrap();
    bytes.extend(more);
    world.write(path, bytes);
}

/// The name in a local header differs from the one in the directory.
pub(crate) fn local_name(world: &World) {
    let path = world.download("zip");
    let mut bytes = fs::read(world.at(&path)).unwrap();
    let name = b"greet.go";
    let at = bytes.windows(name.len()).position(|w| w == name).unwrap();
    bytes[at] = b'G';
    world.write(&path, bytes);
}

pub(crate) fn add_line(world: &World, path: &str, line: &str) {
    let mut text = fs::read_to_string(world.at(path)).unwrap_or_default();
    text.push_str(line);
    text.push('\n');
    world.write(path, text);
}

/// Zip, recorded hash, tree and go.sum tell the same lie. Gives the good hash and the evil one.
pub(crate) fn rewrite(world: &World) -> (String, String) {
    let good = modules()[0].clone();
    let evil = good.clone().file("greet.go", EVIL);
    world.write(&world.download("zip"), evil.zip());
    world.write(&world.download("ziphash"), evil.h1());
    world.write(&world.tree("greet.go"), EVIL);
    let sum = fs::read_to_string(world.at("project/go.sum")).unwrap();
    world.write("project/go.sum", sum.replace(&good.h1(), &evil.h1()));
    (good.h1(), evil.h1())
}

pub(crate) fn forge_lookup(world: &World, forge: impl Fn(&str) -> String) {
    let path = world.log_file("lookup/registry.example/!greet@v1.0.0");
    let good = fs::read_to_string(world.at(&path)).unwrap();
    let forged = forge(&good);
    assert_ne!(good, forged);
    world.write(&path, forged);
}

/// A forged record under a head that is signed by somebody else under the log's name.
pub(crate) fn sign_with_another_key(world: &World) {
    let (good, evil) = (modules()[0].h1(), modules()[1].h1());
    forge_lookup(world, |text| {
        let (text, _) = text.rsplit_once("\n\n").unwrap();
        let (record, head) = text.replace(&good, &evil).split_once("\n\n").map_or_else(
            || panic!("no head"),
            |(record, head)| (record.to_owned(), format!("{head}\n")),
        );
        let mut signed = vec![1, 2, 3, 4];
        let key = SigningKey::from_bytes(&[13; 32]);
        signed.extend(key.sign(head.as_bytes()).to_bytes());
        let signature = STANDARD.encode(signed);
        format!("{record}\n\n{head}\n\u{2014} {NAME} {signature}\n")
    });
}

/// Flips a bit in the first tile below a folder.
pub(crate) fn forge_tile(world: &World, below: &str) {
    let mut folder = world.at(&world.log_file(below));
    while folder.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        folder = entries.remove(0);
    }
    let mut bytes = fs::read(&folder).unwrap();
    bytes[7] ^= 4;
    fs::write(&folder, bytes).unwrap();
}

/// A vendor folder as `go mod vendor` makes it.
pub(crate) fn vendored(world: &World) {
    world.go(&["mod", "vendor"]);
}

/// A toolchain in the cache, as `go` downloads and unpacks it.
pub(crate) fn toolchain(world: &World) {
    let toolchain = modules().pop().unwrap();
    let at = world.cached(&format!(
        "cache/download/{}/@v/{}",
        toolchain.path, toolchain.version
    ));
    world.write(&format!("{at}.zip"), toolchain.zip());
    world.write(&format!("{at}.ziphash"), toolchain.h1());
    let tree = world.cached(&format!("{}@{}", toolchain.path, toolchain.version));
    for (name, content) in &toolchain.files {
        world.write(&format!("{tree}/{name}"), content);
    }
}
