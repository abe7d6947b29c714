//! Sets of windows of four bytes, in the forms in which processors look for them.
//!
//! Must never leave out a window; may let others through, since whoever asks confirms.

/// A window of four folded bytes, the fourth of which may be open.
pub(in crate::detect) type Window = ([u8; 3], Option<u8>);

/// Which windows of folded bytes may be one of a set: by the nibbles of each byte, in eight
/// buckets ("Teddy", Hyperscan's literal matcher: Wang et al., NSDI 2019, section 4.2).
#[derive(Clone)]
pub(in crate::detect) struct Buckets {
    pub(super) low: [[u8; 16]; 4],
    pub(super) high: [[u8; 16]; 4],
    /// The same buckets by whole bytes of seven bits, for processors that look up 128 at once.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "no processor of this kind reads it")
    )]
    pub(super) whole: [[u8; 128]; 4],
}

impl Buckets {
    /// Windows are folded (`| 0x20` on each byte). Each goes into the bucket that it widens least.
    pub(in crate::detect) fn of(mut windows: Vec<Window>) -> Self {
        windows.sort_unstable();
        windows.dedup();
        // In an order that has nothing to do with the alphabet, so that the first ones are not all alike.
        let shuffled = |(three, _): &Window| {
            u32::from_le_bytes([three[1], three[2], three[0], 0]).wrapping_mul(0x9E37_79B1)
        };
        windows.sort_by_key(shuffled);
        let mut nibbles = [Nibbles::default(); 8];
        let mut whole = [[0; 128]; 4];
        for window in &windows {
            let widened = |n: &usize| nibbles[*n].with(window).breadth() - nibbles[*n].breadth();
            let best = (0..8).min_by_key(widened).unwrap_or(0);
            nibbles[best] = nibbles[best].with(window);
            note(&mut whole, window, 1 << best);
        }
        let mut buckets = Self { low: [[0; 16]; 4], high: [[0; 16]; 4], whole };
        for (number, sets) in nibbles.iter().enumerate() {
            for place in 0..4 {
                for nibble in 0..16 {
                    buckets.low[place][nibble] |= u8::from(sets.low[place] >> nibble & 1 == 1) << number;
                    buckets.high[place][nibble] |= u8::from(sets.high[place] >> nibble & 1 == 1) << number;
                }
            }
        }
        buckets
    }

    pub(super) fn has(&self, window: [u8; 4]) -> bool {
        let of = |place: usize| {
            let byte = window[place] | 0x20;
            self.low[place][usize::from(byte & 15)] & self.high[place][usize::from(byte >> 4)]
        };
        of(0) & of(1) & of(2) & of(3) != 0
    }
}

/// The nibbles that the windows of one bucket have at each place, as sets.
#[derive(Clone, Copy, Default)]
struct Nibbles {
    low: [u16; 4],
    high: [u16; 4],
}

impl Nibbles {
    fn with(mut self, (three, fourth): &Window) -> Self {
        for (place, byte) in three.iter().chain(fourth).enumerate() {
            self.low[place] |= 1 << (byte & 15);
            self.high[place] |= 1 << (byte >> 4);
        }
        if fourth.is_none() {
            (self.low[3], self.high[3]) = (u16::MAX, u16::MAX);
        }
        self
    }

    /// How many windows of four bytes it lets through.
    fn breadth(&self) -> u64 {
        self.low.iter().chain(&self.high).map(|set| u64::from(set.count_ones())).product()
    }
}

/// Puts a window into a bucket: an open fourth byte is every byte.
fn note(whole: &mut [[u8; 128]; 4], (three, fourth): &Window, bucket: u8) {
    for (place, byte) in three.iter().chain(fourth).enumerate() {
        whole[place][usize::from(byte & 127)] |= bucket;
    }
    if fourth.is_none() {
        whole[3].iter_mut().for_each(|entry| *entry |= bucket);
    }
}
