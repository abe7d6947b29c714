//! Words that say: what follows is arranged in a known way, and one place of it is secret.
//!
//! Owns the literals and who reads on behind each. Must never decide itself; adds no cost to a value without one of them.

use super::calls::{self, CALLS};
use super::commands::{self, COMMANDS};
use super::inspect::Search;
use super::{credential_files, statements};

/// What a literal announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mark {
    /// A command whose flags or words hold a secret: its row.
    Command(u8),
    /// A call of a function that takes a password: its row.
    Call(u8),
    /// A pipe into a command that reads a secret.
    Piped,
    /// `kind: Secret` of Kubernetes, in YAML.
    Manifest,
    /// `machine` or `default login` of a netrc file.
    Netrc,
    /// A line of a pgpass file.
    Pgpass,
    /// `chpasswd`, of cloud-init or of a script.
    Chpasswd,
    /// A Cookie or Set-Cookie header.
    Cookie,
    /// `ConvertTo-SecureString`.
    SecureString,
    /// `IDENTIFIED BY`.
    Identified,
    /// `IDENTIFIED WITH plugin BY`.
    IdentifiedWith,
    /// `INSERT INTO`.
    Insert,
    /// Parameters of HTTP's Digest scheme.
    Digest,
    /// A document in a longer text: `json.rs` opens it, so a look is worth while.
    Document,
    /// A vCard.
    ContactCard,
    /// What `expect` sends to a prompt.
    Expect,
    /// Options of a login module of Java's, as Kafka's listeners take them.
    Jaas,
    /// `user/password@` behind it.
    Slashed,
    /// `user:password` before it.
    Dialed,
    /// A line of PPP's secrets: who to whom, and the secret behind.
    Chap,
    /// A line of PgBouncer's users.
    Userlist,
    /// A password of Dovecot's, not hashed.
    Plain,
    /// A key of Cisco's, obfuscated.
    TypeSeven,
}

impl Mark {
    /// It stands in an address, which may be a key as well.
    pub(super) fn addresses(self) -> bool {
        matches!(self, Self::Slashed | Self::Dialed)
    }
}

const OTHERS: &[(&str, Mark)] = &[
    ("--password-stdin", Mark::Piped),
    ("--with-token", Mark::Piped),
    ("passwd --stdin", Mark::Piped),
    ("sudo -S", Mark::Piped),
    ("sudo --stdin", Mark::Piped),
    ("gcloud secrets ", Mark::Piped),
    ("docker secret create", Mark::Piped),
    ("podman secret create", Mark::Piped),
    ("--stdin-password", Mark::Piped),
    ("realm join", Mark::Piped),
    ("kinit ", Mark::Piped),
    ("smbpasswd", Mark::Piped),
    ("luksFormat", Mark::Piped),
    ("luksOpen", Mark::Piped),
    ("cryptsetup open", Mark::Piped),
    ("| passwd", Mark::Piped),
    ("su - ", Mark::Piped),
    ("kind: Secret", Mark::Manifest),
    ("kind: \"Secret\"", Mark::Manifest),
    ("machine ", Mark::Netrc),
    ("default login ", Mark::Netrc),
    (":5432:", Mark::Pgpass),
    ("*:*:", Mark::Pgpass),
    ("chpasswd", Mark::Chpasswd),
    ("cookie: ", Mark::Cookie),
    ("securestring", Mark::SecureString),
    ("identified by", Mark::Identified),
    ("identified with ", Mark::IdentifiedWith),
    ("insert into ", Mark::Insert),
    ("oracle:thin:", Mark::Slashed),
    ("digest username=", Mark::Digest),
    ("authorization: digest ", Mark::Digest),
    (" {\"", Mark::Document),
    (":{\"", Mark::Document),
    ("={\"", Mark::Document),
    ("'{\"", Mark::Document),
    ("({\"", Mark::Document),
    ("\n{\"", Mark::Document),
    ("loginmodule required", Mark::Jaas),
    ("begin:vcard", Mark::ContactCard),
    ("send \"", Mark::Expect),
    ("send -- \"", Mark::Expect),
    ("@tcp(", Mark::Dialed),
    ("@unix(", Mark::Dialed),
    (" * \"", Mark::Chap),
    ("\" \"", Mark::Userlist),
    ("{plain}", Mark::Plain),
    ("key 7 ", Mark::TypeSeven),
];

/// All literals, in either case of letters.
pub(super) fn literals() -> impl Iterator<Item = (&'static str, Mark)> {
    let commands = COMMANDS.iter().zip(0u8..).map(|(row, at)| (row.name, Mark::Command(at)));
    let calls = CALLS.iter().zip(0u8..).map(|(row, at)| (row.name, Mark::Call(at)));
    commands.chain(calls).chain(OTHERS.iter().copied())
}

/// A literal stands at `start`.
pub(super) fn at(search: &mut Search<'_>, text: &str, start: usize, mark: Mark) {
    match mark {
        Mark::Command(row) => commands::at(search, text, start, &COMMANDS[usize::from(row)]),
        Mark::Call(row) => calls::at(search, text, start, &CALLS[usize::from(row)]),
        Mark::Piped => commands::piped(search, text, start),
        Mark::Manifest => credential_files::manifest(search, text, start),
        Mark::Netrc => credential_files::netrc(search, text, start),
        Mark::Pgpass => credential_files::pgpass(search, text, start),
        Mark::Chpasswd => credential_files::chpasswd(search, text, start),
        Mark::Cookie => statements::cookie(search, text, start + "cookie: ".len()),
        Mark::SecureString => statements::secure_string(search, text, start),
        Mark::Identified => statements::identified(search, text, start + "identified by".len()),
        Mark::IdentifiedWith => statements::identified_with(search, text, start + "identified with ".len()),
        Mark::Insert => statements::insert(search, text, start + "insert into ".len()),
        Mark::Expect => statements::expect(search, text, start),
        Mark::Document => {}
        Mark::ContactCard => credential_files::contact_card(search, text, start),
        Mark::Jaas => credential_files::jaas(search, text, start + "loginmodule required".len()),
        Mark::Digest => statements::digest(search, text, start),
        Mark::Slashed => statements::slashed(search, text, start + "oracle:thin:".len()),
        Mark::Dialed => statements::dialed(search, text, start),
        Mark::Chap => credential_files::chap(search, text, start),
        Mark::Userlist => credential_files::userlist(search, text, start),
        Mark::Plain => credential_files::plain(search, text, start + "{plain}".len()),
        Mark::TypeSeven => credential_files::type_seven(search, text, start + "key 7 ".len()),
    }
}
