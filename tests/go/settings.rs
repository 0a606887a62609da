//! Settings that weaken Go are said, with the file and line that sets them.

use crate::world::World;

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn settings_of_the_environment_and_of_go_env_are_judged() {
    let world = World::built();
    let project = world.at("project");
    let project = project.to_str().unwrap();
    let env = world.at("go-env");
    world.write(
        "go-env",
        "# a comment\nGOFLAGS=-toolexec=/tmp/evil\nGOINSECURE=*.registry.example\nGOAUTH=/tmp/steal\n",
    );
    let file = [("GOENV", env.to_str().unwrap())];
    let scan = world.call(&[project], &file);
    scan.finds(&["insecure-transport"], "go-env");
    assert!(
        scan.codes().contains(&"code-in-settings"),
        "{}",
        scan.story()
    );
    for (name, value, code) in [
        ("GOSUMDB", "off", "checksum-database-disabled"),
        ("GONOSUMDB", "*", "checksum-database-disabled"),
        ("GOPROXY", "http://evil.example", "insecure-transport"),
        ("GOFLAGS", "-overlay=/tmp/o.json", "source-redirected"),
    ] {
        let scan = world.call(&[project], &[(name, value)]);
        scan.finds(&[code], &format!("env:{name}"));
    }
    // What a believed log judges all the same is said, and stops nothing.
    let other = [("GOPROXY", "https://evil.example,direct")];
    let scan = world.call(&[project], &other);
    assert_eq!(scan.codes(), ["source-redirected"], "{}", scan.story());
    scan.is_clean();
}
