//! A transparency log as the `go` command asks for it, made here without the program's own reader of logs.
//!
//! Records, signed heads and tiles of height 8; hashes as RFC 6962 has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

/// The name of the log.
pub(crate) const NAME: &str = "log.registry.example";

type Hash = [u8; 32];

/// A log.
pub(crate) struct Log {
    key: SigningKey,
    pub(crate) records: Vec<String>,
}

fn leaf(record: &str) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(record)
        .finalize()
        .into()
}

/// The root over these hashes, which stand side by side on some level.
fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Sha256::digest(b"").into(),
        [one] => *one,
        many => {
            let half = many.len().next_power_of_two() / 2;
            let (left, right) = many.split_at(half);
            Sha256::new()
                .chain_update([1])
                .chain_update(root(left))
                .chain_update(root(right))
                .finalize()
                .into()
        }
    }
}

impl Log {
    /// A log with some hundred records of others, so that it has more than one tile.
    pub(crate) fn new() -> Self {
        let filler = |n: usize| {
            format!(
                "other.example/m{n} v1.0.0 h1:{}\n",
                STANDARD.encode([7; 32])
            )
        };
        Self {
            key: SigningKey::from_bytes(&[42; 32]),
            records: (0..300).map(filler).collect(),
        }
    }

    /// GOSUMDB's spelling of name and key.
    pub(crate) fn verifier(&self) -> String {
        let mut key = vec![1];
        key.extend_from_slice(self.key.verifying_key().as_bytes());
        format!("{NAME}+{}+{}", hex(&self.key_hash()), STANDARD.encode(key))
    }

    fn key_hash(&self) -> Vec<u8> {
        let digest = Sha256::new()
            .chain_update(NAME)
            .chain_update(b"\n\x01")
            .chain_update(self.key.verifying_key().as_bytes())
            .finalize();
        digest[..4].to_vec()
    }

    pub(crate) fn add(&mut self, module: &str, version: &str, zip: &str, go_mod: &str) {
        self.records.push(format!(
            "{module} {version} {zip}\n{module} {version}/go.mod {go_mod}\n"
        ));
    }

    /// The newest signed head.
    pub(crate) fn latest(&self) -> String {
        let leaves: Vec<Hash> = self.records.iter().map(|r| leaf(r)).collect();
        let text = format!(
            "go.sum database tree\n{}\n{}\n",
            leaves.len(),
            STANDARD.encode(root(&leaves))
        );
        let mut signed = self.key_hash();
        signed.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {NAME} {}\n", STANDARD.encode(signed))
    }

    /// What it answers to a look-up.
    pub(crate) fn lookup(&self, module: &str, version: &str) -> Option<String> {
        let first = format!("{module} {version} ");
        let id = self.records.iter().position(|r| r.starts_with(&first))?;
        Some(format!("{id}\n{}\n{}", self.records[id], self.latest()))
    }

    /// A tile by its path below `tile/`.
    pub(crate) fn tile(&self, path: &str) -> Option<Vec<u8>> {
        let (path, width) = match path.split_once(".p/") {
            Some((path, width)) => (path, width.parse().ok()?),
            None => (path, 256),
        };
        let mut parts = path.split('/');
        (parts.next()? == "8").then_some(())?;
        let level: u32 = parts.next()?.parse().ok()?;
        let digits: String = parts.map(|p| p.trim_start_matches('x')).collect();
        let index: usize = digits.parse().ok()?;
        let leaves: Vec<Hash> = self.records.iter().map(|r| leaf(r)).collect();
        let below = 256_usize.pow(level);
        let nodes: Vec<Hash> = leaves.chunks_exact(below).map(root).collect();
        let tile = nodes.get(index * 256..index * 256 + width)?;
        Some(tile.concat())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
