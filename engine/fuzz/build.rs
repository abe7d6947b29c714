//! Lets the first definition of a symbol win (`targets/hooks.rs`).

fn main() {
    println!("cargo:rustc-link-arg-bins=-Wl,--allow-multiple-definition");
}
