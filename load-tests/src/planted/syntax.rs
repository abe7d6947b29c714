//! Owns the small languages in which a value is given a name: shell, INI, YAML, flags … and the names in each one's spelling.
//! It must never choose what is planted.

use super::leaf::Leaf;
use crate::generator::dice::Dice;

/// How free a value's characters are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Charset {
    /// Needs no quotes anywhere.
    Bare,
    /// One line without quotes, blackslashes, dollars.
    Line,
    /// Anything.
    Any,
}

impl Charset {
    pub(super) fn of(text: &str) -> Self {
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+/=~:@%,".contains(&b)) {
            Self::Bare
        } else if !text.contains(['\n', '"', '\'', '\\', '$', '`', '<', '>', '{', '}']) {
            Self::Line
        } else {
            Self::Any
        }
    }
}

/// A language: the document's first lines, the statements of a name and a value, what stands between two of them.
pub(super) struct Syntax {
    pub(super) name: &'static str,
    pub(super) head: &'static str,
    /// `{N}`, `{n}`, `{k}`, `{c}`: the name as UPPER_SNAKE, lower_snake, kebab-case, camelCase. With the charset that is fit.
    pub(super) statements: &'static [(Charset, &'static str)],
    pub(super) tail: &'static str,
}

use Charset::{Bare, Line};

pub(super) const SYNTAXES: &[Syntax] = &[
    Syntax {
        name: "shell",
        head: "#!/bin/bash\nset -euo pipefail\n",
        statements: &[
            (Bare, "export {N}=\u{2039}\u{203a}\n"),
            (Line, "export {N}=\"\u{2039}\u{203a}\"\n"),
            (Line, "export {N}='\u{2039}\u{203a}'\n"),
            (Bare, "{N}=\u{2039}\u{203a}\n"),
            (Line, "{N}=\"\u{2039}\u{203a}\" ./bootstrap.sh\n"),
            (Line, "echo \"{N}=\u{2039}\u{203a}\" >> /etc/environment\n"),
            (Bare, "docker run -d -e {N}=\u{2039}\u{203a} app:latest\n"),
            (Bare, "/opt/agent/install --{k} \u{2039}\u{203a} --verbose\n"),
            (Bare, "/opt/agent/install --{k}=\u{2039}\u{203a} --region eu-west-1\n"),
            (Line, "/opt/agent/install --{k} \"\u{2039}\u{203a}\"\n"),
            (Line, "/opt/agent/install --{k}='\u{2039}\u{203a}'\n"),
            (Bare, "helm upgrade app ./chart --set config.{c}=\u{2039}\u{203a}\n"),
            (Bare, "java -Dapp.{n}=\u{2039}\u{203a} -jar app.jar\n"),
        ],
        tail: "systemctl restart app\n",
    },
    Syntax {
        name: "env-file",
        head: "# rendered by terraform\nLOG_LEVEL=info\n",
        statements: &[
            (Bare, "{N}=\u{2039}\u{203a}\n"),
            (Line, "{N}=\"\u{2039}\u{203a}\"\n"),
            (Line, "{N}='\u{2039}\u{203a}'\n"),
        ],
        tail: "",
    },
    Syntax {
        name: "ini",
        head: "[service]\nmode = active\n",
        statements: &[
            (Bare, "{n} = \u{2039}\u{203a}\n"),
            (Bare, "{n}=\u{2039}\u{203a}\n"),
            (Line, "{n} = \"\u{2039}\u{203a}\"\n"),
        ],
        tail: "",
    },
    Syntax {
        name: "toml",
        head: "title = \"service\"\n\n[server]\nport = 8443\n",
        statements: &[
            (Line, "{n} = \"\u{2039}\u{203a}\"\n"),
            (Line, "{n} = '\u{2039}\u{203a}'\n"),
            (Line, "\"{k}\" = \"\u{2039}\u{203a}\"\n"),
        ],
        tail: "",
    },
    Syntax {
        name: "hcl",
        head: "server {\n  enabled = true\n",
        statements: &[(Line, "  {n} = \"\u{2039}\u{203a}\"\n"), (Line, "  {n}    = \"\u{2039}\u{203a}\"\n")],
        tail: "}\n",
    },
    Syntax {
        name: "properties",
        head: "spring.application.name=app\n",
        statements: &[
            (Bare, "app.{n}=\u{2039}\u{203a}\n"),
            (Bare, "app.{k} = \u{2039}\u{203a}\n"),
            (Bare, "app.{c}: \u{2039}\u{203a}\n"),
        ],
        tail: "",
    },
    Syntax {
        name: "yaml",
        head: "service:\n  replicas: 2\n",
        statements: &[
            (Bare, "  {n}: \u{2039}\u{203a}\n"),
            (Line, "  {n}: \"\u{2039}\u{203a}\"\n"),
            (Line, "  {c}: '\u{2039}\u{203a}'\n"),
            (Line, "  {k}: \"\u{2039}\u{203a}\"\n"),
            (Bare, "  - name: {N}\n    value: \u{2039}\u{203a}\n"),
            (Line, "  - name: {N}\n    value: \"\u{2039}\u{203a}\"\n"),
        ],
        tail: "  strategy: rolling\n",
    },
    Syntax {
        name: "dockerfile",
        head: "FROM alpine:3.20\n",
        statements: &[
            (Bare, "ENV {N}=\u{2039}\u{203a}\n"),
            (Bare, "ENV {N} \u{2039}\u{203a}\n"),
            (Bare, "ARG {N}=\u{2039}\u{203a}\n"),
            (Line, "ENV {N}=\"\u{2039}\u{203a}\"\n"),
        ],
        tail: "CMD [\"/app\"]\n",
    },
    Syntax {
        name: "systemd",
        head: "[Service]\nType=simple\n",
        statements: &[
            (Line, "Environment=\"{N}=\u{2039}\u{203a}\"\n"),
            (Bare, "Environment={N}=\u{2039}\u{203a}\n"),
        ],
        tail: "Restart=always\n",
    },
    Syntax {
        name: "powershell",
        head: "<powershell>\n$ErrorActionPreference = 'Stop'\n",
        statements: &[
            (Line, "$env:{N} = \"\u{2039}\u{203a}\"\n"),
            (Line, "${c} = '\u{2039}\u{203a}'\n"),
            (Line, "[Environment]::SetEnvironmentVariable(\"{N}\", \"\u{2039}\u{203a}\", \"Machine\")\n"),
            (Bare, "setx {N} \u{2039}\u{203a} /M\n"),
        ],
        tail: "</powershell>\n",
    },
    Syntax {
        name: "xml",
        head: "<?xml version=\"1.0\"?>\n<configuration>\n",
        statements: &[
            (Bare, "  <{c}>\u{2039}\u{203a}</{c}>\n"),
            (Bare, "  <{k}>\u{2039}\u{203a}</{k}>\n"),
            (Bare, "  <add key=\"{N}\" value=\"\u{2039}\u{203a}\" />\n"),
            (Bare, "  <service {c}=\"\u{2039}\u{203a}\" enabled=\"true\" />\n"),
        ],
        tail: "</configuration>\n",
    },
    Syntax {
        name: "flags",
        head: "/usr/local/bin/agent --verbose",
        statements: &[
            (Bare, " --{k} \u{2039}\u{203a}"),
            (Bare, " --{k}=\u{2039}\u{203a}"),
            (Line, " --{k} \"\u{2039}\u{203a}\""),
            (Line, " --{n}='\u{2039}\u{203a}'"),
        ],
        tail: " --region eu-west-1",
    },
    Syntax {
        name: "query",
        head: "https://portal.example.com/callback?source=terraform",
        statements: &[(Bare, "&{n}=\u{2039}\u{203a}"), (Bare, "&{c}=\u{2039}\u{203a}")],
        tail: "&v=2",
    },
];

/// Commands and files that take a password in a place of their own.
pub(super) const PASSWORD_PLACES: &[(&str, &str)] = &[
    ("mysql-p", "mysql -h db.prod.internal -u root -p\u{2039}\u{203a} -e 'select 1'"),
    ("mysqldump", "mysqldump --user=backup --password=\u{2039}\u{203a} shop > /backup/shop.sql"),
    ("curl-u", "curl -fsS -u deploy:\u{2039}\u{203a} https://artifacts.prod.internal/app.tgz -o app.tgz"),
    ("curl-user", "curl --user deploy:\u{2039}\u{203a} https://artifacts.prod.internal/health"),
    ("sshpass", "sshpass -p \u{2039}\u{203a} ssh -o StrictHostKeyChecking=no root@host uptime"),
    ("pgpassword", "PGPASSWORD=\u{2039}\u{203a} psql -h db.prod.internal -U app -c 'select 1'"),
    ("redis-cli", "redis-cli -h cache.prod.internal -a \u{2039}\u{203a} ping"),
    ("docker-login", "docker login -u robot -p \u{2039}\u{203a} registry.prod.internal"),
    ("wget", "wget --user=deploy --password=\u{2039}\u{203a} https://artifacts.prod.internal/app.tgz"),
    ("ldapsearch", "ldapsearch -x -D cn=admin -w \u{2039}\u{203a} -b dc=prod"),
    ("chpasswd", "echo \"app:\u{2039}\u{203a}\" | chpasswd"),
    ("netrc", "machine artifacts.prod.internal login deploy password \u{2039}\u{203a}"),
    ("pgpass", "db.prod.internal:5432:orders:app:\u{2039}\u{203a}"),
    ("npmrc", "//registry.prod.internal/:_authToken=\u{2039}\u{203a}"),
    ("sql-password", "ALTER USER app WITH PASSWORD '\u{2039}\u{203a}';"),
    ("sql-identified", "CREATE USER 'app'@'%' IDENTIFIED BY '\u{2039}\u{203a}';"),
    ("colon", "password: \u{2039}\u{203a}"),
    ("az-login", "az login --service-principal -u app --password \u{2039}\u{203a} --tenant prod"),
    ("git-credentials", "https://deploy:\u{2039}\u{203a}@git.prod.internal"),
    ("header", "curl -H 'Authorization: Bearer \u{2039}\u{203a}' https://api.prod.internal/v1"),
    ("key-header", "curl -H \"X-Api-Key: \u{2039}\u{203a}\" https://api.prod.internal/v1"),
];

/// Sentences in which a value whose form tells it may stand.
pub(super) const SENTENCES: &[&str] = &[
    "rotated by ops, the old value \u{2039}\u{203a} is still accepted",
    "see (\u{2039}\u{203a}) for details",
    "level=info msg=\"using \u{2039}\u{203a}\" attempt=2",
    "\u{2039}\u{203a} was taken from the old cluster",
    "replaced by \u{2039}\u{203a}",
    "first, \u{2039}\u{203a}, last",
    "note: '\u{2039}\u{203a}' must be replaced before the audit",
    "# \u{2039}\u{203a}",
    "[\u{2039}\u{203a}] checked twice",
    "line one\n\u{2039}\u{203a}\nline three",
];

/// A name in the four spellings.
pub(super) struct Name {
    words: Vec<String>,
}

impl Name {
    pub(super) fn new(text: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut lower = false;
        for c in text.chars() {
            if c == '_' || c == '-' || (c.is_uppercase() && lower) {
                words.push(String::new());
            }
            lower = c.is_lowercase() || c.is_ascii_digit();
            if words.is_empty() {
                words.push(String::new());
            }
            if c != '_'
                && c != '-'
                && let Some(word) = words.last_mut()
            {
                word.extend(c.to_lowercase());
            }
        }
        Self { words }
    }

    pub(super) fn snake(&self) -> String {
        self.words.join("_")
    }

    pub(super) fn camel(&self) -> String {
        let mut out = String::new();
        for (at, word) in self.words.iter().enumerate() {
            let mut word = word.clone();
            if at > 0
                && let Some(first) = word.get_mut(..1)
            {
                first.make_ascii_uppercase();
            }
            out.push_str(&word);
        }
        out
    }

    fn fill(&self, template: &str) -> String {
        let kebab = self.words.join("-");
        template
            .replace("{N}", &self.snake().to_uppercase())
            .replace("{n}", &self.snake())
            .replace("{k}", &kebab)
            .replace("{c}", &self.camel())
    }
}

impl Syntax {
    /// One statement; `None` when the value cannot be written in this language.
    pub(super) fn statement(&self, dice: &mut Dice, name: &Name, value: &Leaf) -> Option<Leaf> {
        let charset = Charset::of(&value.text);
        let fit: Vec<&str> =
            self.statements.iter().filter(|(fit, _)| charset <= *fit).map(|(_, text)| *text).collect();
        if fit.is_empty() {
            return None;
        }
        Some(Leaf::around(&name.fill(dice.pick::<&str>(&fit)), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_in_every_way() {
        for text in ["DB_PASSWORD", "db_password", "dbPassword", "db-password"] {
            let name = Name::new(text);
            assert_eq!(name.fill("{N} {n} {k} {c}"), "DB_PASSWORD db_password db-password dbPassword");
        }
    }
}
