//! Addresses of deliveries: whose they could be, spelled in every way.

use super::{Case, Post, Site, WORKSPACE};
use crate::house::payload;

const NO: &str = "401 unauthorized";
const NOWHERE: &str = "404 route_not_found";

pub fn cases(site: &Site) -> Vec<Case> {
    let (a, b) = (&site.house.a, &site.house.b);
    let body = payload(WORKSPACE, "run-Paths", "run:completed", "applied");
    let at = |slug: &str| Post::to(slug, body.as_str()).signed(&a.secret);
    let path = |path: &str| at(&a.slug).line(&format!("POST {path} HTTP/1.1"));
    let slug = &a.slug;
    let first = format!("%{:02x}{}", slug.as_bytes()[0], &slug[1..]);
    vec![
        ("the tenant's", at(slug), "202 accepted"),
        ("the tenant's with a letter encoded", at(&first), "200 duplicate"),
        ("the tenant's with a query", at(&format!("{slug}?tenant={}", b.slug)), "200 duplicate"),
        ("nobody's", at("nobody"), NO),
        ("another tenant's", at(&b.slug), NO),
        ("the tenant's id", at(a.id.as_str()), NO),
        ("the tenant's in upper case", at(&slug.to_uppercase()), NO),
        ("the tenant's with a letter more", at(&format!("{slug}x")), NO),
        ("the tenant's with a blank", at(&format!("{slug}%20")), NO),
        ("the tenant's with a zero byte", at(&format!("{slug}%00")), NO),
        ("the tenant's with a parameter", at(&format!("{slug};x=1")), NO),
        ("the tenant's encoded twice", at(&first.replace('%', "%25")), NO),
        ("the tenant's in letters that look alike", at(&slug.replacen('o', "%D0%BE", 1)), NO),
        ("an encoded slash and another's", at(&format!("{slug}%2f..%2f{}", b.slug)), NO),
        ("another's, and back by encoded dots", at(&format!("{}%2f%2e%2e%2f{slug}", b.slug)), NO),
        ("an encoded backslash", at(&format!("{slug}%5c..")), NO),
        ("dots", at(".."), NO),
        ("encoded dots", at("%2e%2e"), NO),
        ("bytes that are no text", at("%ff%fe"), NO),
        ("an encoding that is none", at("%zz"), NO),
        ("half an encoding", at("%2"), NO),
        ("8,000 characters", at(&"a".repeat(8_000)), NO),
        ("a star", at("*"), NO),
        ("nothing", at(""), NOWHERE),
        ("a slash behind it", at(&format!("{slug}/")), NOWHERE),
        ("something below it", at(&format!("{slug}/x")), NOWHERE),
        ("one above, and back", path(&format!("/v1/webhooks/x/../terraform-cloud/{slug}")), NOWHERE),
        ("two slashes at the start", path(&format!("//v1/webhooks/terraform-cloud/{slug}")), NOWHERE),
        ("two slashes inside", path(&format!("/v1/webhooks//terraform-cloud/{slug}")), NOWHERE),
        ("the route in upper case", path(&format!("/V1/WEBHOOKS/TERRAFORM-CLOUD/{slug}")), NOWHERE),
        ("the route's slashes encoded", path(&format!("/v1%2fwebhooks%2fterraform-cloud%2f{slug}")), NOWHERE),
        ("another version", path(&format!("/v2/webhooks/terraform-cloud/{slug}")), NOWHERE),
        ("another sender", path(&format!("/v1/webhooks/github/{slug}")), NOWHERE),
        (
            "a whole address of another host",
            path(&format!("http://evil.example/v1/webhooks/terraform-cloud/{slug}")),
            "200 duplicate",
        ),
        ("without a slash", path("v1/webhooks"), "400"),
        ("a blank in it", path(&format!("/v1/webhooks/terraform-cloud/{slug} x")), "400"),
    ]
}
