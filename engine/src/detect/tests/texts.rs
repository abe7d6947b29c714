//! Texts under keys: what is left of them. Secrets are assembled from parts, so that no scanner of repositories trips.

use std::cell::RefCell;

use super::{redact, rules};

const CRED: &str = "[REDACTED:credential]";
const PII: &str = "[REDACTED:pii]";
const NET: &str = "[REDACTED:infrastructure]";

thread_local! {
    static WRONG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// `{c}`, `{p}`, `{i}` in the expectation stand for markers. Collects what is wrong, so that a table tells all at once.
fn check(key: &str, text: &str, expected: &str) {
    let expected = expected.replace("{c}", CRED).replace("{p}", PII).replace("{i}", NET);
    let got = redact(&rules(), key, text);
    if got != expected {
        WRONG.with_borrow_mut(|wrong| {
            wrong.push(format!("under {key}:\n  is     {got}\n  should {expected}"))
        });
    }
}

fn settle() {
    WRONG.with_borrow(|wrong| assert!(wrong.is_empty(), "{}", wrong.join("\n")));
}

/// Looks drawn, is nobody's.
fn drawn(n: usize) -> String {
    "Zk3qXv9LmT0wRb7YhU2cNd5gPf8sJa1eQi6o".chars().cycle().take(n).collect()
}

#[test]
fn secret_parts_of_longer_texts_go_alone() {
    let long = drawn(32);
    for (key, text, expected) in [
        ("url", "postgres://app:hunter2@host/db".to_owned(), "postgres://app:{c}@host/db"),
        (
            "url",
            "postgres://app:p@ss/w:rd?x@host:5432/db?sslmode=on".to_owned(),
            "postgres://app:{c}@host:5432/db?sslmode=on",
        ),
        ("url", "amqps://u:pw%40d@mq.example:5671/v".to_owned(), "amqps://u:{c}@mq.example:5671/v"),
        (
            "url",
            format!("https://x.test/a?b=1&access_token={long}&c=2"),
            "https://x.test/a?b=1&access_token={c}&c=2",
        ),
        ("url", format!("https://{long}@host.test/x"), "https://{c}@host.test/x"),
        (
            "connection_string",
            "Server=db;User Id=sa;Password=p;w,d;Encrypt=true".to_owned(),
            "Server=db;User Id=sa;Password={c};Encrypt=true",
        ),
        (
            "user_data",
            format!("#!/bin/sh\nexport DB_PASSWORD=hunter2\nrun --token {long} -v\n"),
            "#!/bin/sh\nexport DB_PASSWORD={c}\nrun --token {c} -v\n",
        ),
        (
            "user_data",
            "db:\n  password: two words # why\n  user: app\n".to_owned(),
            "db:\n  password: {c} # why\n  user: app\n",
        ),
        (
            "user_data",
            "key:\n  password: |\n    line one\n    line two\n  user: app\n".to_owned(),
            "key:\n  password: |\n    {c}\n  user: app\n",
        ),
        (
            "script",
            "<password>geheim</password><user>x</user>".to_owned(),
            "<password>{c}</password><user>x</user>",
        ),
        (
            "script",
            "curl -H 'Authorization: Bearer abcdefgh12345678' x".to_owned(),
            "curl -H 'Authorization: Bearer {c}' x",
        ),
        ("script", "CREATE USER a WITH PASSWORD 'x y z';".to_owned(), "CREATE USER a WITH PASSWORD '{c}';"),
        (
            "policy_text",
            r#"{"a":{"password":"x\"y","n":[1,{"apiKey":"k"}]},"b":"c"}"#.to_owned(),
            r#"{"a":{"password":"{c}","n":[1,{"apiKey":"{c}"}]},"b":"c"}"#,
        ),
        (
            "defs",
            r#"[{"name":"DB_PASSWORD","value":"hunter2"},{"value":"other","name":"MODE"}]"#.to_owned(),
            r#"[{"name":"DB_PASSWORD","value":"{c}"},{"value":"other","name":"MODE"}]"#,
        ),
        (
            "nested",
            r#"{"x":"{\"y\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}"}"#.to_owned(),
            r#"{"x":"{\"y\":\"{\\\"password\\\":\\\"{c}\\\"}\"}"}"#,
        ),
    ] {
        check(key, &text, expected);
    }
    settle();
}

#[test]
fn people_networks_and_keys_are_told() {
    let long = drawn(32);
    for (key, text, expected) in [
        ("text", "\u{00fc} mail j\u{00f6}rg@b\u{00fc}ro.example now".to_owned(), "\u{00fc} mail {p} now"),
        ("text", "to ann@example.org, bob@example.org.".to_owned(), "to {p}, {p}."),
        ("cidr", "10.1.2.0/24".to_owned(), "{i}"),
        (
            "text",
            "from 192.168.0.7:8080 to fd00:1::7/64 and 172.20.1.1".to_owned(),
            "from {i}:8080 to {i} and {i}",
        ),
        ("text", "card 4111 1111 1111 1111 and 378282246310005.".to_owned(), "card {p} and {p}."),
        (
            "text",
            "ssn 219-09-9999, call +49 30 901820 or (415) 555-2671".to_owned(),
            "ssn {p}, call {p} or {p}",
        ),
        ("text", "pay GB82 WEST 1234 5698 7654 32 now".to_owned(), "pay {p} now"),
        (
            "text",
            "NI number AB 12 34 56 C, DNI 12345678Z, PESEL: 44051401359".to_owned(),
            "NI number {p}, DNI {p}, PESEL: {p}",
        ),
        ("text", "routing 111000025 and nhs 943 476 5919".to_owned(), "routing {p} and nhs {p}"),
        // Missed by seed 77 of the planted measure: the announcing words stand joined behind another one.
        ("text", "failed: abaRoutingNumber=\"111000025\"".to_owned(), "failed: abaRoutingNumber=\"{p}\""),
        ("text", "prerouting 111000025".to_owned(), "prerouting 111000025"),
        ("note", format!("the key is {long} today"), "the key is {c} today"),
        ("token", long.clone(), "{c}"),
        ("password", "null".to_owned(), "{c}"),
        ("first_name", "Ann".to_owned(), "{p}"),
        ("phone_number", "030 901820".to_owned(), "{p}"),
        ("text", "a [REDACTED:pii] b ann@example.org".to_owned(), "a [REDACTED:pii] b {p}"),
        ("text", "%70assword%3Dhunter2%26x".to_owned(), "%70assword%3D{c}"),
    ] {
        check(key, &text, expected);
    }
    settle();
}

#[test]
fn blocks_and_encodings_go_whole() {
    let begin = |label: &str| format!("-----{} {label}-----", "BEGIN");
    let end = |label: &str| format!("-----{} {label}-----", "END");
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\nVJTUt9Us8cKjMzEfYyjiWA4R4\n";
    let key = format!("{}\n{body}{}\n", begin("RSA PRIVATE KEY"), end("RSA PRIVATE KEY"));
    let certificate = format!("{}\n{body}{}\n", begin("CERTIFICATE"), end("CERTIFICATE"));
    check("pem", &key, "{c}\n");
    check("pem", &format!("{certificate}{key}"), &format!("{certificate}{{c}}\n"));
    check("pem", &format!("{}\n{body}", begin("OPENSSH PRIVATE KEY")), "{c}");
    check("pem", &format!("{}\\n{}", begin("EC PRIVATE KEY"), body.replace('\n', "\\n")), "{c}");
    check(
        "x",
        &format!(
            "{} PRIVATE KEY BLOCK-----\n\nlQ==\n-----END PGP PRIVATE KEY BLOCK-----",
            begin("PGP").trim_end_matches('-')
        ),
        "{c}",
    );
    check("certificate_chain", &certificate, &certificate);
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let script = "#!/bin/sh\nexport DB_PASSWORD=hunter2\necho done, and more";
    for encoded in
        [STANDARD.encode(script), URL_SAFE_NO_PAD.encode(script), STANDARD.encode(STANDARD.encode(script))]
    {
        check("blob", &encoded, "{c}");
        check("blob", &format!("echo {encoded} | base64 -d"), "echo {c} | base64 -d");
    }
    let harmless = STANDARD.encode("#!/bin/sh\nyum install -y nginx\nsystemctl start nginx\n");
    check("blob", &harmless, &harmless);
    let token = format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(r#"{"sub":"1234567890"}"#),
        "c2lnbmF0dXJlc2lnbmF0dXJl"
    );
    check("x", &format!("jwt {token}."), "jwt {c}.");
    settle();
}

#[test]
fn what_the_planted_measure_missed_once_goes() {
    let long = drawn(40);
    for (key, text, expected) in [
        (
            "x",
            "failed: {\"a\":\"b\",\"nif\":\"71949441J\"}".to_owned(),
            "failed: {\"a\":\"b\",\"nif\":\"{p}\"}",
        ),
        ("x", format!("setx SPACES_SECRET_ACCESS_KEY /{long} /M"), "setx SPACES_SECRET_ACCESS_KEY {c} /M"),
        ("x", "see (20.422.787-K) for details".to_owned(), "see ({p}) for details"),
        (
            "x",
            "Condition failed: socialSecurityNumber=\"219099999\"".to_owned(),
            "Condition failed: socialSecurityNumber=\"{p}\"",
        ),
        (
            "x",
            "Condition failed: FAX_NUMBER=\"07667 585463\"".to_owned(),
            "Condition failed: FAX_NUMBER=\"{p}\"",
        ),
        (
            "x",
            format!(
                "duo_secret_key = {long}\ncontent_base64sha256 = iGDTdWJs4bT9cs3NXsxwcMYHeo+9L4qEZGSpFduk4SE=\n"
            ),
            "duo_secret_key = {c}\ncontent_base64sha256 = iGDTdWJs4bT9cs3NXsxwcMYHeo+9L4qEZGSpFduk4SE=\n",
        ),
        ("x", format!("tr_prod_{}", "WvPcAIMDCKSEzcceWexUpVFT"), "{c}"),
        ("x", "[386-41-0603]".to_owned(), "[{p}]"),
        ("x", "ann,386-41-0603,636.601.492-25,1,234,567\nbob,2".to_owned(), "ann,{p},{p},1,234,567\nbob,2"),
        ("x", format!("[8{}AzSe{}]", drawn(41), drawn(6)), "[{c}]"),
        ("x", format!("id:ory_st_{}", drawn(32)), "id:{c}"),
    ] {
        check(key, &text, expected);
    }
    settle();
}

#[test]
fn a_generated_word_behind_a_secrets_name_goes_and_the_sentence_stays() {
    for (text, expected) in [
        (
            "PRIVATE-TOKEN: LeyvBbpBQFBVAFiyGZni was taken from the old cluster",
            "PRIVATE-TOKEN: {c} was taken from the old cluster",
        ),
        (
            "AZURE_OPENAI_API_KEY: 657f9b1d9a7299e12172d556e1d7fac7 was taken from the old cluster",
            "AZURE_OPENAI_API_KEY: {c} was taken from the old cluster",
        ),
        (
            "SCW_SECRET_KEY: 668605e7-8f0b-4c35-84d2-f783b764f291 was taken from the old cluster",
            "SCW_SECRET_KEY: {c} was taken from the old cluster",
        ),
        ("GITEA_TOKEN is 245acba714a3c233a6010e7ca7b33c7780e230a3 for now", "GITEA_TOKEN is {c} for now"),
        ("set api_secret 8b9096d0f716d73ccf772c85f6c014e9", "set api_secret {c}"),
        (
            "java -DVAULT_SECRET_ID=74a3d563-c3fe-46ac-837a-76324e441aea -jar x",
            "java -DVAULT_SECRET_ID={c} -jar x",
        ),
        (
            "echo \"AUTH_TOKEN=PRIVATE-TOKEN: WRjmbvyfysQxeXUvbcWk\" >> /etc/environment",
            "echo \"AUTH_TOKEN=PRIVATE-TOKEN: {c}\" >> /etc/environment",
        ),
        ("env family_name=O'Brien cmd", "env family_name={p} cmd"),
        (
            "password: whatever it was before the move to the other cluster",
            "password: whatever it was before the move to the other cluster",
        ),
        (
            "--secret-name '/prod/db/password' --vpc-id=vpc-0dbbdfc2131b77f02 --x y",
            "--secret-name '/prod/db/password' --vpc-id=vpc-0dbbdfc2131b77f02 --x y",
        ),
        (
            "password: 8-character minimum is asked for here by everybody",
            "password: 8-character minimum is asked for here by everybody",
        ),
        (
            "api_token is needed by the terraform-provider-scaffolding at runtime",
            "api_token is needed by the terraform-provider-scaffolding at runtime",
        ),
        (
            "token: see kubernetes.io/service-account-token for what it is about",
            "token: see kubernetes.io/service-account-token for what it is about",
        ),
    ] {
        check("x", text, expected);
    }
    settle();
}

#[test]
fn look_alikes_stay() {
    for (key, text) in [
        ("arn", "arn:aws:iam::123456789012:role/Zk3qXv9LmT0wRb7YhU2cNd5g"),
        ("x", "6f1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
        ("x", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("x", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("etag", "d41d8cd98f00b204e9800998ecf8427e"),
        ("source_code_hash", "Zk3qXv9LmT0wRb7YhU2cNd5gPf8sJa1eQi6oZk3qXv8="),
        ("ami", "ami-0abcdef1234567890"),
        ("x", "vpc-0abc123def4567890"),
        (
            "self_link",
            "https://www.googleapis.com/compute/v1/projects/my-proj/zones/us-central1-a/instances/vm-1",
        ),
        ("x", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7VJTUt9Us8cKjMzEfYyjiWA4R4 user"),
        (
            "policy",
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
        ),
        ("engine_version", "10.4.2.1"),
        ("x", "2023-11-05T08:15:30.123456Z"),
        ("x", "my-deployment-7d4b9c6f5d-x2x7z"),
        ("x", "kubernetes.io/service-account-token"),
        ("cidr", "0.0.0.0/0"),
        ("ip", "8.8.8.8"),
        ("ip", "127.0.0.1"),
        ("ip", "169.254.169.254"),
        ("x", "git@github.com:org/repo.git"),
        ("x", "terraform-20230101120000000000000001"),
        ("name", "production-database-primary"),
        ("description", "Password policy for all users; the token is rotated"),
        ("secret_arn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"),
        ("token_type", "bearer"),
        ("secret", "true"),
        ("x", "password=${var.db_password}"),
        ("x", "export PASSWORD=$DB_PASSWORD"),
        ("x", "[REDACTED:credential]"),
        ("password", "[REDACTED:credential]"),
        ("password", ""),
        ("x", "postgres://app:[REDACTED:credential]@host/db"),
        ("account_id", "123456789012"),
        ("unique_id", "117171717171717171717"),
        ("x", "E2QWRUHAPOMQZL.cloudfront.net"),
        ("x", "svc@my-proj.iam.gserviceaccount.com"),
        ("image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@sha256:9f86d081884c7d659a2feaa0c55ad015"),
        ("x", "https://example.com/path?page=2&size=10"),
        (
            "x",
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        ),
        ("x", "AROAZXCVBNMASDFGHJKLQ"),
        ("name", "main_5314_OsDisk_1_0daafb510fc72c30ee3d22aa8e5ee2ae"),
    ] {
        check(key, text, text);
    }
    settle();
}

#[test]
fn a_drawn_text_with_slashes_goes_though_a_part_of_it_looks_like_a_word() {
    let secret =
        ["GML/T2pqbSTjbP705nD2B/WzHXfn9YOY2pvyr361Z/votatPMU//", "OZ+Y9jrrVi9nhZ3fOfSfThweiZigCWQkI/=="]
            .concat();
    check("input", &format!("INPUT='{secret}'"), "INPUT='{c}'");
    check("input", &secret, "{c}");
    for path in [
        "providers/Microsoft.Network/applicationGateways/FrontendGateway2/backendPools/Pool7",
        "github.com/Terraform-modules/AwsLambdaFunction/releases/DownloadV2/Package3",
        "us-east-1/AppData/Roaming/Program1/Settings2/UserPreferences/Backup",
    ] {
        check("input", path, path);
    }
    settle();
}
