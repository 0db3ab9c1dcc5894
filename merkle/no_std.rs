//! A library without the standard library that links `merkle`. `scripts/test.sh no_std` builds it; it cannot be built if
//! `merkle`, or a crate below it, brings the standard library in, for then there are two panic handlers.

#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

/// Links the crate.
#[unsafe(no_mangle)]
pub extern "C" fn first_byte_of_a_root(entry: u8) -> u8 {
    let leaves = [merkle::leaf_hash(&[entry]), merkle::leaf_hash(b"b"), merkle::leaf_hash(b"c")];
    merkle::root(&leaves).as_bytes()[0]
}

/// Nothing calls this library, so it has no memory to give.
struct NoMemory;

// SAFETY: it gives none out.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
