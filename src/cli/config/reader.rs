//! Reads the tables of a policy file, each value with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, PolicyFile};
use crate::cli::args::{parse_bytes, parse_seconds, reasons, selectors};
use crate::model::day::Day;
use crate::model::policy::{Accept, AcceptedArtifact, Derived, Waivable, Waiver};
use crate::model::text::printable;
use crate::model::{Assurance, Code, Digest};
use crate::trust::file::{line_at, nearest};

/// Seconds of a day: nothing that a heal took is gone before somebody could have seen it.
const DAY: u64 = 24 * 3600;

type Value<'i> = Spanned<DeValue<'i>>;
type Result<T> = std::result::Result<T, ConfigError>;

const TOP: &[&str] = &[
    "fail-on",
    "allow",
    "derived",
    "require",
    "max-feed-age",
    "exclude",
    "sightings",
    "quarantine-retention",
    "quarantine-limit",
    "waiver",
    "accept",
];
const WAIVER: &[&str] = &[
    "id", "code", "package", "version", "reason", "until", "owner",
];
const ACCEPT: &[&str] = &["artifact", "digest", "reason", "until"];

/// The file that is being read.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) file: &'a str,
}

impl Reader<'_> {
    /// Reads the top level.
    pub(super) fn policy(&self, table: &DeTable<'_>) -> Result<PolicyFile> {
        self.only_keys(table, TOP, "")?;
        let mut file = PolicyFile {
            name: self.file.to_owned(),
            ..PolicyFile::default()
        };
        if let Some(value) = table.get("fail-on") {
            let words = self.strings(value, "fail-on")?;
            let read = selectors(&words);
            file.fail_on = Some(read.map_err(|why| self.error(value, printable(&why)))?);
        }
        if let Some(value) = table.get("allow") {
            let words = self.strings(value, "allow")?;
            let read = reasons(&words);
            file.allow = Some(read.map_err(|why| self.error(value, printable(&why)))?);
        }
        file.derived = self.word(table, "derived", "deny, note or ignore", Derived::parse)?;
        file.require = self.word(
            table,
            "require",
            "authenticated, published, declared or remembered",
            Assurance::parse,
        )?;
        file.max_feed_age = self.word(table, "max-feed-age", "a duration such as 7d", |text| {
            parse_seconds(text).ok().map(|s| s.0)
        })?;
        if let Some(value) = table.get("exclude") {
            let globs = self.strings(value, "exclude")?;
            for glob in &globs {
                globset::Glob::new(glob).map_err(|e| {
                    self.error(value, format!("`exclude`: {}", printable(&e.to_string())))
                })?;
            }
            file.exclude = Some(globs);
        }
        if let Some(value) = table.get("sightings") {
            let DeValue::Boolean(kept) = value.get_ref() else {
                return Err(self.error(value, "`sightings` is true or false"));
            };
            file.sightings = Some(*kept);
        }
        let days = |text: &str| {
            let seconds = parse_seconds(text).ok()?.0;
            (seconds >= DAY).then_some(seconds)
        };
        let possible = "a duration of at least 1d, such as 30d";
        file.quarantine_retention = self.word(table, "quarantine-retention", possible, days)?;
        let bytes = |text: &str| parse_bytes(text).ok().map(|bytes| bytes.0);
        file.quarantine_limit =
            self.word(table, "quarantine-limit", "a size such as 2GB", bytes)?;
        for entry in self.tables(table, "waiver")? {
            file.waivers.push(self.waiver(entry)?);
        }
        for entry in self.tables(table, "accept")? {
            file.accepts.push(self.accept(entry)?);
        }
        Ok(file)
    }

    fn waiver(&self, entry: &Value<'_>) -> Result<Waiver> {
        let table = self.table(entry, "waiver")?;
        self.only_keys(table, WAIVER, "[[waiver]]")?;
        let id = self.optional(table, "id")?;
        let code = self.word(table, "code", "a finding code", |text| {
            Code::ALL.iter().copied().find(|c| c.as_str() == text)
        })?;
        let package = self.optional(table, "package")?;
        let version = self.optional(table, "version")?;
        let what = match (id, code, package) {
            (Some(id), None, None) if version.is_none() => Waivable::Id(id),
            (None, Some(code), Some(package)) => Waivable::Code {
                code,
                package,
                version,
            },
            _ => {
                return Err(self.error(
                    entry,
                    "[[waiver]]: write either `id`, or `code` with `package` and if you like `version`",
                ));
            }
        };
        Ok(Waiver {
            what,
            reason: self.required(entry, table, "reason")?,
            until: self.day(entry, table)?,
            owner: self.optional(table, "owner")?,
            at: self.place(entry),
        })
    }

    fn accept(&self, entry: &Value<'_>) -> Result<Accept> {
        let table = self.table(entry, "accept")?;
        self.only_keys(table, ACCEPT, "[[accept]]")?;
        let artifact = self.required(entry, table, "artifact")?;
        let artifact = AcceptedArtifact::parse(&artifact)
            .ok_or_else(|| self.error(entry, "`artifact`: write ECOSYSTEM:NAME@VERSION:FILE"))?;
        let digest: Digest = self
            .required(entry, table, "digest")?
            .parse()
            .map_err(|_| {
                self.error(
                    entry,
                    "`digest`: write sha256: and 64 lower-case hex digits",
                )
            })?;
        if digest.scheme().is_weak() {
            return Err(self.error(
                entry,
                "`digest`: a weak digest vouches for nothing: use sha256",
            ));
        }
        Ok(Accept {
            artifact,
            digest,
            reason: self.required(entry, table, "reason")?,
            until: self.day(entry, table)?,
            at: self.place(entry),
        })
    }

    /// Dates may be written as TOML dates or as text.
    fn day(&self, entry: &Value<'_>, table: &DeTable<'_>) -> Result<Day> {
        let value = table.get("until").ok_or_else(|| {
            self.error(entry, "`until` is missing: write a day such as 2027-01-31")
        })?;
        let text = match value.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        Day::parse(&text)
            .ok_or_else(|| self.error(value, "`until` is not a day: write for example 2027-01-31"))
    }

    fn error(&self, value: &Value<'_>, message: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.file.to_owned(),
            line: line_at(self.bytes, value.span().start),
            message: message.into(),
        }
    }

    fn place(&self, entry: &Value<'_>) -> String {
        format!("{}:{}", self.file, line_at(self.bytes, entry.span().start))
    }

    fn only_keys(&self, table: &DeTable<'_>, keys: &[&str], place: &str) -> Result<()> {
        let unknown = table
            .iter()
            .filter(|(key, _)| !keys.contains(&key.get_ref().as_ref()))
            .min_by_key(|(key, _)| key.span().start);
        let Some((key, _)) = unknown else {
            return Ok(());
        };
        let typed = key.get_ref().as_ref();
        let meant = match nearest(typed, keys) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", keys.join(", ")),
        };
        let place = if place.is_empty() {
            String::new()
        } else {
            format!(" in {place}")
        };
        Err(ConfigError {
            file: self.file.to_owned(),
            line: line_at(self.bytes, key.span().start),
            message: format!("unknown key `{}`{place}: {meant}", printable(typed)),
        })
    }

    fn table<'t, 'i>(&self, value: &'t Value<'i>, key: &str) -> Result<&'t DeTable<'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.error(value, format!("`{key}` is a table: write [[{key}]]"))),
        }
    }

    fn tables<'t, 'i>(&self, table: &'t DeTable<'i>, key: &str) -> Result<Vec<&'t Value<'i>>> {
        match table.get(key) {
            None => Ok(Vec::new()),
            Some(value) => match value.get_ref() {
                DeValue::Array(entries) => Ok(entries.iter().collect()),
                _ => Err(self.error(
                    value,
                    format!("`{key}` is a list of tables: write [[{key}]]"),
                )),
            },
        }
    }

    fn strings(&self, value: &Value<'_>, key: &str) -> Result<Vec<String>> {
        let wrong = || {
            self.error(
                value,
                format!("`{key}` is a list of texts: write {key} = [\"…\"]"),
            )
        };
        let DeValue::Array(entries) = value.get_ref() else {
            return Err(wrong());
        };
        entries
            .iter()
            .map(|entry| match entry.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                _ => Err(wrong()),
            })
            .collect()
    }

    fn string(&self, value: &Value<'_>, key: &str) -> Result<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.to_string()),
            _ => Err(self.error(value, format!("`{key}` is a text: write {key} = \"…\""))),
        }
    }

    fn optional(&self, table: &DeTable<'_>, key: &str) -> Result<Option<String>> {
        table
            .get(key)
            .map(|value| self.string(value, key))
            .transpose()
    }

    fn required(&self, entry: &Value<'_>, table: &DeTable<'_>, key: &str) -> Result<String> {
        self.optional(table, key)?
            .ok_or_else(|| self.error(entry, format!("`{key}` is missing")))
    }

    fn word<T>(
        &self,
        table: &DeTable<'_>,
        key: &str,
        possible: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = table.get(key) else {
            return Ok(None);
        };
        let text = self.string(value, key)?;
        read(&text)
            .map(Some)
            .ok_or_else(|| self.error(value, format!("`{key}`: write {possible}")))
    }
}
