//! Owns the longer plain texts that hold secrets: scripts, configuration files, mails. They are encoded as a whole where they are
//! used. It must never hold a secret itself: only slots.

/// Name and text; slots as in `template.rs`, with `|raw` implied.
pub(crate) const TEXTS: &[(&str, &str)] = &[
    (
        "script",
        "#!/bin/bash\nset -euo pipefail\ncat <<EOF >/etc/app/release\nversion=<ver>\ncommit=<hex:40>\nEOF\nexport DEPLOY_TOKEN='<!any>'\ncurl -fsS -H \"Authorization: Bearer <!jwt>\" https://deploy.prod.internal/v1/register\npsql \"<!postgres-url>\" -c 'select 1'\nsystemctl restart app\n",
    ),
    (
        "bootstrap",
        "#cloud-config\nwrite_files:\n  - path: /etc/app/env\n    permissions: '0600'\n    content: |\n      APP_VERSION=<ver>\n      ADMIN_LOGIN=operator:<!shared>\n      VENDOR=<!any>\n      PEER=<ip>\nruncmd:\n  - [systemctl, enable, --now, app]\n",
    ),
    (
        "plain",
        "host artifacts-<hex:6>.prod.internal\nimage sha256:<hex:64>\nbuild <uuid>\naccess <!any>\nsecond <!any>\n",
    ),
    (
        "copies",
        "operator notes, release <ver>\nthe operator signs in as operator / <!shared> on host <word>-<hex:6>\n",
    ),
    (
        "properties",
        "# generated <ts>\nserver.port=8080\nspring.datasource.url=<!jdbc-url>\nspring.datasource.username=app\nspring.datasource.password=<!token>\nbuild.commit=<hex:40>\nfeature.flags=search,checkout\nexport.target=<!basic-auth-url>\n",
    ),
    (
        "values",
        "image:\n  repository: registry.prod.internal/<word>\n  digest: sha256:<hex:64>\nreplicaCount: 3\nconfig:\n  smtpPassword: \"<!token>\"\n  databaseUrl: <!mysql-url>\n  cacheUrl: <!redis-url>\n  brokerUrl: <!amqp-url>\nresources:\n  limits:\n    memory: 512Mi\n",
    ),
    ("docker-auth", "deploy-bot:<!token>"),
    ("service-account", "<!gcp-service-account>"),
    ("pem", "<!private-key-pkcs8>"),
    (
        "provider-private",
        "{\"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0\":{\"create\":600000000000},\"session\":\"<!any>\",\"schema_version\":\"1\"}",
    ),
    ("kube-token", "<!jwt>"),
    ("kube-password", "<!token>"),
];
