//! Entities: golden examples, Backstage's rules, relations, collisions, bounds, the last sweep.

use std::collections::BTreeMap;

use proptest::prelude::*;
use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::workspace::WorkspaceFacts;

use super::super::{MEMORY_BYTES_MAX, StateHead};
use super::{HEAD, Resource, assert_valid, extract, extractor, facts, feed, json};
use crate::refusal::RefusalKind;

fn by_address(entities: &[RenderedEntity]) -> BTreeMap<String, serde_json::Value> {
    let named = entities.iter().map(json).map(|entity| {
        let address = entity["metadata"]["annotations"]["terraform.io/resource-address"]
            .as_str()
            .unwrap_or("workspace");
        (address.to_owned(), entity.clone())
    });
    named.collect()
}

fn sample() -> Vec<Resource> {
    let database = r#""attributes":{"id":"db-1","arn":"arn:aws:rds:eu-west-1:1:db:main","identifier":"main",
        "engine":"postgres","engine_version":"16.3","endpoint":"main.abc.eu-west-1.rds.example.com:5432",
        "password":"[REDACTED:credential]","tags":{"Owner":"Data Team","Environment":"prod","Contact":"[REDACTED:pii]"},
        "tags_all":{"Owner":"Data Team","Environment":"prod","CostCenter":"42"}},
        "dependencies":["aws_subnet.private","aws_vpc.main","random_password.db"]"#;
    let mut volume = Resource::new(None, "aws_ebs_volume", "x", &[(None, "")]);
    volume.instances.push((None, String::new(), true));
    let mut data = Resource::new(None, "aws_vpc", "other", &[(None, "")]);
    data.mode = "data";
    vec![
        Resource::new(None, "aws_db_instance", "main", &[(None, database)]),
        Resource::new(
            None,
            "aws_subnet",
            "private",
            &[
                (Some("0"), r#""dependencies":["aws_vpc.main"]"#),
                (Some("1"), r#""dependencies":["aws_vpc.main"]"#),
            ],
        ),
        Resource::new(None, "aws_vpc", "main", &[(None, r#""attributes":{"id":"vpc-1","tags":null}"#)]),
        volume,
        data,
    ]
}

#[test]
fn a_state_becomes_these_entities() {
    let entities = extract(&sample()).expect("entities");
    assert_valid(&entities);
    let entities = by_address(&entities);
    assert_eq!(entities.len(), 5);
    insta::assert_json_snapshot!("workspace", entities["workspace"]);
    insta::assert_json_snapshot!("database", entities["aws_db_instance.main"]);
}

#[test]
fn a_workspace_without_state_is_one_entity() {
    let extractor = extractor("acme", "ws-1");
    let entities =
        extractor.finish(&WorkspaceFacts::default(), StateHead::default(), &mut |_| None).expect("entities");
    assert_valid(&entities);
    assert_eq!(entities.len(), 1);
    insta::assert_json_snapshot!("stateless", json(&entities[0]));
}

#[test]
fn the_order_of_members_and_resources_changes_nothing() {
    let expected = extract(&sample()).expect("entities");
    let mut reversed = sample();
    reversed.reverse();
    for (resources, early) in [(sample(), false), (reversed.clone(), true), (reversed, false)] {
        let mut extractor = extractor("acme", "ws-1");
        feed(&mut extractor, &resources, early).expect("fed");
        assert_eq!(extractor.resource_count(), 5);
        assert_eq!(extractor.finish(&facts(), HEAD, &mut |_| None), Ok(expected.clone()));
    }
}

#[test]
fn an_apply_that_changes_no_resource_re_emits_the_workspace_only() {
    let old = extract(&sample()).expect("entities");
    let mut extractor = extractor("acme", "ws-1");
    feed(&mut extractor, &sample(), true).expect("fed");
    let head = StateHead { serial: 43, state_version: Some("sv-next"), created_at: Some("2027"), ..HEAD };
    let mut facts = facts();
    facts.updated_at = Some("2027".to_owned());
    let new = extractor.finish(&facts, head, &mut |_| None).expect("entities");
    let changed: Vec<&str> =
        old.iter().zip(&new).filter(|(a, b)| a.digest != b.digest).map(|(a, _)| a.kind.as_str()).collect();
    assert_eq!(changed, ["TerraformWorkspace"]);
}

#[test]
fn addresses_that_differ_in_case_or_redaction_only_are_told_apart() {
    let redacted = r#""[REDACTED:pii]""#;
    let resources = vec![
        Resource::new(None, "aws_s3_bucket", "logs", &[(Some("\"A\""), ""), (Some("\"a\""), "")]),
        Resource::new(None, "aws_s3_bucket", "Logs", &[(None, "")]),
        Resource::new(Some("module.m"), "aws_s3_bucket", "logs", &[(None, "")]),
    ];
    let entities = extract(&resources).expect("entities");
    assert_valid(&entities);
    assert_eq!(entities.len(), 5);

    // Two raw keys that redaction made equal: the identities differ, because they come from the raw address.
    let mut extractor = extractor("acme", "ws-1");
    let key = super::key();
    let instance = format!(r#"{{"index_key":{redacted}}}"#);
    for raw in [br#""a@example.com""#, br#""b@example.com""#] {
        extractor.instance(instance.as_bytes(), key.instance(Some(raw), None), false).expect("kept");
    }
    let header = super::ResourceHeader {
        module: None,
        mode: "managed",
        rtype: "aws_iam_role",
        name: "u",
        provider: "",
    };
    extractor.resource_end(header, key.resource("", "managed", "aws_iam_role", "u")).expect("kept");
    let entities = extractor.finish(&facts(), HEAD, &mut |_| None).expect("entities");
    assert_valid(&entities);
    assert_eq!(entities.len(), 3);
}

#[test]
fn an_instance_that_stands_twice_is_refused() {
    let resources = vec![Resource::new(None, "aws_vpc", "a", &[(None, ""), (None, "")])];
    assert_eq!(extract(&resources).map_err(|refusal| refusal.kind), Err(RefusalKind::DuplicateMember));
    let block = Resource::new(None, "aws_vpc", "a", &[(None, "")]);
    let twice = vec![block.clone(), block];
    assert_eq!(extract(&twice).map_err(|refusal| refusal.kind), Err(RefusalKind::DuplicateMember));
}

#[test]
fn dependencies_resolve_to_published_entities_of_the_same_module_instance() {
    let on = |address: &str| format!(r#""dependencies":["{address}"]"#);
    let inner = on("module.m.aws_vpc.v");
    let resources = vec![
        Resource::new(Some("module.m[\"x\"]"), "aws_vpc", "v", &[(None, "")]),
        Resource::new(Some("module.m[\"y\"]"), "aws_vpc", "v", &[(None, "")]),
        Resource::new(Some("module.m[\"x\"]"), "aws_subnet", "s", &[(None, &inner)]),
        Resource::new(None, "aws_subnet", "root", &[(None, &inner)]),
        Resource::new(None, "aws_subnet", "self", &[(Some("0"), &on("aws_subnet.self")), (Some("1"), "")]),
        Resource::new(None, "aws_lb", "none", &[(None, &on("aws_vpc.gone"))]),
        Resource::new(None, "aws_lb", "data", &[(None, &on("data.aws_vpc.v"))]),
        Resource::new(None, "aws_lb", "redacted", &[(None, &on("aws_vpc.[REDACTED:pii]"))]),
    ];
    let entities = extract(&resources).expect("entities");
    assert_valid(&entities);
    let entities = by_address(&entities);
    let reference =
        |address: &str| format!("resource:acme/{}", entities[address]["metadata"]["name"].as_str().unwrap());
    let (x, y) = (reference("module.m[\"x\"].aws_vpc.v"), reference("module.m[\"y\"].aws_vpc.v"));
    let cases = [
        ("module.m[\"x\"].aws_subnet.s", vec![x.clone()]),
        ("aws_subnet.root", vec![x, y]),
        ("aws_subnet.self[0]", vec![reference("aws_subnet.self[1]")]),
        ("aws_lb.none", vec![]),
        ("aws_lb.data", vec![]),
        ("aws_lb.redacted", vec![]),
    ];
    for (address, mut expected) in cases {
        expected.sort();
        let targets = entities[address]["spec"]["dependsOn"].as_array().expect("a list");
        assert!(
            targets[0].as_str().is_some_and(|t| t.starts_with("terraformworkspace:acme/acme-network-prod-"))
        );
        let rest: Vec<&str> = targets[1..].iter().filter_map(|t| t.as_str()).collect();
        assert_eq!(rest, expected, "{address}");
    }
}

#[test]
fn the_last_sweep_sees_texts_before_they_are_lower_cased_and_cut() {
    let secret = "LATE&Secret-9";
    let escaped = secret.replace('&', "\\u0026");
    let members = format!(
        r#""attributes":{{"id":"x-{secret}","tags":{{"{secret}":"v","k":"{secret}"}},"endpoint":"{secret}.example.com","arn":"{escaped}"}}"#
    );
    let index = format!("\"{escaped}\"");
    let module = format!("module.{secret}");
    let resources = vec![
        Resource::new(Some(&module), "aws_vpc", secret, &[(Some(&index), &members)]),
        Resource::new(None, secret, "x", &[(None, "")]),
    ];
    let mut facts = facts();
    facts.name = format!("net {secret}");
    facts.description = Some(secret.to_owned());
    facts.tags.push(format!("owner:{secret}"));
    facts.vcs_branch = Some(secret.to_owned());
    facts.html_url = Some(format!("https://tfc.example/{secret}"));
    facts.variables.push((secret.to_owned(), true));
    let mut extractor = extractor("acme", "ws-1");
    feed(&mut extractor, &resources, false).expect("fed");
    let head = StateHead { terraform_version: Some(secret), ..HEAD };
    let mut sweep = |text: &str| text.contains(secret).then(|| text.replace(secret, "[REDACTED:credential]"));
    let entities = extractor.finish(&facts, head, &mut sweep).expect("entities");
    assert_valid(&entities);
    assert_eq!(entities.len(), 2);
    for entity in &entities {
        let body = String::from_utf8_lossy(&entity.body).to_lowercase();
        assert!(!body.contains("late"), "{body}");
    }
}

#[test]
fn what_is_large_is_bounded_or_refused() {
    let long = "y".repeat(5_000);
    let members = format!(
        r#""attributes":{{"id":"{long}","arn":"short","tags":{{{}}}}},"dependencies":["aws_vpc.many"]"#,
        (0..500).map(|n| format!(r#""key{n}":"{}""#, "\\u0001".repeat(200))).collect::<Vec<_>>().join(",")
    );
    let many: Vec<(Option<String>, String, bool)> =
        (0..300).map(|n| (Some(n.to_string()), String::new(), false)).collect();
    let mut vpcs = Resource::new(None, "aws_vpc", "many", &[]);
    vpcs.instances = many;
    let resources = vec![Resource::new(Some(&long), "aws_subnet", &long, &[(None, &members)]), vpcs];
    let mut extractor = extractor("acme", "ws-1");
    feed(&mut extractor, &resources, true).expect("fed");
    for n in 0..9_000 {
        let rtype = format!("type_{n}");
        extractor.count_instance(false);
        let header = super::ResourceHeader {
            module: None,
            mode: "managed",
            rtype: &rtype,
            name: "n",
            provider: &rtype,
        };
        extractor.resource_end(header, super::key().resource("", "managed", &rtype, "n")).expect("counted");
    }
    let mut facts = facts();
    facts.description = Some("\u{1}".repeat(9_000));
    facts.tags = (0..900).map(|n| format!("tag{n}:{}", "\u{1}".repeat(900))).collect();
    facts.variables = (0..900).map(|n| (format!("{}{n}", "\u{1}".repeat(100)), true)).collect();
    let entities = extractor.finish(&facts, HEAD, &mut |_| None);
    let entities = entities.expect("entities");
    assert_valid(&entities);
    let subnet =
        entities.iter().find(|e| e.resource_type.as_deref() == Some("aws_subnet")).expect("the subnet");
    let subnet = json(subnet);
    assert_eq!(subnet["metadata"]["annotations"].get("terraform.io/resource-id"), None);
    assert_eq!(subnet["metadata"]["annotations"]["terraform.io/resource-arn"], "short");
    assert_eq!(subnet["spec"]["dependsOn"].as_array().map(Vec::len), Some(65));
}

#[test]
fn above_64_mib_the_state_is_refused_and_what_is_not_listed_costs_nothing() {
    let key = super::key();
    let mut extractor = extractor("acme", "ws-1");
    let instance = format!(r#"{{"attributes":{{"id":"{0}","arn":"{0}","name":"{0}"}}}}"#, "z".repeat(1_000));
    assert!(!extractor.resource_begin("managed", "random_password"));
    for _ in 0..100_000 {
        extractor.count_instance(false);
    }
    let header = super::ResourceHeader {
        module: None,
        mode: "managed",
        rtype: "random_password",
        name: "p",
        provider: "",
    };
    extractor.resource_end(header, key.resource("", "managed", "random_password", "p")).expect("counted");
    assert_eq!((extractor.resource_count(), extractor.memory_bytes()), (100_000, 0));
    let refusal = (0..100_000_u32).find_map(|n| {
        let identity = key.instance(Some(n.to_string().as_bytes()), None);
        extractor.instance(instance.as_bytes(), identity, false).err()
    });
    assert_eq!(refusal.map(|refusal| refusal.kind), Some(RefusalKind::TooLarge));
    assert!(extractor.memory_bytes() <= MEMORY_BYTES_MAX + 8_192);
}

fn resources() -> impl Strategy<Value = Vec<Resource>> {
    let rtype =
        prop_oneof![Just("aws_vpc"), Just("aws_subnet"), Just("aws_lambda_function"), Just("null_resource")];
    let member = (any::<String>(), any::<String>(), any::<String>(), "[a-z:.@/]{0,30}").prop_map(
        |(id, key, value, host)| {
            let attributes =
                serde_json::json!({ "id": id, "tags": { (key): value, "owner": host }, "endpoint": host });
            format!(r#""attributes":{attributes},"dependencies":["aws_vpc.a","module.m.aws_subnet.b"]"#)
        },
    );
    let index = any::<Option<String>>().prop_map(|key| key.map(|key| serde_json::json!(key).to_string()));
    let block = (any::<Option<String>>(), rtype, "[a-cA-C]{1,2}|\\PC{1,20}", index, member);
    let resource = block.prop_map(|(module, rtype, name, index, member)| {
        Resource::new(module.as_deref(), rtype, &name, &[(index.as_deref(), &member)])
    });
    proptest::collection::vec(resource, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_is_extracted_is_valid_for_backstage(
        resources in resources(), name in any::<String>(), url in "(https://)?[a-z:@/.?#]{0,40}",
        tags in proptest::collection::vec("[A-Za-z:= ü]{0,20}", 0..5),
    ) {
        let mut facts = facts();
        facts.name = name;
        facts.vcs_url = Some(url.clone());
        facts.html_url = Some(url);
        facts.tags = tags;
        let mut extractor = extractor("acme", "ws-1");
        feed(&mut extractor, &resources, false).expect("fed");
        match extractor.finish(&facts, HEAD, &mut |_| None) {
            Ok(entities) => assert_valid(&entities),
            Err(refusal) => prop_assert_eq!(refusal.kind, RefusalKind::DuplicateMember),
        }
    }
}
