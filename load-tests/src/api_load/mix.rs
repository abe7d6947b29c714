//! One reader as Backstage is one, with what it knows: its place in the feed, an entity that it has, a list it reads.
//!
//! Must never ask for another tenant's things: the program has to keep to the key by itself.

use anyhow::{Result, anyhow};
use axum::http::{HeaderValue, StatusCode};

use super::answer::{self, Page, Wrong};
use super::connection::{Answer, Connection};
use super::seed::{RESOURCE_KIND, Seeded, WORKSPACE_KIND};
use crate::generator::Dice;

/// Entries of a page of changes.
const CHANGES_LIMIT: usize = 50;
/// Entries of a page of a list.
const LIST_LIMIT: usize = 50;

/// What is asked, and how often of a hundred times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ask {
    /// An entity by its reference: 40.
    LookUp,
    /// An entity that the reader has: 304. 30.
    Unchanged,
    /// The next page of changes, by cursor: 20.
    Changes,
    /// The next page of the entities of a kind: 10, a third of them of the rare kind.
    List,
}

impl Ask {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..40 => Self::LookUp,
            40..70 => Self::Unchanged,
            70..90 => Self::Changes,
            _ => Self::List,
        }
    }

    /// Its name in the report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LookUp => "look-up",
            Self::Unchanged => "unchanged",
            Self::Changes => "changes",
            Self::List => "list",
        }
    }
}

/// A reader. No `Debug`: it holds a key.
pub(super) struct Reader {
    connection: Connection,
    tenant: Seeded,
    /// An entity that it has, by path, with its tag.
    has: (String, HeaderValue),
    /// Its place in the feed.
    cursor: String,
    /// Its place in the list of each kind.
    lists: [Option<String>; 2],
}

impl Reader {
    /// Opens a connection and proves its key on it: fetches one entity, and a place in the feed.
    pub(super) async fn open(port: u16, key: &str, tenant: &Seeded, number: u64) -> Result<Self> {
        let mut connection = Connection::open(port, key).await?;
        let wrong = |wrong: Wrong| anyhow!("the first answer on a connection is wrong: {}", wrong.name());
        let (path, name) = tenant.entity(number);
        let answer = connection.get(&path, None).await.and_then(|answer| status(answer, StatusCode::OK));
        let answer = answer.map_err(wrong)?;
        answer::entity(&answer.body, &tenant.id, &name).map_err(wrong)?;
        let tag = answer.tag.ok_or(Wrong::Shape).map_err(wrong)?;
        let page = connection.get("/v1/changes?limit=1", None).await;
        let page = page.and_then(|answer| status(answer, StatusCode::OK)).map_err(wrong)?;
        let page = answer::changes(&page.body, &tenant.id).map_err(wrong)?;
        let cursor = page.next_cursor.ok_or(Wrong::Shape).map_err(wrong)?;
        Ok(Self { connection, tenant: tenant.clone(), has: (path, tag), cursor, lists: [None, None] })
    }

    /// Whether its connection is open still.
    pub(super) fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    /// Asks, and looks at the answer.
    pub(super) async fn ask(&mut self, ask: Ask, draw: u64) -> Result<(), Wrong> {
        match ask {
            Ask::LookUp => self.look_up(draw).await,
            Ask::Unchanged => self.unchanged().await,
            Ask::Changes => self.changes().await,
            Ask::List => self.list(usize::from(draw.is_multiple_of(3))).await,
        }
    }

    async fn look_up(&mut self, draw: u64) -> Result<(), Wrong> {
        let (path, name) = self.tenant.entity(draw);
        let answer = status(self.connection.get(&path, None).await?, StatusCode::OK)?;
        answer::entity(&answer.body, &self.tenant.id, &name)?;
        self.has = (path, answer.tag.ok_or(Wrong::Shape)?);
        Ok(())
    }

    async fn unchanged(&mut self) -> Result<(), Wrong> {
        let (path, tag) = &self.has;
        let answer = status(self.connection.get(path, Some(tag)).await?, StatusCode::NOT_MODIFIED)?;
        if answer.body.is_empty() { Ok(()) } else { Err(Wrong::Shape) }
    }

    async fn changes(&mut self) -> Result<(), Wrong> {
        let path = format!("/v1/changes?limit={CHANGES_LIMIT}&cursor={}", self.cursor);
        let answer = status(self.connection.get(&path, None).await?, StatusCode::OK)?;
        let page = whole(answer::changes(&answer.body, &self.tenant.id)?, CHANGES_LIMIT)?;
        self.cursor = page.next_cursor.ok_or(Wrong::Shape)?;
        Ok(())
    }

    async fn list(&mut self, rare: usize) -> Result<(), Wrong> {
        let kind = if rare == 1 { WORKSPACE_KIND } else { RESOURCE_KIND };
        let place = self.lists.get_mut(rare).ok_or(Wrong::Shape)?;
        let cursor = place.take().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let path = format!("/v1/entities?kind={kind}&limit={LIST_LIMIT}{cursor}");
        let answer = status(self.connection.get(&path, None).await?, StatusCode::OK)?;
        let page = whole(answer::entities(&answer.body, &self.tenant.id, kind)?, LIST_LIMIT)?;
        *place = page.next_cursor;
        Ok(())
    }
}

/// A page that promises more must be full.
fn whole(page: Page, limit: usize) -> Result<Page, Wrong> {
    let full = page.entities == limit || !page.has_more && page.entities < limit;
    if full { Ok(page) } else { Err(Wrong::Shape) }
}

pub(super) fn status(answer: Answer, due: StatusCode) -> Result<Answer, Wrong> {
    if answer.status == due { Ok(answer) } else { Err(Wrong::Status) }
}
