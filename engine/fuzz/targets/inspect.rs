//! Texts through the rules, with the cheap first look and without it.
//!
//! Must never keep anything from one execution to the next but the compiled rules and the scratch buffers.

#![no_main]

mod hooks;

use libfuzzer_sys::fuzz_target;
use terrasift_oracle::case::Compiled;
use terrasift_oracle::values::{Looks, Value};

thread_local! {
    static RULES: Compiled = Compiled::new();
    static LOOKS: std::cell::RefCell<Looks> = std::cell::RefCell::default();
}

fuzz_target!(|bytes: &[u8]| {
    let value = Value::of(bytes);
    let outcome = RULES.with(|rules| LOOKS.with(|looks| value.check(rules, &mut looks.borrow_mut())));
    if let Err(difference) = outcome {
        panic!("{difference}");
    }
});
