//! Which modules of ours a text names: `crate::` and `super::` paths, braces unfolded, made absolute.

/// Every path that the code names, absolute, in order of appearance.
pub(crate) fn named(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let starts = matches!(tokens[at].as_str(), "crate" | "super" | "self" | "untaint")
            && tokens.get(at + 1).is_some_and(|t| t == "::")
            && (at == 0 || tokens[at - 1] != "::");
        if starts {
            at = unfold(&tokens, at, Vec::new(), module, &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one use tree or path; returns the position behind it.
fn unfold(
    tokens: &[String],
    mut at: usize,
    mut prefix: Vec<String>,
    module: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => at += 1,
            "{" if prefix.is_empty() || tokens[at - 1] == "::" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t != "}") {
                    let before = at;
                    at = unfold(tokens, at, prefix.clone(), module, found);
                    at += usize::from(tokens.get(at).is_some_and(|t| t == ",") || at == before);
                }
                return at + 1;
            }
            word if is_word(word) && (prefix.is_empty() || tokens[at - 1] != word) => {
                prefix.push(word.to_owned());
                at += 1;
                if tokens.get(at).is_none_or(|t| t != "::") {
                    if tokens.get(at).is_some_and(|t| t == "as") {
                        at += 2;
                    }
                    break;
                }
            }
            _ => break,
        }
    }
    if let Some(path) = absolute(&prefix, module) {
        found.push(path);
    }
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// A path from the crate's root; `None` for one of another crate.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" | "untaint" => Vec::new(),
        "self" => module.to_vec(),
        "super" => parent(module)?,
        _ => return None,
    };
    for part in rest {
        if part == "super" {
            base = parent(&base)?;
        } else if part != "self" {
            base.push(part.clone());
        }
    }
    Some(base)
}

fn parent(module: &[String]) -> Option<Vec<String>> {
    module.split_last().map(|(_, above)| above.to_vec())
}

/// Words, `::`, and single signs; strings and characters are left out.
fn tokens(code: &str) -> Vec<String> {
    let signs: Vec<char> = code.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&sign) = signs.get(at) {
        if sign == '"' {
            at += 1;
            while signs.get(at).is_some_and(|c| *c != '"') {
                at += if signs[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if sign == '\'' && signs.get(at + 2) == Some(&'\'') {
            at += 3;
        } else if sign == '\'' && signs.get(at + 1) == Some(&'\\') {
            at += 3;
            while signs.get(at).is_some_and(|c| *c != '\'') {
                at += 1;
            }
            at += 1;
        } else if sign.is_alphanumeric() || sign == '_' {
            let from = at;
            while signs
                .get(at)
                .is_some_and(|c| c.is_alphanumeric() || *c == '_')
            {
                at += 1;
            }
            out.push(signs[from..at].iter().collect());
        } else if sign == ':' && signs.get(at + 1) == Some(&':') {
            out.push("::".to_owned());
            at += 2;
        } else {
            if !sign.is_whitespace() {
                out.push(sign.to_string());
            }
            at += 1;
        }
    }
    out
}

#[test]
fn paths_are_found_whatever_their_form() {
    let module = ["pipeline", "verify", "observe"].map(str::to_owned);
    let code = r#"
        use crate::model::{Claim, policy::{self, Policy as P}, text};
        use super::super::flow::Check;
        use crate::world::{Dir};
        fn f() -> crate::tlog::Tree<'a, super::Case> { "crate::cli::no"; let c = '"'; self::own::g() }
    "#;
    let found: Vec<String> = named(code, &module).iter().map(|p| p.join("::")).collect();
    let wanted = [
        "model::Claim",
        "model::policy",
        "model::policy::Policy",
        "model::text",
        "pipeline::flow::Check",
        "world::Dir",
        "tlog::Tree",
        "pipeline::verify::Case",
        "pipeline::verify::observe::own::g",
    ];
    assert_eq!(found, wanted);
}
