//! The cheap first look: which values can hold anything at all, and where.
//!
//! Literals are looked for by a window of four bytes, folded to one case, and only where the text has what every match
//! needs: `://` needs a colon, a command a space, nearly all tokens a run of fourteen characters. Tokens begin a word
//! or hold a separator (`ghp_`), so their windows are looked up there instead of everywhere. Must never miss a planted
//! literal; may propose too much, since every candidate is confirmed.

use super::glance::{BLOCK, Buckets, Eye, Masks, Seen, Sets, opens, seen};
use super::literal::{Group, Literal, Trigger};
use super::notice::{number, run, twenty};
use super::tokens;

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
    /// A word with a capital stands behind another one: a name may, or an address. Asks for a look at the words, and is no
    /// stage's need yet.
    pub(super) proper: bool,
}

impl Signs {
    /// Every stage is needed.
    pub(super) const ALL: Self =
        Self { literal: true, at_sign: true, percent: true, number: true, run: true, proper: true };

    /// Whether any stage is needed.
    #[inline]
    pub(super) fn any(self) -> bool {
        self.literal | self.at_sign | self.percent | self.number | self.run
    }
}

const WORDS: usize = 1024;

/// The sets of those that are looked for at some places only.
const HEADS: usize = 4;
const PARTED: usize = 5;

/// Built once a core, shared.
pub(super) struct Gate {
    eye: Eye,
    /// Of [`Group::Inner`], [`Group::Names`], [`Group::Prose`], [`Group::Ever`], [`Group::Heads`], [`Group::Parted`].
    sets: Sets,
    /// Of the hashes of the first three bytes of each window: 8 KiB, and one in eighty bits set.
    bitmap: Box<[u64; WORDS]>,
    /// Of the hashes of whole windows: asked where the first three bytes are some window's.
    wholes: Box<[u64; 2 * WORDS]>,
    /// Sorted by hash.
    entries: Vec<(u32, Literal)>,
    /// First entry of the hashes with these ten high bits.
    starts: Vec<u16>,
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

fn hash(literal: &Literal) -> u32 {
    let (three, fourth) = literal.folded();
    let window = |last| u32::from_le_bytes([three[0], three[1], three[2], last]);
    fourth.map_or_else(|| hash_of_three(window(0)), |last| hash_of_four(window(last)))
}

impl Gate {
    /// Takes literals with their windows chosen.
    pub(super) fn build(list: Vec<Literal>) -> Self {
        let mut bitmap = Box::new([0u64; WORDS]);
        let mut entries: Vec<(u32, Literal)> =
            list.into_iter().map(|literal| (hash(&literal), literal)).collect();
        for (_, literal) in &entries {
            let (three, _) = literal.folded();
            let h = hash_of_three(u32::from_le_bytes([three[0], three[1], three[2], 0]));
            if let Some(word) = bitmap.get_mut(index(h >> 6)) {
                *word |= 1 << (h & 63);
            }
        }
        let mut wholes = Box::new([0u64; 2 * WORDS]);
        for (h, _) in &entries {
            if let Some(word) = wholes.get_mut(index(h >> 6)) {
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
            sets: [Group::Inner, Group::Names, Group::Prose, Group::Ever, Group::Heads, Group::Parted]
                .map(of),
            bitmap,
            wholes,
            entries,
            starts,
        }
    }

    /// Whether a literal's window may begin with these three bytes.
    #[inline(always)]
    fn has(&self, window: u32) -> bool {
        let hash = hash_of_three(window);
        self.bitmap[index(hash >> 6) & (WORDS - 1)] >> (hash & 63) & 1 == 1
    }

    /// Whether the window of a literal, of four bytes or of three, may be this one.
    #[inline(always)]
    fn has_whole(&self, window: u32) -> bool {
        let told = |h: u32| self.wholes[index(h >> 6) & (2 * WORDS - 1)] >> (h & 63) & 1;
        told(hash_of_four(window)) | told(hash_of_three(window)) == 1
    }

    /// One look at a value; `around` begins with the value, and what stands behind it may be read along. `public`: the key
    /// says that what looks drawn is none. Allocates nothing.
    #[inline]
    pub(super) fn look(&self, around: &[u8], len: usize, public: bool) -> Signs {
        match self.eye {
            Eye::Scalar => self.look_by(Eye::Scalar, around, len, public),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has what is enabled there (`Eye::detect`).
            Eye::Avx2 => unsafe { self.look_by_avx2(around, len, public) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Eye::Avx512 => unsafe { self.look_by_avx512(around, len, public) },
        }
    }

    /// The same, compiled as a whole for what the processor has: calls between the masks and their use cost more than both.
    ///
    /// # Safety
    /// The processor has what is enabled.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn look_by_avx2(&self, around: &[u8], len: usize, public: bool) -> Signs {
        self.look_by(Eye::Avx2, around, len, public)
    }

    /// # Safety
    /// The processor has what is enabled.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vbmi")]
    unsafe fn look_by_avx512(&self, around: &[u8], len: usize, public: bool) -> Signs {
        self.look_by(Eye::Avx512, around, len, public)
    }

    #[inline(always)]
    fn look_by(&self, eye: Eye, around: &[u8], len: usize, public: bool) -> Signs {
        if len > BLOCK {
            return self.look_long(eye, around, len);
        }
        let mut copy = Seen::from([0; size_of::<Seen>()]);
        let seen = seen(around, 0, len, &mut copy);
        let masks = eye.masks(seen, len);
        let text = &around[..len];
        let places = self.places(eye, seen, len, &masks, fourteen(masks.wide()) != 0);
        Signs {
            literal: self.confirmed(text, 0, seen, places, masks.assigns != 0),
            at_sign: masks.coat != 0 && memchr::memchr(b'@', text).is_some(),
            percent: masks.coat != 0 && memchr::memchr(b'%', text).is_some(),
            number: number(text, 0, &masks),
            run: run(text, &masks, public),
            proper: proper(&masks),
        }
    }

    /// Where in a block literals may stand, as far as the block has what they need.
    #[inline(always)]
    fn places(&self, eye: Eye, seen: &Seen, left: usize, masks: &Masks, runs: bool) -> u64 {
        let wanted = [runs, masks.assigns != 0, masks.space != 0, true, false, false];
        let windows = eye.windows(&self.sets, wanted, seen, left);
        if !runs {
            return windows;
        }
        let alnum = masks.alnum();
        // Behind an escape (`\n`, `%3D`) a word may begin that seems to go on.
        let begins = if masks.coat == 0 { alnum & !(alnum << 1) } else { alnum };
        let separators = masks.joint | masks.rare;
        let only = |set: usize| eye.windows(&self.sets, std::array::from_fn(|n| n == set), seen, left);
        windows | begins & only(HEADS) | (separators >> 3 | separators >> 2) & only(PARTED)
    }

    /// Block by block, each overlapping the next by as much as the short patterns need.
    #[inline(always)]
    fn look_long(&self, eye: Eye, around: &[u8], len: usize) -> Signs {
        let text = &around[..len];
        let mut signs = Signs::default();
        let (mut coat, mut runs, mut open) = (false, false, 0);
        let mut at = 0;
        loop {
            let mut copy = Seen::from([0; size_of::<Seen>()]);
            let (seen, left) = (seen(around, at, len, &mut copy), len - at);
            let masks = eye.masks(seen, left);
            coat |= masks.coat != 0;
            runs |= long_run(masks.token(), &mut open);
            if !signs.literal {
                // What a literal needs may stand in another block.
                let places = self.all_places(eye, seen, left, &masks);
                signs.literal = self.confirmed(text, at, seen, places, true);
            }
            signs.number |= !signs.number && number(text, at, &masks);
            signs.proper |= proper(&masks);
            if left <= BLOCK {
                break;
            }
            at += BLOCK - OVERLAP;
        }
        signs.at_sign = coat && memchr::memchr(b'@', text).is_some();
        signs.percent = coat && memchr::memchr(b'%', text).is_some();
        signs.run = runs && !tokens::addressed(text);
        signs
    }

    #[inline(always)]
    fn all_places(&self, eye: Eye, seen: &Seen, left: usize, masks: &Masks) -> u64 {
        let all = Masks { assigns: u64::MAX, space: u64::MAX, ..*masks };
        self.places(eye, seen, left, &all, true)
    }

    /// Whether a literal stands at one of the places (bits from `from` on) and may be what it stands for.
    #[inline(always)]
    fn confirmed(&self, text: &[u8], from: usize, seen: &Seen, places: u64, assigns: bool) -> bool {
        bits(places).any(|bit| {
            let window = window(seen, bit);
            self.has(window) && self.has_whole(window) && self.stands(text, from + bit, window, assigns)
        })
    }

    fn stands(&self, text: &[u8], at: usize, window: u32, assigns: bool) -> bool {
        let hashes = [hash_of_four(window), hash_of_three(window)];
        hashes.iter().any(|h| self.standing(text, at, *h).any(|l| l.worth(text, at, assigns)))
    }

    /// Calls back for every place where a literal stands, with the place of its window, in order.
    pub(super) fn candidates(&self, text: &[u8], found: impl FnMut(Candidate)) {
        match self.eye {
            Eye::Scalar => self.candidates_by(Eye::Scalar, text, found),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has what is enabled there (`Eye::detect`).
            Eye::Avx2 => unsafe { self.candidates_by_avx2(text, found) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Eye::Avx512 => unsafe { self.candidates_by_avx512(text, found) },
        }
    }

    /// # Safety
    /// The processor has what is enabled.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn candidates_by_avx2(&self, text: &[u8], found: impl FnMut(Candidate)) {
        self.candidates_by(Eye::Avx2, text, found);
    }

    /// # Safety
    /// The processor has what is enabled.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vbmi")]
    unsafe fn candidates_by_avx512(&self, text: &[u8], found: impl FnMut(Candidate)) {
        self.candidates_by(Eye::Avx512, text, found);
    }

    #[inline(always)]
    fn candidates_by(&self, eye: Eye, text: &[u8], mut found: impl FnMut(Candidate)) {
        let mut from = 0;
        loop {
            let mut copy = Seen::from([0; size_of::<Seen>()]);
            let (seen, left) = (seen(text, from, text.len(), &mut copy), text.len() - from);
            let masks = eye.masks(seen, left);
            let places = self.all_places(eye, seen, left, &masks);
            let last = left <= BLOCK;
            // The blocks overlap: the first half of that is left to the block before, the second half to the next one.
            let skip = if from == 0 { 0 } else { OVERLAP / 2 };
            let stop = if last { BLOCK } else { BLOCK - OVERLAP / 2 };
            for bit in bits(places).filter(|bit| (skip..stop).contains(bit)) {
                let (window, at) = (window(seen, bit), from + bit);
                if self.has(window) && self.has_whole(window) {
                    for h in [hash_of_four(window), hash_of_three(window)] {
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

/// Whether a word that is written with a capital, or perhaps with one beyond ASCII, stands behind what such words stand
/// behind: all names and addresses hold one ([`is_opened`]).
#[inline(always)]
fn proper(masks: &Masks) -> bool {
    masks.opens << 1 & (masks.upper | masks.beyond) != 0
}

/// Whether such a word stands in a part of a text.
pub(super) fn is_opened(text: &[u8], from: usize, to: usize) -> bool {
    let capital = |byte: u8| byte.is_ascii_uppercase() || !byte.is_ascii();
    (from.max(1)..to).any(|at| capital(text[at]) && opens(text[at - 1]))
}

/// Blocks of a long text overlap by this much: more than the head of an IBAN or of a codice fiscale.
const OVERLAP: usize = 16;

/// Whether a run of twenty set bits ends in this block. `open`: those right before it, and then those right before the next.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "a constant")]
fn long_run(bits: u64, open: &mut u32) -> bool {
    const STEP: u32 = (BLOCK - OVERLAP) as u32;
    let long = twenty(bits) != 0 || *open + bits.trailing_ones() >= 20;
    let last = (bits << OVERLAP).leading_ones().min(STEP);
    *open = if last == STEP { *open + STEP } else { last };
    long
}

/// Places with thirteen more set bits behind them.
#[inline(always)]
fn fourteen(bits: u64) -> u64 {
    let mut long = bits & bits >> 1;
    long &= long >> 2;
    long &= long >> 4;
    long & long >> 6
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
pub(super) fn index(x: u32) -> usize {
    x as usize
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
