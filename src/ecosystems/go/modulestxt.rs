//! `vendor/modules.txt`: which modules a vendor folder was filled from, and which packages of each lie in it.
//!
//! ```text
//! # <path> <version>[ => <path> <version> | => <folder>]     a module that is built from, or a replacement
//! # <path> => …                                               a replacement of every version
//! ## explicit; go 1.21                                        remarks on the module above
//! <import path>                                               a package of it
//! ## workspace                                                first line of a workspace's vendor folder
//! ```
//!
//! No hash stands in it, so it only says what the folder claims to be. As `cmd/go` (1.26, `modload/vendor.go`) reads it;
//! lines that it would pass over without a word are problems here.

use super::escape::is_import_path;
use super::gomod::{Module, Replacement};
use super::gosum::LineProblem;
use super::version::is_valid;

/// Longer files are not read.
pub const MAX_BYTES: usize = 64 << 20;
/// More lines are not read.
pub const MAX_LINES: usize = 2_000_000;
/// More problems are counted only.
const MAX_PROBLEMS: usize = 100;

/// A module of the vendor folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendored {
    /// Line number, from 1.
    pub line: usize,
    /// Module path.
    pub path: String,
    /// Its version; none for a line that only tells of a replacement.
    pub version: Option<String>,
    /// What it was copied from instead.
    pub replacement: Option<Replacement>,
    /// Whether go.mod names it.
    pub explicit: bool,
    /// The language version of its go.mod file.
    pub go: Option<String>,
    /// Import paths of its packages in the folder, with their lines.
    pub packages: Vec<(usize, String)>,
}

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModulesTxt {
    /// Modules and replacements, in order.
    pub modules: Vec<Vendored>,
    /// Whether it is of a workspace.
    pub workspace: bool,
    /// What could not be read, in order; the first hundred.
    pub problems: Vec<LineProblem>,
    /// Further problems that are not listed.
    pub more_problems: usize,
}

/// Reads a `modules.txt`.
pub fn parse(bytes: &[u8]) -> ModulesTxt {
    let mut file = ModulesTxt::default();
    if bytes.len() > MAX_BYTES {
        file.problem(
            1,
            format!(
                "the file has {} bytes, more than {MAX_BYTES} are not read",
                bytes.len()
            ),
        );
        return file;
    }
    // What stands below a module line that was not understood belongs to no module.
    let mut inside = false;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if number > MAX_LINES {
            file.problem(number, format!("more than {MAX_LINES} lines are not read"));
            break;
        }
        let Ok(line) = str::from_utf8(line) else {
            file.problem(number, "not UTF-8".to_owned());
            continue;
        };
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            continue;
        }
        let result = if let Some(remarks) = line.strip_prefix("## ") {
            file.remarks(remarks, inside)
        } else if let Some(module) = line.strip_prefix("# ") {
            let module = read_module(number, module);
            inside = module.is_ok();
            module.map(|module| file.modules.push(module))
        } else {
            file.package(number, line, inside)
        };
        if let Err(message) = result {
            file.problem(number, message);
        }
    }
    file
}

impl ModulesTxt {
    fn problem(&mut self, line: usize, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(LineProblem { line, message });
        } else {
            self.more_problems += 1;
        }
    }

    fn remarks(&mut self, remarks: &str, inside: bool) -> Result<(), String> {
        let module = self.modules.last_mut().filter(|_| inside);
        let Some(module) = module else {
            self.workspace |= remarks.trim() == "workspace";
            return if self.workspace {
                Ok(())
            } else {
                Err("remarks before any module".to_owned())
            };
        };
        for remark in remarks.split(';') {
            let remark = remark.trim();
            if remark == "explicit" {
                module.explicit = true;
            } else if let Some(go) = remark.strip_prefix("go ") {
                module.go = Some(go.trim().to_owned());
            }
            // Go reserves all other remarks and passes over them.
        }
        Ok(())
    }

    fn package(&mut self, number: usize, line: &str, inside: bool) -> Result<(), String> {
        let mut words = line.split_whitespace();
        let (Some(path), None) = (words.next(), words.next()) else {
            return Err("neither a module nor a package".to_owned());
        };
        if !is_import_path(path) {
            return Err(format!("`{}` is no import path", path.escape_default()));
        }
        match self.modules.last_mut().filter(|_| inside) {
            Some(module) => {
                module.packages.push((number, path.to_owned()));
                Ok(())
            }
            None => Err(format!("the package `{path}` belongs to no module")),
        }
    }
}

/// Reads a module line, without its `# `.
fn read_module(line: usize, text: &str) -> Result<Vendored, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (path, version, rest) = match words.as_slice() {
        [path, "=>", rest @ ..] => (*path, None, Some(rest)),
        [path, version] if is_valid(version) => (*path, Some(*version), None),
        [path, version, "=>", rest @ ..] if is_valid(version) => {
            (*path, Some(*version), Some(rest))
        }
        _ => return Err("a module line without a module path and a version".to_owned()),
    };
    let replacement = match rest {
        None => None,
        Some([folder]) => Some(Replacement::Folder((*folder).to_owned())),
        Some([path, version]) if is_valid(version) => Some(Replacement::Module(Module {
            path: (*path).to_owned(),
            version: (*version).to_owned(),
        })),
        Some(_) => {
            return Err(
                "a replacement that is neither a module with a version nor a folder".to_owned(),
            );
        }
    };
    Ok(Vendored {
        line,
        path: path.to_owned(),
        version: version.map(str::to_owned),
        replacement,
        explicit: false,
        go: None,
        packages: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "## workspace\n# example.com/A v1.0.0\n## explicit; go 1.21\nexample.com/A\nexample.com/A/b\n\
        # example.com/C v2.0.0+incompatible => ../c\n## explicit\nexample.com/C/x\n\
        # example.com/D v1.0.0 => example.com/fork v1.1.0\n# example.com/E => ./e\n";

    #[test]
    fn modules_packages_and_replacements() {
        let file = parse(TEXT.as_bytes());
        assert_eq!(file.problems, []);
        assert!(file.workspace);
        let [a, c, d, e] = file.modules.as_slice() else {
            panic!()
        };
        assert_eq!(
            (a.line, a.explicit, a.go.as_deref()),
            (2, true, Some("1.21"))
        );
        let packages: Vec<_> = a
            .packages
            .iter()
            .map(|(n, path)| (*n, path.as_str()))
            .collect();
        assert_eq!(packages, [(4, "example.com/A"), (5, "example.com/A/b")]);
        assert_eq!(c.replacement, Some(Replacement::Folder("../c".to_owned())));
        assert_eq!((c.explicit, c.go.is_none()), (true, true));
        assert!(
            matches!(&d.replacement, Some(Replacement::Module(fork)) if fork.version == "v1.1.0")
        );
        assert_eq!((e.version.as_deref(), e.packages.len()), (None, 0));
    }

    #[test]
    fn what_go_passes_over_is_a_problem() {
        for (text, line) in [
            ("example.com/A/b\n", 1),
            ("## explicit\n", 1),
            ("# example.com/A\n", 1),
            ("# example.com/A master\n", 1),
            ("# example.com/A v1.0.0 v1.1.0\n", 1),
            ("# example.com/A v1.0.0 => a b c\n", 1),
            ("# example.com/A v1.0.0\n../../etc\n", 2),
            ("# example.com/A v1.0.0\na b\n", 2),
            ("# example.com/A v1.0.0\n#explicit\n", 2),
        ] {
            let file = parse(text.as_bytes());
            assert_eq!(file.problems.len(), 1, "{text:?}");
            assert_eq!(file.problems[0].line, line, "{text:?}");
        }
    }

    #[test]
    fn packages_below_an_unknown_module_line_belong_to_none() {
        let file =
            parse(b"# example.com/A v1.0.0\nexample.com/A\n# example.com/B bad\nexample.com/B\n");
        assert_eq!(file.modules.len(), 1);
        assert_eq!(file.modules[0].packages.len(), 1);
        assert_eq!(file.problems.len(), 2);
    }

    #[test]
    fn line_ends_of_windows_and_torn_files() {
        let file = parse(TEXT.replace('\n', "\r\n").as_bytes());
        assert_eq!((file.modules.len(), file.problems.len()), (4, 0));
        assert_eq!(parse(&[0; 64]).problems.len(), 1);
        assert_eq!(parse(b""), ModulesTxt::default());
    }
}
