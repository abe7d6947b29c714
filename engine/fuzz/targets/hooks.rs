//! Keeps libFuzzer from noting every comparison of strings: an eighth of an execution went there. Documents and texts are woven
//! from a tape, so that what was compared could not be written into one anyway (`--no-trace-compares` says the same of numbers).
//!
//! Must be linked before libFuzzer's own hooks, which `build.rs` allows to stand twice.

use std::ffi::{c_int, c_void};

#[unsafe(no_mangle)]
extern "C" fn __sanitizer_weak_hook_memcmp(_: *const c_void, _: *const c_void, _: *const c_void, _: usize, _: c_int) {}
