//! Owns the outputs and check results of a state. It must never give a copy of a secret a name that tells.

/// Name and body, compact, with slots; in the order of the names, as Terraform writes them.
pub(crate) const OUTPUTS: &[(&str, &str)] = &[
    (
        "api_endpoint",
        r#"{"value":"https://<low:10>.execute-api.<region>.amazonaws.com/prod","type":"string"}"#,
    ),
    (
        "bootstrap_note",
        r#"{"value":"the operator signs in as operator / <!shared@output-copy> until the first rotation","type":"string"}"#,
    ),
    (
        "cluster",
        r#"{"value":{"arn":"arn:aws:eks:<region>:<acct>:cluster/<word>","nodes":3,"version":"1.33","oidc":"https://oidc.eks.<region>.amazonaws.com/id/<up:32>"},"type":["object",{"arn":"string","nodes":"number","version":"string","oidc":"string"}]}"#,
    ),
    ("db_password", r#"{"value":"<!password@output>","type":"string","sensitive":true}"#),
    ("deployer", r#"{"value":"<!any@output>","type":"string"}"#),
    ("image_digest", r#"{"value":"sha256:<hex:64>","type":"string"}"#),
    (
        "kubeconfig",
        r#"{"value":{"host":"https://<up:32>.gr7.<region>.eks.amazonaws.com","token":"<!token@output>"},"type":["object",{"host":"string","token":"string"}],"sensitive":true}"#,
    ),
    ("message_for_operator", r#"{"value":"<!shared@output-copy>","type":"string"}"#),
    ("oncall", r#"{"value":["<!email@output>"],"type":["tuple",["string"]]}"#),
    ("release", r#"{"value":"<ver>","type":"string"}"#),
    ("vpc_id", r#"{"value":"vpc-0<hex:16>","type":"string"}"#),
];

/// Bodies of `check_results`, compact.
pub(crate) const CHECKS: &[&str] = &[
    r#"{"object_kind":"resource","config_addr":"null_resource.heartbeat_0","status":"pass","objects":[{"object_addr":"null_resource.heartbeat_0","status":"pass"}]}"#,
    r#"{"object_kind":"check","config_addr":"check.health","status":"fail","objects":[{"object_addr":"check.health","status":"fail","failure_messages":["https://app.prod.internal answered 503, release <ver>","login with <!any@check-message> was refused"]}]}"#,
];
