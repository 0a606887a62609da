//! Is what was published known to be bad? Feeds, their compiled index, and matching.
