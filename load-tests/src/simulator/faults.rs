//! Owns the faults that tests order: which requests they hit and how often. It must never act by itself.

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum FaultKind {
    /// The API answers this status.
    ApiStatus {
        /// HTTP status code.
        code: u16,
    },
    /// The archive answers this status.
    DownloadStatus {
        /// HTTP status code.
        code: u16,
    },
    /// The download breaks off in the middle.
    Truncated,
    /// The download announces more bytes than it has.
    WrongContentLength,
    /// The download answers a redirect to a private address.
    RedirectToPrivate,
    /// The download pauses between chunks.
    SlowBody {
        /// Pause in milliseconds.
        pause_ms: u64,
    },
    /// The API hands out a download URL that expired.
    ExpiredUrl,
    /// The download is 200 with no byte.
    EmptyBody,
    /// A list of workspaces or organizations is empty.
    EmptyList,
    /// The API tells the state version before the current one.
    StaleState,
    /// The API answers 200 with HTML.
    ApiNotJson,
    /// The download is HTML, and says so.
    DownloadNotJson,
    /// The download is no state, and does not say so.
    DownloadGarbage,
}

/// A fault with its reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Workspace id, or organization name for lists; `None`: everywhere.
    #[serde(default)]
    pub target: Option<String>,
    /// For how many requests.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// Where in a request a fault is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// Before an API answer.
    Api,
    /// While a list is made.
    List,
    /// While a state version is told.
    StateVersion,
    /// Before a download.
    Download,
}

impl FaultKind {
    fn point(self) -> Point {
        match self {
            Self::ApiStatus { .. } | Self::ApiNotJson => Point::Api,
            Self::EmptyList => Point::List,
            Self::ExpiredUrl | Self::StaleState => Point::StateVersion,
            _ => Point::Download,
        }
    }
}

/// The faults still to come, oldest first.
#[derive(Default)]
pub(crate) struct Faults {
    pending: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.pending.push(fault);
    }

    pub(crate) fn left(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    /// The first fault for this point and target; it is used up by one.
    pub(crate) fn take(&mut self, point: Point, target: &str) -> Option<FaultKind> {
        let at = self.pending.iter().position(|fault| {
            fault.kind.point() == point && fault.target.as_deref().is_none_or(|wanted| wanted == target)
        })?;
        let kind = self.pending[at].kind;
        self.pending[at].times = self.pending[at].times.saturating_sub(1);
        if self.pending[at].times == 0 {
            self.pending.remove(at);
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_target_as_often_as_ordered() {
        let mut faults = Faults::default();
        faults.add(Fault { kind: FaultKind::Truncated, target: Some("ws-a".into()), times: 2 });
        assert_eq!(faults.take(Point::Download, "ws-b"), None);
        assert_eq!(faults.take(Point::Api, "ws-a"), None);
        assert_eq!(faults.take(Point::Download, "ws-a"), Some(FaultKind::Truncated));
        assert_eq!(faults.take(Point::Download, "ws-a"), Some(FaultKind::Truncated));
        assert_eq!(faults.take(Point::Download, "ws-a"), None);
    }

    #[test]
    fn faults_are_written_as_documented() {
        let fault: Fault = serde_json::from_str(r#"{"kind":"api-status","code":503}"#).unwrap();
        assert_eq!(fault, Fault { kind: FaultKind::ApiStatus { code: 503 }, target: None, times: 1 });
    }
}
