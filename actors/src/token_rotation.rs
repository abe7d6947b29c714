//! When a token has to be replaced, by its tenant's policy. A pure machine.
//!
//! Must never see a token: its date of issue is all there is to know. Must never read a clock.

use time::Date;

/// A token's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRotation {
    /// When it was made.
    pub issued: Date,
    /// It is to be replaced after this many days.
    pub every_days: u16,
    /// That is told this many days before.
    pub warn_before_days: u16,
}

/// How a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RotationState {
    /// Nothing to do.
    Fresh,
    /// To be replaced soon.
    DueSoon,
    /// To be replaced now.
    Overdue,
}

impl TokenRotation {
    /// Days until it has to be replaced; negative afterwards.
    pub(crate) fn days_left(&self, today: Date) -> i64 {
        let age = i64::from(today.to_julian_day()) - i64::from(self.issued.to_julian_day());
        i64::from(self.every_days) - age
    }

    pub(crate) fn state(&self, today: Date) -> RotationState {
        let left = self.days_left(today);
        if left <= 0 {
            RotationState::Overdue
        } else if left <= i64::from(self.warn_before_days) {
            RotationState::DueSoon
        } else {
            RotationState::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_token_is_fresh_then_due_soon_then_overdue() {
        let rotation = TokenRotation { issued: date!(2026 - 01 - 01), every_days: 90, warn_before_days: 14 };
        let cases = [
            (date!(2025 - 12 - 31), 91, RotationState::Fresh),
            (date!(2026 - 01 - 01), 90, RotationState::Fresh),
            (date!(2026 - 03 - 17), 15, RotationState::Fresh),
            (date!(2026 - 03 - 18), 14, RotationState::DueSoon),
            (date!(2026 - 03 - 31), 1, RotationState::DueSoon),
            (date!(2026 - 04 - 01), 0, RotationState::Overdue),
            (date!(2027 - 04 - 01), -365, RotationState::Overdue),
        ];
        for (today, left, state) in cases {
            assert_eq!((rotation.days_left(today), rotation.state(today)), (left, state), "{today}");
        }
    }
}
