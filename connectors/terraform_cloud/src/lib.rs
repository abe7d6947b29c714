//! Terraform Cloud: who we are, which workspaces there are, what state they have, and the state itself as a stream.
//!
//! Owns the API's shapes, token fallback and the guard in front of downloads. Asks once a call and never retries: the
//! caller owns the rate budget. Must never put a URL, a token or a body into an error or a log, nor follow a redirect
//! with the token.

mod client;
mod config;
mod download;
mod error;
mod guard;
mod resolver;
mod tokens;
mod wire;

pub use client::{Client, tls};
pub use config::{ClientConfig, Timeouts};
pub use download::Download;
pub use error::{FailureKind, TfcError};
pub use wire::{DownloadUrl, ListedWorkspace, StateFacts, WorkspacePage, WorkspaceRead};
