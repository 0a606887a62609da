//! JSON Schemas of the machine formats, as `untaint schema NAME` prints them.
//!
//! Closed lists are closed in them, open lists are words; unknown keys are allowed, since readers ignore them.

const REPORT: &str = include_str!("schema/untaint.report.1.json");
const CHECK: &str = include_str!("schema/untaint.check.1.json");
const IMPACT: &str = include_str!("schema/untaint.impact.1.json");

const HEAL: &str = include_str!("schema/untaint.heal.1.json");
const RESTORE: &str = include_str!("schema/untaint.restore.1.json");
const QUARANTINE: &str = include_str!("schema/untaint.quarantine.1.json");

/// Names of all schemas, in the order that help texts list them.
pub const NAMES: [&str; 6] = [
    "untaint.report/1",
    "untaint.check/1",
    "untaint.impact/1",
    "untaint.heal/1",
    "untaint.restore/1",
    "untaint.quarantine/1",
];

/// The schema of a format, by its whole name (`untaint.report/1`) or the short one (`report`).
pub fn named(name: &str) -> Option<&'static str> {
    match name {
        "untaint.report/1" | "report" => Some(REPORT),
        "untaint.check/1" | "check" | "checks" => Some(CHECK),
        "untaint.impact/1" | "impact" => Some(IMPACT),
        "untaint.heal/1" | "heal" => Some(HEAL),
        "untaint.restore/1" | "restore" => Some(RESTORE),
        "untaint.quarantine/1" | "quarantine" => Some(QUARANTINE),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
