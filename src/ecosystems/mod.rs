//! One folder per ecosystem, the contract they meet, and the registry that lists them.
