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
    row("simple_bind_s(", 1),
    row("httpbasicauth(", 1),
    row("plaincredentials(", 1),
    row("usernamepasswordtoken(", 1),
    row("sqlcredential(", 1),
    row("setbasicauth(", 1),
    row("basic_auth(", 1),
    row("plainauth(", 2),
    row("mysqldb.connect(", 2),
    row("pymysql.connect(", 2),
    row("client.connect(", 3),
    row("ssh.connect(", 3),
    row("smtp.login(", 1),
    row("createhmac(", 1),
    row("new sequelize(", 2),
    row("cookieparser(", 0),
    row("ldap_bind(", 2),
    row("->auth(", 0),
    row("db.auth(", 1),
    row("changeuserpassword(", 1),
    row("createaccount(", 1),
    row("create_credential(", 2),
    row("aes_encrypt(", 1),
    row("pgp_sym_encrypt(", 1),
    row("jwt.encode(", 1),
    row("auth=(", 1),
    row("ftp.open(", 2),
    row("setpassword(", 0),
    row("withpassword(", 0),
    row(".password(", 0),
    row("credentials(", 3),
    row("usernamepasswordcredentialsimpl(", 4),
    row("= password(", 0),
];

/// The argument of the call that begins at `start`.
pub(super) fn at(search: &mut Search<'_>, text: &str, start: usize, call: &Call) {
    let bytes = text.as_bytes();
    let mut at = statements::spaces(bytes, start + call.name.len());
    for number in 0..=call.argument {
        let Some((from, to)) =
            statements::quoted(bytes, at).or_else(|| variable(bytes, at, number < call.argument))
        else {
            return;
        };
        if !search.spend(to - at) {
            return;
        }
        if number == call.argument {
            return statements::push(search, text, from, to);
        }
        let quote = usize::from(matches!(bytes.get(to), Some(b'\'' | b'"')));
        at = statements::spaces(bytes, to + quote);
        if bytes.get(at) != Some(&b',') {
            return;
        }
        at = statements::spaces(bytes, at + 1);
    }
}

/// A variable in front of the argument: `ldap_bind($link, …)`.
fn variable(bytes: &[u8], at: usize, before: bool) -> Option<(usize, usize)> {
    let name = |b: &u8| b.is_ascii_alphanumeric() || b"$_.:>-".contains(b);
    let len = bytes.get(at..)?.iter().take(64).take_while(|b| name(b)).count();
    (before && len > 0).then_some((at, at + len))
}
