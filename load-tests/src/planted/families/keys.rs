//! Owns private keys, in the containers that their specifications describe: the heads are the formats' fixed bytes, the rest is random,
//! so none of them opens anything. It must never hold real key bytes.

use super::super::Sample;
use super::super::leaf::Base64;
use super::super::siblings;
use super::{Family, made};
use crate::generator::dice::{BASE62, BASE64, BASE64_URL, DIGITS, Dice, HEX, UPPER_DIGITS};

pub(super) const FAMILIES: &[Family] = &[
    made("pem-rsa-key", |dice| pem(dice, "RSA PRIVATE KEY", "MIIEpAIBAAKCAQEA", 1592)),
    made("pem-dsa-key", |dice| pem(dice, "DSA PRIVATE KEY", "MIIBuwIBAAKBgQ", 608)),
    made("pem-ec-key", |dice| pem(dice, "EC PRIVATE KEY", "MHcCAQEEI", 164)),
    made("pem-pkcs8-key", |dice| pem(dice, "PRIVATE KEY", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", 1624)),
    made("pem-ed25519-key", |dice| pem(dice, "PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEI", 64)),
    made("pem-encrypted-key", |dice| {
        pem(dice, "ENCRYPTED PRIVATE KEY", "MIIFHDBOBgkqhkiG9w0BBQ0wQTApBgkq", 1740)
    }),
    made("pem-legacy-encrypted-key", legacy_encrypted),
    made("openssh-key", |dice| {
        let head = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACA";
        pem(dice, "OPENSSH PRIVATE KEY", head, 344)
    }),
    made("pgp-private-key", pgp),
    made("putty-key", putty),
    made("ssh2-encrypted-key", |dice| pem(dice, "SSH2 ENCRYPTED PRIVATE KEY", "P2/56wAAA", 800).dashes4()),
    made("pkcs8-der-in-base64", |dice| {
        bare_der(dice, &[0x30, 0x82, 0x04, 0xbd, 2, 1, 0, 0x30, 0x0d, 6, 9], 1217)
    }),
    made("pkcs12-in-base64", |dice| {
        bare_der(dice, &[0x30, 0x82, 0x09, 0xc1, 2, 1, 3, 0x30, 0x82, 9, 0x87], 2501)
    }),
    made("jwk-private", |dice| {
        let (x, y) = (dice.text(BASE64_URL, 43), dice.text(BASE64_URL, 43));
        let head = format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{x}\",\"y\":\"{y}\",\"d\":\"");
        Sample::inside(&head, &dice.text(BASE64_URL, 43), "\"}")
    }),
    made("jwk-rsa", siblings::rsa_key),
    made("jwk-symmetric", |dice| {
        Sample::inside("{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"", &dice.text(BASE64_URL, 43), "\"}")
    }),
    made("google-service-account-file", service_account),
    made("jwt-hs256", |dice| jwt(dice, r#"{"alg":"HS256","typ":"JWT"}"#, 43)),
    made("jwt-rs256", |dice| jwt(dice, r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#, 342)),
    made("jwt-eddsa", |dice| jwt(dice, r#"{"alg":"EdDSA","typ":"JWT"}"#, 86)),
    made("jwt-kubernetes", |dice| jwt(dice, r#"{"alg":"RS256","kid":"Zk3mT0"}"#, 342)),
    made("jwe-compact", |dice| {
        let head = Base64::UrlBare.encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
        let parts = [342, 16, 220, 22].map(|count| dice.text(BASE64_URL, count));
        Sample::whole(format!("{head}.{}", parts.join(".")))
    }),
    // discord.com, "Reference": the bot's id in base64, time, signature.
    made("discord-bot-token", |dice| {
        let id = format!("1{}", dice.text(DIGITS, 18));
        let head = Base64::UrlBare.encode(id.as_bytes());
        Sample::whole(format!("{head}.{}.{}", dice.text(BASE62, 6), dice.text(BASE64_URL, 38)))
    }),
    made("grafana-legacy-key", |dice| {
        let text = format!(r#"{{"k":"{}","n":"deploy","id":1}}"#, dice.text(BASE62, 32));
        Sample::whole(Base64::Standard.encode(text.as_bytes()))
    }),
    made("basic-header", |dice| {
        let pair = format!("deploy:{}", dice.text(BASE62, 20));
        Sample::inside("Authorization: Basic ", &Base64::Standard.encode(pair.as_bytes()), "")
    }),
    made("docker-auth-entry", |dice| {
        let pair = format!("robot:{}", dice.text(BASE62, 24));
        let auth = Base64::Standard.encode(pair.as_bytes());
        Sample::inside("{\"auths\":{\"registry.prod.internal\":{\"auth\":\"", &auth, "\"}}}")
    }),
];

impl Sample {
    /// RFC 4716 writes four dashes and a blank.
    fn dashes4(mut self) -> Self {
        self.text = self.text.replace("-----BEGIN", "---- BEGIN").replace("-----END", "---- END");
        self.text = self.text.replace("KEY-----", "KEY ----");
        self.spans = vec![(0, self.text.len())];
        self
    }
}

/// A PEM block: label, the base64 of the fixed head, random characters up to `length`, lines of 64.
fn pem(dice: &mut Dice, label: &str, head: &str, length: usize) -> Sample {
    Sample::whole(block(label, "", &body(dice, head, length)))
}

fn body(dice: &mut Dice, head: &str, length: usize) -> String {
    format!("{head}{}=", dice.text(BASE64, length.saturating_sub(head.len() + 1)))
}

fn block(label: &str, headers: &str, body: &str) -> String {
    let mut text = format!("-----BEGIN {label}-----\n{headers}");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----"));
    text
}

/// RFC 1421 headers, as OpenSSL's traditional format has them.
fn legacy_encrypted(dice: &mut Dice) -> Sample {
    let iv = dice.text(HEX, 32).to_uppercase();
    let headers = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{iv}\n\n");
    let body = body(dice, "", 1600);
    Sample::whole(block("RSA PRIVATE KEY", &headers, &body))
}

/// RFC 9580, armour with checksum line.
fn pgp(dice: &mut Dice) -> Sample {
    let body = body(dice, "lQVYBGZ", 1400);
    let text = block("PGP PRIVATE KEY BLOCK", "\n", &body);
    let check = format!("\n={}\n-----END", dice.text(BASE62, 4));
    Sample::whole(text.replace("\n-----END", &check))
}

/// PuTTY's key file, version 3: only the private lines are secret.
fn putty(dice: &mut Dice) -> Sample {
    let public = dice.text(BASE64, 64);
    let head = format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: deploy\nPublic-Lines: 1\n{public}\nPrivate-Lines: 1\n"
    );
    let secret = format!("{}=", dice.text(BASE64, 47));
    let mac = format!("\nPrivate-MAC: {}", dice.text(HEX, 64));
    Sample::inside(&head, &secret, &mac)
}

/// A key or a PKCS #12 file as one long base64 run.
fn bare_der(dice: &mut Dice, head: &[u8], length: usize) -> Sample {
    let mut bytes = head.to_vec();
    while bytes.len() < length {
        bytes.extend_from_slice(&dice.next().to_le_bytes());
    }
    bytes.truncate(length);
    Sample::whole(Base64::Standard.encode(&bytes))
}

/// As the Google Cloud console writes it.
fn service_account(dice: &mut Dice) -> Sample {
    let body = body(dice, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", 1624);
    let key = block("PRIVATE KEY", "", &body).replace('\n', "\\n");
    let before = format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"prj-{}\",\n  \"private_key_id\": \"{}\",\n  \"private_key\": \"",
        dice.text(DIGITS, 6),
        dice.text(HEX, 40)
    );
    let after = format!(
        "\\n\",\n  \"client_id\": \"1{}\",\n  \"token_uri\": \"https://oauth2.googleapis.com/token\"\n}}",
        dice.text(DIGITS, 20)
    );
    Sample::inside(&before, &key, &after)
}

/// RFC 7519: header and claims are real JSON.
fn jwt(dice: &mut Dice, header: &str, signature: usize) -> Sample {
    let header = Base64::UrlBare.encode(header.as_bytes());
    let claims = format!(
        r#"{{"sub":"{}","scope":"deploy:{}","iat":17{}}}"#,
        dice.text(DIGITS, 12),
        dice.text(UPPER_DIGITS, 6),
        dice.text(DIGITS, 8)
    );
    let signature = dice.text(BASE64_URL, signature);
    Sample::whole(format!("{header}.{}.{signature}", Base64::UrlBare.encode(claims.as_bytes())))
}
