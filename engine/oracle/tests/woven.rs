//! Woven documents, many of them: the engine against the oracle.

use terrasift_oracle::compare::{Ways, check, rule_sets};
use terrasift_oracle::tape::Tape;
use terrasift_oracle::weave::document;

/// Xorshift: the same tapes on every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn tape(&mut self) -> Vec<u8> {
        let count = 20 + self.next() % 400;
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

#[test]
fn woven_documents_come_out_as_the_oracle_says_in_every_cut() {
    let (mut dice, sets) = (Dice(0x5eed), rule_sets());
    let (mut accepted, mut redacted) = (0, 0);
    for round in 0..3000 {
        let tape = dice.tape();
        let bytes = document(&mut Tape::new(&tape));
        let lengths = [1 + round % 70, 1 + round % 7, 64];
        let outcome = check(&sets[round % 2], &bytes, &lengths, Ways::ALL);
        match outcome {
            Ok(Ok(sanitized)) => {
                accepted += 1;
                redacted += usize::from(!sanitized.report.detections.is_empty());
            }
            Ok(Err(_)) => {}
            Err(difference) => panic!("round {round}: {}\n{difference}", String::from_utf8_lossy(&bytes)),
        }
    }
    assert!(accepted > 1000 && redacted > 500, "{accepted} accepted, {redacted} with something redacted");
}
