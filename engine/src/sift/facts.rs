//! What the API says about a workspace goes through the same detector as its state.
//!
//! Must never copy a text of the facts unseen.

use terrasift_schemas::workspace::WorkspaceFacts;

use super::walk::Walk;
use crate::detect::KeyVerdict;

/// A copy without secrets. Called when the state is through, so that its secrets are known.
pub(super) fn sanitize_facts(walk: &mut Walk, facts: &WorkspaceFacts) -> WorkspaceFacts {
    let mut some = |text: &Option<String>| text.as_deref().map(|text| walk.clean(text));
    let description = some(&facts.description);
    let terraform_version = some(&facts.terraform_version);
    let vcs_repository = some(&facts.vcs_repository);
    let vcs_branch = some(&facts.vcs_branch);
    let vcs_url = some(&facts.vcs_url);
    let working_directory = some(&facts.working_directory);
    let project = some(&facts.project);
    let updated_at = some(&facts.updated_at);
    let html_url = some(&facts.html_url);
    WorkspaceFacts {
        name: walk.clean(&facts.name),
        description,
        organization: walk.clean(&facts.organization),
        terraform_version,
        locked: facts.locked,
        auto_apply: facts.auto_apply,
        vcs_repository,
        vcs_branch,
        vcs_url,
        working_directory,
        tags: facts.tags.iter().map(|tag| walk.clean(tag)).collect(),
        project,
        updated_at,
        html_url,
        variables: facts.variables.iter().map(|(key, sensitive)| (walk.clean(key), *sensitive)).collect(),
    }
}

impl Walk {
    /// A text outside of the state, redacted.
    fn clean(&mut self, text: &str) -> String {
        self.rules.inspect(text, KeyVerdict::Plain, &mut self.scratch, &mut self.hits);
        self.found.clear();
        if !self.taint.is_empty() {
            self.copies.find(&self.taint, text, &mut self.found);
        }
        if self.hits.is_empty() && self.found.is_empty() {
            return text.to_owned();
        }
        self.merge();
        self.redacted(text)
    }
}
