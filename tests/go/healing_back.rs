//! Putting back what a heal took after Go has used the healed cache: what it made anew is no obstacle, what somebody changed is.

use std::fs;

use crate::healing::{heal, picture, untaint};
use crate::world::{EVIL, World, modules};

#[test]
#[cfg_attr(not(real_go), ignore = "needs the real go command")]
fn what_go_made_anew_is_not_newer_and_what_somebody_changed_is() {
    for (zip, edited) in [(false, false), (true, false), (false, true)] {
        let world = World::built();
        world.write(&world.tree("greet.go"), EVIL);
        if zip {
            let evil = modules()[0].clone().file("greet.go", EVIL).zip();
            world.write(&world.download("zip"), evil);
        }
        world.forget_builds();
        let before = picture(&world);
        let (code, _, text) = heal(&world, &["--yes"]);
        assert_eq!(code, 0, "{text}");
        // Go unpacks the good zip anew.
        assert!(world.runs().contains("hi words 1"));
        let file = world.at(&world.tree("greet.go"));
        assert!(file.exists());
        let mut arguments = vec!["restore", "last", "--yes"];
        if edited {
            let more = fs::read_to_string(&file).unwrap() + "// mine\n";
            world.write(&world.tree("greet.go"), &more);
            let (code, text) = untaint(&world, &arguments);
            assert_eq!(code, 1, "{text}");
            assert!(text.contains("something newer"), "{text}");
            assert_eq!(fs::read_to_string(&file).unwrap(), more);
            arguments.push("--force");
        }
        let (code, text) = untaint(&world, &arguments);
        assert_eq!(code, 0, "{zip} {edited}: {text}");
        let after = picture(&world);
        for path in [
            world.tree("greet.go"),
            world.tree(""),
            world.download("zip"),
        ] {
            let path = world.at(&path);
            let path = path.components().collect::<std::path::PathBuf>();
            assert_eq!(after.get(&path), before.get(&path), "{}", path.display());
        }
    }
}
