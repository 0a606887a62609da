//! Licences as their manifests state them: as an SPDX expression where they are one, else as a name.

use serde::Serialize;
use spdx::{Expression, ParseMode};

/// One element of a component's `licenses`.
#[derive(Serialize, Debug, PartialEq, Eq)]
#[serde(untagged)]
pub(super) enum Licence {
    /// A valid SPDX expression.
    Expression {
        /// Its text.
        expression: String,
        /// Who says so.
        acknowledgement: &'static str,
    },
    /// Something else.
    Named {
        /// What it is called.
        license: Named,
    },
}

#[derive(Serialize, Debug, PartialEq, Eq)]
pub(super) struct Named {
    name: String,
    acknowledgement: &'static str,
}

/// Old crates write `MIT/Apache-2.0`; what is meant is beyond doubt, so it becomes an expression.
pub(super) fn of(stated: &str) -> Option<Licence> {
    let stated = stated.trim();
    if stated.is_empty() {
        return None;
    }
    let acknowledgement = "declared";
    Some(match expression(stated) {
        Some(expression) => Licence::Expression {
            expression,
            acknowledgement,
        },
        None => Licence::Named {
            license: Named {
                name: stated.to_owned(),
                acknowledgement,
            },
        },
    })
}

fn expression(stated: &str) -> Option<String> {
    // Only the slash is forgiven: a name that is merely like a licence's is no licence.
    let mode = ParseMode {
        allow_slash_as_or_operator: true,
        allow_deprecated: true,
        ..ParseMode::STRICT
    };
    Expression::parse_mode(stated, mode).ok()?;
    if !stated.contains('/') {
        return Some(stated.to_owned());
    }
    let spelled = Expression::canonicalize(stated).ok()??;
    Expression::parse(&spelled).is_ok().then_some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_and_names_are_told_apart() {
        for (stated, meant) in [
            ("MIT OR Apache-2.0", Some("MIT OR Apache-2.0")),
            ("MIT/Apache-2.0", Some("MIT OR Apache-2.0")),
            (
                "(MIT OR Apache-2.0) AND Unicode-3.0",
                Some("(MIT OR Apache-2.0) AND Unicode-3.0"),
            ),
            ("GPL-3.0", Some("GPL-3.0")),
            (
                "Apache-2.0 WITH LLVM-exception",
                Some("Apache-2.0 WITH LLVM-exception"),
            ),
            ("see the file LICENCE", None),
            ("MIT OR", None),
            ("apache", None),
            ("\u{1b}[31m", None),
        ] {
            assert_eq!(expression(stated).as_deref(), meant, "{stated}");
        }
        assert_eq!(of("  "), None);
    }
}
