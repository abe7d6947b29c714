//! Points at which a test makes the process die, panic, hang or come late, to see that nothing is lost there.
//!
//! Must never exist in production: a release build's points do nothing and its command line cannot arm them (ADR 16).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How late `late` is: longer than a partition may drain and a rebalance takes.
const LATE: Duration = Duration::from_secs(10);

/// Every point, in the order of an event's way.
pub const FAILPOINTS: [&str; 11] = [
    "before-claim",
    "after-claim",
    "before-marks",
    "after-marks",
    "during-read",
    "during-download",
    "before-commit",
    "after-commit",
    "before-letter",
    "after-letter",
    "after-publish",
];

/// What a point does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// The process is gone: no destructor, no drain, no flush.
    Kill,
    /// The actor panics.
    Panic,
    /// The work never goes on.
    Hang,
    /// The work goes on ten seconds later.
    Late,
}

#[derive(Debug)]
struct Armed {
    point: &'static str,
    action: Action,
    /// On which passage, from 1.
    on: u64,
    passed: AtomicU64,
}

/// The armed points of this process; none by default.
#[derive(Debug, Clone, Default)]
pub struct Failpoints(Arc<[Armed]>);

/// A description of a point is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected POINT=ACTION:PASSAGE, for example after-marks=kill:3; actions are kill, panic, hang, late")]
pub struct NotAFailpoint;

impl Failpoints {
    /// Arms points, each described as `after-marks=kill:3`: on the third passage.
    ///
    /// # Errors
    /// [`NotAFailpoint`] when one of them is not described so.
    pub fn arm(descriptions: &[String]) -> Result<Self, NotAFailpoint> {
        let armed: Result<Vec<_>, _> = descriptions.iter().map(|text| parse(text)).collect();
        Ok(Self(armed?.into()))
    }

    /// Passes a point.
    pub(crate) async fn pass(&self, point: &'static str) {
        if !cfg!(debug_assertions) {
            return;
        }
        for armed in self.0.iter().filter(|armed| armed.point == point) {
            if armed.passed.fetch_add(1, Ordering::Relaxed) + 1 != armed.on {
                continue;
            }
            tracing::warn!(point, action = ?armed.action, "a failpoint acts");
            match armed.action {
                Action::Kill => std::process::abort(),
                Action::Panic => std::panic::panic_any("a failpoint"),
                Action::Hang => std::future::pending::<()>().await,
                Action::Late => tokio::time::sleep(LATE).await,
            }
        }
    }
}

fn parse(text: &str) -> Result<Armed, NotAFailpoint> {
    let (point, rest) = text.split_once('=').ok_or(NotAFailpoint)?;
    let (action, on) = rest.split_once(':').ok_or(NotAFailpoint)?;
    let point = FAILPOINTS.into_iter().find(|known| *known == point).ok_or(NotAFailpoint)?;
    let action = match action {
        "kill" => Action::Kill,
        "panic" => Action::Panic,
        "hang" => Action::Hang,
        "late" => Action::Late,
        _ => return Err(NotAFailpoint),
    };
    let on = on.parse().map_err(|_| NotAFailpoint)?;
    Ok(Armed { point, action, on, passed: AtomicU64::new(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_armed_by_description() {
        for (text, expected) in [
            ("after-marks=kill:3", Some(("after-marks", Action::Kill, 3))),
            ("before-commit=panic:1", Some(("before-commit", Action::Panic, 1))),
            ("during-download=hang:2", Some(("during-download", Action::Hang, 2))),
            ("before-claim=late:2", Some(("before-claim", Action::Late, 2))),
            ("nowhere=kill:1", None),
            ("after-marks=faint:1", None),
            ("after-marks=kill:x", None),
            ("after-marks", None),
        ] {
            let armed = parse(text).ok().map(|armed| (armed.point, armed.action, armed.on));
            assert_eq!(armed, expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_point_acts_on_its_passage_and_no_other() {
        let points = Failpoints::arm(&["before-commit=panic:2".to_owned()]).unwrap();
        points.pass("before-commit").await;
        points.pass("after-commit").await;
        let second = points.clone();
        assert!(tokio::spawn(async move { second.pass("before-commit").await }).await.is_err());
        points.pass("before-commit").await;
    }
}
