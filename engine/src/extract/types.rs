//! Which Terraform resource types become catalog entities, and as what.
//!
//! Must never decide by a wildcard: a type that nobody listed is counted, not published.

use std::collections::HashMap;

/// What a listed resource type becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRule {
    /// `spec.type` of the Resource, for example `database`.
    pub spec_type: String,
}

/// The allow-list: Terraform resource type → rule. Built once, shared by all tenants with the same configuration.
#[derive(Debug, Clone, Default)]
pub struct TypeTable {
    rules: HashMap<String, TypeRule>,
}

impl TypeTable {
    /// The list that ships with Terrasift: what a person who looks for "our databases" expects, not every rule,
    /// attachment and association (tens of thousands of entities make a catalog slow).
    #[must_use]
    pub fn builtin() -> Self {
        let row = |(spec_type, rtypes): &(&str, &[&str])| {
            let rule = TypeRule { spec_type: (*spec_type).to_owned() };
            rtypes.iter().map(|rtype| ((*rtype).to_owned(), rule.clone())).collect::<Vec<_>>()
        };
        Self { rules: BUILTIN.iter().flat_map(row).collect() }
    }

    /// Adds or replaces types: `(resource type, spec.type)`. An empty `spec.type` takes the type off the list.
    #[must_use]
    pub fn with_types(mut self, types: Vec<(String, String)>) -> Self {
        for (rtype, spec_type) in types {
            if spec_type.is_empty() {
                self.rules.remove(&rtype);
            } else {
                self.rules.insert(rtype, TypeRule { spec_type });
            }
        }
        self
    }

    /// The rule of a type; `None` is "count it only".
    #[must_use]
    pub fn get(&self, rtype: &str) -> Option<&TypeRule> {
        self.rules.get(rtype)
    }

    /// Number of listed types.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether no type is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// `spec.type` and the resource types that are it. Names as in the providers' documentation.
const BUILTIN: &[(&str, &[&str])] = &[
    (
        "api-gateway",
        &[
            "aws_api_gateway_rest_api",
            "aws_apigatewayv2_api",
            "azurerm_api_management",
            "google_api_gateway_gateway",
        ],
    ),
    (
        "cache",
        &[
            "aws_elasticache_cluster",
            "aws_elasticache_replication_group",
            "aws_elasticache_serverless_cache",
            "aws_memorydb_cluster",
            "azurerm_redis_cache",
            "google_redis_instance",
            "google_memcache_instance",
        ],
    ),
    (
        "cdn",
        &[
            "aws_cloudfront_distribution",
            "azurerm_cdn_frontdoor_profile",
            "azurerm_cdn_profile",
            "google_compute_backend_bucket",
        ],
    ),
    (
        "certificate",
        &[
            "aws_acm_certificate",
            "azurerm_key_vault_certificate",
            "google_certificate_manager_certificate",
            "google_compute_managed_ssl_certificate",
        ],
    ),
    (
        "cloud-project",
        &["aws_organizations_account", "azurerm_resource_group", "google_project", "google_folder"],
    ),
    (
        "container-registry",
        &[
            "aws_ecr_repository",
            "azurerm_container_registry",
            "google_artifact_registry_repository",
            "digitalocean_container_registry",
        ],
    ),
    (
        "container-service",
        &[
            "aws_apprunner_service",
            "aws_ecs_cluster",
            "aws_ecs_service",
            "azurerm_container_app",
            "azurerm_container_group",
            "google_cloud_run_service",
            "google_cloud_run_v2_service",
            "google_cloud_run_v2_job",
            "digitalocean_app",
        ],
    ),
    (
        "data-warehouse",
        &[
            "aws_redshift_cluster",
            "aws_redshiftserverless_workgroup",
            "azurerm_synapse_workspace",
            "google_bigquery_dataset",
            "snowflake_database",
            "snowflake_warehouse",
            "databricks_cluster",
        ],
    ),
    (
        "database",
        &[
            "aws_db_instance",
            "aws_rds_cluster",
            "aws_docdb_cluster",
            "aws_dynamodb_table",
            "aws_neptune_cluster",
            "aws_keyspaces_table",
            "azurerm_cosmosdb_account",
            "azurerm_mssql_database",
            "azurerm_mssql_server",
            "azurerm_mysql_flexible_server",
            "azurerm_postgresql_flexible_server",
            "azurerm_postgresql_server",
            "google_alloydb_cluster",
            "google_bigtable_instance",
            "google_firestore_database",
            "google_spanner_instance",
            "google_sql_database_instance",
            "digitalocean_database_cluster",
            "mongodbatlas_cluster",
            "mongodbatlas_advanced_cluster",
            "mysql_database",
            "postgresql_database",
        ],
    ),
    (
        "dns-zone",
        &[
            "aws_route53_zone",
            "azurerm_dns_zone",
            "azurerm_private_dns_zone",
            "cloudflare_zone",
            "google_dns_managed_zone",
            "digitalocean_domain",
        ],
    ),
    (
        "file-system",
        &[
            "aws_efs_file_system",
            "aws_fsx_lustre_file_system",
            "azurerm_storage_share",
            "google_filestore_instance",
        ],
    ),
    (
        "function",
        &[
            "aws_lambda_function",
            "azurerm_function_app",
            "azurerm_linux_function_app",
            "azurerm_windows_function_app",
            "cloudflare_workers_script",
            "cloudflare_worker_script",
            "google_cloudfunctions_function",
            "google_cloudfunctions2_function",
        ],
    ),
    ("helm-release", &["helm_release"]),
    (
        "iam-role",
        &["aws_iam_role", "azurerm_user_assigned_identity", "google_service_account", "vault_policy"],
    ),
    ("key", &["aws_kms_key", "azurerm_key_vault_key", "google_kms_crypto_key"]),
    (
        "kubernetes-cluster",
        &[
            "aws_eks_cluster",
            "azurerm_kubernetes_cluster",
            "google_container_cluster",
            "digitalocean_kubernetes_cluster",
            "rancher2_cluster",
            "linode_lke_cluster",
        ],
    ),
    ("kubernetes-namespace", &["kubernetes_namespace", "kubernetes_namespace_v1"]),
    (
        "kubernetes-workload",
        &[
            "kubernetes_cron_job_v1",
            "kubernetes_daemon_set_v1",
            "kubernetes_daemonset",
            "kubernetes_deployment",
            "kubernetes_deployment_v1",
            "kubernetes_stateful_set",
            "kubernetes_stateful_set_v1",
        ],
    ),
    ("kubernetes-service", &["kubernetes_ingress_v1", "kubernetes_service", "kubernetes_service_v1"]),
    (
        "load-balancer",
        &[
            "aws_alb",
            "aws_elb",
            "aws_lb",
            "azurerm_application_gateway",
            "azurerm_lb",
            "google_compute_forwarding_rule",
            "google_compute_global_forwarding_rule",
            "digitalocean_loadbalancer",
            "cloudflare_load_balancer",
        ],
    ),
    (
        "log-group",
        &[
            "aws_cloudwatch_log_group",
            "azurerm_log_analytics_workspace",
            "google_logging_project_bucket_config",
        ],
    ),
    (
        "message-broker",
        &[
            "aws_mq_broker",
            "aws_msk_cluster",
            "azurerm_eventhub_namespace",
            "azurerm_servicebus_namespace",
            "confluent_kafka_cluster",
        ],
    ),
    ("network", &["aws_vpc", "azurerm_virtual_network", "google_compute_network", "digitalocean_vpc"]),
    (
        "queue",
        &["aws_sqs_queue", "azurerm_servicebus_queue", "azurerm_storage_queue", "google_cloud_tasks_queue"],
    ),
    ("repository", &["github_repository", "gitlab_project", "azuredevops_git_repository"]),
    (
        "search-cluster",
        &["aws_elasticsearch_domain", "aws_opensearch_domain", "azurerm_search_service", "ec_deployment"],
    ),
    (
        "secret-store",
        &["aws_secretsmanager_secret", "azurerm_key_vault", "google_secret_manager_secret", "vault_mount"],
    ),
    (
        "storage-bucket",
        &[
            "aws_s3_bucket",
            "azurerm_storage_account",
            "azurerm_storage_container",
            "cloudflare_r2_bucket",
            "digitalocean_spaces_bucket",
            "google_storage_bucket",
        ],
    ),
    ("stream", &["aws_kinesis_firehose_delivery_stream", "aws_kinesis_stream", "azurerm_eventhub"]),
    ("subnet", &["aws_subnet", "azurerm_subnet", "google_compute_subnetwork"]),
    (
        "topic",
        &[
            "aws_cloudwatch_event_bus",
            "aws_sns_topic",
            "azurerm_eventgrid_topic",
            "azurerm_servicebus_topic",
            "confluent_kafka_topic",
            "google_pubsub_topic",
            "google_pubsub_subscription",
            "kafka_topic",
        ],
    ),
    (
        "virtual-machine",
        &[
            "aws_autoscaling_group",
            "aws_instance",
            "azurerm_linux_virtual_machine",
            "azurerm_linux_virtual_machine_scale_set",
            "azurerm_windows_virtual_machine",
            "digitalocean_droplet",
            "google_compute_instance",
            "google_compute_instance_group_manager",
            "hcloud_server",
            "linode_instance",
            "openstack_compute_instance_v2",
            "vsphere_virtual_machine",
        ],
    ),
    (
        "web-app",
        &[
            "aws_amplify_app",
            "aws_elastic_beanstalk_environment",
            "azurerm_linux_web_app",
            "azurerm_static_web_app",
            "azurerm_windows_web_app",
            "cloudflare_pages_project",
            "google_app_engine_application",
            "vercel_project",
        ],
    ),
    ("workflow", &["aws_sfn_state_machine", "azurerm_logic_app_workflow", "google_workflows_workflow"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_list_names_each_type_once_and_users_extend_it() {
        let rows: usize = BUILTIN.iter().map(|(_, rtypes)| rtypes.len()).sum();
        let table = TypeTable::builtin();
        assert_eq!(table.len(), rows, "a type stands twice");
        let table = table.with_types(vec![
            ("acme_widget".to_owned(), "widget".to_owned()),
            ("aws_s3_bucket".to_owned(), "bucket".to_owned()),
            ("aws_subnet".to_owned(), String::new()),
        ]);
        let cases = [
            ("aws_db_instance", Some("database")),
            ("acme_widget", Some("widget")),
            ("aws_s3_bucket", Some("bucket")),
            ("aws_subnet", None),
            ("random_password", None),
            ("aws_secretsmanager_secret_version", None),
        ];
        for (rtype, spec_type) in cases {
            assert_eq!(table.get(rtype).map(|rule| rule.spec_type.as_str()), spec_type, "{rtype}");
        }
    }
}
