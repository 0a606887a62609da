//! Exit codes (CONTRACT section 2): the one place where a number is made.

use crate::model::report::VerdictResult;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0.
    Clean,
    /// 1.
    Findings,
    /// 2.
    CouldNotRun,
    /// 3.
    Incomplete,
    /// 4.
    Stale,
    /// 5.
    Empty,
    /// 120 and this code: `guard` refused to run its command; without a code, what the command used changed meanwhile.
    Refused(u8),
    /// What the command of `guard` ended with.
    Command(u8),
}

/// A command that the system does not start.
pub const NO_PROGRAM: Exit = Exit::Command(126);
/// A command that is not there.
pub const NO_COMMAND: Exit = Exit::Command(127);

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::CouldNotRun => 2,
            Self::Incomplete => 3,
            Self::Stale => 4,
            Self::Empty => 5,
            Self::Refused(code) => 120u8.saturating_add(code),
            Self::Command(code) => code,
        }
    }

    /// What a verdict ends with; `exit_zero` turns every verdict into 0, but not a run that failed.
    pub const fn of(result: VerdictResult, exit_zero: bool) -> Self {
        match result {
            VerdictResult::Failed => Self::CouldNotRun,
            _ if exit_zero => Self::Clean,
            VerdictResult::Clean => Self::Clean,
            VerdictResult::Findings => Self::Findings,
            VerdictResult::Incomplete => Self::Incomplete,
            VerdictResult::Stale => Self::Stale,
            VerdictResult::Empty => Self::Empty,
        }
    }

    /// What the argument parser's words end with: help and version are no error, everything else is usage.
    pub fn of_usage(error: &clap::Error) -> Self {
        use clap::error::ErrorKind;
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self::Clean,
            _ => Self::CouldNotRun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_and_exits_agree_on_numbers() {
        for result in VerdictResult::ALL {
            assert_eq!(Exit::of(result, false).code(), result.exit_code());
            let forced = Exit::of(result, true).code();
            assert_eq!(
                forced,
                if result == VerdictResult::Failed {
                    2
                } else {
                    0
                }
            );
        }
    }
}
