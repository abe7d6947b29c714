//! The byte budget: what costs memory carries a permit, and live permits never exceed the budget (invariant 6).
//!
//! Must never hand out more than it was given, nor wait without a bound.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in units of this many bytes: a semaphore counts in `u32`, and memory goes beyond 4 GiB.
const UNIT_BYTES: usize = 1024;

/// A bounded number of bytes that may be in flight at once.
#[derive(Clone)]
pub struct ByteBudget {
    units: Arc<Semaphore>,
    total_units: u32,
}

/// The right to hold some bytes. Given back when dropped.
pub struct BytePermit {
    permit: OwnedSemaphorePermit,
}

/// No permit came free in time: the work goes back to where it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no memory permit came free in time")]
pub struct BudgetExhausted;

impl ByteBudget {
    /// A budget of `bytes`, rounded down to whole KiB, at least one.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let total_units = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX >> 3).max(1);
        Self { units: Arc::new(Semaphore::new(usize::try_from(total_units).unwrap_or(1))), total_units }
    }

    /// Waits for a permit of `bytes`, rounded up; what is larger than the whole budget gets the whole budget.
    ///
    /// # Errors
    /// [`BudgetExhausted`] after `wait`.
    pub async fn acquire(&self, bytes: usize, wait: Duration) -> Result<BytePermit, BudgetExhausted> {
        let acquired = Arc::clone(&self.units).acquire_many_owned(self.units_of(bytes));
        match tokio::time::timeout(wait, acquired).await {
            Ok(Ok(permit)) => Ok(BytePermit { permit }),
            Ok(Err(_)) | Err(_) => Err(BudgetExhausted),
        }
    }

    /// Enlarges a permit without waiting, so that two holders never wait for each other.
    ///
    /// # Errors
    /// [`BudgetExhausted`] when the rest of the budget is too small.
    pub fn enlarge(&self, permit: &mut BytePermit, bytes: usize) -> Result<(), BudgetExhausted> {
        let held = u32::try_from(permit.permit.num_permits()).unwrap_or(u32::MAX);
        let missing = self.units_of(bytes).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let more = Arc::clone(&self.units).try_acquire_many_owned(missing).map_err(|_| BudgetExhausted)?;
        permit.permit.merge(more);
        Ok(())
    }

    /// Bytes that nobody holds.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        self.units.available_permits() * UNIT_BYTES
    }

    fn units_of(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.total_units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn live_permits_never_exceed_the_budget() {
        let budget = ByteBudget::new(10 * UNIT_BYTES);
        let first = budget.acquire(6 * UNIT_BYTES, NOW).await.expect("fits");
        assert!(budget.acquire(5 * UNIT_BYTES, NOW).await.is_err(), "11 of 10");
        let mut second = budget.acquire(1, NOW).await.expect("rounded up to one unit");
        assert_eq!(budget.free_bytes(), 3 * UNIT_BYTES);
        assert!(budget.enlarge(&mut second, 5 * UNIT_BYTES).is_err());
        budget.enlarge(&mut second, 4 * UNIT_BYTES).expect("takes the rest");
        assert_eq!(budget.free_bytes(), 0);
        drop((first, second));
        assert_eq!(budget.free_bytes(), 10 * UNIT_BYTES);
    }

    #[tokio::test]
    async fn what_is_larger_than_the_budget_gets_all_of_it_alone() {
        let budget = ByteBudget::new(4 * UNIT_BYTES);
        let all = budget.acquire(usize::MAX, NOW).await.expect("alone");
        assert!(budget.acquire(1, NOW).await.is_err());
        drop(all);
        assert!(budget.acquire(1, NOW).await.is_ok());
    }
}
