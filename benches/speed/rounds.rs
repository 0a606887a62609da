//! Rounds in turn, and their medians: a shared machine drifts, a ratio of neighbours does not.

use std::io::Result;

use crate::child::{Cost, cost_of};

/// Something that costs time.
pub(crate) type Work<'a> = &'a dyn Fn() -> Result<Cost>;

/// What rounds of one kind of work cost, round by round.
pub(crate) type Costs = Vec<Cost>;

/// What rounds of bare work and audits cost.
pub(crate) struct Pair {
    pub(crate) bare: Costs,
    pub(crate) audit: Costs,
}

/// One round that does not count, then `rounds` of all kinds of work in turn.
pub(crate) fn turns<const N: usize>(rounds: usize, kinds: [Work<'_>; N]) -> Result<[Costs; N]> {
    let mut all = std::array::from_fn(|_| Vec::new());
    for round in 0..=rounds {
        for (work, costs) in kinds.iter().zip(&mut all) {
            let cost = work()?;
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    Ok(all)
}

/// Bare work and audits in turn.
pub(crate) fn pairs<T>(
    rounds: usize,
    bare: impl Fn() -> Result<T>,
    audit: impl Fn() -> Result<Cost>,
) -> Result<Pair> {
    let bare = || cost_of(&bare);
    let [bare, audit] = turns(rounds, [&bare, &audit])?;
    Ok(Pair { bare, audit })
}

impl Pair {
    /// Audit by bare work, round by round, with what both took.
    pub(crate) fn said(&self) -> String {
        format!(
            "{} (bare {} s, audit {} s)",
            ratio(&self.audit, &self.bare),
            spread(&walls(&self.bare)),
            spread(&walls(&self.audit)),
        )
    }
}

/// How many times as long `many` took as `one`, round by round, and how many times as much CPU: where the two differ, others
/// used the machine, or the work was not spread over all cores.
pub(crate) fn ratio(many: &[Cost], one: &[Cost]) -> String {
    let by = |of: fn(&Cost) -> f64| -> Vec<f64> {
        let pairs = many.iter().zip(one);
        pairs.map(|(a, b)| of(a) / of(b).max(0.001)).collect()
    };
    format!(
        "{} times [by CPU: {}]",
        spread(&by(|cost| cost.wall)),
        spread(&by(|cost| cost.cpu)),
    )
}

/// Seconds on the clock.
pub(crate) fn walls(costs: &[Cost]) -> Vec<f64> {
    costs.iter().map(|cost| cost.wall).collect()
}

/// Wall and CPU seconds, as medians.
pub(crate) fn seconds(costs: &[Cost]) -> String {
    let cpu: Vec<f64> = costs.iter().map(|cost| cost.cpu).collect();
    format!(
        "{:.2} s, {:.2} s of CPU",
        median(&walls(costs)),
        median(&cpu)
    )
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
