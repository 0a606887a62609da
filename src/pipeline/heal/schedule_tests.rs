//! Random schedules: heals, restores and recoveries in any order, each stopped or failing anywhere; nothing is ever lost.

use std::io;

use proptest::prelude::*;

use super::fault_tests::{
    ENDS, Images, difference, evil, images, is_after, is_before, kept, whole,
};
use super::scenes::{ALL, Scene, Taint};
use crate::world::fake_disk::End;

/// One process.
#[derive(Debug, Clone, Copy)]
enum Process {
    Heal,
    Restore,
    Recover,
}

/// How it goes.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Ends,
    Stopped(usize, usize),
    Fails(usize, bool),
}

fn process() -> impl Strategy<Value = Process> {
    prop_oneof![
        3 => Just(Process::Heal),
        2 => Just(Process::Restore),
        1 => Just(Process::Recover),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => Just(Fate::Ends),
        4 => (0usize..90, 0usize..ENDS.len()).prop_map(|(step, end)| Fate::Stopped(step, end)),
        2 => (0usize..90, any::<bool>()).prop_map(|(step, full)| Fate::Fails(step, full)),
    ]
}

/// Healed where it was going to be; what stays where it is by order has nothing to compare.
fn taint() -> impl Strategy<Value = Taint> {
    let all: Vec<Taint> = ALL
        .into_iter()
        .filter(|taint| *taint != Taint::KeptIfUnfetchable)
        .collect();
    prop::sample::select(all)
}

/// As the command does: what is half done is finished first, and where a scan would find nothing, nothing is begun.
fn heal(scene: &Scene, images: &Images, run: &str) {
    if scene.recover().is_ok() && !is_after(scene, images) {
        drop(scene.heal(run));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule_ends_well(taint in taint(), schedule in prop::collection::vec((process(), fate()), 1..7)) {
        let images = images(taint);
        let scene = Scene::new(taint);
        for (number, (process, fate)) in schedule.iter().enumerate() {
            match fate {
                Fate::Ends => {}
                Fate::Stopped(step, _) => scene.disk.stop_before(*step),
                Fate::Fails(step, full) => {
                    let kind = if *full { io::ErrorKind::StorageFull } else { io::ErrorKind::PermissionDenied };
                    scene.disk.fail_at(*step, kind);
                }
            }
            let run = format!("01S{number}");
            match process {
                Process::Heal => heal(&scene, &images, &run),
                Process::Restore => drop(scene.restore(false)),
                Process::Recover => drop(scene.recover()),
            }
            let end = match fate {
                Fate::Stopped(_, end) if scene.disk.is_dead() => ENDS[*end],
                _ => End::Killed,
            };
            scene.restart(end);
            let story = || format!("{taint:?} {schedule:?} at {number}");
            whole(&scene, &images, &story);
            for bytes in evil(taint) {
                prop_assert!(kept(&scene, bytes), "{}: {} is lost", story(), bytes);
            }
        }
        let recovered = scene.recover().unwrap();
        prop_assert!(recovered.iter().all(|r| r.stuck.is_empty()), "{:?} {:?}: {:?}", taint, schedule, recovered);
        if !is_after(&scene, &images) {
            let receipts = scene.heal("01Z").unwrap();
            prop_assert!(receipts.closed, "{:?} {:?}: {:?}", taint, schedule, receipts);
        }
        prop_assert!(is_after(&scene, &images), "{:?} {:?}: healed {}", taint, schedule, difference(&scene.timeless(), &images.after));
        while scene.restore(false).unwrap().iter().any(|r| r.refused.is_none()) {}
        prop_assert!(is_before(&scene, &images), "{:?} {:?}: restored {}", taint, schedule, difference(&scene.picture(), &images.before));
    }
}
