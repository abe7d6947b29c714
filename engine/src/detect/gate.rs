//! The cheap first look: which values can hold anything at all, and where.
//!
//! Literals are looked for by a window of four bytes, folded to one case, and only where the text has what every match
//! needs: `://` needs a colon, a command a space, nearly all tokens a run of fourteen characters. Tokens begin a word
//! or hold a separator (`ghp_`), so their windows are looked up there instead of everywhere. Must never miss a planted
//! literal; may propose too much, since every candidate is confirmed.

use super::glance::{BLOCK, Buckets, Eye, Masks, Seen, Window, seen};
use super::landmarks::Mark;
use super::rarity::familiarity;
use super::shape::Shape;
use super::{network, shape, tokens};

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
enum Group {
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

    fn folded(&self) -> Window {
        let w = &self.text[self.window..];
        let fourth = w.get(3).filter(|_| !self.three);
        ([w[0] | 0x20, w[1] | 0x20, w[2] | 0x20], fourth.map(|byte| byte | 0x20))
    }

    fn hash(&self) -> u32 {
        let (three, fourth) = self.folded();
        let window = |last| u32::from_le_bytes([three[0], three[1], three[2], last]);
        fourth.map_or_else(|| hash_of_three(window(0)), |last| hash_of_four(window(last)))
    }

    fn group(&self) -> Group {
        match self.trigger {
            Trigger::Shape { .. } if !self.run => Group::Ever,
            Trigger::Shape { .. } if self.word => Group::Heads,
            Trigger::Shape { .. } if parted_window(&self.text) == Some(self.window) => Group::Parted,
            Trigger::Shape { .. } | Trigger::Jwt => Group::Inner,
            Trigger::Announced => Group::Ever,
            Trigger::Address if self.text[0].is_ascii_digit() => Group::Ever,
            _ if self.text.contains(&b' ') => Group::Prose,
            _ => Group::Names,
        }
    }

    /// The whole literal stands here, with its window at `at`.
    fn stands(&self, text: &[u8], at: usize) -> bool {
        let Some(start) = at.checked_sub(self.window) else { return false };
        let Some(there) = text.get(start..start + self.text.len()) else { return false };
        if self.fold { there.eq_ignore_ascii_case(&self.text) } else { there == self.text }
    }
}

impl Literal {
    /// What the literal stands for may stand here too; its window is at `at`. `assigns`: the text has a byte that can
    /// stand between a name and its value.
    fn worth(&self, text: &[u8], at: usize, assigns: bool) -> bool {
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

/// A candidate: position of the window and what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    pub(super) at: usize,
    pub(super) trigger: Trigger,
}

/// What one look at a value tells: the stages that it needs. All false: nothing can be found in it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Signs {
    /// A literal stands there, and what it stands for may follow.
    pub(super) literal: bool,
    /// There is an `@`.
    pub(super) at_sign: bool,
    /// There is a `%`.
    pub(super) percent: bool,
    /// There is a group of digits that may be a number of a person or an account, or the head of an IBAN or codice fiscale.
    pub(super) number: bool,
    /// There is a long run of token characters that is neither a digest nor a UUID.
    pub(super) run: bool,
}

impl Signs {
    /// Whether any stage is needed.
    #[inline]
    pub(super) fn any(self) -> bool {
        self.literal | self.at_sign | self.percent | self.number | self.run
    }
}

const WORDS: usize = 2048;

/// Built once a core, shared.
pub(super) struct Gate {
    eye: Eye,
    inner: Buckets,
    names: Buckets,
    prose: Buckets,
    ever: Buckets,
    /// Of the hashes: 8 KiB for windows of three bytes, 8 KiB for those of four.
    bitmap: Box<[u64; WORDS]>,
    /// Sorted by hash.
    entries: Vec<(u32, Literal)>,
    /// First entry of the hashes with these ten high bits.
    starts: Vec<u16>,
}

/// Where windows of either width are looked up in a block.
#[derive(Clone, Copy)]
struct Places {
    four: u64,
    three: u64,
}

/// The places of the set bits.
#[inline(always)]
fn bits(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| index(bits.trailing_zeros()));
        bits &= bits.wrapping_sub(1);
        bit
    })
}

#[inline(always)]
fn window(seen: &Seen, bit: usize) -> u32 {
    u32::from_le_bytes([seen[bit], seen[bit + 1], seen[bit + 2], seen[bit + 3]])
}

#[inline]
fn hash_of_three(window: u32) -> u32 {
    ((window & 0x00ff_ffff) | 0x0020_2020).wrapping_mul(0x9E37_79B1) >> 16
}

#[inline]
fn hash_of_four(window: u32) -> u32 {
    (window | 0x2020_2020).wrapping_mul(0x9E37_79B1) >> 16 | 1 << 16
}

impl Gate {
    /// Takes literals with their windows chosen.
    pub(super) fn build(list: Vec<Literal>) -> Self {
        let mut bitmap = Box::new([0u64; WORDS]);
        let mut entries: Vec<(u32, Literal)> =
            list.into_iter().map(|literal| (literal.hash(), literal)).collect();
        for (h, _) in &entries {
            if let Some(word) = bitmap.get_mut(index(h >> 6)) {
                *word |= 1 << (h & 63);
            }
        }
        entries.sort_by_key(|(h, _)| *h);
        let starts = (0..=2048u32)
            .map(|high| u16::try_from(entries.partition_point(|(h, _)| h >> 6 < high)).unwrap_or(u16::MAX))
            .collect();
        let of = |group: Group| {
            Buckets::of(entries.iter().filter(|(_, l)| l.group() == group).map(|(_, l)| l.folded()).collect())
        };
        Self {
            eye: Eye::detect(),
            inner: of(Group::Inner),
            names: of(Group::Names),
            prose: of(Group::Prose),
            ever: of(Group::Ever),
            bitmap,
            entries,
            starts,
        }
    }

    #[inline]
    fn has(&self, hash: u32) -> bool {
        self.bitmap[index(hash >> 6) & (WORDS - 1)] >> (hash & 63) & 1 == 1
    }

    /// One look at a value; `around` begins with the value, and what stands behind it may be read along. `public`: the key
    /// says that what looks drawn is none. Allocates nothing.
    #[inline]
    pub(super) fn look(&self, around: &[u8], len: usize, public: bool) -> Signs {
        if len <= BLOCK {
            let mut copy = Seen::from([0; size_of::<Seen>()]);
            let seen = seen(around, 0, len, &mut copy);
            let masks = self.eye.masks(seen, len);
            let text = &around[..len];
            let places = self.places(seen, len, &masks, fourteen(masks.wide()) != 0);
            return Signs {
                literal: self.confirmed(text, 0, seen, places, masks.assigns != 0),
                at_sign: masks.coat != 0 && memchr::memchr(b'@', text).is_some(),
                percent: masks.coat != 0 && memchr::memchr(b'%', text).is_some(),
                number: number(text, &masks),
                run: run(text, &masks, public),
            };
        }
        self.look_long(around, len)
    }

    /// Where in a block literals may stand, as far as the block has what they need.
    #[inline(always)]
    fn places(&self, seen: &Seen, left: usize, masks: &Masks, runs: bool) -> Places {
        let mut windows = self.eye.windows(&self.ever, seen, left);
        if masks.assigns != 0 {
            windows |= self.eye.windows(&self.names, seen, left);
        }
        if masks.space != 0 {
            windows |= self.eye.windows(&self.prose, seen, left);
        }
        let mut places = Places { four: windows, three: windows };
        if runs {
            let alnum = masks.alnum();
            // Behind an escape (`\n`, `%3D`) a word may begin that seems to go on.
            let begins = if masks.coat == 0 { alnum & !(alnum << 1) } else { alnum };
            let separators = masks.joint | masks.rare;
            let anywhere = begins | self.eye.windows(&self.inner, seen, left);
            places.four |= anywhere | separators >> 3;
            places.three |= anywhere | separators >> 2;
        }
        places
    }

    /// Block by block, each overlapping the next by as much as the short patterns need.
    fn look_long(&self, around: &[u8], len: usize) -> Signs {
        let text = &around[..len];
        let mut signs = Signs::default();
        let mut coat = false;
        let mut at = 0;
        loop {
            let mut copy = Seen::from([0; size_of::<Seen>()]);
            let (seen, left) = (seen(around, at, len, &mut copy), len - at);
            let masks = self.eye.masks(seen, left);
            coat |= masks.coat != 0;
            if !signs.literal {
                // What a literal needs may stand in another block.
                let places = self.all_places(seen, left, &masks);
                signs.literal = self.confirmed(text, at, seen, places, true);
            }
            signs.number |= !signs.number && number(&text[at..], &masks);
            if left <= BLOCK {
                break;
            }
            at += BLOCK - OVERLAP;
        }
        signs.at_sign = coat && memchr::memchr(b'@', text).is_some();
        signs.percent = coat && memchr::memchr(b'%', text).is_some();
        signs.run = tokens::has_long_run(text) && !tokens::addressed(text);
        signs
    }

    #[inline(always)]
    fn all_places(&self, seen: &Seen, left: usize, masks: &Masks) -> Places {
        let all = Masks { assigns: u64::MAX, space: u64::MAX, ..*masks };
        self.places(seen, left, &all, true)
    }

    /// Whether a literal stands at one of the places (bits from `from` on) and may be what it stands for.
    fn confirmed(&self, text: &[u8], from: usize, seen: &Seen, places: Places, assigns: bool) -> bool {
        let stands = |bit: usize, h: u32| {
            let at = from + bit;
            self.standing(text, at, h).any(|l| l.worth(text, at, assigns))
        };
        let four = |bit: usize| (bit, hash_of_four(window(seen, bit)));
        let three = |bit: usize| (bit, hash_of_three(window(seen, bit)));
        bits(places.four).map(four).any(|(bit, h)| self.has(h) && stands(bit, h))
            || bits(places.three).map(three).any(|(bit, h)| self.has(h) && stands(bit, h))
    }

    /// Calls back for every place where a literal stands, with the place of its window, in order.
    pub(super) fn candidates(&self, text: &[u8], mut found: impl FnMut(Candidate)) {
        let mut from = 0;
        loop {
            let mut copy = Seen::from([0; size_of::<Seen>()]);
            let (seen, left) = (seen(text, from, text.len(), &mut copy), text.len() - from);
            let masks = self.eye.masks(seen, left);
            let places = self.all_places(seen, left, &masks);
            let last = left <= BLOCK;
            // The blocks overlap: the first half of that is left to the block before, the second half to the next one.
            let skip = if from == 0 { 0 } else { OVERLAP / 2 };
            let stop = if last { BLOCK } else { BLOCK - OVERLAP / 2 };
            for bit in bits(places.four | places.three).filter(|bit| (skip..stop).contains(bit)) {
                let window = window(seen, bit);
                for h in [hash_of_four(window), hash_of_three(window)] {
                    if self.has(h) {
                        let at = from + bit;
                        self.standing(text, at, h).for_each(|l| found(Candidate { at, trigger: l.trigger }));
                    }
                }
            }
            if last {
                return;
            }
            from += BLOCK - OVERLAP;
        }
    }

    fn standing<'t>(&'t self, text: &'t [u8], at: usize, h: u32) -> impl Iterator<Item = &'t Literal> {
        let from = usize::from(self.starts[index(h >> 6)]);
        let to = usize::from(self.starts[index(h >> 6) + 1]);
        self.entries[from..to]
            .iter()
            .filter(move |(hash, l)| *hash == h && l.stands(text, at))
            .map(|(_, l)| l)
    }
}

/// Blocks of a long text overlap by this much: more than the head of an IBAN or of a codice fiscale.
const OVERLAP: usize = 16;

/// Digits that a number of a person or account has at least: a telephone number behind a word that says so.
const DIGITS_MIN: u32 = 6;

/// Whether a group of digits may be a number of a person or an account: what `people::numbers` would look at. `text` begins
/// with the block and goes on behind it.
#[inline]
fn number(text: &[u8], masks: &Masks) -> bool {
    let (digit, upper, alnum) = (masks.digit, masks.upper, masks.alnum());
    let heads = upper & upper >> 1 & !(alnum << 1);
    let iban = digit >> 2 & digit >> 3;
    let codice = upper >> 2 & upper >> 3 & upper >> 4 & upper >> 5 & digit >> 6 & digit >> 7;
    if heads & (iban | codice) != 0 {
        return true;
    }
    if digit.count_ones() < DIGITS_MIN {
        return false;
    }
    let mut starts = digit & !(alnum << 1);
    while starts != 0 {
        let at = starts.trailing_zeros();
        starts &= starts - 1;
        let from = index(at);
        let before = from.checked_sub(1).map(|n| text[n]);
        if matches!(before, Some(b'-' | b'.' | b',' | b'_' | b'/' | b'@')) {
            continue;
        }
        let (mut digits, mut end, mut to) = (0, from, from);
        while let Some(byte) = text.get(to) {
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    end = to + 1;
                }
                b' ' | b'-' | b'.' | b'(' | b')' if to - end < 2 => {}
                // `030/1234567`: an area code as Germany writes it.
                b'/' if to == end && (3..=5).contains(&digits) && text[from] == b'0' => {}
                _ => break,
            }
            to += 1;
        }
        // The twelve digits of an account in an ARN are the commonest number of a state.
        let account = digits == 12
            && end - from == 12
            && before == Some(b':')
            && matches!(text.get(end), Some(b':') | None);
        // A check digit may be a letter; any other one makes it an identifier or a time.
        let open = matches!(text.get(end), Some(b'_' | b'a'..=b'j' | b'l'..=b'w' | b'y' | b'z'))
            || matches!(text.get(end), Some(b'A'..=b'J' | b'L'..=b'W' | b'Y' | b'Z'));
        if digits >= DIGITS_MIN && !account && !open {
            return true;
        }
    }
    false
}

/// Whether a text of one block holds a run of at least twenty token characters that is worth a judgement: digests,
/// revisions and UUIDs are not.
#[inline]
fn run(text: &[u8], masks: &Masks, public: bool) -> bool {
    let token = masks.token();
    let mut long = twenty(token);
    if long == 0 || tokens::addressed(text) {
        return false;
    }
    while long != 0 {
        // A place of `long` has nineteen more token characters behind it.
        let at = long.trailing_zeros();
        let count = (token >> at).trailing_ones();
        let bits = (u64::MAX >> (64 - count)) << at;
        long &= !bits;
        let (start, end) = (index(at), index(at + count));
        if bits & !masks.hex == 0 {
            if start > 0 && text[start - 1] == b'*' {
                return true;
            }
            continue;
        }
        let mixed = bits & masks.upper != 0 && bits & masks.lower != 0;
        let part = twenty(bits & !masks.joint) != 0;
        if tokens::open_to_judgement(text, start, end, !public && (mixed || part)) {
            return true;
        }
    }
    false
}

/// Places with thirteen more set bits behind them.
#[inline]
fn fourteen(bits: u64) -> u64 {
    let mut long = bits & bits >> 1;
    long &= long >> 2;
    long &= long >> 4;
    long & long >> 6
}

/// Places with nineteen more set bits behind them.
#[inline]
fn twenty(bits: u64) -> u64 {
    let mut long = bits & bits >> 1;
    long &= long >> 2;
    long &= long >> 4;
    long &= long >> 8;
    long & long >> 4
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
fn index(x: u32) -> usize {
    x as usize
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_literals_at_every_offset() {
        let gate = Gate::build(vec![
            Literal::new(b"ghp_", false, Trigger::Announced),
            Literal::new(b"pass", true, Trigger::Assignment),
        ]);
        let look = |text: &str| gate.look(text.as_bytes(), text.len(), false);
        for pad in 0..140 {
            for tail in 0..12 {
                let text = format!("{}ghp_{}", ".".repeat(pad), ".".repeat(tail));
                assert!(look(&text).literal, "{pad} {tail}");
                let mut at = Vec::new();
                gate.candidates(text.as_bytes(), |c| at.push(c.at));
                assert_eq!(at.len(), 1, "{pad}");
                let coat = format!("{}@%{}", "é".repeat(pad), "/:;".repeat(tail));
                assert_eq!((look(&coat).at_sign, look(&coat).percent), (true, true), "{pad} {tail}");
            }
        }
        let mut n = 0;
        gate.candidates(b"pASSword ghP_", |_| n += 1);
        assert_eq!(n, 1);
        assert!(!look("eu-west-1a plain").literal);
        assert!(look("PASSWORD=x").literal && !look("password.policy").literal);
    }

    #[test]
    fn numbers_and_runs_are_noticed_and_look_alikes_are_not() {
        let gate = Gate::build(Vec::new());
        for (text, number, run) in [
            ("4111 1111 1111 1111", true, false),
            ("call +49 151 23456789 now", true, false),
            ("GB82 WEST 1234 5698 7654 32", true, false),
            ("078-05-1120", true, false),
            ("Tel. 030/1234567", true, false),
            ("2025-01-21T05:41:33Z", false, false),
            ("arn:aws:iam::123456789012:role/a-role-with-a-name", false, false),
            ("798d1f5f1b615d11daa486960d86631c7f267850", false, false),
            ("e79548db-fccf-462c-99b1-0234610efc66", false, false),
            ("vpc-055a3c982aa9da004", false, false),
            ("Zk3qXv9LmT0wRb7YhU2cNd5g", false, true),
            ("aHVudGVyMi1odW50ZXIyLWh1bnRlcjI=", false, true),
        ] {
            for pad in ["", "some words that make the text longer than one block of bytes, and more "] {
                let text = format!("{pad}{text}");
                let signs = gate.look(text.as_bytes(), text.len(), false);
                assert!(!number || signs.number, "{text}");
                assert!(!run || signs.run, "{text}");
                if pad.is_empty() {
                    assert_eq!((signs.number, signs.run), (number, run), "{text}");
                }
            }
        }
    }
}
