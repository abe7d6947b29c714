//! Tells cargo that the migrations are part of the build: `sqlx::migrate!` embeds them.

#![expect(clippy::print_stdout, reason = "how a build script talks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
