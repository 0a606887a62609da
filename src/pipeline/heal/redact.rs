//! Takes credentials out of what is written down as evidence: user and password in addresses, values of keys that hold secrets.
//!
//! Works on lines of text of whatever format; it may hide too much, and must not hide too little.

/// Words that name a secret in settings of any tool.
const SECRETS: [&str; 8] = [
    "token",
    "password",
    "passwd",
    "secret",
    "authorization",
    "_auth",
    "api-key",
    "apikey",
];
/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";

/// The text without credentials.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let end = line.strip_suffix('\n').map_or("", |_| "\n");
        let line = addresses(line.strip_suffix('\n').unwrap_or(line));
        out.push_str(&keys(&line));
        out.push_str(end);
    }
    out
}

/// `scheme://user:password@host`: what stands before the `@` goes.
fn addresses(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after
            .find(|c: char| c.is_whitespace() || "/\"'`<>?#\\".contains(c))
            .unwrap_or(after.len());
        let (authority, behind) = after.split_at_checked(end).unwrap_or((after, ""));
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str(HIDDEN);
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// `key = value` and `"key": "value"` where the key names a secret: the value goes. Prose that has the word stays.
fn keys(line: &str) -> String {
    for (at, sign) in line.char_indices().filter(|(_, c)| matches!(c, '=' | ':')) {
        let (key, value) = line.split_at_checked(at).unwrap_or((line, ""));
        let key_end = key.trim_end_matches([' ', '"', '\'', '\t']);
        let name = key_end
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let names = SECRETS.iter().any(|secret| name.ends_with(secret));
        let blank = |c: char| c.is_whitespace() || matches!(c, '=' | ':' | '"' | '\'' | ',');
        if names && !value.chars().all(blank) {
            return format!("{key}{sign} {HIDDEN}");
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_and_the_rest_stays() {
        for (given, wanted) in [
            (
                "dl = https://me:s3cret@registry.example/x and http://a@b/",
                "dl = https://[hidden]@registry.example/x and http://[hidden]@b/",
            ),
            ("+token = \"abc\"\n", "+token = [hidden]\n"),
            ("  \"password\": \"abc\",", "  \"password\": [hidden]"),
            (
                "//registry.example/:_authToken=abc",
                "//registry.example/:_authToken= [hidden]",
            ),
            ("npm_config__auth=abc", "npm_config__auth= [hidden]"),
            (
                "https://registry.example/a@1.0.0",
                "https://registry.example/a@1.0.0",
            ),
            ("let token_count: usize = 3;", "let token_count: usize = 3;"),
            ("token = \"\"", "token = \"\""),
        ] {
            assert_eq!(text(given), wanted, "{given}");
        }
    }
}
