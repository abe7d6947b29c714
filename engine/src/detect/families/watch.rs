//! Observability, alerting and security tooling.

use super::{Family, token};

#[rustfmt::skip]
pub(super) const ROWS: &[Family] = &[
    token("new-relic-user-key", "New Relic user key", &[r"NRAK-[A-Z0-9]{27}"], "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"),
    token("new-relic-ingest-key", "New Relic license, insert or query key", &[r"NRII-\s{32}", r"NRIQ-\s{32}", r"NRAA-\h{27}", r"\h{36}NRAL", r"\h{32}FFFFNRAL"], "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"),
    token("new-relic-browser-key", "New Relic browser key", &[r"NRJS-\h{19}"], "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"),
    token("datadog-key", "Datadog key with prefix", &[r"ddpat_\a{30,}", r"ddapp_\a{30,}", r"ddapi_\a{30,}"], "https://docs.datadoghq.com/account_management/api-app-keys/"),
    token("grafana-service-token", "Grafana service account token", &[r"glsa_\a{32}_\h{8}", r"glsa_\w{30,}"], "https://grafana.com/docs/grafana/latest/administration/service-accounts/"),
    token("grafana-cloud-token", "Grafana Cloud token", &[r"glc_[A-Za-z0-9+/=_-]{32,}"], "https://grafana.com/docs/grafana-cloud/account-management/authentication-and-permissions/access-policies/"),
    token("grafana-legacy-key", "Grafana API key", &[r"eyJrIjoi[A-Za-z0-9+/=_-]{40,}"], "https://grafana.com/docs/grafana/latest/developers/http_api/auth/"),
    token("sentry-token", "Sentry token", &[r"sntrys_eyJ[A-Za-z0-9+/=_-]{40,}", r"sntrys_[A-Za-z0-9+/=_-]{40,}", r"sntryu_\h{60,}", r"sntrya_\h{60,}", r"sntryi_\h{60,}"], "https://docs.sentry.io/account/auth-tokens/"),
    token("honeycomb-key", "Honeycomb key", &[r"hcaik_\l{58,}", r"hcbik_\l{58,}", r"hcaic_\l{58,}", r"hcamk_\l{58,}", r"hcxik_\l{58,}", r"hcxlk_\l{58,}"], "https://docs.honeycomb.io/configure/environments/manage-api-keys/"),
    token("dynatrace-token", "Dynatrace token", &[r"dt0c01\.[A-Z2-7]{24}\.[A-Z2-7]{64}", r"dt0s01\.[A-Z2-7]{24}\.[A-Z2-7]{64}", r"dt0s02\.[A-Z2-7]{8}\.[A-Z2-7]{64}", r"dt0s16\.[A-Z2-7]{8,24}\.[A-Z2-7]{64}"], "https://docs.dynatrace.com/docs/dynatrace-api/basics/dynatrace-api-authentication"),
    token("pagerduty-key", "PagerDuty user token", &[r"pdus\+_0XBPWQQ_\s{30,}"], "https://support.pagerduty.com/main/docs/api-access-keys"),
    token("axiom-token", "Axiom token", &[r"xaat-[0-9a-f-]{36}", r"xapt-[0-9a-f-]{36}"], "https://axiom.co/docs/reference/tokens"),
    token("logfire-token", "Pydantic Logfire token", &[r"pylf_v1_[a-z]{2}_\a{30,}"], "https://logfire.pydantic.dev/docs/"),
    token("posthog-key", "PostHog personal key", &[r"phx_\a{40,}", r"phs_\s{40,}"], "https://posthog.com/docs/api"),
    token("checkly-key", "Checkly key", &[r"cu_\h{32}", r"sv_\h{32}"], "https://www.checklyhq.com/docs/accounts-and-users/creating-api-key/"),
    token("hyperdx-key", "HyperDX key", &[r"hdx_\a{30,}"], "https://clickhouse.com/docs/use-cases/observability/clickstack"),
    token("coralogix-key", "Coralogix key", &[r"cxtp_\a{30}", r"cxup_\a{30}", r"cxth_\a{30}"], "https://coralogix.com/docs/user-guides/account-management/api-keys/"),
    token("socket-token", "Socket token", &[r"sktsec_\s{40,}", r"endr\+\a{16,}"], "https://docs.socket.dev"),
    token("gitguardian-token", "GitGuardian token", &[r"gg_pat_\a{40,}", r"gg_sat_\a{40,}"], "https://docs.gitguardian.com/api-docs/authentication"),
    token("censys-token", "Censys token", &[r"censys_\a{8}_\a{20,}"], "https://docs.censys.com"),
    token("artillery-key", "Artillery key", &[r"a9_\a{30,}"], "https://www.artillery.io/docs"),
    token("percy-token", "Percy token", &[r"web_\h{64}", r"app_\h{64}", r"auto_\h{64}"], "https://www.browserstack.com/docs/percy"),
    token("rootly-key", "Rootly key", &[r"rootly_\h{60,}"], "https://rootly.com/api"),
    token("stytch-secret", "Stytch secret", &[r"secret-live-[A-Za-z0-9_=-]{36}", r"secret-test-[A-Za-z0-9_=-]{36}"], "https://stytch.com/docs"),
    token("knock-key", "Knock key", &[r"sk_knock_\s{20,}"], "https://docs.knock.app"),
    token("firehydrant-token", "FireHydrant bot token", &[r"fhb-[0-9a-f-]{32,36}"], "https://docs.firehydrant.com/docs/api-keys"),
    token("sqreen-token", "Sqreen organization token", &[r"org_\h{60,64}"], "https://github.com/sqreen"),
];
