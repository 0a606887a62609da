//! Look-up answers: a record number, the record's text, and a signed tree head.
//!
//! ```text
//! <record number, canonical decimal>
//! <path> <version> h1:<base64>
//! <path> <version>/go.mod h1:<base64>
//!
//! <signed note>
//! ```
//!
//! The record ends at the *first* blank line. As the `go` command (1.13 to 1.27) asks and stores them.
//!
//! Rules, each learnt from a bypass: hashes come out of here only after the text was found at its number in an
//! authenticated tree, only from that text, and only from lines for exactly the module and version asked for
//! (GO-2026-4984); hash lines after the record's end are evidence of forgery (GO-2026-6180).

use super::error::{Error, Forgery, RecordForgery};
use super::note::SignedHead;
use super::proof::verify_inclusion;
use super::tree::{Hash, TreeHead, canonical_decimal, leaf_hash};

/// Longer answers are not read.
pub const MAX_ANSWER: usize = 1 << 20;

/// What is asked of the log: one version of one module, both unescaped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Module path.
    pub module: String,
    /// Version, with its `v`.
    pub version: String,
}

/// A look-up answer taken apart. Nothing of it is believed yet, so its text is not to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    id: u64,
    text: String,
    note: Vec<u8>,
    answer: Vec<u8>,
}

impl Lookup {
    /// Takes an answer apart.
    ///
    /// # Errors
    /// `Error::Malformed` when it is not of the form; `Error::Forged` when hash lines stand after the record's end.
    pub fn parse(bytes: &[u8], wanted: &Wanted) -> Result<Self, Error> {
        let broken = |why: &str| Error::malformed("log answer", why);
        if bytes.len() > MAX_ANSWER {
            return Err(broken("it is too long"));
        }
        let whole = str::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))?;
        let (id, rest) = whole
            .split_once('\n')
            .ok_or_else(|| broken("it has one line"))?;
        let id = canonical_decimal(id).ok_or_else(|| broken("its record number is none"))?;
        let (text, note) = rest
            .split_once("\n\n")
            .ok_or_else(|| broken("its record does not end"))?;
        if !is_record(text) {
            return Err(broken("its record is empty or has control characters"));
        }
        if note.split('\n').any(is_hash_line) {
            return Err(forged(wanted, RecordForgery::LinesAfterRecord, bytes));
        }
        Ok(Self {
            id,
            text: format!("{text}\n"),
            note: note.as_bytes().to_vec(),
            answer: bytes.to_vec(),
        })
    }

    /// The record's number, as claimed.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The signed note that came with it, not verified.
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// The hash that this text has as a leaf.
    pub fn leaf(&self) -> Hash {
        leaf_hash(self.text.as_bytes())
    }

    /// Gives the hashes out, once `leaf` was authenticated as the record with this number.
    ///
    /// # Errors
    /// `Error::Forged` when the text is another record than that, or has no line, or two, for what was asked.
    pub(super) fn authenticated(
        &self,
        leaf: &Hash,
        wanted: &Wanted,
    ) -> Result<(Hash, Hash), Error> {
        let forged = |why| forged(wanted, why, &self.answer);
        if self.leaf() != *leaf {
            return Err(forged(RecordForgery::NotInTree));
        }
        let go_mod = format!("{}/go.mod", wanted.version);
        let zip = self.line(&wanted.module, &wanted.version).map_err(forged)?;
        let go_mod = self.line(&wanted.module, &go_mod).map_err(forged)?;
        Ok((zip, go_mod))
    }

    /// The one `h1:` digest that the record states for this path and version.
    fn line(&self, path: &str, version: &str) -> Result<Hash, RecordForgery> {
        let mut found = None;
        for line in self.text.split('\n') {
            let Some((of, at, digest)) = fields(line) else {
                continue;
            };
            if of != path || at != version {
                continue;
            }
            let Some(digest) = digest.strip_prefix("h1:") else {
                continue;
            };
            let digest = Hash::from_base64(digest).ok_or(RecordForgery::WithoutLine)?;
            if found.is_some_and(|earlier| earlier != digest) {
                return Err(RecordForgery::Contradictory);
            }
            found = Some(digest);
        }
        found.ok_or(RecordForgery::WithoutLine)
    }

    /// The whole answer, to be kept once it is authenticated.
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }
}

/// A record proven to be in a log, with all that is needed to prove it again from nothing but the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// What was asked.
    pub wanted: Wanted,
    /// The record's number.
    pub id: u64,
    /// The digest in the record's `h1:` line for the module's zip.
    pub zip: Hash,
    /// The digest in its `h1:` line for the `go.mod` file.
    pub go_mod: Hash,
    /// The signed head under which it was proven.
    pub under: SignedHead,
    /// RFC 6962 inclusion proof under that head.
    pub proof: Vec<Hash>,
    /// The whole look-up answer.
    pub answer: Vec<u8>,
}

impl Proven {
    /// Proves again what was kept: an answer, and the inclusion proof under a head whose signature was verified in this
    /// run. Nothing kept is believed.
    ///
    /// # Errors
    /// As `Lookup::parse`; `Error::Forged` when the proof does not hold.
    pub fn from_kept(
        wanted: &Wanted,
        answer: &[u8],
        under: SignedHead,
        proof: Vec<Hash>,
    ) -> Result<Self, Error> {
        let lookup = Lookup::parse(answer, wanted)?;
        if !verify_inclusion(&proof, lookup.id, &lookup.leaf(), under.head()) {
            return Err(forged(wanted, RecordForgery::NotInTree, answer));
        }
        Self::new(wanted, &lookup, &lookup.leaf(), under, proof)
    }

    /// Joins an answer with the leaf that was authenticated at its number under `under`.
    pub(super) fn new(
        wanted: &Wanted,
        lookup: &Lookup,
        leaf: &Hash,
        under: SignedHead,
        proof: Vec<Hash>,
    ) -> Result<Self, Error> {
        let (zip, go_mod) = lookup.authenticated(leaf, wanted)?;
        Ok(Self {
            wanted: wanted.clone(),
            id: lookup.id,
            zip,
            go_mod,
            under,
            proof,
            answer: lookup.answer.clone(),
        })
    }

    /// The head under which it was proven.
    pub const fn tree(&self) -> &TreeHead {
        self.under.head()
    }
}

/// Whether this can be a record's text (its last line end already taken off).
fn is_record(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('\n')
        && !text.chars().any(|c| c.is_control() && c != '\n')
}

/// The three fields of a go.sum line, which single spaces keep apart.
fn fields(line: &str) -> Option<(&str, &str, &str)> {
    let mut parts = line.split(' ');
    let fields = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(fields)
}

/// Whether a reader that is not careful could take this line for a hash line: any spacing, any digest kind.
fn is_hash_line(line: &str) -> bool {
    let mut parts = line.split_whitespace();
    let (Some(path), Some(_), Some(digest), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let kind = digest.split_once(':').map(|(kind, _)| kind);
    path != "\u{2014}" && kind.is_some_and(|kind| kind.starts_with('h'))
}

/// Evidence against an answer.
fn forged(wanted: &Wanted, why: RecordForgery, answer: &[u8]) -> Error {
    Error::forged(Forgery::Record {
        module: wanted.module.clone(),
        version: wanted.version.clone(),
        why,
        answer: answer.to_vec(),
    })
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
