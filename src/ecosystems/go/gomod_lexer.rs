//! The words of `go.mod` and `go.work` files, a line at a time.
//!
//! Words are kept apart by blanks; `( ) [ ] { } ,` stand alone; `//` begins a comment, also inside a word; strings
//! stand in `"` (with escapes) or `` ` `` and do not span lines. `/*` is refused. As golang.org/x/mod/modfile reads them.

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare or quoted word, quotes and escapes undone.
    Word(String),
    /// One of the signs that stand alone.
    Sign(char),
}

impl Token {
    /// The word, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Sign(_) => None,
        }
    }
}

/// A line taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Its words and signs.
    pub(super) tokens: Vec<Token>,
    /// Its comment, without `//` and the blanks around it.
    pub(super) comment: Option<String>,
}

/// Takes one line (without its end) apart.
///
/// # Errors
/// What is wrong with it, as a fragment.
pub(super) fn tokens(line: &str) -> Result<Tokens, String> {
    let mut found = Tokens::default();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if let Some(comment) = rest.strip_prefix("//") {
            found.comment = Some(comment.trim().to_owned());
            return Ok(found);
        }
        let Some(first) = rest.chars().next() else {
            return Ok(found);
        };
        if rest.starts_with("/*") {
            return Err("`/*` begins no comment here".to_owned());
        }
        match first {
            '(' | ')' | '[' | ']' | '{' | '}' | ',' => {
                found.tokens.push(Token::Sign(first));
                rest = rest.strip_prefix(first).unwrap_or_default();
            }
            '"' | '`' => {
                let (word, after) = quoted(rest, first)?;
                found.tokens.push(Token::Word(word));
                rest = after;
            }
            _ => {
                let (word, after) = bare(rest)?;
                found.tokens.push(Token::Word(word.to_owned()));
                rest = after;
            }
        }
    }
}

/// Reads a bare word.
fn bare(text: &str) -> Result<(&str, &str), String> {
    let stop = text
        .char_indices()
        .find(|(at, c)| {
            let slashes = *c == '/' && text.get(*at..).is_some_and(|rest| rest.starts_with("//"));
            slashes || is_end(*c)
        })
        .map_or(text.len(), |(at, _)| at);
    let (word, rest) = text.split_at_checked(stop).unwrap_or((text, ""));
    if word.contains("/*") {
        return Err("`/*` begins no comment here".to_owned());
    }
    if word.is_empty() || word.chars().any(|c| c.is_control() || c == '\u{fffd}') {
        return Err("a character that is not allowed outside of quotes".to_owned());
    }
    if word.contains(['"', '\'', '`']) {
        return Err("a quote inside an unquoted word".to_owned());
    }
    Ok((word, rest))
}

/// Whether a bare word ends before this character.
fn is_end(c: char) -> bool {
    matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',') || c.is_whitespace()
}

/// Reads a quoted word, the quote included in `text`.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let open = || "a string does not end on its line".to_owned();
    let mut word = String::new();
    let mut chars = text.chars();
    chars.next();
    loop {
        match chars.next().ok_or_else(open)? {
            c if c == quote => return Ok((word, chars.as_str())),
            '\\' if quote == '"' => word.push(escaped(chars.next().ok_or_else(open)?, &mut chars)?),
            c if c.is_control() => return Err("a control character in a string".to_owned()),
            c => word.push(c),
        }
    }
}

/// Reads what follows a backslash. What names of modules and files do not need is refused.
fn escaped(kind: char, chars: &mut std::str::Chars<'_>) -> Result<char, String> {
    let digits = match kind {
        '"' | '\\' => return Ok(kind),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => {
            return Err(format!(
                "the escape `\\{}` is not understood",
                kind.escape_default()
            ));
        }
    };
    let mut code = 0u32;
    for _ in 0..digits {
        let digit = chars.next().and_then(|c| c.to_digit(16));
        code = code
            .checked_mul(16)
            .zip(digit)
            .map(|(code, digit)| code | digit)
            .ok_or("an escape is cut short")?;
    }
    let printable = char::from_u32(code).filter(|c| !c.is_control());
    // Bytes beyond ASCII written with `\x` would be parts of characters.
    printable
        .filter(|_| kind != 'x' || code < 0x80)
        .ok_or_else(|| "an escape names no character".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<String>, String> {
        let text = |token: Token| match token {
            Token::Word(word) => word,
            Token::Sign(sign) => format!("<{sign}>"),
        };
        tokens(line).map(|found| found.tokens.into_iter().map(text).collect())
    }

    #[test]
    fn words_signs_strings_and_comments() {
        for (line, expected) in [
            ("", &[][..]),
            ("  \t\r", &[]),
            (
                "require example.com/A v1.0.0 // indirect",
                &["require", "example.com/A", "v1.0.0"],
            ),
            ("require(", &["require", "<(>"]),
            (
                "retract [v1.0.0,v1.1.0]",
                &["retract", "<[>", "v1.0.0", "<,>", "v1.1.0", "<]>"],
            ),
            ("a \"b c\" `d\\e`", &["a", "b c", "d\\e"]),
            ("\"a\\\"\\x41\\u0042\\\\\"", &["a\"AB\\"]),
            ("a => ../b", &["a", "=>", "../b"]),
            ("example.com/a//b", &["example.com/a"]),
            ("// only", &[]),
        ] {
            assert_eq!(words(line).unwrap(), expected, "{line}");
        }
        assert_eq!(
            tokens("x //  indirect ").unwrap().comment.as_deref(),
            Some("indirect")
        );
        assert_eq!(tokens("a//b").unwrap().comment.as_deref(), Some("b"));
    }

    #[test]
    fn what_is_refused() {
        for line in [
            "\"open",
            "`open",
            "a\"b\"",
            "a'b",
            "/* c */",
            "a/*b",
            "a\0b",
            "\"a\\",
            "\"\\n\"",
            "\"\\x4\"",
            "\"\\xff\"",
            "\"\\ud800\"",
            "\"\\U00110000\"",
            "\u{7f}",
            "\"\t\"",
        ] {
            assert!(words(line).is_err(), "{line:?}");
        }
    }
}
