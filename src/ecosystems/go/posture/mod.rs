//! What is risky in the settings of the `go` command, and the vendor folders of projects.
//!
//! ```text
//! environment, GOENV file, go.env     the values in force (see `settings`)
//! GOPROXY, GOSUMDB, GOPRIVATE, …      sources
//! GOFLAGS                             flags
//! GOAUTH, GOVCS, GOTOOLCHAIN, …       programs
//! CC, CGO_…                           compilers
//! `toolchain` lines, GOWORK           projects
//! vendor/modules.txt and go.mod       vendored
//! vendor folders as Go looks for them beside
//! go.work above and beside modules    around
//! ```
//! Each finding names the file and line, or the variable, that sets the value. Nothing that settings name is ever run.

mod around;
mod beside;
mod compilers;
mod flags;
mod programs;
mod projects;
mod sources;
mod told;
mod vendored;

pub(super) use flags::takes_unlocked;
pub(super) use told::normal;

use crate::ecosystems::contract::{
    NamedPlace, OpenContext, Posture, PostureContext, PostureReport, Session,
};
use crate::model::Problem;
use crate::model::text::printable;
use crate::world::Dir;

use super::settings::Settings;
use super::vendor;

/// Go's settings and places.
pub(super) struct GoPosture;

impl Posture for GoPosture {
    fn examine(&self, context: &PostureContext<'_>) -> PostureReport {
        let mut report = PostureReport::default();
        let has = |folder: &std::path::Path| {
            ["go.mod", "go.work"]
                .iter()
                .any(|name| context.fs.stat_named(&folder.join(name)).is_ok())
        };
        let a_project = context.projects.iter().any(|(path, _)| has(path))
            || context.folders.iter().any(|path| has(path));
        if context.caches.is_empty() && !a_project {
            return report;
        }
        let settings = Settings::load(context.env, context.fs);
        for (path, why) in &settings.unreadable {
            let at = printable(&path.display().to_string());
            report.problems.push(Problem::skipped(at, why.clone()));
        }
        report.read = settings
            .read
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let found = &mut report.findings;
        found.extend(sources::judge(&settings, context));
        found.extend(programs::judge(&settings, context));
        found.extend(compilers::judge(&settings, context));
        found.extend(projects::judge(&settings, context));
        found.extend(vendored::judge(context));
        report.places.extend(beside::places(context));
        report.problems.extend(around::judge(&settings, context));
        report
    }

    fn open_place(&self, place: &NamedPlace, root: &dyn Dir, context: &OpenContext<'_>) -> Session {
        if place.kind == vendor::KIND {
            vendor::open(place, root, context)
        } else {
            Session::default()
        }
    }

    fn recognises(&self, dir: &dyn Dir, names: &[&str]) -> Option<&'static str> {
        vendor::is_one(dir, names).then_some(vendor::KIND)
    }
}

#[cfg(test)]
mod tests;
