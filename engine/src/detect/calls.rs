//! Calls of functions that take a password by its place: `mysqli_connect('host', 'user', 'password')`.
//!
//! Must never take what stands for a value: an argument without quotes is none.

use super::inspect::Search;
use super::statements;

/// A function, up to its bracket, and which of its arguments is the password, from 0.
pub(super) struct Call {
    pub(super) name: &'static str,
    argument: usize,
}

const fn row(name: &'static str, argument: usize) -> Call {
    Call { name, argument }
}

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = &[
    row("mysql_connect(", 2),
    row("mysqli_connect(", 2),
    row("new mysqli(", 2),
    row("dbi->connect(", 2),
    row("dbi.connect(", 2),
    row("new pdo(", 2),
    row("getconnection(", 2),
    row("networkcredential(", 1),
    row("networkcredential]::new(", 1),
];

/// The argument of the call that begins at `start`.
pub(super) fn at(search: &mut Search<'_>, text: &str, start: usize, call: &Call) {
    let bytes = text.as_bytes();
    let mut at = statements::spaces(bytes, start + call.name.len());
    for number in 0..=call.argument {
        let Some((from, to)) = statements::quoted(bytes, at) else { return };
        if !search.spend(to - at) {
            return;
        }
        if number == call.argument {
            return statements::push(search, text, from, to);
        }
        at = statements::spaces(bytes, to + 1);
        if bytes.get(at) != Some(&b',') {
            return;
        }
        at = statements::spaces(bytes, at + 1);
    }
}
