//! What providers' schemas call sensitive, by the type of a resource. Terraform wrote these marks into the state from 1.8 on;
//! before, `random_password.result` stood there like any other attribute.
//!
//! Knows types and names of attributes; must never look at a value.

/// Types, sorted, and the paths of their attributes.
type Table = &'static [(&'static str, &'static [&'static str])];

/// Attributes, sorted by type: those whose own name does not tell (`detect/keys.rs`). A dot leads into a block, over its
/// lists. Sources: the providers' own documentation of what is "sensitive".
#[rustfmt::skip]
const TYPES: Table = &[
    ("acme_certificate", &["certificate_p12", "private_key_pem"]),
    ("acme_registration", &["account_key_pem"]),
    ("aiven_service_user", &["access_key", "password"]),
    ("akeyless_static_secret", &["value"]),
    ("auth0_action", &["secrets.value"]),
    ("auth0_rule_config", &["value"]),
    ("aws_appsync_api_key", &["key"]),
    ("aws_codebuild_source_credential", &["token", "user_name"]),
    ("aws_ecr_authorization_token", &["authorization_token", "password"]),
    ("aws_ecrpublic_authorization_token", &["authorization_token", "password"]),
    ("aws_eks_cluster_auth", &["token"]),
    ("aws_glue_connection", &["athena_properties", "connection_properties"]),
    ("aws_grafana_workspace_api_key", &["key"]),
    ("aws_grafana_workspace_service_account_token", &["key"]),
    ("aws_iot_certificate", &["ca_pem", "private_key", "public_key"]),
    ("aws_kms_ciphertext", &["plaintext"]),
    ("aws_kms_secrets", &["plaintext"]),
    ("aws_pinpoint_apns_channel", &["bundle_id", "certificate", "private_key", "team_id", "token_key", "token_key_id"]),
    ("aws_pinpoint_gcm_channel", &["api_key", "service_json"]),
    ("aws_secretsmanager_random_password", &["random_password"]),
    ("aws_sns_platform_application", &["platform_credential", "platform_principal"]),
    ("aws_ssm_activation", &["activation_code"]),
    ("aws_vpn_connection", &["customer_gateway_configuration", "tunnel1_preshared_key", "tunnel2_preshared_key"]),
    ("azuread_application_certificate", &["value"]),
    ("azuread_application_password", &["value"]),
    ("azuread_service_principal_certificate", &["value"]),
    ("azuread_service_principal_password", &["value"]),
    ("azuread_synchronization_secret", &["credential.value"]),
    ("azurerm_app_service", &["connection_string.value", "custom_domain_verification_id", "site_credential"]),
    ("azurerm_container_app", &["secret.value"]),
    ("azurerm_container_group", &["container.secure_environment_variables", "container.volume.secret", "init_container.secure_environment_variables"]),
    ("azurerm_data_factory_credential", &["value"]),
    ("azurerm_express_route_circuit", &["service_key"]),
    ("azurerm_express_route_circuit_authorization", &["authorization_key"]),
    ("azurerm_function_app", &["connection_string.value", "custom_domain_verification_id", "site_credential"]),
    ("azurerm_key_vault_certificate", &["certificate.contents", "certificate.password"]),
    ("azurerm_key_vault_certificate_data", &["key", "pem"]),
    ("azurerm_key_vault_secret", &["value"]),
    ("azurerm_kubernetes_cluster", &["kube_admin_config", "kube_admin_config_raw", "kube_config", "kube_config_raw"]),
    ("azurerm_linux_function_app", &["connection_string.value", "custom_domain_verification_id", "site_credential"]),
    ("azurerm_linux_web_app", &["connection_string.value", "custom_domain_verification_id", "site_credential"]),
    ("azurerm_logic_app_trigger_http_request", &["callback_url"]),
    ("azurerm_static_site", &["api_key"]),
    ("azurerm_static_web_app", &["api_key"]),
    ("azurerm_storage_account_blob_container_sas", &["connection_string", "sas"]),
    ("azurerm_storage_account_sas", &["connection_string", "sas"]),
    ("azurerm_virtual_machine_extension", &["protected_settings"]),
    ("azurerm_virtual_machine_scale_set_extension", &["protected_settings"]),
    ("azurerm_windows_function_app", &["connection_string.value", "custom_domain_verification_id", "site_credential"]),
    ("azurerm_windows_web_app", &["connection_string.value", "custom_domain_verification_id", "site_credential"]),
    ("bitwarden_item_login", &["notes", "password", "totp", "field.hidden"]),
    ("bitwarden_item_secure_note", &["notes", "field.hidden"]),
    ("boundary_credential_json", &["object"]),
    ("cloudflare_argo_tunnel", &["secret", "tunnel_token"]),
    ("cloudflare_tunnel", &["secret", "tunnel_token"]),
    ("cloudflare_worker_script", &["secret_text_binding.text"]),
    ("cloudflare_workers_script", &["secret_text_binding.text"]),
    ("cloudflare_zero_trust_tunnel_cloudflared", &["secret", "tunnel_secret", "tunnel_token"]),
    ("confluent_connector", &["config_sensitive"]),
    ("consul_acl_token_secret_id", &["encrypted_secret_id", "secret_id"]),
    ("databricks_secret", &["string_value"]),
    ("datadog_api_key", &["key"]),
    ("datadog_application_key", &["key"]),
    ("digitalocean_container_registry_docker_credentials", &["docker_credentials"]),
    ("digitalocean_database_cluster", &["private_uri", "ui_uri", "uri"]),
    ("digitalocean_database_connection_pool", &["private_uri", "uri"]),
    ("digitalocean_kubernetes_cluster", &["kube_config"]),
    ("docker_secret", &["data"]),
    ("doppler_secret", &["computed", "value"]),
    ("doppler_secrets", &["map"]),
    ("doppler_service_token", &["key"]),
    ("ec_deployment_elasticsearch_keystore", &["value"]),
    ("elasticstack_elasticsearch_security_api_key", &["api_key", "encoded"]),
    ("github_actions_environment_secret", &["encrypted_value", "plaintext_value"]),
    ("github_actions_organization_secret", &["encrypted_value", "plaintext_value"]),
    ("github_actions_secret", &["encrypted_value", "plaintext_value"]),
    ("github_codespaces_secret", &["encrypted_value", "plaintext_value"]),
    ("github_dependabot_secret", &["encrypted_value", "plaintext_value"]),
    ("google_apikeys_key", &["key_string"]),
    ("google_client_config", &["access_token"]),
    ("google_compute_disk", &["disk_encryption_key.raw_key", "source_image_encryption_key.raw_key", "source_snapshot_encryption_key.raw_key"]),
    ("google_compute_instance", &["attached_disk.disk_encryption_key_raw", "boot_disk.disk_encryption_key_raw"]),
    ("google_compute_region_ssl_certificate", &["private_key"]),
    ("google_compute_router_peer", &["md5_authentication_key.key"]),
    ("google_compute_snapshot", &["snapshot_encryption_key.raw_key", "source_disk_encryption_key.raw_key"]),
    ("google_compute_ssl_certificate", &["private_key"]),
    ("google_container_cluster", &["master_auth.client_key"]),
    ("google_kms_secret", &["plaintext"]),
    ("google_kms_secret_asymmetric", &["plaintext"]),
    ("google_kms_secret_ciphertext", &["plaintext"]),
    ("google_monitoring_notification_channel", &["sensitive_labels"]),
    ("google_redis_instance", &["auth_string"]),
    ("google_secret_manager_regional_secret_version", &["secret_data"]),
    ("google_secret_manager_secret_version", &["secret_data"]),
    ("google_service_account_access_token", &["access_token"]),
    ("google_service_account_id_token", &["id_token"]),
    ("google_service_account_jwt", &["jwt"]),
    ("google_service_account_key", &["private_key"]),
    ("google_storage_hmac_key", &["secret"]),
    ("grafana_api_key", &["key"]),
    ("grafana_data_source", &["http_headers", "secure_json_data", "secure_json_data_encoded"]),
    ("grafana_service_account_token", &["key"]),
    ("helm_release", &["set_sensitive.value"]),
    ("heroku_addon", &["config_var_values"]),
    ("heroku_app", &["all_config_vars", "sensitive_config_vars"]),
    ("heroku_app_config_association", &["sensitive_vars"]),
    ("heroku_config", &["sensitive_vars"]),
    ("ibm_iam_api_key", &["apikey"]),
    ("ibm_resource_key", &["credentials", "credentials_json"]),
    ("ibm_sm_arbitrary_secret", &["payload"]),
    ("ibm_sm_kv_secret", &["data"]),
    ("infisical_secret", &["value"]),
    ("keycloak_ldap_user_federation", &["bind_credential"]),
    ("kubernetes_secret", &["binary_data", "data"]),
    ("kubernetes_secret_v1", &["binary_data", "data"]),
    ("kubernetes_secret_v1_data", &["data"]),
    ("launchdarkly_environment", &["api_key", "client_side_id", "mobile_key"]),
    ("linode_instance", &["root_pass", "stackscript_data"]),
    ("linode_lke_cluster", &["kubeconfig"]),
    ("local_file", &["sensitive_content"]),
    ("local_sensitive_file", &["content", "content_base64"]),
    ("mongodbatlas_third_party_integration", &["api_token", "microsoft_teams_webhook_url", "secret", "url"]),
    ("netlify_environment_variable", &["secret_values"]),
    ("newrelic_synthetics_secure_credential", &["value"]),
    ("nomad_csi_volume", &["secrets"]),
    ("nomad_csi_volume_registration", &["secrets"]),
    ("nomad_variable", &["items"]),
    ("nomad_volume", &["secrets"]),
    ("oci_identity_customer_secret_key", &["key"]),
    ("oci_vault_secret", &["secret_content.content"]),
    ("okta_event_hook", &["auth"]),
    ("okta_inline_hook", &["auth"]),
    ("onepassword_item", &["credential", "note_value", "password", "section.field.value"]),
    ("openstack_keymanager_secret_v1", &["payload"]),
    ("planetscale_password", &["plain_text", "plaintext"]),
    ("proxmox_virtual_environment_user_token", &["value"]),
    ("rabbitmq_federation_upstream", &["definition.uri"]),
    ("rabbitmq_shovel", &["info.destination_uri", "info.source_uri"]),
    ("rancher2_secret", &["data"]),
    ("rancher2_secret_v2", &["data"]),
    ("random_password", &["bcrypt_hash", "result"]),
    ("scaleway_container", &["secret_environment_variables"]),
    ("scaleway_container_namespace", &["secret_environment_variables"]),
    ("scaleway_function", &["secret_environment_variables"]),
    ("scaleway_function_namespace", &["secret_environment_variables"]),
    ("scaleway_secret_version", &["data"]),
    ("snowflake_stage", &["credentials"]),
    ("sops_external", &["data", "raw"]),
    ("sops_file", &["data", "raw"]),
    ("tailscale_tailnet_key", &["key"]),
    ("tfe_ssh_key", &["key"]),
    ("tls_private_key", &["private_key_openssh", "private_key_pem", "private_key_pem_pkcs8"]),
    ("twilio_iam_keys", &["secret"]),
    ("upstash_redis_database", &["read_only_rest_token", "rest_token"]),
    ("vault_approle_auth_backend_role_secret_id", &["secret_id", "wrapping_token"]),
    ("vault_aws_access_credentials", &["access_key", "secret_key", "security_token"]),
    ("vault_gcp_secret_backend", &["credentials"]),
    ("vault_generic_endpoint", &["data_json", "write_data", "write_data_json"]),
    ("vault_generic_secret", &["data", "data_json"]),
    ("vault_kv_secret", &["data", "data_json"]),
    ("vault_kv_secret_v2", &["data", "data_json"]),
    ("vault_token", &["client_token"]),
    ("wireguard_preshared_key", &["key"]),
    ("zitadel_machine_key", &["key_details"]),
];

/// As [`TYPES`], where the same attribute holds what is no secret as often: a state that Terraform 1.8 or later wrote tells
/// which does.
#[rustfmt::skip]
const UNSURE: Table = &[
    ("aws_ssm_parameter", &["value"]),
    ("aws_ssm_parameters_by_path", &["values"]),
    ("azuredevops_variable_group", &["variable.secret_value"]),
    ("azurerm_api_management_named_value", &["value"]),
    ("azurerm_app_configuration_key", &["value"]),
    ("azurerm_linux_virtual_machine", &["custom_data"]),
    ("azurerm_linux_virtual_machine_scale_set", &["custom_data", "extension.protected_settings"]),
    ("azurerm_orchestrated_virtual_machine_scale_set", &["extension.protected_settings", "os_profile.custom_data"]),
    ("azurerm_windows_virtual_machine", &["additional_unattend_content.content", "custom_data"]),
    ("azurerm_windows_virtual_machine_scale_set", &["additional_unattend_content.content", "custom_data", "extension.protected_settings"]),
    ("bitbucket_deployment_variable", &["value"]),
    ("bitbucket_repository_variable", &["value"]),
    ("bitbucket_workspace_variable", &["value"]),
    ("circleci_context_environment_variable", &["value"]),
    ("circleci_environment_variable", &["value"]),
    ("cloudflare_logpush_job", &["destination_conf", "ownership_challenge"]),
    ("datadog_synthetics_global_variable", &["value"]),
    ("datadog_webhook_custom_variable", &["value"]),
    ("digitalocean_app", &["spec.env.value", "spec.service.env.value", "spec.worker.env.value", "spec.job.env.value", "spec.static_site.env.value"]),
    ("env0_configuration_variable", &["value"]),
    ("gitlab_group_variable", &["value"]),
    ("gitlab_instance_variable", &["value"]),
    ("gitlab_project_mirror", &["url"]),
    ("gitlab_project_variable", &["value"]),
    ("kubectl_manifest", &["live_manifest_incluster", "yaml_body", "yaml_incluster"]),
    ("octopusdeploy_variable", &["sensitive_value"]),
    ("scalr_variable", &["value"]),
    ("spacelift_environment_variable", &["value"]),
    ("spacelift_mounted_file", &["content"]),
    ("sumologic_http_source", &["url"]),
    ("tfe_notification_configuration", &["token", "url"]),
    ("tfe_outputs", &["values"]),
    ("tfe_policy_set_parameter", &["value"]),
    ("tfe_variable", &["value"]),
    ("vercel_project", &["environment.value"]),
    ("vercel_project_environment_variable", &["value"]),
    ("vercel_shared_environment_variable", &["value"]),
];

/// What a type that is called after a secret keeps it in, at whatever provider.
#[rustfmt::skip]
const VALUES: &[&str] = &[
    "binary_data", "client_token", "content", "content_base64", "contents", "credential", "credentials", "data", "data_json",
    "encrypted_value", "jwt", "key", "key_string", "payload", "plain_text", "plaintext", "plaintext_value", "result", "secret",
    "secret_binary", "secret_data", "secret_string", "secret_text", "secret_value", "sensitive_value", "string_value", "token",
    "token_value", "value",
];

/// How such types end.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "_secret", "_secrets", "_password", "_token", "_credential", "_credentials", "_api_key", "_access_key", "_secret_key",
    "_application_key", "_setup_key", "_secret_version", "_secret_value",
];

/// A bit for the length and the last bytes of each type in both tables: most types are in neither, and a search for one costs
/// more than following it.
const LISTED: [u64; LISTED_WORDS] = listed();
const LISTED_WORDS: usize = 64;

const fn listed() -> [u64; LISTED_WORDS] {
    let mut bits = [0; LISTED_WORDS];
    let tables = [TYPES, UNSURE];
    let mut table = 0;
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            let bit = ending(tables[table][row].0.as_bytes());
            bits[bit / 64] |= 1 << (bit % 64);
            row += 1;
        }
        table += 1;
    }
    bits
}

/// The bit of a name.
const fn ending(name: &[u8]) -> usize {
    const LAST: usize = 6;
    let mut folded = name.len();
    let mut at = name.len().saturating_sub(LAST);
    while at < name.len() {
        folded = folded.wrapping_mul(31).wrapping_add(byte(name[at]));
        at += 1;
    }
    folded % (64 * LISTED_WORDS)
}

#[expect(clippy::as_conversions, reason = "a byte fits; a constant is made with it")]
const fn byte(byte: u8) -> usize {
    byte as usize
}

/// Whether a type may be in a table.
fn may_be_listed(name: &str) -> bool {
    let bit = ending(name.as_bytes());
    LISTED[bit / 64] >> (bit % 64) & 1 == 1
}

/// Whether a state of this version of Terraform has the marks of schemas. What is not known has none.
#[must_use]
pub fn writes_marks(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    matches!((parts.next().flatten(), parts.next().flatten()), (Some(major), Some(minor)) if (major, minor) >= (1, 8))
}

/// The paths of attributes that a resource of this type keeps secret, whether its instances say so or not. `marked`: the
/// state's own marks are complete ([`writes_marks`]).
#[must_use]
pub fn of(resource_type: &str, marked: bool) -> &'static [&'static str] {
    // No type has one: what seems to be its end may not be.
    if resource_type.contains('\\') {
        return &[];
    }
    let of_table =
        |table: Table| table.binary_search_by_key(&resource_type, |row| row.0).ok().map(|at| table[at].1);
    if may_be_listed(resource_type) {
        if let Some(paths) = of_table(TYPES) {
            return paths;
        }
        if let Some(paths) = of_table(UNSURE) {
            return if marked { &[] } else { paths };
        }
    }
    // How all of these end.
    if !matches!(
        resource_type.as_bytes().last(),
        Some(b't' | b's' | b'd' | b'n' | b'l' | b'y' | b'e' | b'0'..=b'9')
    ) {
        return &[];
    }
    let name = resource_type.trim_end_matches(|c: char| c.is_ascii_digit());
    let name = if name.len() < resource_type.len() { name.strip_suffix("_v") } else { Some(name) };
    let name = name.unwrap_or(resource_type);
    if ENDS.iter().any(|end| name.ends_with(end)) { VALUES } else { &[] }
}

/// The type in the header of a resource: JSON whose strings are closed, up to where its instances begin.
pub(super) fn type_of(header: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"\"type\"";
    let mut after_key = memchr::memchr_iter(b'"', header).filter_map(|at| header[at..].strip_prefix(KEY));
    // Only a key stands before a colon.
    let value = after_key.find_map(|rest| rest.trim_ascii_start().strip_prefix(b":"))?;
    let text = value.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', text)?;
    std::str::from_utf8(&text[..end]).ok()
}

/// How the paths of a type lead to a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Not at all.
    None,
    /// On the way to what is marked: these paths, by their bits, of which so many names were passed.
    Below { paths: &'static [&'static str], live: u64, passed: u32 },
    /// What stands there is marked.
    Whole,
}

impl Mark {
    /// At the attributes of a type with these paths. `None`: there are too many.
    pub(super) fn of(paths: &'static [&'static str]) -> Option<Self> {
        let unused = u64::BITS.checked_sub(u32::try_from(paths.len()).ok()?)?;
        Some(Self::Below { paths, live: u64::MAX.checked_shr(unused)?, passed: 0 })
    }

    /// At the elements of a list here: paths pass over it, but attributes are no list.
    pub(super) fn element(self) -> Self {
        match self {
            Self::Below { passed: 0, .. } => Self::None,
            mark => mark,
        }
    }

    /// At a member of what stands here. `None`: that has to be walked (`marks.rs` passes over a
    /// `value`).
    pub(super) fn member(self, key: &str) -> Option<Self> {
        let Self::Below { paths, live, passed } = self else { return Some(self) };
        let mut left = 0;
        for (n, path) in paths.iter().enumerate().filter(|(n, _)| live >> n & 1 == 1) {
            let mut names = path.split('.').skip(usize::try_from(passed).ok()?);
            if names.next() == Some(key) {
                if names.next().is_none() {
                    return Some(Self::Whole);
                }
                left |= 1 << n;
            }
        }
        match (key, left) {
            ("value", _) => None,
            (_, 0) => Some(Self::None),
            (_, live) => Some(Self::Below { paths, live, passed: passed + 1 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_and_known_ones_are_found() {
        for table in [TYPES, UNSURE] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert!(table.iter().all(|row| may_be_listed(row.0) && !of(row.0, false).is_empty()));
        }
        for end in ENDS {
            for version in ["", "_v1", "_v12"] {
                assert_eq!(of(&format!("somecloud_x{end}{version}"), true), VALUES, "{end}{version}");
            }
        }
        for (name, paths) in [
            ("random_password", &["bcrypt_hash", "result"][..]),
            ("helm_release", &["set_sensitive.value"]),
            ("somecloud_vault_secret", VALUES),
            ("somecloud_secret_v2", VALUES),
            ("aws_secretsmanager_secret_version", VALUES),
            ("aws_ssm_parameter", &[]),
            ("aws_kms_key", &[]),
            ("aws_instance", &[]),
            ("aws_lb_listener_v2", &[]),
            ("a\\\"b_secret", &[]),
        ] {
            assert_eq!(of(name, true), paths, "{name}");
        }
    }

    #[test]
    fn what_is_unsure_counts_where_the_state_does_not_tell() {
        assert_eq!(of("aws_ssm_parameter", false), ["value"]);
        for (version, marked) in [
            ("1.8.0", true),
            ("1.13.4", true),
            ("2.0.0-beta1", true),
            ("1.7.5", false),
            ("0.12.31", false),
            ("", false),
        ] {
            assert_eq!(writes_marks(version), marked, "{version}");
        }
    }

    #[test]
    fn the_type_of_a_header_is_read() {
        for (header, told) in [
            (r#"{"mode":"managed","type":"a_b","name":"type","instances":["#, Some("a_b")),
            (r#"{"name":"type", "type" : "a_b", "instances": ["#, Some("a_b")),
            (r#"{"module":"module.x[\"type\"]","type":"c","instances":["#, Some("c")),
            (r#"{"mode":"managed","instances":["#, None),
            (r#"{"type":1,"instances":["#, None),
        ] {
            assert_eq!(type_of(header.as_bytes()), told, "{header}");
        }
    }
}
