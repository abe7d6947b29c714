//! What stands for a secret and is none: variables of shells and templates, addresses in vaults, masks.
//!
//! Must never take a word that somebody may have chosen for a secret.

use super::{KeyVerdict, keys};

/// The value names where the secret is instead of being it: `${var.x}`, `{{ .Values.x }}`, `$DB_PASSWORD`, `<password>`.
pub(super) fn reference(t: &str) -> bool {
    let shell = t.strip_prefix('$').is_some_and(|name| {
        name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
            || name.len() == 1
    });
    let wrapped = t.starts_with("${") && t.ends_with('}')
        || t.starts_with("$(") && t.ends_with(')')
        || t.starts_with("{{") && t.ends_with("}}")
        || t.starts_with("%{") && t.ends_with('}')
        || t.starts_with("<%") && t.ends_with("%>")
        || t.starts_with('[') && t.ends_with(")]") && t.contains('(')
        // Quotes and brackets inside cut them.
        || t.starts_with("{{ ")
        || t.starts_with("<|") && t.ends_with("|>")
        || t.starts_with("@{")
        || ["@body(", "@concat(", "@activity(", "@parameters(", "@variables(", "@outputs("].iter().any(|head| t.starts_with(head))
        || t.starts_with("<")
            && t.ends_with('>')
            && t.len() > 2
            && t[1..t.len() - 1].bytes().all(|b| b.is_ascii_alphabetic() || b" _-/".contains(&b));
    // `$dex-oidc:clientSecret` of Argo CD.
    let shared = t.strip_prefix('$').and_then(|rest| rest.split_once(':')).is_some_and(|(name, key)| {
        name.len() > 2
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && dotted(key)
            && keys::classify(key) != KeyVerdict::Plain
    });
    let zeros = t.len() == 36 && t.bytes().all(|b| matches!(b, b'0' | b'-'));
    let yours = t.get(..5).is_some_and(|head| {
        ["your-", "your_"].iter().any(|your| your.eq_ignore_ascii_case(head))
            && t.bytes().all(|b| b.is_ascii_alphabetic() || b"-_".contains(&b))
            && keys::classify(t[5..].trim_end_matches("_HERE").trim_end_matches("-here")) != KeyVerdict::Plain
    });
    let masked = t.len() >= 3 && (t.bytes().all(|b| b == b'*') || t.bytes().all(|b| b == b'x' || b == b'X'));
    const TOLD: &[&str] = &[
        "%s",
        "%v",
        "(sensitive value)",
        "<sensitive>",
        "<redacted>",
        "(known after apply)",
        "[REDACTED]",
        "REDACTED",
    ];
    shell
        || wrapped
        || masked
        || shared
        || zeros
        || yours
        || TOLD.contains(&t)
        || variable(t)
        || enclosed(t)
        || stored(t)
}

/// Variables of web servers, identity providers and Grafana: `$http_x`, `$oidc.x`, `$__env{x}`.
fn served(t: &str) -> bool {
    let headed = ["$http_", "$arg_", "$cookie_"].iter().any(|head| t.starts_with(head)) && dotted(&t[1..]);
    headed || (t.starts_with("$__env{") || t.starts_with("$__file{")) && t.ends_with('}')
}

fn dotted(t: &str) -> bool {
    t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b))
}

/// Variables of templates and servers that `$NAME` is not: these and `%NAME%`, `$context.x`, `!Ref x`, `{{x`, `$$NAME`.
fn variable(t: &str) -> bool {
    let windows = t.len() > 4
        && t.starts_with('%')
        && t.ends_with('%')
        && t[1..t.len() - 1].bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let tags = [
        "!Ref ",
        "!Sub ",
        "!GetAtt ",
        "!ImportValue ",
        "!secret ",
        "!env ",
        "!ENV ",
        "!var ",
        "!reference ",
        "!ref ",
    ];
    // Ansible's own tag stands before what it encrypted, too.
    let tagged = tags.iter().any(|tag| t.starts_with(tag))
        || t.strip_prefix("!vault ")
            .is_some_and(|rest| rest.contains('/') && dotted(&rest.replace(['/', '-'], "_")));
    let mapped = ["method.request.", "integration.response.", "context.authorizer.", "stageVariables."]
        .iter()
        .any(|head| t.strip_prefix(head).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_graphic())));
    let called = ["$util.", "$input.", "States."].iter().any(|head| t.starts_with(head)) && t.contains('(');
    // An alias of YAML.
    let alias = t
        .strip_prefix('*')
        .is_some_and(|name| name.contains('_') && dotted(name) && keys::classify(name) != KeyVerdict::Plain);
    // An address cuts the braces behind a parameter.
    let mustache = t.strip_prefix("{{").is_some_and(|rest| !rest.is_empty() && dotted(rest));
    served(t) || called || alias || windows || tagged || mapped || mustache || path(t) || called_so(t)
}

/// `$context.x`, `$dex.github.clientSecret`, and paths into a document: `$.credentials.password`.
fn path(t: &str) -> bool {
    const ROOTS: &[&str] =
        &["context", "input", "stageVariables", "oidc", "dex", "ctx", "request", "event", "util"];
    let document = t.strip_prefix("$$.").or_else(|| t.strip_prefix("$."));
    let Some(names) = document.or_else(|| t.strip_prefix('$')) else { return false };
    let (root, last) = (names.split('.').next(), names.rsplit('.').next().unwrap_or(""));
    let known = document.is_some()
        || root.is_some_and(|root| ROOTS.contains(&root))
        || keys::classify(last) != KeyVerdict::Plain;
    let step = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .trim_end_matches(|c: char| c.is_ascii_digit())
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b == b'_')
    };
    known && t.contains('.') && names.split('.').all(step)
}

/// `$token`, `$newPassword`, `$$NPM_TOKEN`: a variable that is called after what it holds.
fn called_so(t: &str) -> bool {
    let Some(name) = t.strip_prefix("$$").or_else(|| t.strip_prefix('$')) else { return false };
    (4..=48).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
        && keys::classify(name) != KeyVerdict::Plain
}

/// What configuration files put around the name of a variable: `__NAME__`, `#{Name}#`, `%(NAME)s`, `%env(NAME)%`, `env:NAME`.
fn enclosed(t: &str) -> bool {
    const AROUND: &[(&str, &str)] = &[
        ("__", "__"),
        ("#{", "}#"),
        ("#{", "}"),
        ("%(", ")s"),
        ("%env(", ")%"),
        ("@@", "@@"),
        ("$[", "]"),
        ("{", "}"),
        // An address cuts the brace.
        ("{", ""),
        ("${", ""),
        ("env:", ""),
        ("secret:", ""),
    ];
    let name = |inner: &str| {
        inner.len() >= 3
            && inner.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.'))
            && keys::classify(inner) != KeyVerdict::Plain
    };
    AROUND
        .iter()
        .any(|(head, end)| t.strip_prefix(head).and_then(|rest| rest.strip_suffix(end)).is_some_and(name))
}

/// Where the value is kept: `op://prod/db/password`, `vault:secret/data/db#password`, `file:/run/secrets/x`.
fn stored(t: &str) -> bool {
    const ADDRESSES: &[&str] = &[
        "op",
        "awssm",
        "aws-sm",
        "gcp-sm",
        "gcpsm",
        "sm",
        "ssm",
        "awsssm",
        "akv",
        "azurekeyvault",
        "vault",
        "secretsmanager",
        "keyvault",
    ];
    let place = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/.#:@%?=".contains(&b))
    };
    let addressed = t.split_once("://").is_some_and(|(scheme, rest)| {
        (scheme.starts_with("ref+") || ADDRESSES.contains(&scheme)) && place(rest)
    });
    let vault = t.strip_prefix("vault:").is_some_and(|rest| rest.contains('/') && place(rest));
    let kept = t.split_once(':').is_some_and(|(scheme, rest)| {
        ["secretsmanager", "ssm", "akv", "keyvault", "sops"].contains(&scheme)
            && rest.contains(['/', '.'])
            && place(rest)
    });
    let file = t.strip_prefix("file:").is_some_and(|rest| rest.starts_with('/') && place(rest));
    let named = t.strip_prefix("secretref:").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b.is_ascii_digit())
    });
    // `prod/db:password` and `ci/npm:token:AWSCURRENT`: a secret of Secrets Manager, the key in it, its stage and its version, as
    // CodeBuild and ECS name it.
    let keyed = t.rsplit_once(':').is_some_and(|(name, key)| {
        name.contains('/')
            && !name.contains("//")
            && place(name)
            && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            && keys::classify(key) != KeyVerdict::Plain
    });
    let staged = (t.ends_with("::") || t.ends_with(":AWSCURRENT") || t.ends_with(":AWSPREVIOUS")) && place(t);
    let resolved = t.starts_with("{{resolve:") && t.ends_with("}}");
    addressed || vault || kept || file || named || keyed || staged || resolved
}

/// `PASSWORD` where an address shows where it would stand.
pub(super) fn placeholder(t: &str) -> bool {
    t.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && keys::classify(t) != KeyVerdict::Plain
}

/// `DB_PASSWORD`, `x-api-key` under a secret's name: the variable or the header that it comes in.
pub(super) fn variable_name(t: &str) -> bool {
    let variable = t.contains('_') && placeholder(t);
    let header = t.starts_with("x-") && t.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    variable || header && keys::classify(t) != KeyVerdict::Plain
}

/// `db-password`, `tls_key` where a secret may be named as well as told: words that say what it is.
pub(super) fn secret_name(t: &str) -> bool {
    t.contains(['-', '_'])
        && t.bytes().all(|b| b.is_ascii_lowercase() || b"-_".contains(&b))
        && keys::classify(t) != KeyVerdict::Plain
}
