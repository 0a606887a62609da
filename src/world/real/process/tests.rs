//! Programs, their ends, shared locks, and cages.

use super::*;
use crate::world::process::Cage;

fn processes() -> SystemProcesses {
    SystemProcesses::new(Cancel::new(None))
}

fn launch(program: &str, args: &[&str]) -> Launch {
    Launch {
        program: program.into(),
        args: args.iter().map(Into::into).collect(),
        ..Launch::default()
    }
}

fn run(program: &str, args: &[&str]) -> Result<Ended, NotStarted> {
    processes().run(&launch(program, args))
}

#[test]
fn codes_and_signals_come_through() {
    assert_eq!(run("sh", &["-c", "exit 7"]).unwrap(), Ended::Code(7));
    let killed = run("sh", &["-c", "kill -9 $$"]).unwrap();
    assert_eq!(killed, Ended::Signal(9));
    assert_eq!(killed.shell_code(), 137);
}

#[test]
fn what_is_not_there_or_no_program_is_told_apart() {
    for missing in ["no-such-program-anywhere", "", "./no/such/file"] {
        let why = run(missing, &[]).unwrap_err();
        assert!(matches!(why, NotStarted::Missing), "{missing}: {why}");
    }
    for none in ["/etc/passwd", "/"] {
        let why = run(none, &[]).unwrap_err();
        assert!(matches!(why, NotStarted::Refused(_)), "{none}: {why}");
    }
}

#[test]
fn variables_are_set_and_taken_away_and_nothing_is_expanded() {
    let test = r#"[ "$GIVEN" = '$HOME *' ] && [ -z "${HOME+x}" ]"#;
    let mut launch = launch("sh", &["-c", test]);
    launch.env = vec![
        ("GIVEN".into(), Some("$HOME *".into())),
        ("HOME".into(), None),
    ];
    assert_eq!(processes().run(&launch).unwrap(), Ended::Code(0));
}

#[test]
fn a_lock_is_shared_with_those_who_share_it_and_waited_for_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let name = Path::new(".lock");
    let share = |ms| {
        processes()
            .share(folder.path(), name, Duration::from_millis(ms))
            .unwrap()
    };
    let first = share(0);
    assert!(matches!(first, Shared::Held(_)));
    assert!(matches!(share(0), Shared::Held(_)));
    drop(first);
    let other = File::open(folder.path().join(name)).unwrap();
    other.lock().unwrap();
    let busy = share(60);
    let Shared::Busy(who) = busy else {
        panic!("somebody else holds it alone");
    };
    assert!(who.is_none_or(|who| who.contains("process")));
    std::os::unix::fs::symlink("elsewhere", folder.path().join("link")).unwrap();
    let link = processes().share(folder.path(), Path::new("link"), Duration::ZERO);
    assert!(link.is_err(), "a link is no lock file");
}

#[test]
fn a_fresh_folder_is_new_or_empty_and_a_scratch_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    assert!(processes().fresh(&path).is_ok());
    assert!(processes().fresh(&path).is_ok());
    std::fs::write(path.join("x"), b"x").unwrap();
    assert!(processes().fresh(&path).is_err());
    let scratch = processes().scratch().unwrap();
    let at = scratch.path().to_owned();
    std::fs::create_dir_all(at.join("a/b")).unwrap();
    scratch.remove().unwrap();
    assert!(!at.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_caged_writes_where_it_may_and_nowhere_else() {
    if let Err(why) = processes().can_cage() {
        panic!("the machine that tests this has no Landlock: {why}");
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["open", "shut"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("file"), b"old").unwrap();
    }
    let caged = |script: &str| {
        let mut launch = launch("sh", &["-c", script]);
        launch.env = vec![("DIR".into(), Some(folder.path().into()))];
        launch.cage = Some(Cage {
            writable: vec![folder.path().join("open"), "/dev".into(), "/nowhere".into()],
            sealed: vec![folder.path().join("shut")],
        });
        processes().run(&launch).unwrap()
    };
    assert_eq!(
        caged("echo new > $DIR/open/file && echo x > $DIR/open/more"),
        Ended::Code(0)
    );
    for script in [
        "echo new > $DIR/shut/file",
        "echo new > $DIR/shut/more",
        "rm $DIR/shut/file",
        "truncate -s 0 $DIR/shut/file",
        "mv $DIR/shut/file $DIR/open/moved",
        "ln $DIR/shut/file $DIR/open/linked && echo new > $DIR/open/linked",
        "mv $DIR/shut $DIR/gone",
        "ln -s x $DIR/shut/link",
        "mkdir $DIR/shut/folder",
    ] {
        assert_ne!(
            caged(&format!("({script}) 2>/dev/null")),
            Ended::Code(0),
            "{script}"
        );
    }
    assert_eq!(
        std::fs::read(folder.path().join("shut/file")).unwrap(),
        b"old"
    );
    assert_eq!(caged("cat $DIR/shut/file > /dev/null"), Ended::Code(0));
    // This process itself is not caged.
    std::fs::write(folder.path().join("shut/file"), b"ours").unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_cage_that_lets_a_sealed_folder_be_written_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut launch = launch("true", &[]);
    launch.cage = Some(Cage {
        writable: vec![folder.path().to_owned()],
        sealed: vec![folder.path().to_owned()],
    });
    let why = processes().run(&launch).unwrap_err();
    assert!(matches!(why, NotStarted::Cage(_)), "{why}");
}
