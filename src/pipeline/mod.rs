//! The stages, in order. Stages do not import each other: their values meet here.

pub mod advise;
pub mod flow;
pub mod report;
pub mod truth;
