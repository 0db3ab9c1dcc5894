//! What the benchmarks share. Those of the verifier need nothing of it, and are built without a store.

#[cfg(feature = "store")]
mod running;

#[cfg(feature = "store")]
pub use running::Running;
