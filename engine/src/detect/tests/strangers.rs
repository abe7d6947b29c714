//! What strangers found who made states without having seen a rule. Secrets are assembled from parts, so that no scanner of
//! repositories trips.

use super::{redact, rules};

const CRED: &str = "[REDACTED:credential]";
const PII: &str = "[REDACTED:pii]";

/// `{c}` and `{p}` in the expectation stand for markers.
fn check(cases: &[(String, &str)]) {
    let rules = rules();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let expected = expected.replace("{c}", CRED).replace("{p}", PII);
            let got = redact(&rules, "v", text);
            (got != expected).then(|| format!("  is     {got}\n  should {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn unchanged(texts: &[&str]) {
    let cases: Vec<(String, &str)> = texts.iter().map(|text| ((*text).to_owned(), *text)).collect();
    check(&cases);
}

/// A password that somebody may have chosen.
fn chosen() -> String {
    ["Winter", "2024", "!"].concat()
}

/// Digits of a digest that nobody computed.
fn hex(n: usize) -> String {
    "8180f1acbfa0a2188cb41e44a0c3f447".chars().cycle().take(n).collect()
}

#[test]
fn values_are_found_wherever_notations_put_them() {
    let p = chosen();
    check(&[
        (format!("env:\n- value: {p}\n  name: DB_PASSWORD\n"), "env:\n- value: {c}\n  name: DB_PASSWORD\n"),
        (format!("- {{value: \"{p}\", name: DB_PASSWORD}}"), "- {value: \"{c}\", name: DB_PASSWORD}"),
        (
            format!("- value: prod\n  name: DB_PASSWORD_AGE\n- value: {p}\n  name: PGPASSWORD\n"),
            "- value: prod\n  name: DB_PASSWORD_AGE\n- value: {c}\n  name: PGPASSWORD\n",
        ),
        (format!("x: &p \"{p}\"\ndb:\n  password: *p\n"), "x: &p \"{c}\"\ndb:\n  password: *p\n"),
        (
            format!("a: \"CREATE USER u IDENTIFIED BY \\\"{p}\\\" X\""),
            "a: \"CREATE USER u IDENTIFIED BY \\\"{c}\\\" X\"",
        ),
        (format!("b = \"user = app\\nsecret_key = {p}\""), "b = \"user = app\\nsecret_key = {c}\""),
        (
            format!("<a>&lt;user&gt;d&lt;/user&gt;&lt;password&gt;{p}&lt;/password&gt;</a>"),
            "<a>&lt;user&gt;d&lt;/user&gt;&lt;password&gt;{c}&lt;/password&gt;</a>",
        ),
        ("a%3D1%26password%3DabC%3CfkC%23w3pA7x".to_owned(), "a%3D1%26password%3D{c}"),
        ("PASSWORD=<@O$wW(E*G64RB".to_owned(), "PASSWORD={c}"),
        ("PASSWORD==lfjDGJyQ7EHduW=".to_owned(), "PASSWORD={c}"),
        (format!("\"bob\" * \"{p}\" *\n"), "\"bob\" * \"{c}\" *\n"),
        (
            "http://influx:8086/query?u=admin&p=summer42&db=m".to_owned(),
            "http://influx:8086/query?u=admin&p={c}&db=m",
        ),
        ("  HTTP_User x\n  HTTP_Passwd orbitcopper63\n".to_owned(), "  HTTP_User x\n  HTTP_Passwd {c}\n"),
        ("password is: orbitcopper63".to_owned(), "password is: {c}"),
        (format!("Api Key: {p}"), "Api Key: {c}"),
    ]);
}

#[test]
fn keys_in_parts_are_no_digests() {
    let token = ["AA", &"v6-O9JL8ZsoWw_Rxl-IUiTeNUJ-HLRwb8"[..33]].concat();
    check(&[
        (
            format!("https://api.telegram.org/bot7265206427:{token}/sendMessage"),
            "https://api.telegram.org/bot{c}/sendMessage",
        ),
        (format!("ghost {}:{}", hex(24), hex(64)), "ghost {c}"),
        (format!("key {}-{}-{}", hex(32), hex(8), hex(8)), "key {c}"),
        (format!("key=5482${}", hex(150)), "key=5482${c}"),
    ]);
    unchanged(&[&format!("sha256:{}", hex(64)), &format!("image {}", hex(64)), &format!("a-{}", hex(32))]);
}

#[test]
fn persons_are_told_by_what_stands_around_them() {
    check(&[
        ("on call: +49 170 4379078 (24x7), see rota".to_owned(), "on call: {p} (24x7), see rota"),
        ("tel: +1 415-555-0132 (24h)".to_owned(), "tel: {p} (24h)"),
        ("Please contact Anna Petrov-MacGregor for access.".to_owned(), "Please contact {p} for access."),
        ("Numéro de sécurité sociale: 255081416802538".to_owned(), "Numéro de sécurité sociale: {p}"),
    ]);
}

#[test]
fn what_is_handed_on_is_no_value() {
    unchanged(&[
        "connect(user=u, password=password)",
        "connect(password=dbPassword)",
        "Client(client_secret=client_secret)",
        "this.password = password;",
        "{ client_secret: clientSecret, a: 1 }",
        "const accessToken = await getToken();",
        "data:\n- secretKey: password\n  remoteRef:\n    key: prod/db\n",
        "password=(?<password>[^ ]*) token=(?<token>x+)",
        "--api-key KEY",
        "x --password PASSWORD",
        "Set password=<your password> in the file",
        "JWT_SECRET=<%= ENV['JWT_SECRET'] %>",
        &format!("checksum/secret: {}", hex(64)),
        &format!("GPG_KEY={}", hex(40).to_uppercase()),
        &format!("|1|{}=|{}= ssh-ed25519", "iYMnfQ3A4Wm2a0bR3X1C0y9uP1Q", "2rTDh4G5cCG0m5FQo3Fq3w0h1bY"),
    ]);
    check(&[
        ("password=password".to_owned(), "password={c}"),
        ("Server=db;User Id=sa;Password=password;".to_owned(), "Server=db;User Id=sa;Password={c};"),
    ]);
}

#[test]
fn lines_before_a_secret_may_be_long_and_of_any_letters() {
    // The bound on what is read back cuts a letter (found by the fuzzer).
    for n in 40..50 {
        let long = format!("{} * \"{}\" *", "\u{fffd}".repeat(n), chosen());
        unchanged(&[&long]);
    }
    check(&[(format!("bob * \"{}\" *", chosen()), "bob * \"{c}\" *")]);
}
