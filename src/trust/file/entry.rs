//! Reads the entries of a trust file, each key by key, and names the line of whatever does not fit.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::text::printable;
use crate::model::{Assurance, Digest, Fingerprint, Scheme};

use super::super::address::Address;
use super::super::known;
use super::super::private::{Private, is_pattern};
use super::super::root::{How, Mirror, Requirement, Role, TokenVariable, TrustRoot};
use super::{Source, TrustFileError, line_at, nearest, roles};

/// Keys of a `[[root]]`.
const ROOT_KEYS: [&str; 9] = [
    "ecosystem",
    "role",
    "url",
    "name",
    "key",
    "id",
    "expires",
    "require",
    "token",
];

/// The file that is being read.
pub(super) struct Reader<'a> {
    /// Its text, for lines.
    pub(super) text: &'a str,
    /// Its name, for messages.
    pub(super) file: &'a str,
    /// What it may do.
    pub(super) source: Source,
    /// Ecosystems that may be named.
    pub(super) ecosystems: &'a [&'a str],
}

type Result<T> = std::result::Result<T, TrustFileError>;
type Value<'i> = Spanned<DeValue<'i>>;

impl Reader<'_> {
    /// Line of a position.
    pub(super) fn line(&self, at: usize) -> u32 {
        line_at(self.text.as_bytes(), at)
    }

    /// An error at a position.
    pub(super) fn error(&self, at: usize, message: String) -> TrustFileError {
        TrustFileError {
            file: self.file.to_owned(),
            line: self.line(at),
            message,
        }
    }

    /// Refuses every key but the known ones.
    pub(super) fn only_keys(&self, table: &DeTable<'_>, keys: &[&str], place: &str) -> Result<()> {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !keys.contains(&name) {
                let hint = nearest(name, keys).map_or_else(
                    || format!("the keys here are {}", keys.join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                );
                let message = format!("unknown key `{}`{place}: {hint}", printable(name));
                return Err(self.error(key.span().start, message));
            }
        }
        Ok(())
    }

    /// The tables of an array of tables; none when the key is not there.
    pub(super) fn tables<'t, 'i>(
        &self,
        table: &'t DeTable<'i>,
        key: &str,
    ) -> Result<Vec<&'t Value<'i>>> {
        let Some(value) = table.get(key) else {
            return Ok(Vec::new());
        };
        let tables = value.get_ref().as_array().map(|a| a.iter().collect());
        tables.ok_or_else(|| {
            self.error(
                value.span().start,
                format!("`{key}` is a list of tables: write `[[{key}]]`"),
            )
        })
    }

    /// A value as a table.
    fn table<'t, 'i>(&self, value: &'t Value<'i>, what: &str) -> Result<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        table.ok_or_else(|| self.error(value.span().start, format!("`{what}` is a table")))
    }

    /// A value as text without control characters.
    fn string<'t>(&self, value: &'t Value<'_>, key: &str) -> Result<&'t str> {
        value
            .get_ref()
            .as_str()
            .filter(|s| !s.is_empty() && !s.chars().any(char::is_control))
            .ok_or_else(|| {
                self.error(
                    value.span().start,
                    format!("`{key}` is a text: write `{key} = \"…\"`"),
                )
            })
    }

    /// A text under a key; `None` when the key is not there.
    fn optional<'t>(&self, table: &'t DeTable<'_>, key: &str) -> Result<Option<(&'t str, usize)>> {
        let Some(value) = table.get(key) else {
            return Ok(None);
        };
        Ok(Some((self.string(value, key)?, value.span().start)))
    }

    /// A text that must be there.
    fn required<'t>(
        &self,
        table: &'t DeTable<'_>,
        key: &str,
        entry: &Value<'_>,
        place: &str,
    ) -> Result<(&'t str, usize)> {
        self.optional(table, key)?.ok_or_else(|| {
            self.error(
                entry.span().start,
                format!("a [[{place}]] needs `{key} = \"…\"`"),
            )
        })
    }

    /// An address that a person wrote.
    fn address(&self, text: &str, at: usize) -> Result<Address> {
        Address::parse_written(text).map_err(|e| self.error(at, e.to_string()))
    }

    /// An ecosystem's name.
    fn ecosystem(&self, text: &str, at: usize) -> Result<Arc<str>> {
        if self.ecosystems.contains(&text) {
            return Ok(Arc::from(text));
        }
        let hint = nearest(text, self.ecosystems).map_or_else(
            || format!("one of {}", self.ecosystems.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        );
        Err(self.error(
            at,
            format!("unknown ecosystem `{}`: {hint}", printable(text)),
        ))
    }

    /// An assurance.
    fn assurance(&self, text: &str, at: usize) -> Result<Assurance> {
        Assurance::parse(text).ok_or_else(|| {
            self.error(
                at,
                "`require` is one of authenticated, published, declared, remembered".to_owned(),
            )
        })
    }

    /// A `[[root]]`.
    pub(super) fn root(&self, entry: &Value<'_>) -> Result<TrustRoot> {
        let table = self.table(entry, "root")?;
        self.only_keys(table, &ROOT_KEYS, " in [[root]]")?;
        let start = entry.span().start;
        let (ecosystem, at) = self.required(table, "ecosystem", entry, "root")?;
        let ecosystem = self.ecosystem(ecosystem, at)?;
        let (role_text, at) = self.required(table, "role", entry, "root")?;
        let role = Role::parse(role_text).ok_or_else(|| {
            let message = format!(
                "unknown role `{}`: one of {}",
                printable(role_text),
                roles().join(", ")
            );
            self.error(at, message)
        })?;
        let address = match self.optional(table, "url")? {
            Some((text, at)) => Some(self.address(text, at)?),
            None if role == Role::Keys => None,
            None => return Err(self.error(start, "a [[root]] needs `url = \"…\"`".to_owned())),
        };
        self.fitting(table, role)?;
        let (name, key, of_key) = self.key(table, entry, role)?;
        let fingerprint = match (&address, of_key) {
            (Some(address), _) => address.fingerprint(),
            (None, Some(of_key)) => of_key,
            (None, None) => return Err(self.error(start, "a [[root]] needs `url`".to_owned())),
        };
        let require = match self.optional(table, "require")? {
            Some((text, at)) => Some(Requirement {
                assurance: self.assurance(text, at)?,
                may_lower: self.source == Source::User,
            }),
            None => None,
        };
        let token = match self.optional(table, "token")? {
            Some((text, at)) => Some(TokenVariable::parse(text).ok_or_else(|| {
                self.error(
                    at,
                    "`token` names a variable, it is not the credential itself: write `token = \"env:NAME\"`"
                        .to_owned(),
                )
            })?),
            None => None,
        };
        Ok(TrustRoot {
            ecosystem,
            role,
            address,
            name,
            key,
            fingerprint,
            how: How::Pinned,
            origin: Arc::from(format!("{}:{}", self.file, self.line(start))),
            require,
            token,
            expires: self.expires(table)?,
        })
    }

    /// Refuses keys that mean nothing for a role: they would be believed to do something.
    fn fitting(&self, table: &DeTable<'_>, role: Role) -> Result<()> {
        let meaningless: &[&str] = match role {
            Role::Log => &["id", "expires"],
            Role::Keys => &["name"],
            Role::Index | Role::Proxy | Role::Advisories => &["name", "key", "id", "expires"],
        };
        for key in table.keys() {
            let name: &str = key.get_ref();
            if meaningless.contains(&name) {
                let message = format!("`{name}` means nothing for role \"{role}\": remove it");
                return Err(self.error(key.span().start, message));
            }
        }
        Ok(())
    }

    /// Name and key of a log, or id and key of a signature key, and the key's own fingerprint.
    #[expect(clippy::type_complexity, reason = "three facts of one kind of entry")]
    fn key(
        &self,
        table: &DeTable<'_>,
        entry: &Value<'_>,
        role: Role,
    ) -> Result<(Option<Arc<str>>, Option<Arc<str>>, Option<Fingerprint>)> {
        let of = |raw: &[u8]| Some(Fingerprint(Sha256::digest(raw).into()));
        match role {
            Role::Log => {
                let (name, _) = self.required(table, "name", entry, "root")?;
                let (key, at) = self.required(table, "key", entry, "root")?;
                let raw = verifier_key(name, key).ok_or_else(|| {
                    self.error(
                        at,
                        "not this log's verifier key: `NAME+8 hex digits+base64`, with the log's own `name`, \
                         and digits that name and key give"
                            .to_owned(),
                    )
                })?;
                Ok((Some(Arc::from(name)), Some(Arc::from(key)), of(&raw)))
            }
            Role::Keys => {
                let (id, _) = self.required(table, "id", entry, "root")?;
                let (key, at) = self.required(table, "key", entry, "root")?;
                let raw = STANDARD
                    .decode(key)
                    .ok()
                    .filter(|raw| raw.len() >= 32)
                    .ok_or_else(|| self.error(at, "`key` is a public key in base64".to_owned()))?;
                Ok((Some(Arc::from(id)), Some(Arc::from(key)), of(&raw)))
            }
            Role::Index | Role::Proxy | Role::Advisories => Ok((None, None, None)),
        }
    }

    /// When a key stops counting: a date (that day still counts) or a time with offset.
    fn expires(&self, table: &DeTable<'_>) -> Result<Option<i64>> {
        let Some(value) = table.get("expires") else {
            return Ok(None);
        };
        let text = match value.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        let end = text
            .parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| {
                let day = text.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?;
                let zoned = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
                Some(zoned.timestamp())
            })
            .ok_or_else(|| {
                self.error(
                    value.span().start,
                    "`expires` is a date: write `expires = 2027-01-31`".to_owned(),
                )
            })?;
        Ok(Some(end.as_second()))
    }

    /// A `[[mirror]]`.
    pub(super) fn mirror(&self, entry: &Value<'_>) -> Result<Mirror> {
        let table = self.table(entry, "mirror")?;
        self.only_keys(table, &["of", "url"], " in [[mirror]]")?;
        let (of, at) = self.required(table, "of", entry, "mirror")?;
        let of = of
            .parse::<Digest>()
            .ok()
            .filter(|digest| digest.scheme() == Scheme::Sha256)
            .and_then(|digest| digest.bytes().try_into().ok().map(Fingerprint))
            .ok_or_else(|| {
                self.error(
                    at,
                    "`of` is the fingerprint of a root: `sha256:` and 64 hex digits, as `untaint trust show` prints it"
                        .to_owned(),
                )
            })?;
        let (url, at) = self.required(table, "url", entry, "mirror")?;
        Ok(Mirror {
            of,
            address: self.address(url, at)?,
            origin: Arc::from(format!("{}:{}", self.file, self.line(entry.span().start))),
        })
    }

    /// The `[private]` table.
    pub(super) fn private(&self, value: &Value<'_>) -> Result<Private> {
        let table = self.table(value, "private")?;
        let mut patterns: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        let mut require = None;
        for (key, value) in table {
            let name: &str = key.get_ref();
            if name == "require" {
                let text = self.string(value, "require")?;
                require = Some(self.assurance(text, value.span().start)?);
                continue;
            }
            let ecosystem = self.ecosystem(name, key.span().start)?;
            let list = value.get_ref().as_array().ok_or_else(|| {
                self.error(
                    value.span().start,
                    format!("`{ecosystem}` is a list of patterns: write `{ecosystem} = [\"…\"]`"),
                )
            })?;
            for item in list {
                let text = item.get_ref().as_str().filter(|text| is_pattern(text));
                let text = text.ok_or_else(|| {
                    self.error(
                        item.span().start,
                        "not a pattern: a name whose parts may hold `*` and `?`; the first part needs some \
                         letter of its own"
                            .to_owned(),
                    )
                })?;
                patterns
                    .entry(Arc::clone(&ecosystem))
                    .or_default()
                    .push(Arc::from(text));
            }
        }
        Ok(Private { patterns, require })
    }
}

/// The Ed25519 key of a verifier key `NAME+HEX+BASE64`, if name, digits and key belong together.
fn verifier_key(name: &str, text: &str) -> Option<[u8; 32]> {
    let (key_name, rest) = text.split_once('+')?;
    let (digits, base64) = rest.split_once('+')?;
    let raw = STANDARD.decode(base64).ok()?;
    let (algorithm, key) = raw.split_first()?;
    let key: [u8; 32] = key.try_into().ok()?;
    let id = format!("{:08x}", known::key_id(name, &key));
    (key_name == name && *algorithm == 1 && digits == id).then_some(key)
}
