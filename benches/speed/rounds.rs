//! Rounds in turn, and their medians: a shared machine drifts, a ratio of neighbours does not.

use std::io::Result;
use std::time::Instant;

use crate::child::Cost;

/// What rounds of bare work and audits took, in seconds.
pub(crate) struct Pair {
    pub(crate) bare: Vec<f64>,
    pub(crate) audit: Vec<f64>,
    /// Audit by bare work, round by round.
    pub(crate) ratios: Vec<f64>,
    /// Median CPU of an audit.
    pub(crate) cpu: f64,
}

/// One round that does not count, then `rounds` in turn.
pub(crate) fn pairs<T>(
    rounds: usize,
    bare: impl Fn() -> Result<T>,
    audit: impl Fn() -> Result<Cost>,
) -> Result<Pair> {
    let mut pair = Pair {
        bare: Vec::new(),
        audit: Vec::new(),
        ratios: Vec::new(),
        cpu: 0.0,
    };
    let mut cpu = Vec::new();
    for round in 0..=rounds {
        let began = Instant::now();
        std::hint::black_box(bare()?);
        let bare = began.elapsed().as_secs_f64();
        let audit = audit()?;
        if round > 0 {
            pair.bare.push(bare);
            pair.audit.push(audit.wall);
            pair.ratios.push(audit.wall / bare);
            cpu.push(audit.cpu);
        }
    }
    pair.cpu = median(&cpu);
    Ok(pair)
}

/// The median, and in brackets the least and the most.
pub(crate) fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{:.2} [{least:.2}-{most:.2}]", median(values))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
