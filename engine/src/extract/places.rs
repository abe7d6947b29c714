//! Where things are: workspace pages, repositories, endpoints, as Backstage's locations and links.
//!
//! Must never let a URL out that carries a user, a password, a query or a redaction.

use terrasift_schemas::catalog::Link;
use terrasift_schemas::workspace::WorkspaceFacts;
use url::Url;

use super::naming::has_marker;

/// Longest URL or host that is copied, bytes.
const TEXT_MAX: usize = 1024;

/// The places of a workspace that its entities share.
pub(super) struct Places {
    /// `url:<page>` or `terrasift:<slug>/<workspace id>`: what manages the entities.
    pub managed_by: String,
    /// Web page of the workspace.
    pub page: Option<String>,
    /// `url:<folder in the repository>`.
    pub source: Option<String>,
    /// Web page of the repository.
    pub repository: Option<String>,
    /// `owner/repo` on GitHub.
    pub github_slug: Option<String>,
}

impl Places {
    /// From facts that the last sweep has seen.
    pub fn of(facts: &WorkspaceFacts, base_url: Option<&str>, slug: &str, workspace_id: &str) -> Self {
        let page = page(facts, base_url);
        let repository = facts.vcs_url.as_deref().and_then(web_url);
        let source = repository.as_deref().map(|repository| format!("url:{}", folder(repository, facts)));
        let github_slug = repository.as_deref().filter(|url| is_on(url, "github")).and_then(project_slug);
        let managed_by = page
            .as_ref()
            .map_or_else(|| format!("terrasift:{slug}/{workspace_id}"), |page| format!("url:{page}"));
        Self { managed_by, page, source, repository, github_slug }
    }
}

/// The workspace's page: what the API tells, else by Terraform Cloud's address scheme.
fn page(facts: &WorkspaceFacts, base_url: Option<&str>) -> Option<String> {
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
    };
    match (facts.html_url.as_deref(), base_url) {
        (Some(path), Some(base)) if path.starts_with('/') => {
            web_url(&format!("{}{path}", base.trim_end_matches('/')))
        }
        (Some(url), _) if !url.starts_with('/') => web_url(url),
        (_, Some(base)) if plain(&facts.organization) && plain(&facts.name) => {
            let base = base.trim_end_matches('/');
            web_url(&format!("{base}/app/{}/workspaces/{}", facts.organization, facts.name))
        }
        _ => None,
    }
}

/// The folder that a workspace's configuration lives in, by the host's address scheme.
fn folder(repository: &str, facts: &WorkspaceFacts) -> String {
    let clean = |text: &Option<String>| {
        text.as_deref().map(|t| t.trim_matches('/').to_owned()).filter(|t| !t.is_empty() && path_like(t))
    };
    let branch = clean(&facts.vcs_branch);
    let directory = clean(&facts.working_directory);
    let tree = if is_on(repository, "gitlab") { "-/tree" } else { "tree" };
    if (branch.is_none() && directory.is_none())
        || !(is_on(repository, "github") || is_on(repository, "gitlab"))
    {
        return repository.to_owned();
    }
    let branch = branch.unwrap_or_else(|| "HEAD".to_owned());
    let directory = directory.map_or_else(String::new, |directory| format!("{directory}/"));
    format!("{repository}/{tree}/{branch}/{directory}")
}

fn path_like(text: &str) -> bool {
    text.len() <= 256
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'/'))
        && text.split('/').all(|part| part != "..")
}

/// Whether the URL's host has a label that starts with the product's name (`github.com`, `github.acme.example`).
fn is_on(url: &str, product: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| host.split('.').any(|label| label.starts_with(product)))
}

fn project_slug(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let mut parts = url.path_segments()?.filter(|part| !part.is_empty());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(owner), Some(repository), None) => Some(format!("{owner}/{repository}")),
        _ => None,
    }
}

/// An http(s) URL without user, query and fragment, no slash or `.git` at the end; `None` for anything else.
pub(super) fn web_url(text: &str) -> Option<String> {
    if text.len() > TEXT_MAX || has_marker(text) {
        return None;
    }
    let mut url = Url::parse(text).ok()?;
    let web = matches!(url.scheme(), "https" | "http") && url.has_host();
    if !web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    let url = url.as_str().trim_end_matches('/');
    Some(url.strip_suffix(".git").unwrap_or(url).to_owned())
}

/// A link, if the text is a web URL.
pub(super) fn link(text: &str, title: &str) -> Option<Link> {
    web_url(text).map(|url| Link { url, title: title.to_owned() })
}

/// The host name in an endpoint attribute (`https://host:port/path`, `host:port`, `host`), lower case.
pub(super) fn endpoint_host(text: &str) -> Option<String> {
    if text.len() > TEXT_MAX || has_marker(text) || text.contains('@') {
        return None;
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
        Some(_) => return None,
        None => authority,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let named = host.contains('.')
        && host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
        });
    named.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_yields_its_host_and_never_a_user() {
        let cases = [
            ("db.abc.eu-west-1.rds.example.com:5432", Some("db.abc.eu-west-1.rds.example.com")),
            ("https://A1.gr7.eks.example.com/path?x=1", Some("a1.gr7.eks.example.com")),
            ("cache.example.com", Some("cache.example.com")),
            ("postgres://u:p@db.example.com/x", None),
            ("[REDACTED:infrastructure]", None),
            ("localhost", None),
            ("2001:db8::1", None),
            ("a b.example.com", None),
            ("", None),
        ];
        for (text, host) in cases {
            assert_eq!(endpoint_host(text).as_deref(), host, "{text:?}");
        }
    }

    #[test]
    fn a_web_url_loses_what_could_be_secret() {
        let cases = [
            ("https://github.com/acme/infra.git", Some("https://github.com/acme/infra")),
            ("https://github.com/acme/infra/", Some("https://github.com/acme/infra")),
            ("https://app.example.com/x?token=1#y", Some("https://app.example.com/x")),
            ("https://user:pw@example.com/x", None),
            ("https://user@example.com/x", None),
            ("javascript:alert(1)", None),
            ("ssh://git@github.com/acme/infra", None),
            ("https://example.com/[REDACTED:pii]", None),
            ("nothing", None),
        ];
        for (text, url) in cases {
            assert_eq!(web_url(text).as_deref(), url, "{text:?}");
        }
    }

    #[test]
    fn places_follow_what_is_known() {
        let facts =
            |url: &str, branch: Option<&str>, directory: Option<&str>, html: Option<&str>| WorkspaceFacts {
                name: "net".to_owned(),
                organization: "acme".to_owned(),
                vcs_url: Some(url.to_owned()),
                vcs_branch: branch.map(str::to_owned),
                working_directory: directory.map(str::to_owned),
                html_url: html.map(str::to_owned),
                ..WorkspaceFacts::default()
            };
        let hub = "https://github.com/acme/infra";
        let cases = [
            (facts(hub, None, None, None), None, "terrasift:a/ws-1", "url:https://github.com/acme/infra"),
            (
                facts(hub, Some("main"), Some("/net/"), Some("/app/acme/workspaces/net")),
                Some("https://tfc.example/"),
                "url:https://tfc.example/app/acme/workspaces/net",
                "url:https://github.com/acme/infra/tree/main/net/",
            ),
            (
                facts(hub, None, Some("net"), None),
                Some("https://tfc.example"),
                "url:https://tfc.example/app/acme/workspaces/net",
                "url:https://github.com/acme/infra/tree/HEAD/net/",
            ),
            (
                facts("https://gitlab.example/acme/infra", Some("x"), None, Some("https://t.example/p")),
                None,
                "url:https://t.example/p",
                "url:https://gitlab.example/acme/infra/-/tree/x/",
            ),
            (
                facts("https://git.example/acme/infra", Some("x"), Some("../.."), None),
                None,
                "terrasift:a/ws-1",
                "url:https://git.example/acme/infra",
            ),
        ];
        for (facts, base, managed_by, source) in cases {
            let places = Places::of(&facts, base, "a", "ws-1");
            assert_eq!(places.managed_by, managed_by);
            assert_eq!(places.source.as_deref(), Some(source));
            assert_eq!(places.github_slug.is_some(), source.contains("github"), "{source}");
        }
    }
}
