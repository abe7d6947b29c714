//! What Terraform Cloud says about a workspace beside its state: raw facts that the engine sanitizes.

/// Facts of one workspace as read from the API. Raw: no Debug, no Serialize; only the engine looks inside.
#[derive(Clone, Default)]
pub struct WorkspaceFacts {
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Organization that holds it.
    pub organization: String,
    /// Terraform version, or constraint.
    pub terraform_version: Option<String>,
    /// Whether somebody holds the lock.
    pub locked: bool,
    /// Whether runs apply without a person.
    pub auto_apply: bool,
    /// `owner/repo` as the VCS provider spells it.
    pub vcs_repository: Option<String>,
    /// Branch; `None` is the default branch.
    pub vcs_branch: Option<String>,
    /// VCS host as https URL of the repository, where the API tells.
    pub vcs_url: Option<String>,
    /// Directory below the repository's root.
    pub working_directory: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Project the workspace belongs to.
    pub project: Option<String>,
    /// RFC 3339 time of the last change.
    pub updated_at: Option<String>,
    /// Web page of the workspace.
    pub html_url: Option<String>,
    /// Variables: key and whether it is sensitive; never values.
    pub variables: Vec<(String, bool)>,
}
