//! untaint proves that the dependencies a machine is about to build with are the ones that were published.
