//! `trust discover`: what the tools' settings name, and what it would take to believe it.
//!
//! A proposal is never a pin: settings are written by whoever can write them. It says where an address stands, its
//! fingerprint, what it is to us already, and the one command that would pin it. Credentials inside addresses are not shown.

use std::sync::Arc;

use crate::model::Fingerprint;
use crate::model::text::printable;

use super::address::{Address, AddressError};
use super::root::{Role, Standing, TrustSet};

/// An address that a tool's settings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Ecosystem, as in reports.
    pub ecosystem: Arc<str>,
    /// What the tool uses it for.
    pub role: Role,
    /// Where it is named (`~/.cargo/config.toml:7`, `env:NAME`).
    pub at: Arc<str>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What an address in settings amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An address that could be asked.
    Address {
        /// Its canonical text.
        address: Address,
        /// SHA-256 of that text.
        fingerprint: Fingerprint,
        /// What it is to us.
        standing: Standing,
        /// The command that pins it; `None` when it is believed already.
        command: Option<String>,
    },
    /// Nothing that could be believed; says why.
    Refused(String),
}

/// Judges an address that a tool's settings name.
pub fn propose(set: &TrustSet, ecosystem: &str, role: Role, text: &str, at: &str) -> Proposal {
    let verdict = match Address::parse(text) {
        Ok(address) => {
            let standing = set.resolve(ecosystem, role, &address).standing;
            Verdict::Address {
                fingerprint: address.fingerprint(),
                standing,
                command: (standing == Standing::Unpinned)
                    .then(|| pin_command(ecosystem, role, &address)),
                address,
            }
        }
        Err(error) => Verdict::Refused(error.to_string()),
    };
    Proposal {
        ecosystem: Arc::from(ecosystem),
        role,
        at: Arc::from(at),
        verdict,
    }
}

impl Proposal {
    /// Lines for a person: where it is named, what it is, its fingerprint, and the command that would pin it.
    pub fn text(&self) -> String {
        let head = format!("{}: {} {}", printable(&self.at), self.ecosystem, self.role);
        match &self.verdict {
            Verdict::Refused(why) => format!("{head}: cannot be believed: {why}\n"),
            Verdict::Address {
                address,
                fingerprint,
                standing,
                command,
            } => {
                let what = match standing {
                    Standing::Recognised(id) => format!("recognised ({id})"),
                    Standing::Pinned => "pinned".to_owned(),
                    Standing::Mirror(of) => format!("a mirror of {of}"),
                    Standing::Unpinned => "not believed".to_owned(),
                };
                let mut text = format!("{head}: {address}\n  {fingerprint}  {what}\n");
                if let Some(command) = command {
                    text.push_str(&format!("  $ {command}\n"));
                }
                text
            }
        }
    }
}

/// The fingerprint of an address with its canonical text, as `trust fingerprint` prints it: how rows of
/// [`super::known`] are made.
///
/// # Errors
/// When the text is no address of a trust root.
pub fn fingerprint_text(text: &str) -> Result<String, AddressError> {
    let address = Address::parse(text)?;
    Ok(format!("{}  {address}\n", address.fingerprint()))
}

/// The command that pins an address, ready for a POSIX shell.
pub fn pin_command(ecosystem: &str, role: Role, address: &Address) -> String {
    format!(
        "untaint trust pin {ecosystem} {role} {}",
        shell(address.as_str())
    )
}

/// Quotes what a shell would read otherwise; an address is printable ASCII.
fn shell(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b":/.-_%[]+,@".contains(&b);
    if text.bytes().all(plain) && !text.contains(['[', ']']) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_believed_needs_no_command() {
        let at = "constants";
        let known = propose(
            &TrustSet::new(),
            "cargo",
            Role::Index,
            tame_index::CRATES_IO_HTTP_INDEX,
            at,
        );
        let Verdict::Address {
            standing, command, ..
        } = known.verdict
        else {
            panic!("an address");
        };
        assert_eq!(standing, Standing::Recognised("crates-index"));
        assert_eq!(command, None);
    }

    #[test]
    fn the_command_is_exact_and_holds_no_secret() {
        let text = "sparse+https://me:hunter2@registry.example/in'dex$(x)/";
        let proposal = propose(
            &TrustSet::new(),
            "cargo",
            Role::Index,
            text,
            "config.toml:3",
        );
        assert!(!format!("{proposal:?}").contains("hunter2"));
        let Verdict::Address {
            command: Some(command),
            ..
        } = proposal.verdict
        else {
            panic!("a command");
        };
        assert_eq!(
            command,
            "untaint trust pin cargo index 'https://registry.example/in'\\''dex$(x)/'"
        );
    }

    #[test]
    fn a_proposal_reads_well() {
        let set = TrustSet::new();
        let text = |url| propose(&set, "cargo", Role::Index, url, "a\nb:3").text();
        let shown = text("https://registry.example/index");
        let print = super::super::fingerprint("https://registry.example/index/");
        assert_eq!(
            shown,
            format!(
                "a\\u{{a}}b:3: cargo index: https://registry.example/index/\n  {print}  not believed\n  \
                 $ untaint trust pin cargo index https://registry.example/index/\n"
            )
        );
        assert!(text("http://registry.example/").contains("cannot be believed"));
        assert!(text(tame_index::CRATES_IO_HTTP_INDEX).contains("recognised (crates-index)"));
        assert_eq!(
            fingerprint_text("https://Registry.example/index").as_deref(),
            Ok(&*format!("{print}  https://registry.example/index/\n"))
        );
        assert!(fingerprint_text("nonsense").is_err());
    }

    #[test]
    fn what_cannot_be_believed_says_why() {
        let set = TrustSet::new();
        let refused = propose(
            &set,
            "go",
            Role::Proxy,
            "http://proxy.example",
            "env:GOPROXY",
        );
        let Verdict::Refused(why) = refused.verdict else {
            panic!("refused");
        };
        assert!(why.contains("https"));
    }
}
