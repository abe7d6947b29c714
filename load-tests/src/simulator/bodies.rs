//! Owns the JSON:API bodies, written after the documented samples (HashiCorp's API documentation). Keys are kept even where the
//! engine does not read them. It must never share a type with the client.

use super::world::{NotificationConfiguration, Organization, Run, StateVersion, Workspace};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

/// Timestamps as the samples have them: UTC with milliseconds.
pub(crate) fn timestamp(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.format(&format).unwrap_or_default()
}

fn permissions(names: &[&str]) -> Value {
    Value::Object(names.iter().map(|name| ((*name).to_owned(), Value::Bool(true))).collect::<Map<_, _>>())
}

/// One page of a list, cut by `page[number]` and `page[size]`.
pub(crate) struct Paging {
    pub(crate) number: usize,
    pub(crate) size: usize,
}

impl Paging {
    /// The page's items, and the links and meta of its document. `base` is the list's URL without a query.
    pub(crate) fn cut<'a, T>(
        &self,
        items: &'a [T],
        base: &str,
        without_totals: bool,
    ) -> (&'a [T], Value, Value) {
        let start = self.number.saturating_sub(1).saturating_mul(self.size).min(items.len());
        let end = start.saturating_add(self.size).min(items.len());
        let pages = items.len().div_ceil(self.size).max(1);
        let next = (end < items.len()).then_some(self.number + 1);
        let prev = (self.number > 1).then(|| (self.number - 1).min(pages));
        let link = |page: usize| format!("{base}?page%5Bnumber%5D={page}&page%5Bsize%5D={}", self.size);
        let mut links = json!({
            "self": link(self.number),
            "first": link(1),
            "prev": prev.map(link),
            "next": next.map(link),
            "last": link(pages),
        });
        let mut pagination = json!({
            "current-page": self.number,
            "page-size": self.size,
            "prev-page": prev,
            "next-page": next,
            "total-pages": pages,
            "total-count": items.len(),
        });
        if without_totals {
            for (document, keys) in
                [(&mut pagination, &["total-pages", "total-count"][..]), (&mut links, &["last"][..])]
            {
                if let Value::Object(members) = document {
                    members.retain(|key, _| !keys.contains(&key.as_str()));
                }
            }
        }
        (&items[start..end], links, json!({ "pagination": pagination }))
    }
}

pub(crate) fn errors(status: u16, title: &str, detail: &str) -> Value {
    json!({"errors": [{"status": status.to_string(), "title": title, "detail": detail}]})
}

pub(crate) fn account(user: &str, user_id: &str) -> Value {
    let related = format!("/api/v2/users/{user_id}");
    json!({"data": {
        "id": user_id,
        "type": "users",
        "attributes": {
            "username": user,
            "is-service-account": true,
            "auth-method": "tfc",
            "avatar-url": null,
            "v2-only": true,
            "is-site-admin": false,
            "is-sso-login": false,
            "email": format!("{user}@terraform.invalid"),
            "unconfirmed-email": null,
            "permissions": permissions(&["can-create-organizations", "can-change-email", "can-change-username"]),
        },
        "relationships": {
            "authentication-tokens": {"links": {"related": format!("{related}/authentication-tokens")}},
            "authenticated-resource": {
                "data": {"id": user_id, "type": "users"},
                "links": {"related": related},
            },
        },
        "links": {"self": related},
    }})
}

pub(crate) fn organization(it: &Organization) -> Value {
    let name = &it.spec.name;
    let path = format!("/api/v2/organizations/{name}");
    json!({
        "id": name,
        "type": "organizations",
        "attributes": {
            "external-id": it.external_id,
            "created-at": "2024-03-26T22:13:38.456Z",
            "email": format!("{name}@terraform.invalid"),
            "session-timeout": null,
            "session-remember": null,
            "collaborator-auth-policy": "password",
            "plan-expired": false,
            "plan-expires-at": null,
            "plan-is-trial": false,
            "plan-is-enterprise": false,
            "plan-identifier": "developer",
            "cost-estimation-enabled": false,
            "send-passing-statuses-for-untriggered-speculative-plans": false,
            "aggregated-commit-status-enabled": true,
            "speculative-plan-management-enabled": true,
            "allow-force-delete-workspaces": false,
            "name": name,
            "permissions": permissions(&[
                "can-update", "can-destroy", "can-access-via-teams", "can-create-module", "can-create-team",
                "can-create-workspace", "can-manage-users", "can-manage-subscription", "can-manage-sso",
                "can-update-oauth", "can-update-sentinel", "can-update-ssh-keys", "can-update-api-token",
                "can-traverse", "can-start-trial", "can-update-agent-pools", "can-manage-tags",
                "can-manage-public-modules", "can-manage-public-providers", "can-manage-run-tasks",
                "can-read-run-tasks", "can-manage-varsets", "can-read-varsets", "can-manage-custom-providers", "can-create-provider", "can-create-project",
            ]),
            "fair-run-queuing-enabled": true,
            "saml-enabled": false,
            "owners-team-saml-role-id": null,
            "two-factor-conformant": false,
            "assessments-enforced": false,
            "default-execution-mode": "remote",
        },
        "relationships": {
            "default-agent-pool": {"data": null},
            "oauth-tokens": {"links": {"related": format!("{path}/oauth-tokens")}},
            "authentication-token": {"links": {"related": format!("{path}/authentication-token")}},
            "entitlement-set": {
                "data": {"id": it.external_id, "type": "entitlement-sets"},
                "links": {"related": format!("{path}/entitlement-set")},
            },
            "subscription": {"links": {"related": format!("{path}/subscription")}},
        },
        "links": {"self": path},
    })
}

pub(crate) fn workspace(it: &Workspace) -> Value {
    let path = format!("/api/v2/workspaces/{}", it.id);
    let changed = it.current().map_or(it.created_at, |version| version.created_at);
    let vcs = it.spec.repository.as_ref();
    let run = it.runs.first().map(|run| {
        json!({
            "data": {"id": run.id, "type": "runs"},
            "links": {"related": format!("/api/v2/runs/{}", run.id)},
        })
    });
    let run = run.unwrap_or_else(|| json!({"data": null}));
    let state = it.current().map_or_else(
        || json!({"data": null}),
        |version| {
            json!({
                "data": {"id": version.id, "type": "state-versions"},
                "links": {"related": format!("{path}/current-state-version")},
            })
        },
    );
    json!({
        "id": it.id,
        "type": "workspaces",
        "attributes": workspace_attributes(it, changed, vcs),
        "links": {
            "self": format!("/api/v2/organizations/{}/workspaces/{}", it.organization, it.spec.name),
            "self-html": format!("/app/{}/workspaces/{}", it.organization, it.spec.name),
        },
        "relationships": {
            "agent-pool": {"data": null},
            "current-configuration-version": {"data": null},
            "current-run": run,
            "effective-tag-bindings": {"links": {"related": format!("{path}/effective-tag-bindings")}},
            "latest-run": run,
            "current-state-version": state,
            "current-assessment-result": {"data": null},
            "organization": {"data": {"id": it.organization, "type": "organizations"}},
            "outputs": {"data": [], "links": {"related": format!("{path}/current-state-version-outputs")}},
            "project": {"data": {"id": format!("prj-{}", &it.id[3..]), "type": "projects"}},
            "readme": {"data": null},
            "remote-state-consumers": {
                "links": {"related": format!("{path}/relationships/remote-state-consumers")},
            },
            "ssh-key": {"data": null},
            "locked-by": {"data": null},
            "tag-bindings": {"links": {"related": format!("{path}/tag-bindings")}},
            "vars": {"data": []},
        },
    })
}

fn workspace_attributes(it: &Workspace, changed: OffsetDateTime, vcs: Option<&(String, String)>) -> Value {
    let resources = it.current().and_then(|version| version.summary).map_or(0, |summary| summary.instances);
    let terraform = it.current().map_or("1.13.4", |version| version.terraform_version.as_str());
    json!({
        "actions": {"is-destroyable": true},
        "allow-destroy-plan": true,
        "assessments-enabled": false,
        "auto-apply": it.spec.tags.iter().any(|tag| tag == "dev"),
        "auto-apply-run-trigger": false,
        "auto-destroy-at": null,
        "auto-destroy-status": null,
        "auto-destroy-activity-duration": null,
        "inherits-project-auto-destroy": true,
        "created-at": timestamp(it.created_at),
        "description": format!("{} of {}", it.spec.name, it.organization),
        "environment": "default",
        "execution-mode": "remote",
        "file-triggers-enabled": true,
        "global-remote-state": false,
        "latest-change-at": timestamp(changed),
        "last-assessment-result-at": null,
        "locked": false,
        "locked-reason": null,
        "name": it.spec.name,
        "oauth-client-name": null,
        "operations": true,
        "permissions": permissions(&[
            "can-update", "can-destroy", "can-queue-run", "can-read-run", "can-read-variable",
            "can-update-variable", "can-read-state-versions", "can-read-state-outputs",
            "can-create-state-versions", "can-queue-apply", "can-lock", "can-unlock", "can-force-unlock",
            "can-read-settings", "can-manage-tags", "can-manage-run-tasks", "can-force-delete",
            "can-manage-assessments", "can-manage-ephemeral-workspaces", "can-read-assessment-results",
            "can-queue-destroy",
        ]),
        "apply-duration-average": 35000,
        "plan-duration-average": 53000,
        "policy-check-failures": null,
        "queue-all-runs": false,
        "resource-count": resources,
        "run-failures": 0,
        "source": "tfe-api",
        "source-name": null,
        "source-url": null,
        "speculative-enabled": true,
        "structured-run-output-enabled": true,
        "tag-names": it.spec.tags,
        "terraform-version": terraform,
        "trigger-prefixes": [],
        "updated-at": timestamp(changed),
        "unarchived_workspace_change_requests_count": 0,
        "vcs-repo": vcs.map(|repository| vcs_repo(repository, &it.id)),
        "vcs-repo-identifier": vcs.map(|(identifier, _)| identifier),
        "working-directory": null,
        "workspace-kpis-runs-count": it.runs.len(),
        "setting-overwrites": {"execution-mode": false, "agent-pool": false},
    })
}

fn vcs_repo((identifier, branch): &(String, String), workspace: &str) -> Value {
    json!({
        "branch": branch,
        "ingress-submodules": false,
        "identifier": identifier,
        "display-identifier": identifier,
        "oauth-token-id": format!("ot-{}", &workspace[3..]),
        "webhook-url": null,
        "repository-http-url": format!("https://github.com/{identifier}"),
        "service-provider": "github",
        "tags-regex": null,
    })
}

pub(crate) fn state_version(it: &StateVersion, workspace: &str, user_id: &str, url: &str) -> Value {
    json!({
        "id": it.id,
        "type": "state-versions",
        "attributes": {
            "billable-rum-count": it.summary.map(|summary| summary.instances),
            "created-at": timestamp(it.created_at),
            "size": it.bytes(),
            "hosted-state-download-url": url,
            "hosted-state-upload-url": null,
            "hosted-json-state-download-url": null,
            "hosted-json-state-upload-url": null,
            "status": "finalized",
            "intermediate": false,
            "modules": {},
            "providers": {},
            "resources": [],
            "resources-processed": false,
            "serial": it.serial,
            "state-version": 4,
            "terraform-version": it.terraform_version,
            "vcs-commit-url": null,
            "vcs-commit-sha": null,
        },
        "relationships": {
            "run": {"data": {"id": it.run_id, "type": "runs"}},
            "created-by": {
                "data": {"id": user_id, "type": "users"},
                "links": {
                    "self": format!("/api/v2/users/{user_id}"),
                    "related": format!("/api/v2/runs/{}/created-by", it.run_id),
                },
            },
            "workspace": {"data": {"id": workspace, "type": "workspaces"}},
            "outputs": {"data": []},
        },
        "links": {"self": format!("/api/v2/state-versions/{}", it.id)},
    })
}

pub(crate) fn run(it: &Run, workspace: &str) -> Value {
    let applied = it.status == "applied";
    json!({
        "id": it.id,
        "type": "runs",
        "attributes": {
            "actions": {
                "is-cancelable": false,
                "is-confirmable": false,
                "is-discardable": false,
                "is-force-cancelable": false,
            },
            "canceled-at": null,
            "created-at": timestamp(it.created_at),
            "has-changes": applied,
            "auto-apply": true,
            "allow-empty-apply": false,
            "allow-config-generation": false,
            "is-destroy": false,
            "message": it.message,
            "plan-only": false,
            "source": "tfe-api",
            "status-timestamps": {"plan-queueable-at": timestamp(it.created_at)},
            "status": it.status,
            "trigger-reason": "manual",
            "target-addrs": null,
            "permissions": permissions(&[
                "can-apply", "can-cancel", "can-comment", "can-discard", "can-force-execute",
                "can-force-cancel", "can-override-policy-check",
            ]),
            "refresh": true,
            "refresh-only": false,
            "replace-addrs": null,
            "save-plan": false,
            "variables": [],
        },
        "relationships": {
            "apply": {}, "comments": {}, "configuration-version": {}, "cost-estimate": {}, "created-by": {},
            "input-state-version": {}, "plan": {}, "run-events": {}, "policy-checks": {}, "task-stages": {},
            "workspace": {"data": {"id": workspace, "type": "workspaces"}},
            "workspace-run-alerts": {},
        },
        "links": {"self": format!("/api/v2/runs/{}", it.id)},
    })
}

/// The variables of a workspace: made up from its id; a sensitive one has no value, as in the real API.
pub(crate) fn variables(it: &Workspace) -> Value {
    let row = |at: usize, key: &str, value: Option<&str>, category: &str| {
        let variable = format!("var-{}{at}", &it.id[3..18]);
        json!({
            "id": variable,
            "type": "vars",
            "attributes": {
                "key": key,
                "value": value,
                "description": "",
                "sensitive": value.is_none(),
                "category": category,
                "hcl": false,
                "created-at": timestamp(it.created_at),
                "version-id": "1aa07d63ea8ff4df941c94ca9ddfd5d2bd04",
            },
            "relationships": {"configurable": {
                "data": {"id": it.id, "type": "workspaces"},
                "links": {"related": format!("/api/v2/organizations/{}/workspaces/{}", it.organization, it.spec.name)},
            }},
            "links": {"self": format!("/api/v2/workspaces/{}/vars/{variable}", it.id)},
        })
    };
    json!({"data": [
        row(1, "region", Some("eu-central-1"), "terraform"),
        row(2, "replicas", Some("3"), "terraform"),
        row(3, "db_admin_password", None, "terraform"),
        row(4, "AWS_SECRET_ACCESS_KEY", None, "env"),
    ]})
}

pub(crate) fn notification_configuration(it: &NotificationConfiguration) -> Value {
    json!({
        "id": it.id,
        "type": "notification-configurations",
        "attributes": {
            "enabled": it.enabled,
            "name": it.name,
            "url": it.url,
            "destination-type": it.destination,
            // Write-only: the API never tells it.
            "token": null,
            "triggers": it.triggers,
            "delivery-responses": it.responses,
            "created-at": timestamp(it.created_at),
            "updated-at": timestamp(it.updated_at),
        },
        "relationships": {"subscribable": {"data": {"id": it.workspace, "type": "workspaces"}}},
        "links": {"self": format!("/api/v2/notification-configurations/{}", it.id)},
    })
}
