//! The allocator of the program: what is freed is wiped.
//!
//! States pass through buffers of the HTTP client, of TLS and of the parser that nobody else could wipe, and freed memory is handed
//! out again only when somebody needs it. Must never be left out of a build: `make faults ROW=calm` looks through the memory.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static WIPES: ZeroAlloc<System> = ZeroAlloc(System);
