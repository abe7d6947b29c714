//! Names and addresses as attributes of a state: no short way past the detector may lose them.

use super::{instance, redact};

#[test]
fn a_name_or_an_address_in_a_short_attribute_goes() {
    for (text, expected) in [
        ("Owner: Robert Silva", "Owner: [REDACTED:pii]"),
        ("Kind regards, Katarzyna Fischer", "Kind regards, [REDACTED:pii]"),
        ("lives at Calle Foundry 251, 34673 Highfell", "lives at [REDACTED:pii]"),
        ("Managed by Terraform", "Managed by Terraform"),
    ] {
        let state = instance(&format!(r#""attributes":{{"note":"{text}","again":["{text}"]}}"#));
        let (out, _) = redact(state.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"));
        let out = String::from_utf8(out).expect("UTF-8");
        assert_eq!(out.matches(&format!("\"{expected}\"")).count(), 2, "{out}");
    }
}
