//! Names, owners, tags: tables, and properties against the oracle.

use proptest::prelude::*;

use super::super::naming::{self, Address, Suffix, resource_name, workspace_name};
use super::oracle;
use crate::identity::Identity;

fn name(slug: &str, workspace: &str, rtype: &str, name: &str, index: Option<&str>) -> String {
    resource_name(slug, workspace, Address { rtype, name, index }, Identity([0xA5; 16]), Suffix::Short)
}

#[test]
fn resource_names_are_readable_lower_case_and_fit() {
    let long = "x".repeat(200);
    let cases = [
        (("acme", "net-prod", "aws_vpc", "main", None), "acme-net-prod-aws_vpc-main-uws2ljnf"),
        (
            ("acme", "net-prod", "aws_subnet", "Private", Some("0")),
            "acme-net-prod-aws_subnet-private-0-uws2ljnf",
        ),
        (
            ("acme", "Net Prod", "aws_subnet", "a", Some("\"eu/West 1\"")),
            "acme-net-prod-aws_subnet-a-eu-west-1-uws2ljnf",
        ),
        (
            ("acme", "net", "aws_iam_role", "u", Some("\"[REDACTED:pii]\"")),
            "acme-net-aws_iam_role-u-redacted-pii-uws2ljnf",
        ),
        (("acme", "日本", "aws_vpc", "größe", None), "acme-workspace-aws_vpc-gr-e-uws2ljnf"),
        (("acme", "___", "---", "", None), "acme-workspace-resource-uws2ljnf"),
        (
            ("acme", "production-europe-west", "google_compute_global_forwarding_rule", "frontend", None),
            "acme-production-europe-west-frontend-uws2ljnf",
        ),
        (
            (&long, &long, &long, &long, Some(&long)),
            "xxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxx-xxxxxxxxxxxxxx-uws2ljnf",
        ),
    ];
    for ((slug, workspace, rtype, resource, index), expected) in cases {
        assert_eq!(name(slug, workspace, rtype, resource, index), expected);
    }
    let workspaces =
        [("acme", "Net Prod", "acme-net-prod-uws2ljnf"), ("acme", "", "acme-workspace-uws2ljnf")];
    for (slug, workspace, expected) in workspaces {
        assert_eq!(workspace_name(slug, workspace, Identity([0xA5; 16])), expected);
    }
}

#[test]
fn owners_become_references_or_nobody() {
    let cases = [
        ("platform", Some("platform")),
        ("Team Platform", Some("team-platform")),
        ("group:default/Platform", Some("group:default/platform")),
        ("user:jane.doe", Some("user:jane.doe")),
        ("default/platform", Some("default/platform")),
        ("Not A Namespace/platform", Some("not-a-namespace-platform")),
        ("arn:aws:iam::1:role/x", Some("arn-aws-iam-1-role-x")),
        ("jane@example.com", None),
        ("[REDACTED:pii]", None),
        ("", None),
        ("ü", None),
    ];
    for (text, expected) in cases {
        assert_eq!(naming::owner(text).as_deref(), expected, "{text:?}");
    }
}

#[test]
fn tags_and_labels_hold_backstages_rules_or_are_dropped() {
    let tags = [
        (("Environment", "Prod"), Some("environment:prod")),
        (("bare", ""), Some("bare")),
        (("Cost Center", "A/B--C"), Some("cost-center:a-b-c")),
        (("aws:autoscaling:groupName", "x"), Some("aws:autoscaling:groupname:x")),
        (("owner", "[REDACTED:pii]"), None),
        (("日本", ""), None),
        (("k", &"v".repeat(70)), None),
    ];
    for ((key, value), expected) in tags {
        assert_eq!(naming::tag(key, value).as_deref(), expected, "{key:?} {value:?}");
    }
    let labels = [("prod", true), ("Prod-1.2_x", true), ("-x", false), ("a b", false), ("", false)];
    for (text, valid) in labels {
        assert_eq!(naming::label(text).is_some(), valid, "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_makes_a_valid_name(
        slug in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        workspace in any::<String>(), rtype in any::<String>(), resource in any::<String>(),
        index in any::<Option<String>>(), identity in any::<[u8; 16]>(), long in any::<bool>(),
    ) {
        let address = Address { rtype: &rtype, name: &resource, index: index.as_deref() };
        let suffix = if long { Suffix::Long } else { Suffix::Short };
        let made = resource_name(&slug, &workspace, address, Identity(identity), suffix);
        prop_assert!(oracle::object_name(&made), "{made:?}");
        prop_assert!(!made.contains(|c: char| c.is_ascii_uppercase()), "{made:?}");
        prop_assert_eq!(&made, &resource_name(&slug, &workspace, address, Identity(identity), suffix));
        let made = workspace_name(&slug, &workspace, Identity(identity));
        prop_assert!(oracle::object_name(&made), "{made:?}");
    }

    #[test]
    fn any_text_makes_a_valid_owner_tag_and_label_or_none(text in "\\PC{0,80}|[a-z:/.@ -]{0,40}", value in any::<String>()) {
        if let Some(owner) = naming::owner(&text) {
            prop_assert!(oracle::reference(&owner), "{owner:?}");
        }
        if let Some(tag) = naming::tag(&text, &value) {
            prop_assert!(oracle::tag(&tag), "{tag:?}");
        }
        if let Some(label) = naming::label(&text) {
            prop_assert!(oracle::object_name(&label), "{label:?}");
        }
    }

    #[test]
    fn equal_but_for_the_identity_is_told_apart(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
        let address = Address { rtype: "aws_vpc", name: "Main", index: None };
        let made = |identity| resource_name("t", "w", address, Identity(identity), Suffix::Short);
        prop_assert_eq!(made(a) == made(b), a[..5] == b[..5]);
    }
}
