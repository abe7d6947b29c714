//! Owns the vendors' token formats, each from the vendor's documentation of how its tokens look.
//! It must never hold a token: everything is drawn from the dice.

use super::super::dice::{
    BASE32, BASE62, BASE64, BASE64_URL, DIGITS, Dice, HEX, LOWER_DIGITS, UPPER, UPPER_DIGITS,
};
use super::Made;
use super::checksums::{base62_six, crc32};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

fn prefixed(dice: &mut Dice, prefix: &str, alphabet: &[u8], count: usize) -> Made {
    let mut out = prefix.as_bytes().to_vec();
    dice.fill(&mut out, alphabet, count);
    Made::whole(String::from_utf8_lossy(&out).into_owned())
}

pub(super) fn aws_access_key_id(dice: &mut Dice) -> Made {
    prefixed(dice, "AKIA", BASE32, 16)
}

pub(super) fn aws_secret_access_key(dice: &mut Dice) -> Made {
    prefixed(dice, "", BASE64, 40)
}

/// Prefix, 30 random characters, CRC-32 of these in base 62.
fn checked(dice: &mut Dice, prefix: &str) -> Made {
    let body = dice.text(BASE62, 30);
    Made::whole(format!("{prefix}{body}{}", base62_six(crc32(body.as_bytes()))))
}

pub(super) fn github_classic(dice: &mut Dice) -> Made {
    checked(dice, "ghp_")
}

pub(super) fn github_oauth(dice: &mut Dice) -> Made {
    checked(dice, "gho_")
}

pub(super) fn github_app(dice: &mut Dice) -> Made {
    checked(dice, "ghs_")
}

pub(super) fn github_fine_grained(dice: &mut Dice) -> Made {
    let id = dice.text(BASE62, 22);
    let body = dice.text(BASE62, 53);
    let check = base62_six(crc32(body.as_bytes()));
    Made::whole(format!("github_pat_{id}_{body}{check}"))
}

pub(super) fn npm(dice: &mut Dice) -> Made {
    checked(dice, "npm_")
}

pub(super) fn gitlab(dice: &mut Dice) -> Made {
    prefixed(dice, "glpat-", BASE62, 20)
}

pub(super) fn slack_bot(dice: &mut Dice) -> Made {
    let (team, bot, secret) = (dice.text(DIGITS, 11), dice.text(DIGITS, 12), dice.text(BASE62, 24));
    Made::whole(format!("xoxb-{team}1-{bot}2-{secret}"))
}

pub(super) fn slack_webhook(dice: &mut Dice) -> Made {
    let (team, hook, secret) =
        (dice.text(UPPER_DIGITS, 9), dice.text(UPPER_DIGITS, 10), dice.text(BASE62, 24));
    Made::whole(format!("https://hooks.slack.com/services/T{team}/B{hook}/{secret}"))
}

pub(super) fn stripe(dice: &mut Dice) -> Made {
    prefixed(dice, "sk_live_51", BASE62, 97)
}

pub(super) fn sendgrid(dice: &mut Dice) -> Made {
    let (id, secret) = (dice.text(BASE64_URL, 22), dice.text(BASE64_URL, 42));
    let last = dice.text(BASE62, 1);
    Made::whole(format!("SG.{id}.{secret}{last}"))
}

pub(super) fn twilio(dice: &mut Dice) -> Made {
    prefixed(dice, "SK", HEX, 32)
}

/// A macaroon: the fixed head of pypi.org's location and identifier, then random.
pub(super) fn pypi(dice: &mut Dice) -> Made {
    let mut out = b"pypi-AgEIcHlwaS5vcmc".to_vec();
    dice.fill(&mut out, BASE64_URL, 139);
    dice.fill(&mut out, BASE62, 1);
    Made::whole(String::from_utf8_lossy(&out).into_owned())
}

pub(super) fn google_api(dice: &mut Dice) -> Made {
    let mut out = b"AIzaSy".to_vec();
    dice.fill(&mut out, BASE64_URL, 32);
    dice.fill(&mut out, BASE62, 1);
    Made::whole(String::from_utf8_lossy(&out).into_owned())
}

pub(super) fn azure_client_secret(dice: &mut Dice) -> Made {
    let (head, tail) = (dice.text(BASE62, 3), dice.text(BASE62, 34));
    Made::whole(format!("{head}8Q~{tail}"))
}

pub(super) fn azure_storage_key(dice: &mut Dice) -> Made {
    let mut key = Vec::with_capacity(64);
    for _ in 0..8 {
        key.extend_from_slice(&dice.next().to_le_bytes());
    }
    Made::whole(STANDARD.encode(key))
}

pub(super) fn digitalocean(dice: &mut Dice) -> Made {
    prefixed(dice, "dop_v1_", HEX, 64)
}

pub(super) fn hex32(dice: &mut Dice) -> Made {
    prefixed(dice, "", HEX, 32)
}

pub(super) fn hex40(dice: &mut Dice) -> Made {
    prefixed(dice, "", HEX, 40)
}

pub(super) fn new_relic(dice: &mut Dice) -> Made {
    prefixed(dice, "NRAK-", UPPER_DIGITS, 27)
}

pub(super) fn pagerduty(dice: &mut Dice) -> Made {
    prefixed(dice, "u+", BASE62, 18)
}

pub(super) fn vault(dice: &mut Dice) -> Made {
    prefixed(dice, "hvs.CAESI", BASE62, 89)
}

pub(super) fn terraform_cloud(dice: &mut Dice) -> Made {
    let (id, secret) = (dice.text(BASE62, 14), dice.text(BASE62, 67));
    Made::whole(format!("{id}.atlasv1.{secret}"))
}

pub(super) fn doppler(dice: &mut Dice) -> Made {
    prefixed(dice, "dp.st.prd.", BASE62, 43)
}

pub(super) fn consul(dice: &mut Dice) -> Made {
    Made::whole(String::from_utf8_lossy(&dice.uuid()).into_owned())
}

pub(super) fn shopify(dice: &mut Dice) -> Made {
    prefixed(dice, "shpat_", HEX, 32)
}

pub(super) fn square(dice: &mut Dice) -> Made {
    prefixed(dice, "sq0csp-", BASE62, 43)
}

pub(super) fn mailgun(dice: &mut Dice) -> Made {
    prefixed(dice, "key-", HEX, 32)
}

pub(super) fn telegram(dice: &mut Dice) -> Made {
    let (bot, secret) = (dice.text(DIGITS, 9), dice.text(BASE62, 33));
    Made::whole(format!("7{bot}:AA{secret}"))
}

pub(super) fn discord(dice: &mut Dice) -> Made {
    let id = dice.between(100_000_000, 999_999_999);
    let head = URL_SAFE_NO_PAD.encode(format!("{id}{}", dice.text(DIGITS, 9)));
    let (time, secret) = (dice.text(BASE62, 6), dice.text(BASE64_URL, 37));
    Made::whole(format!("{head}.{time}.{secret}x"))
}

pub(super) fn openai(dice: &mut Dice) -> Made {
    let (head, tail) = (dice.text(BASE62, 74), dice.text(BASE62, 74));
    Made::whole(format!("sk-proj-{head}T3BlbkFJ{tail}"))
}

pub(super) fn anthropic(dice: &mut Dice) -> Made {
    let mut made = prefixed(dice, "sk-ant-api03-", BASE64_URL, 93);
    made.text.push_str("AA");
    Made::whole(made.text)
}

pub(super) fn hugging_face(dice: &mut Dice) -> Made {
    prefixed(dice, "hf_", &BASE62[10..], 34)
}

pub(super) fn databricks(dice: &mut Dice) -> Made {
    prefixed(dice, "dapi", HEX, 32)
}

/// `glsa_`, 32 characters, CRC-32 of what stands before it in hexadecimal (grafana's own token generator).
pub(super) fn grafana(dice: &mut Dice) -> Made {
    let body = format!("glsa_{}", dice.text(BASE62, 32));
    Made::whole(format!("{body}_{:08x}", crc32(body.as_bytes())))
}

/// `sntrys_`, base64 of the claims, `_`, 43 characters of base64 without padding.
pub(super) fn sentry(dice: &mut Dice) -> Made {
    let claims = format!(
        r#"{{"iat":17{}.{},"url":"https://sentry.io","region_url":"https://us.sentry.io","org":"{}"}}"#,
        dice.text(DIGITS, 8),
        dice.between(100_000, 999_999),
        dice.text(LOWER_DIGITS, 8)
    );
    let secret = dice.text(BASE62, 43);
    Made::whole(format!("sntrys_{}_{secret}", STANDARD.encode(claims)))
}

pub(super) fn linear(dice: &mut Dice) -> Made {
    prefixed(dice, "lin_api_", BASE62, 40)
}

pub(super) fn atlassian(dice: &mut Dice) -> Made {
    let body = dice.text(BASE62, 171);
    let tail = dice.text(&UPPER_DIGITS[20..], 8);
    Made::whole(format!("ATATT3xFfGF0{body}={}", tail.replace(|c: char| c.is_ascii_uppercase(), "B")))
}

/// What a password generator gives: letters of both cases, digits, specials; the first is a letter.
pub(super) fn password(dice: &mut Dice) -> Made {
    const SET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%&*()-_=+[]{}<>:?";
    let mut out = Vec::new();
    dice.fill(&mut out, UPPER, 1);
    let length = usize::try_from(dice.between(17, 29)).unwrap_or(20);
    dice.fill(&mut out, SET, length);
    dice.fill(&mut out, BASE62, 2);
    Made::whole(String::from_utf8_lossy(&out).into_owned())
}

/// A token of no known format.
pub(super) fn opaque(dice: &mut Dice) -> Made {
    let length = usize::try_from(dice.between(28, 48)).unwrap_or(32);
    prefixed(dice, "", BASE62, length)
}

pub(super) fn bcrypt(dice: &mut Dice) -> Made {
    prefixed(dice, "$2a$10$", BASE62, 53)
}
