//! The API's bodies (JSON:API), as far as we read them, and what we make of them.
//!
//! Tolerates unknown members, nulls and missing totals. Must never guess that there is no state: what an answer does not
//! tell is an error, or deletions would follow from it.

use serde::Deserialize;
use serde_json::value::RawValue;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{RunId, StateVersionId, WorkspaceId};
use url::Url;

/// A download URL: a secret, good for about a day. No `Debug`, no `Display`.
#[derive(Clone)]
pub struct DownloadUrl(String);

impl DownloadUrl {
    /// Takes an absolute URL, or one relative to the API's address; judged when it is used.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The URL as it stands on the API host.
    pub(crate) fn resolve(&self, address: &Url) -> Option<Url> {
        address.join(&self.0).ok()
    }
}

/// What the API says about a state version. No `Debug`: it holds the download URL.
#[derive(Clone)]
pub struct StateFacts {
    /// Its id.
    pub id: StateVersionId,
    /// Counts up within a lineage (which only the file itself tells).
    pub serial: i64,
    /// Bytes, where the API tells.
    pub size: Option<u64>,
    /// `pending`, `finalized`, `discarded` …
    pub status: Option<String>,
    /// Terraform's version that wrote it.
    pub terraform_version: Option<String>,
    /// Where to get it; absent while pending and when its data are deleted.
    pub download: Option<DownloadUrl>,
    /// The run that made it, where there was one.
    pub run: Option<RunId>,
}

/// A workspace in a list.
#[derive(Clone)]
pub struct ListedWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Its current state; `None` when it has none, *or the list does not tell*: read the workspace before concluding.
    pub state: Option<StateFacts>,
}

/// One page of an organization's workspaces.
#[derive(Clone)]
pub struct WorkspacePage {
    /// At most 100.
    pub workspaces: Vec<ListedWorkspace>,
    /// The page to ask for next; `None` at the end.
    pub next_page: Option<u32>,
}

/// A workspace and its current state.
#[derive(Clone)]
pub struct WorkspaceRead {
    /// Facts beside the state.
    pub facts: WorkspaceFacts,
    /// The current state; `None` when nothing was ever applied.
    pub state: Option<StateFacts>,
}

/// Why a body cannot be used; the caller says what was asked.
pub(crate) struct BadBody;

#[derive(Deserialize)]
struct Document<'a, D> {
    data: D,
    #[serde(borrow, default = "Option::default")]
    included: Option<Vec<Included<'a>>>,
    meta: Option<Meta>,
}

/// Attributes stay unparsed until somebody wants them: states list all their resources there.
#[derive(Deserialize)]
struct Included<'a> {
    r#type: String,
    id: Option<String>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    #[serde(borrow)]
    relationships: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Meta {
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(rename = "next-page")]
    next_page: Option<u32>,
}

#[derive(Deserialize)]
struct Link {
    data: Option<Identifier>,
}

#[derive(Deserialize)]
struct Identifier {
    id: String,
}

#[derive(Deserialize)]
struct Links {
    data: Option<Vec<Identifier>>,
}

#[derive(Deserialize)]
struct Workspace {
    id: String,
    attributes: WorkspaceAttributes,
    relationships: Option<WorkspaceRelationships>,
    links: Option<WorkspaceLinks>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WorkspaceAttributes {
    name: String,
    description: Option<String>,
    terraform_version: Option<String>,
    locked: Option<bool>,
    auto_apply: Option<bool>,
    vcs_repo: Option<VcsRepo>,
    working_directory: Option<String>,
    tag_names: Option<Vec<String>>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct VcsRepo {
    identifier: Option<String>,
    branch: Option<String>,
    repository_http_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WorkspaceRelationships {
    organization: Option<Link>,
    project: Option<Link>,
    /// Absent: the answer does not tell. Present with null data: there is none.
    current_state_version: Option<Link>,
    vars: Option<Links>,
}

#[derive(Deserialize)]
struct WorkspaceLinks {
    #[serde(rename = "self-html")]
    html: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StateAttributes {
    serial: i64,
    size: Option<u64>,
    status: Option<String>,
    terraform_version: Option<String>,
    hosted_state_download_url: Option<String>,
}

#[derive(Deserialize)]
struct StateRelationships {
    run: Option<Link>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

/// A variable's key. Its value is never read.
#[derive(Deserialize)]
struct Variable {
    key: Option<String>,
    sensitive: Option<bool>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BadBody> {
    // serde_json's message quotes the input: it ends here.
    serde_json::from_slice(body).map_err(|_| BadBody)
}

fn parse_raw<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<T, BadBody> {
    serde_json::from_str(raw.map_or("null", RawValue::get)).map_err(|_| BadBody)
}

fn find<'a, 'b>(included: &'b [Included<'a>], kind: &str, id: &str) -> Option<&'b Included<'a>> {
    included.iter().find(|entry| entry.r#type == kind && entry.id.as_deref() == Some(id))
}

fn state(entry: &Included<'_>) -> Result<StateFacts, BadBody> {
    let attributes: StateAttributes = parse_raw(entry.attributes)?;
    if attributes.serial < 0 {
        return Err(BadBody);
    }
    let relationships: Option<StateRelationships> = parse_raw(entry.relationships)?;
    let run = relationships.and_then(|r| r.run).and_then(|run| run.data).map(|run| run.id);
    Ok(StateFacts {
        id: StateVersionId::parse(entry.id.as_deref().unwrap_or_default()).map_err(|_| BadBody)?,
        serial: attributes.serial,
        size: attributes.size,
        status: attributes.status,
        terraform_version: attributes.terraform_version,
        download: attributes.hosted_state_download_url.filter(|url| !url.is_empty()).map(DownloadUrl),
        // Which run it was is good to know and no reason to refuse.
        run: run.and_then(|run| RunId::parse(&run).ok()),
    })
}

/// Reads the body of `GET /account/details`.
pub(crate) fn account(body: &[u8]) -> Result<String, BadBody> {
    let document: Document<'_, User> = parse(body)?;
    let id = document.data.id;
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain && (1..=128).contains(&id.len()) { Ok(id) } else { Err(BadBody) }
}

/// Reads a page of `GET /organizations/:name/workspaces`.
pub(crate) fn page(body: &[u8], asked: u32, page_size: usize) -> Result<WorkspacePage, BadBody> {
    let document: Document<'_, Vec<Workspace>> = parse(body)?;
    let included = document.included.unwrap_or_default();
    let full = document.data.len() >= page_size;
    let mut workspaces = Vec::with_capacity(document.data.len());
    for workspace in document.data {
        let current =
            workspace.relationships.and_then(|r| r.current_state_version).and_then(|link| link.data);
        let entry = current.and_then(|current| find(&included, "state-versions", &current.id));
        workspaces.push(ListedWorkspace {
            id: WorkspaceId::parse(&workspace.id).map_err(|_| BadBody)?,
            name: workspace.attributes.name,
            state: entry.map(state).transpose()?,
        });
    }
    let next_page = match document.meta.and_then(|meta| meta.pagination) {
        Some(pagination) => pagination.next_page,
        // Nothing said about pages: a full page may have another behind it.
        None => full.then(|| asked.saturating_add(1)),
    };
    match next_page {
        // A page that leads back would never end.
        Some(next) if next <= asked => Err(BadBody),
        next_page => Ok(WorkspacePage { workspaces, next_page }),
    }
}

/// Reads the body of `GET /workspaces/:id` with its current state version included.
pub(crate) fn workspace(body: &[u8], asked: &WorkspaceId, address: &Url) -> Result<WorkspaceRead, BadBody> {
    let document: Document<'_, Workspace> = parse(body)?;
    let Workspace { id, attributes, relationships, links } = document.data;
    let relationships = relationships.ok_or(BadBody)?;
    let included = document.included.unwrap_or_default();
    if id != asked.as_str() {
        return Err(BadBody);
    }
    let state = match relationships.current_state_version.ok_or(BadBody)?.data {
        None => None,
        Some(current) => Some(state(find(&included, "state-versions", &current.id).ok_or(BadBody)?)?),
    };
    let organization =
        relationships.organization.and_then(|link| link.data).map(|data| data.id).unwrap_or_default();
    let project = relationships.project.and_then(|link| link.data);
    let vcs = attributes.vcs_repo;
    let facts = WorkspaceFacts {
        html_url: html_url(address, links.and_then(|l| l.html), &organization, &attributes.name),
        variables: variables(&included, relationships.vars)?,
        project: project.and_then(|data| project_name(&included, &data.id)),
        name: attributes.name,
        description: attributes.description.filter(|text| !text.is_empty()),
        organization,
        terraform_version: attributes.terraform_version,
        locked: attributes.locked.unwrap_or(false),
        auto_apply: attributes.auto_apply.unwrap_or(false),
        vcs_branch: vcs.as_ref().and_then(|v| v.branch.clone()).filter(|branch| !branch.is_empty()),
        vcs_url: vcs.as_ref().and_then(|v| v.repository_http_url.clone()),
        vcs_repository: vcs.and_then(|v| v.identifier),
        working_directory: attributes.working_directory.filter(|folder| !folder.is_empty()),
        tags: attributes.tag_names.unwrap_or_default(),
        updated_at: attributes.updated_at,
    };
    Ok(WorkspaceRead { facts, state })
}

fn project_name(included: &[Included<'_>], id: &str) -> Option<String> {
    let entry = find(included, "projects", id)?;
    parse_raw::<Named>(entry.attributes).ok().and_then(|named| named.name)
}

fn variables(included: &[Included<'_>], links: Option<Links>) -> Result<Vec<(String, bool)>, BadBody> {
    let wanted = links.and_then(|links| links.data).unwrap_or_default();
    let mut variables = Vec::with_capacity(wanted.len());
    for identifier in wanted {
        let Some(entry) = find(included, "vars", &identifier.id) else { continue };
        let variable: Variable = parse_raw(entry.attributes)?;
        if let Some(key) = variable.key {
            variables.push((key, variable.sensitive.unwrap_or(true)));
        }
    }
    Ok(variables)
}

/// The workspace's web page: what the API says, or where it has always been.
fn html_url(address: &Url, said: Option<String>, organization: &str, name: &str) -> Option<String> {
    if let Some(said) = said {
        let url = address.join(&said).ok()?;
        return (url.origin() == address.origin()).then(|| url.into());
    }
    let mut url = address.clone();
    url.path_segments_mut().ok()?.clear().extend(["app", organization, "workspaces", name]);
    (!organization.is_empty()).then(|| url.into())
}
