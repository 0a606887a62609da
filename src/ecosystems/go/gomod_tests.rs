//! Files as people write them, and files as they should not be.

use super::*;

const FULL: &str = r#"// Deprecated: use example.com/new
// instead.

// Deprecated: moved to example.com/app/v2.
module "example.com/app" // the app

go 1.26.1

toolchain go1.26.8

godebug default=go1.21
godebug (
	panicnil=1
)

require example.com/one v1.2.3
require (
	// a note
	example.com/two v0.0.0-20191109021931-daa7c04131f5 // indirect
	example.com/three v2.0.0+incompatible // indirect; see below
	example.com/four v1.0.0 // not indirect

	`example.com/five` v1.0.0-rc.1 //indirect
)

exclude example.com/one v1.2.4
replace (
	example.com/one => ../one
	example.com/two v0.0.0-20191109021931-daa7c04131f5 => example.com/fork v1.0.0
	example.com/three => "/abs/with blank"
)

// Published by mistake.
retract v0.9.0
retract [v1.0.0, v1.1.0] // broken
// Both of these.
retract (
	v1.3.0
	[v1.4.0,v1.5.0] // even worse
)
tool example.com/one/cmd/x
tool ( example.com/two/y
)
ignore ./node_modules
require ()
"#;

fn module_of(path: &str, version: &str) -> Module {
    Module {
        path: path.to_owned(),
        version: version.to_owned(),
    }
}

fn clean(text: &str) -> GoMod {
    let file = parse(text.as_bytes(), Kind::Mod);
    assert_eq!(file.problems, []);
    file
}

#[test]
fn every_directive_is_read_with_its_line() {
    let file = parse(FULL.as_bytes(), Kind::Mod);
    // `tool ( word` on one line is no block to Go either.
    let lines: Vec<usize> = file.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [42, 43], "{:?}", file.problems);
    assert_eq!(
        file.module,
        Some(At {
            line: 5,
            value: "example.com/app".to_owned()
        })
    );
    assert_eq!(
        file.deprecated.as_deref(),
        Some("moved to example.com/app/v2.\nthe app")
    );
    assert_eq!(file.go.unwrap().value, "1.26.1");
    assert_eq!(file.toolchain.unwrap().value, "go1.26.8");
    let settings: Vec<_> = file
        .godebug
        .iter()
        .map(|at| (at.line, at.value.0.as_str()))
        .collect();
    assert_eq!(settings, [(11, "default"), (13, "panicnil")]);
    let required: Vec<_> = file
        .require
        .iter()
        .map(|at| (at.line, at.value.module.path.as_str(), at.value.indirect))
        .collect();
    assert_eq!(
        required,
        [
            (16, "example.com/one", false),
            (19, "example.com/two", true),
            (20, "example.com/three", true),
            (21, "example.com/four", false),
            (23, "example.com/five", true),
        ]
    );
    assert_eq!(
        file.exclude[0].value,
        module_of("example.com/one", "v1.2.4")
    );
    let with: Vec<_> = file
        .replace
        .iter()
        .map(|at| (at.line, at.value.with.clone()))
        .collect();
    assert_eq!(
        with,
        [
            (28, Replacement::Folder("../one".to_owned())),
            (
                29,
                Replacement::Module(module_of("example.com/fork", "v1.0.0"))
            ),
            (30, Replacement::Folder("/abs/with blank".to_owned())),
        ]
    );
    assert_eq!(file.replace[0].value.version, None);
    assert!(file.replace[1].value.version.is_some());
    let retracted: Vec<_> = file
        .retract
        .iter()
        .map(|at| {
            (
                at.value.low.as_str(),
                at.value.high.as_str(),
                at.value.rationale.as_str(),
            )
        })
        .collect();
    assert_eq!(
        retracted,
        [
            ("v0.9.0", "v0.9.0", "Published by mistake."),
            ("v1.0.0", "v1.1.0", "broken"),
            ("v1.3.0", "v1.3.0", "Both of these."),
            ("v1.4.0", "v1.5.0", "even worse"),
        ]
    );
    assert_eq!(file.tool.len(), 1);
    assert_eq!(file.ignore[0].value, "./node_modules");
}

#[test]
fn mistakes_are_problems_and_the_rest_is_read() {
    let bad = [
        "unknown x",
        "module",
        "module a b",
        "go",
        "go 1.20 1.21",
        "require example.com/x",
        "require example.com/x master",
        "require example.com/x v1",
        "require example.com/x v1.0.0 v2.0.0",
        "exclude example.com/x",
        "replace example.com/x example.com/y v1.0.0",
        "replace example.com/x => example.com/y",
        "replace example.com/x => ../y v1.0.0",
        "replace example.com/x => ",
        "replace example.com/x v1 => ../y",
        "retract",
        "retract [v1.0.0]",
        "retract [v1.0.0, v1.1.0",
        "retract v1.0.0 v1.1.0",
        "godebug x",
        "tool",
        "use ./x",
        "( x",
        ")",
        "\"open",
        "/* no */",
    ];
    for line in bad {
        let file = parse(
            format!("{line}\nrequire example.com/ok v1.0.0\n").as_bytes(),
            Kind::Mod,
        );
        assert_eq!(file.problems.len(), 1, "{line}: {:?}", file.problems);
        assert_eq!(file.problems[0].line, 1, "{line}");
        assert_eq!(file.require.len(), 1, "{line}");
    }
}

#[test]
fn only_the_comment_on_its_own_line_marks_a_requirement_as_indirect() {
    let text = "// indirect\nrequire a.b/c v1.0.0\n// indirect\nrequire ( // indirect\n\t// indirect\n\ta.b/d v1.0.0\n)\n";
    let file = clean(text);
    assert!(file.require.iter().all(|at| !at.value.indirect));
    assert_eq!(file.require.len(), 2);
}

#[test]
fn an_empty_block_of_an_unknown_kind_is_a_problem() {
    assert_eq!(parse(b"strange ()\n", Kind::Mod).problems.len(), 1);
    assert_eq!(clean("require ()\n").require, []);
}

#[test]
fn blocks_end_or_are_a_problem() {
    let file = parse(
        b"module a.b/c\nrequire (\n\texample.com/x v1.0.0\n",
        Kind::Mod,
    );
    assert_eq!((file.require.len(), file.problems[0].line), (1, 2));
    let file = parse(b"require (\n) x\nmodule a.b/c\n", Kind::Mod);
    assert_eq!((file.problems[0].line, file.module.is_some()), (2, true));
    let file = parse(b"strange (\n\tmodule a.b/c\n)\nmodule d.e/f\n", Kind::Mod);
    assert_eq!(file.problems.len(), 1);
    assert_eq!(
        file.module.unwrap().value,
        "d.e/f",
        "what stands in an unknown block says nothing"
    );
}

#[test]
fn what_is_said_once_counts_the_first_time() {
    let file = parse(b"module a.b/c\nmodule d.e/f\ngo 1.20\ngo 1.21\n", Kind::Mod);
    assert_eq!(file.module.unwrap().value, "a.b/c");
    assert_eq!(file.problems.len(), 2);
    assert!(file.problems[0].to_string().contains("line 1"));
}

#[test]
fn windows_line_ends_byte_order_marks_and_missing_last_line_ends() {
    let file = clean("\u{feff}module a.b/c\r\n\r\nrequire example.com/x v1.0.0 // indirect\r");
    assert!(file.require[0].value.indirect);
}

#[test]
fn folders_of_every_system_are_folders() {
    for folder in [
        ".", "..", "./a", "../a", "/a", "\\a", ".\\a", "..\\a", "C:\\a", "c:a",
    ] {
        assert!(is_folder(folder), "{folder}");
    }
    for other in ["a", "example.com/a", ".a", "..a", "", "1:"] {
        assert!(!is_folder(other), "{other}");
    }
}

#[test]
fn workspaces_use_folders() {
    let text =
        "go 1.26\nuse (\n\t.\n\t./tools\n)\nuse ../b\nreplace a.b/c => ./c\nrequire x.y/z v1.0.0\n";
    let file = parse(text.as_bytes(), Kind::Work);
    let folders: Vec<_> = file
        .use_folders
        .iter()
        .map(|at| at.value.as_str())
        .collect();
    assert_eq!(folders, [".", "./tools", "../b"]);
    assert_eq!((file.problems.len(), file.problems[0].line), (1, 8));
    assert_eq!(file.replace.len(), 1);
}

#[test]
fn problems_and_sizes_are_bounded() {
    let file = parse("?\n".repeat(300).as_bytes(), Kind::Mod);
    assert_eq!((file.problems.len(), file.more_problems), (100, 200));
    assert_eq!(
        parse(&vec![b'x'; MAX_BYTES + 1], Kind::Mod).problems.len(),
        1
    );
    assert_eq!(parse(b"", Kind::Mod), GoMod::default());
    assert_eq!(parse(&[0; 400], Kind::Mod).problems.len(), 1, "a torn file");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(0u8..=255, 0..200)) {
        let _ = parse(&bytes, Kind::Mod);
    }

    #[test]
    fn any_words_are_read_without_panic(text in "(module|require|replace|retract|[(),\\[\\]\"`/*=> \n]|v1.0.0|a.b/c){0,30}") {
        let file = parse(text.as_bytes(), Kind::Mod);
        let lines = text.split('\n').count();
        proptest::prop_assert!(file.problems.iter().all(|problem| problem.line >= 1 && problem.line <= lines));
    }
}
