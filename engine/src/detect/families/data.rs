//! Databases and data platforms.

use super::{Family, token, weak};

#[rustfmt::skip]
pub(super) const ROWS: &[Family] = &[
    token("planet-key", "Planet API key", &[r"PLAK\h{32}"], "https://docs.planet.com/develop/authentication/"),
    token("databricks-token", "Databricks token", &[r"dapi\h{32}[-0-9]{0,2}", r"dose\h{32}", r"dkea\h{32}"], "https://docs.databricks.com/en/dev-tools/auth/pat.html"),
    token("confluent-secret", "Confluent Cloud secret", &[r"cflt\b{60}"], "https://docs.confluent.io/cloud/current/security/authenticate/workload-identities/service-accounts/api-keys/overview.html"),
    token("aiven-token", "Aiven token", &[r"aivenv1\b{60,}", r"AVNS_\s{12,}"], "https://aiven.io/docs/platform/concepts/authentication-tokens"),
    token("mongodb-atlas-secret", "MongoDB Atlas service account secret", &[r"mdb_sa_sk_\s{30,}"], "https://www.mongodb.com/docs/atlas/api/service-accounts-overview/"),
    token("cockroach-key", "CockroachDB Cloud key", &[r"CCDB1_\a{22}_\a{40}"], "https://www.cockroachlabs.com/docs/cockroachcloud/managing-access"),
    token("clickhouse-cloud-secret", "ClickHouse Cloud secret", &[r"4b1d\a{38}"], "https://clickhouse.com/docs/cloud/manage/openapi"),
    token("prisma-key", "Prisma service token", &[r"prisma\+postgres://[A-Za-z0-9./-]{4,80}\?api_key=([A-Za-z0-9_.-]{20,})"], "https://www.prisma.io/docs/accelerate"),
    token("xata-key", "Xata key", &[r"xau_\a{20,}"], "https://xata.io/docs/getting-started/api-keys"),
    token("fauna-secret", "Fauna secret", &[r"fnA\a{5}\s{30,32}"], "https://docs.fauna.com"),
    token("tinybird-token", "Tinybird token", &[r"p\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"], "https://www.tinybird.co/docs/get-started/administration/auth-tokens"),
    token("dbt-cloud-token", "dbt Cloud token", &[r"dbtc_\s{30,}", r"dbtu_\s{30,}"], "https://docs.getdbt.com/docs/dbt-cloud-apis/authentication"),
    token("secret-token-uri", "RFC 8959 secret-token", &[r"secret-token:\s{20,}"], "https://www.rfc-editor.org/rfc/rfc8959"),
    token("elastic-cloud-key", "Elastic Cloud API key", &[r"essu_[A-Za-z0-9+/=]{60,}"], "https://www.elastic.co/docs/deploy-manage/api-keys/elastic-cloud-api-keys"),
    token("elastic-service-token", "Elasticsearch service token", &[r"AAEAAWVsYXN0aWMv[A-Za-z0-9_=-]{20,}"], "https://www.elastic.co/docs/deploy-manage/users-roles/cluster-or-deployment-auth/service-accounts"),
    token("astra-token", "DataStax Astra token", &[r"AstraCS:\a{24}:\h{64}"], "https://docs.datastax.com/en/astra-db-serverless/administration/manage-application-tokens.html"),
    token("materialize-app-password", "Materialize app password", &[r"mzp_\h{64}"], "https://materialize.com/docs/manage/users-service-accounts/create-service-accounts/"),
    token("nightfall-key", "Nightfall key", &[r"NF-\a{32,}"], "https://help.nightfall.ai/developer-api"),
    token("zuplo-key", "Zuplo consumer key", &[r"zpka_\w{30,}"], "https://zuplo.com/docs/articles/api-key-management"),
    token("ethereum-node-url", "Key in the address of an Ethereum node", &[r"alchemyapi.io/v2/(\s{32})", r"g.alchemy.com/v2/(\s{32})", r"infura.io/v3/(\h{32})", r"infura.io/ws/v3/(\h{32})", r"quiknode.pro/(\h{40})"], "https://docs.metamask.io/services/"),
    token("thingsboard-device-token", "ThingsBoard device token", &[r"/api/v1/(\a{20})/telemetry", r"/api/v1/(\a{20})/attributes"], "https://thingsboard.io/docs/reference/http-api/"),
    weak("databento-key", "Databento key", &[r"db-\a{29}"], "https://databento.com/docs"),
    token("hex-token", "Hex token", &[r"hxtp_\h{64,128}", r"hxtw_\h{64,128}"], "https://learn.hex.tech/docs"),
    token("warpstream-key", "WarpStream key", &[r"aks_\h{64}"], "https://docs.warpstream.com"),
];
