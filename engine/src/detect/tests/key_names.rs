//! What names of keys mean: tables.

use crate::detect::keys::classify;
use crate::detect::structural as rule;
use crate::detect::{Hint, KeyVerdict};

fn check(key: &str, expected: &str) {
    let said = match classify(key) {
        KeyVerdict::Plain => "plain",
        KeyVerdict::Sensitive(ix) => rule::ROWS[usize::from(ix.0)].id,
        KeyVerdict::Context(context) => match context.hint {
            Hint::Public => "public",
            Hint::Secret(_) => "suggestive",
            Hint::Connection(_) => "connection",
            Hint::Version => "version",
            Hint::Rare => "rare",
            Hint::Service(_) => "service",
            Hint::Person => "person",
            Hint::Named => "named",
            Hint::Phone => "phone",
            Hint::Card => "card",
            Hint::NationalId => "national",
            Hint::Bank => "bank",
            Hint::None | Hint::Allowed | Hint::Told(_) | Hint::Member(_) => "none",
        },
    };
    assert_eq!(said, expected, "{key}");
}

#[test]
fn keys_mean_what_people_mean() {
    for key in "password master_password masterUserPassword db-password DB_PASSWORD PGPASSWORD admin.password password_wo \
                administrator_login_password password_hash secret_string secret_binary api_key apiKey APIKey client_secret \
                clientSecret secret_access_key primary_access_key private_key private_key_pem private_key_openssh auth_token \
                access_token encryption_key license_key passphrase ses_smtp_password_v4 kube_config_raw MYSQL_ROOT_PASSWORD \
                webhook_secret client_key_data secretAccessKey user_password sas_token account_key hec_token \
                wp_passwd dbPassword REDIS_AUTH_TOKEN signing_key bot_token"
        .split_whitespace()
    {
        check(key, "sensitive-key");
    }
    for key in "secret_arn secret_name token_type password_length password_policy min_password_length key_name public_key \
                kms_key_id kms_key_arn token_ttl password_enabled secret_version private_key_path password_reset_required \
                secret_manager_id api_key_id access_key_id secret_status password_last_used key_vault_id token_endpoint \
                etag source_code_hash arn id self_link content_md5 next_token image_digest key_usage key_spec certificate \
                manage_master_user_password_enabled api_key_source"
        .split_whitespace()
    {
        check(key, "public");
    }
    for key in "name bucket_name region engine function_name display_name resource_name end_date rotation_type algorithm"
        .split(' ')
    {
        // Told of what they stand in, whatever that is called.
        check(key, "none");
    }
    for key in "address host user username port tags kubernetes.io/cluster/dr-webhooks \
                hash_key range_key partition_key object_key city owner bucket_key user_data"
        .split_whitespace()
    {
        check(key, "plain");
    }
    for key in "token secret auth credentials primary_key instrumentation_key secrets basic_auth docker_auth"
        .split_whitespace()
    {
        check(key, "suggestive");
    }
    for key in "deepgram_key FAL_KEY snyk_access assemblyai clarifai_api flagsmith_env_key".split_whitespace()
    {
        check(key, "service");
    }
}

#[test]
fn words_in_names_are_weighed_against_each_other() {
    for (key, said) in [
        ("password2", "sensitive-key"),
        ("api_key1", "sensitive-key"),
        ("token3", "suggestive"),
        ("sha256", "public"),
        ("password_auth", "public"),
        ("linear", "plain"),
        ("PASSWORD_PROD", "sensitive-key"),
        ("password_eu_west_1", "sensitive-key"),
        ("prod_token_primary", "suggestive"),
        ("github_token_prod", "suggestive"),
        ("ftp_pass", "sensitive-key"),
        ("proxy_pass", "suggestive"),
        ("Contraseña", "sensitive-key"),
        ("пароль_базы", "sensitive-key"),
        ("Größe", "plain"),
        ("senha_banco", "sensitive-key"),
        ("senha_id", "public"),
        ("nopasswd", "plain"),
        ("checksum/secret", "public"),
        ("signing_algorithm_mnemonic", "public"),
        ("secret_id", "service"),
        ("lock_token", "public"),
        ("root_pw", "sensitive-key"),
        ("snmp_community", "sensitive-key"),
        ("TF_TOKEN_app_terraform_io", "sensitive-key"),
        ("AROABFU15VRFWDDWF3PAT", "plain"),
        ("v2PAT", "sensitive-key"),
        ("k8s_v2_pat", "sensitive-key"),
        ("first_name", "person"),
        ("contactName", "person"),
        ("street_address", "postal-address"),
        ("address_line_1", "postal-address"),
        ("date_of_birth", "birth-date"),
        ("phone_number", "phone"),
        ("ssn", "national"),
        ("card_number", "card"),
        ("connection_string", "connection"),
        ("primary_connection_string", "connection"),
        ("DATABASE_URL", "connection"),
        ("bank_account", "bank"),
        ("key", "rare"),
        ("seed", "rare"),
        ("totp_seed", "sensitive-key"),
        ("engine_version", "version"),
        ("secretsmanager_secret_version", "public"),
    ] {
        check(key, said);
    }
}
