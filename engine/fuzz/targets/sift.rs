//! Documents through the sanitizer, in random pieces, against the slow twin.
//!
//! Must never keep anything from one execution to the next but the compiled rules.

#![no_main]

mod hooks;

use libfuzzer_sys::fuzz_target;
use terrasift_oracle::case::{Case, Compiled};

thread_local! {
    static RULES: Compiled = Compiled::new();
}

fuzz_target!(|bytes: &[u8]| {
    let case = Case::of(bytes);
    if let Err(difference) = RULES.with(|rules| case.check(rules)) {
        panic!("{}\n{difference}", String::from_utf8_lossy(&case.document));
    }
});
