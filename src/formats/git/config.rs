//! Git's configuration syntax (`git-config`, "Syntax"), read tolerantly: a line that git itself would refuse is noted and
//! left out, everything else is returned with its line. Included files are never opened.

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The section, lower case.
    pub section: String,
    /// The subsection, as written.
    pub subsection: Option<String>,
    /// The key, lower case.
    pub key: String,
    /// The value without quotes; `None` for a key that stands alone, which means true.
    pub value: Option<String>,
    /// Where it stands, counted from 1.
    pub line: u32,
}

/// A configuration file. Text that is not UTF-8 is shown with replacement characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Its settings, in order.
    pub entries: Vec<Entry>,
    /// Lines that are no configuration.
    pub unreadable: Vec<u32>,
}

/// Reads a configuration file; at most `most` settings are kept, the rest counts as unreadable.
#[must_use]
pub fn parse(bytes: &[u8], most: usize) -> Config {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader {
        bytes,
        at: 0,
        line: 1,
    };
    let mut config = Config::default();
    let mut place: Option<(String, Option<String>)> = None;
    loop {
        reader.blanks();
        let line = reader.line;
        match reader.peek() {
            None => return config,
            Some(b'\n') => reader.step(),
            Some(b'#' | b';') => reader.skip_line(),
            Some(b'[') => {
                place = reader.header();
                if place.is_none() {
                    config.unreadable.push(line);
                    reader.skip_line();
                }
            }
            Some(_) => match (reader.setting(), &place) {
                (Some((key, value)), Some((section, subsection)))
                    if config.entries.len() < most =>
                {
                    let (section, subsection) = (section.clone(), subsection.clone());
                    config.entries.push(Entry {
                        section,
                        subsection,
                        key,
                        value,
                        line,
                    });
                }
                _ => {
                    config.unreadable.push(line);
                    reader.skip_line();
                    if config.unreadable.len() > most {
                        return config;
                    }
                }
            },
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
}

impl Reader<'_> {
    /// The next byte; a carriage return before a line feed is passed over.
    fn peek(&self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        if byte == Some(b'\r') && self.bytes.get(self.at + 1) == Some(&b'\n') {
            Some(b'\n')
        } else {
            byte
        }
    }

    fn step(&mut self) {
        if self.bytes.get(self.at) == Some(&b'\r') && self.bytes.get(self.at + 1) == Some(&b'\n') {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'\n') {
            self.line = self.line.saturating_add(1);
        }
        self.at += 1;
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.step();
        Some(byte)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | 0x0b | 0x0c)) {
            self.step();
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.step();
        }
    }

    /// `[section]`, `[section "subsection"]` or the old `[section.subsection]`.
    fn header(&mut self) -> Option<(String, Option<String>)> {
        self.step();
        let mut name = Vec::new();
        loop {
            match self.peek()? {
                b']' => {
                    self.step();
                    let name = text(&name).to_ascii_lowercase();
                    return match name.split_once('.') {
                        Some((section, sub)) => Some((section.to_owned(), Some(sub.to_owned()))),
                        None => Some((name, None)),
                    };
                }
                b' ' | b'\t' => break,
                byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.') => {
                    name.push(byte);
                    self.step();
                }
                _ => return None,
            }
        }
        self.blanks();
        if self.peek() != Some(b'"') {
            return None;
        }
        self.step();
        let mut sub = Vec::new();
        loop {
            match self.peek()? {
                b'\n' => return None,
                b'"' => {
                    self.step();
                    break;
                }
                b'\\' => {
                    self.step();
                    let byte = self.peek().filter(|byte| *byte != b'\n')?;
                    sub.push(byte);
                    self.step();
                }
                byte => {
                    sub.push(byte);
                    self.step();
                }
            }
        }
        if self.peek() != Some(b']') {
            return None;
        }
        self.step();
        Some((text(&name).to_ascii_lowercase(), Some(text(&sub))))
    }

    /// `key` or `key = value`, up to the end of the line.
    fn setting(&mut self) -> Option<(String, Option<String>)> {
        let mut key = Vec::new();
        while let Some(byte) = self
            .peek()
            .filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        {
            key.push(byte);
            self.step();
        }
        if !key.first()?.is_ascii_alphabetic() {
            return None;
        }
        let key = text(&key).to_ascii_lowercase();
        self.blanks();
        match self.peek() {
            None | Some(b'\n') => return Some((key, None)),
            Some(b'#' | b';') => {
                self.skip_line();
                return Some((key, None));
            }
            Some(b'=') => self.step(),
            Some(_) => return None,
        }
        self.blanks();
        self.value().map(|value| (key, Some(value)))
    }

    fn value(&mut self) -> Option<String> {
        let mut value = Vec::new();
        // Blanks count only if something follows them.
        let mut kept = 0;
        let mut quoted = false;
        loop {
            match self.peek() {
                None | Some(b'\n') if quoted => return None,
                None | Some(b'\n') => break,
                Some(b'#' | b';') if !quoted => {
                    self.skip_line();
                    break;
                }
                Some(b'"') => {
                    quoted = !quoted;
                    self.step();
                    kept = value.len();
                }
                Some(b'\\') => {
                    self.step();
                    match self.next()? {
                        b'\n' => continue,
                        b'n' => value.push(b'\n'),
                        b't' => value.push(b'\t'),
                        b'b' => value.push(8),
                        byte @ (b'"' | b'\\') => value.push(byte),
                        _ => return None,
                    }
                    kept = value.len();
                }
                Some(byte) => {
                    value.push(byte);
                    self.step();
                    if quoted || !matches!(byte, b' ' | b'\t') {
                        kept = value.len();
                    }
                }
            }
        }
        value.truncate(kept);
        Some(text(&value))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Vec<(String, Option<String>, u32)> {
        parse(text.as_bytes(), 100)
            .entries
            .into_iter()
            .map(|entry| {
                let sub = entry
                    .subsection
                    .map_or_else(String::new, |sub| format!("{sub}."));
                (
                    format!("{}.{sub}{}", entry.section, entry.key),
                    entry.value,
                    entry.line,
                )
            })
            .collect()
    }

    #[test]
    fn the_syntax_is_gits() {
        let text = "\u{feff}# note\r\n[Core] bare ; alone\r\n\tfsMonitor = a\\\r\n b # rest\n[filter \"A \\\"b\\\"\"]\nclean = \"x ; y\" z \n[url.Old]insteadOf=\\t\n";
        assert_eq!(
            rows(text),
            [
                ("core.bare".into(), None, 2),
                ("core.fsmonitor".into(), Some("a b".into()), 3),
                ("filter.A \"b\".clean".into(), Some("x ; y z".into()), 6),
                ("url.old.insteadof".into(), Some("\t".into()), 7),
            ]
        );
    }

    #[test]
    fn unreadable_lines_hide_nothing_after_them() {
        let config = parse(
            b"key = 1\n[a]\n= x\n1k = 2\nv = \"open\nw = \\q\n[b\n[core]\nhooksPath = x\n",
            100,
        );
        assert_eq!(config.unreadable, [1, 3, 4, 5, 6, 7]);
        assert_eq!(config.entries.len(), 1);
        assert_eq!(
            (config.entries[0].key.as_str(), config.entries[0].line),
            ("hookspath", 9)
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"[]\"\\=\n\r #ab.".to_vec())], 0..200)) {
            let config = parse(&bytes, 10);
            prop_assert!(config.entries.len() <= 10);
        }
    }
}
