//! `terrasift rules list`.

use std::process::ExitCode;

use serde::Serialize;
use terrasift_engine::detect::RuleSet;
use terrasift_schemas::detection::{Action, Category};

/// One rule as it stands now.
#[derive(Serialize)]
struct Row<'r> {
    id: &'r str,
    name: &'r str,
    category: Category,
    action: Action,
    priority: i32,
    protected: bool,
    enabled: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    source: &'r str,
}

/// Prints all rules of the set.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn run(rules: &RuleSet, json: bool) -> anyhow::Result<ExitCode> {
    let rows: Vec<Row<'_>> = rules
        .rules()
        .map(|(ix, info)| Row {
            id: &info.id,
            name: &info.name,
            category: info.category,
            action: info.action,
            priority: info.priority,
            protected: info.protected,
            enabled: rules.enabled(ix),
            source: info.source,
        })
        .collect();
    if json {
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    for row in &rows {
        let action = match row.action {
            Action::Redact => "redact",
            Action::Hash => "hash",
            Action::Allow => "allow",
        };
        let standing = match (row.enabled, row.protected) {
            (false, _) => " (off)",
            (true, true) => " (protected)",
            (true, false) => "",
        };
        println!(
            "{:width$}  {:14}  {action:6}  {:>5}  {}{standing}",
            row.id,
            row.category.as_str(),
            row.priority,
            row.name
        );
    }
    println!("{} rules", rows.len());
    Ok(ExitCode::SUCCESS)
}
