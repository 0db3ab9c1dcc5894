//! What the benchmarks and the load generator share. The benchmark of the verifier needs nothing of it, and is built without
//! a store.

#[cfg(feature = "load")]
pub mod connection;
#[cfg(feature = "load")]
pub mod load;
#[cfg(feature = "load")]
pub mod passkey;
#[cfg(feature = "store")]
mod running;

#[cfg(feature = "store")]
pub use running::Running;

/// The allocator of the server.
#[cfg(feature = "store")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
