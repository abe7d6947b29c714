//! What is looked for in values: a literal, the window of it that stands out, and what the text must have for it.
//!
//! Owns the choice of windows. Must never let a literal go unseen: a group says only what every match has.

use super::glance::Window;
use super::landmarks::Mark;
use super::rarity::familiarity;
use super::shape::Shape;
use super::{network, shape};

/// What to look at where a literal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trigger {
    /// A shape, by index, that begins this many bytes before the window.
    Shape { shape: u16, back: u8 },
    /// A word that may be the key of an assignment.
    Assignment,
    /// `://`.
    Url,
    /// `-----BEGIN` or its like.
    Block,
    /// `eyJ`: a JSON Web Token.
    Jwt,
    /// `bearer ` or `basic `.
    Header,
    /// A word that announces an identity number with letters in it.
    Announced,
    /// The first bytes of a private IPv4 or IPv6 address.
    Address,
    /// A literal that begins this many bytes before the window, and what it announces.
    Landmark { mark: Mark, back: u8 },
}

/// A literal, and the window of it that is looked for.
pub(super) struct Literal {
    pub(super) text: Vec<u8>,
    /// Where in the literal its window begins.
    pub(super) window: usize,
    /// Compare letters in either case.
    pub(super) fold: bool,
    pub(super) trigger: Trigger,
    /// Bytes that follow the window's first one in every match, itself included.
    pub(super) need: usize,
    /// A match begins a word, and the window is its first bytes.
    pub(super) word: bool,
    /// Every match holds a run of [`RUN`] bytes of [`Masks::wide`].
    pub(super) run: bool,
    /// The window has three bytes, whatever follows.
    pub(super) three: bool,
}

/// What a text must have so that a literal can stand for anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// A long run, and the literal begins a word.
    Heads,
    /// A long run, and the window ends with a separator.
    Parted,
    /// A long run.
    Inner,
    /// A byte that stands between a name and its value.
    Names,
    /// A space.
    Prose,
    /// Nothing.
    Ever,
}

/// Tokens hold a run of so many bytes; see [`Literal::run`].
pub(super) const RUN: usize = 14;

impl Literal {
    /// The literal with its rarest window.
    pub(super) fn new(text: &[u8], fold: bool, trigger: Trigger) -> Self {
        Self {
            text: text.to_vec(),
            window: rarest_window(text),
            fold,
            trigger,
            need: 0,
            word: false,
            run: false,
            three: false,
        }
    }

    /// A literal of a shape: its window stands where tokens are looked up.
    pub(super) fn of_shape(text: Vec<u8>, shape: u16, at: usize, whole: &Shape) -> Self {
        // What begins a word is looked for by its first bytes, everything else at a separator or by its rarest ones.
        let word = whole.word_start && at == 0;
        let parted = if word { None } else { parted_window(&text) };
        let window = if word { 0 } else { parted.unwrap_or_else(|| rarest_window(&text)) };
        let three = parted.is_some_and(|at| !text.get(at + 3).is_some_and(|b| separates(*b)));
        let back = u8::try_from(at + window).unwrap_or(u8::MAX);
        let need = whole.shortest().saturating_sub(at + window);
        let trigger = Trigger::Shape { shape, back };
        Self { text, window, fold: false, trigger, need, word, run: whole.has_run(RUN), three }
    }

    /// A literal whose window is its begin.
    pub(super) fn beginning(text: &[u8], fold: bool, trigger: Trigger) -> Self {
        Self { window: 0, ..Self::new(text, fold, trigger) }
    }

    pub(super) fn folded(&self) -> Window {
        let w = &self.text[self.window..];
        let fourth = w.get(3).filter(|_| !self.three);
        ([w[0] | 0x20, w[1] | 0x20, w[2] | 0x20], fourth.map(|byte| byte | 0x20))
    }

    pub(super) fn group(&self) -> Group {
        match self.trigger {
            Trigger::Shape { .. } if !self.run => Group::Ever,
            Trigger::Shape { .. } if self.word => Group::Heads,
            Trigger::Shape { .. } if parted_window(&self.text) == Some(self.window) => Group::Parted,
            Trigger::Shape { .. } | Trigger::Jwt => Group::Inner,
            Trigger::Announced => Group::Ever,
            // Ansible Vault's header has no byte that stands before a value.
            Trigger::Block if self.text[0] == b'$' => Group::Ever,
            Trigger::Address if self.text[0].is_ascii_digit() => Group::Ever,
            _ if self.text.contains(&b' ') => Group::Prose,
            _ => Group::Names,
        }
    }

    /// The whole literal stands here, with its window at `at`.
    pub(super) fn stands(&self, text: &[u8], at: usize) -> bool {
        let Some(start) = at.checked_sub(self.window) else { return false };
        let Some(there) = text.get(start..start + self.text.len()) else { return false };
        if self.fold { there.eq_ignore_ascii_case(&self.text) } else { there == self.text }
    }
}

impl Literal {
    /// What the literal stands for may stand here too; its window is at `at`. `assigns`: the text has a byte that can
    /// stand between a name and its value.
    pub(super) fn worth(&self, text: &[u8], at: usize, assigns: bool) -> bool {
        match self.trigger {
            Trigger::Shape { back, .. } => {
                let start = at.checked_sub(usize::from(back));
                at + self.need <= text.len()
                    && start.is_some_and(|at| !self.word || at == 0 || !shape::glued(text, at))
            }
            Trigger::Assignment => assigns,
            // Passwords stand before an `@`, parameters behind a `?` or `#`.
            Trigger::Url => memchr::memchr3(b'@', b'?', b'#', &text[at..]).is_some(),
            Trigger::Address => network::may_begin(text, at),
            Trigger::Block
            | Trigger::Jwt
            | Trigger::Header
            | Trigger::Announced
            | Trigger::Landmark { .. } => true,
        }
    }
}

/// `- _ / =` and `. ~ $ % ,`: what [`Masks`] tells of a separator.
fn separates(b: u8) -> bool {
    b"-_/=.~$%,".contains(&b)
}

/// The rarest window that ends with a separator: of four bytes if there is one, else of the literal's first three.
fn parted_window(literal: &[u8]) -> Option<usize> {
    let ending = |from: usize| separates(literal[from + 3]);
    let four = (0..literal.len().saturating_sub(3))
        .filter(|from| ending(*from))
        .min_by_key(|from| familiarity(&literal[*from..from + 4].to_ascii_lowercase()));
    four.or_else(|| literal.get(2).is_some_and(|b| separates(*b)).then_some(0))
}

/// The window of a literal that text holds least often, by the pairs in it: four bytes where the literal has them.
pub(super) fn rarest_window(literal: &[u8]) -> usize {
    let common = |w: &[u8]| {
        [&b"://"[..], b"ps:", b"tps", b"ttp", b"com", b".co", b"---", b"htt"].iter().any(|c| w.starts_with(c))
    };
    let width = literal.len().min(4);
    (0..=literal.len() - width)
        .min_by_key(|&i| {
            let w = &literal[i..i + width];
            (common(w), familiarity(&w.to_ascii_lowercase()))
        })
        .unwrap_or(0)
}
