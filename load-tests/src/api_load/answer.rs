//! What an answer must be: its status, its shape, and that all of it belongs to the tenant that asked.
//!
//! Must never share a type with the program, and never quote what stands in an answer.

use std::borrow::Cow;

use serde::Deserialize;

/// Why an answer is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// No connection, or one that was closed.
    Connection,
    /// No answer in time.
    Late,
    /// Another status than the one that was due.
    Status,
    /// Not what the documentation says, or not what was asked for.
    Shape,
    /// Something of another tenant.
    Foreign,
}

impl Wrong {
    /// Its name in the report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Late => "late",
            Self::Status => "status",
            Self::Shape => "shape",
            Self::Foreign => "foreign",
        }
    }
}

#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ChangesBody<'a> {
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
    next_cursor: String,
    has_more: bool,
}

#[derive(Deserialize)]
struct Change<'a> {
    seq: u64,
    #[serde(borrow)]
    entity_ref: Cow<'a, str>,
    #[serde(borrow)]
    entity: Option<Entity<'a>>,
}

#[derive(Deserialize)]
struct EntitiesBody<'a> {
    #[serde(borrow)]
    entities: Vec<Entity<'a>>,
    next_cursor: Option<String>,
}

/// A page that was looked at.
pub(super) struct Page {
    /// Positions of its entries; of a list, nothing.
    pub(super) positions: Vec<u64>,
    /// How many entities it holds.
    pub(super) entities: usize,
    /// Where the next one begins; of a list, nothing on the last page.
    pub(super) next_cursor: Option<String>,
    /// Whether more is there.
    pub(super) has_more: bool,
}

/// One entity: it must be the one that was asked for.
pub(super) fn entity(body: &[u8], tenant: &str, name: &str) -> Result<(), Wrong> {
    let entity: Entity<'_> = serde_json::from_slice(body).map_err(|_| Wrong::Shape)?;
    own(&entity, tenant)?;
    if entity.metadata.name == name { Ok(()) } else { Err(Wrong::Shape) }
}

/// A page of changes or of a snapshot.
pub(super) fn changes(body: &[u8], tenant: &str) -> Result<Page, Wrong> {
    let page: ChangesBody<'_> = serde_json::from_slice(body).map_err(|_| Wrong::Shape)?;
    for change in &page.changes {
        let namespace = change.entity_ref.split_once(':').and_then(|(_, rest)| rest.split_once('/'));
        if namespace.ok_or(Wrong::Shape)?.0 != tenant {
            return Err(Wrong::Foreign);
        }
        own(change.entity.as_ref().ok_or(Wrong::Shape)?, tenant)?;
    }
    let positions: Vec<u64> = page.changes.iter().map(|change| change.seq).collect();
    if !positions.is_sorted() {
        return Err(Wrong::Shape);
    }
    let entities = positions.len();
    Ok(Page { positions, entities, next_cursor: Some(page.next_cursor), has_more: page.has_more })
}

/// A page of the entities of a kind.
pub(super) fn entities(body: &[u8], tenant: &str, kind: &str) -> Result<Page, Wrong> {
    let page: EntitiesBody<'_> = serde_json::from_slice(body).map_err(|_| Wrong::Shape)?;
    for entity in &page.entities {
        own(entity, tenant)?;
        if entity.kind != kind {
            return Err(Wrong::Shape);
        }
    }
    let (entities, has_more) = (page.entities.len(), page.next_cursor.is_some());
    Ok(Page { positions: Vec::new(), entities, next_cursor: page.next_cursor, has_more })
}

fn own(entity: &Entity<'_>, tenant: &str) -> Result<(), Wrong> {
    if entity.metadata.namespace == tenant { Ok(()) } else { Err(Wrong::Foreign) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(namespace: &str, name: &str, kind: &str) -> String {
        format!(r#"{{"kind":"{kind}","metadata":{{"name":"{name}","namespace":"{namespace}"}},"spec":{{}}}}"#)
    }

    #[test]
    fn an_entity_is_the_one_that_was_asked_for() {
        let cases = [
            ("own", rendered("t1", "a", "Resource"), Ok(())),
            ("another's", rendered("t2", "a", "Resource"), Err(Wrong::Foreign)),
            ("another one", rendered("t1", "b", "Resource"), Err(Wrong::Shape)),
            ("no entity", "{}".to_owned(), Err(Wrong::Shape)),
            ("no json", "x".to_owned(), Err(Wrong::Shape)),
        ];
        for (name, body, expected) in cases {
            assert_eq!(entity(body.as_bytes(), "t1", "a"), expected, "{name}");
        }
    }

    #[test]
    fn a_page_holds_nothing_of_another_tenant() {
        let change = |seq: u64, of: &str, inside: &str| {
            let entity = rendered(inside, "a", "Resource");
            format!(r#"{{"seq":{seq},"change":"upsert","entity_ref":"resource:{of}/a","entity":{entity}}}"#)
        };
        let page = |changes: &[String]| {
            format!(r#"{{"changes":[{}],"next_cursor":"c","has_more":true}}"#, changes.join(","))
        };
        let cases = [
            ("own", page(&[change(1, "t1", "t1"), change(2, "t1", "t1")]), Ok(2)),
            ("empty", page(&[]), Ok(0)),
            (
                "another's reference",
                page(&[change(1, "t1", "t1"), change(2, "t2", "t1")]),
                Err(Wrong::Foreign),
            ),
            ("another's body", page(&[change(1, "t1", "t2")]), Err(Wrong::Foreign)),
            ("backwards", page(&[change(2, "t1", "t1"), change(1, "t1", "t1")]), Err(Wrong::Shape)),
            ("half", page(&[change(1, "t1", "t1")])[..40].to_owned(), Err(Wrong::Shape)),
        ];
        for (name, body, expected) in cases {
            assert_eq!(changes(body.as_bytes(), "t1").map(|page| page.entities), expected, "{name}");
        }
    }

    #[test]
    fn a_list_holds_one_kind_of_one_tenant() {
        let page = |entity: &str| format!(r#"{{"entities":[{entity}],"next_cursor":"c"}}"#);
        let cases = [
            ("own", page(&rendered("t1", "a", "Resource")), Ok(1)),
            ("another's", page(&rendered("t2", "a", "Resource")), Err(Wrong::Foreign)),
            ("another kind", page(&rendered("t1", "a", "TerraformWorkspace")), Err(Wrong::Shape)),
        ];
        for (name, body, expected) in cases {
            let got = entities(body.as_bytes(), "t1", "Resource").map(|page| page.entities);
            assert_eq!(got, expected, "{name}");
        }
    }
}
