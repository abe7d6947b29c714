//! A tenant's token in the configuration: a reference, or a reference with its rotation policy.
//!
//! Must never hold the token itself, nor repeat what stands in its place in an error.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// How a date is written.
const DAY: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day]");

/// One of a tenant's `tokens:`, `env:NAME` or `{secret: env:NAME, issued: 2026-01-31, rotate_every_days: 90}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Reference to the token.
    pub secret: String,
    /// When it has to be replaced; absent: nobody is told.
    pub rotation: Option<Rotation>,
}

/// When a token has to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The day it was made.
    pub issued: Date,
    /// Days after which it has to be replaced.
    pub rotate_every_days: u16,
    /// It is told this many days before.
    pub warn_before_days: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    secret: String,
    issued: String,
    rotate_every_days: u16,
    #[serde(default = "two_weeks")]
    warn_before_days: u16,
}

fn two_weeks() -> u16 {
    14
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokenVisitor)
    }
}

struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference such as env:NAME, or {secret, issued, rotate_every_days, warn_before_days}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Token, E> {
        Ok(Token { secret: text.to_owned(), rotation: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Token, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
        let issued = Date::parse(&fields.issued, DAY)
            .map_err(|_| A::Error::custom("issued: expected the day it was made, as 2026-01-31"))?;
        let Fields { secret, rotate_every_days, warn_before_days, .. } = fields;
        Ok(Token { secret, rotation: Some(Rotation { issued, rotate_every_days, warn_before_days }) })
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(rotation) = self.rotation else { return serializer.serialize_str(&self.secret) };
        let issued = rotation.issued.format(DAY).map_err(serde::ser::Error::custom)?;
        let Rotation { rotate_every_days, warn_before_days, .. } = rotation;
        Fields { secret: self.secret.clone(), issued, rotate_every_days, warn_before_days }
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_token_is_a_reference_with_or_without_a_policy() {
        let rotation = |rotate_every_days, warn_before_days| {
            Some(Rotation { issued: date!(2026 - 01 - 31), rotate_every_days, warn_before_days })
        };
        let cases = [
            (r#""env:T""#, None),
            (r#"{"secret":"env:T","issued":"2026-01-31","rotate_every_days":90}"#, rotation(90, 14)),
            (
                r#"{"secret":"env:T","issued":"2026-01-31","rotate_every_days":30,"warn_before_days":0}"#,
                rotation(30, 0),
            ),
        ];
        for (text, rotation) in cases {
            let token: Token = serde_json::from_str(text).expect(text);
            assert_eq!(token, Token { secret: "env:T".into(), rotation }, "{text}");
            let again = serde_json::to_string(&token).expect("writes");
            assert_eq!(serde_json::from_str::<Token>(&again).ok(), Some(token), "{again}");
        }
    }

    #[test]
    fn a_wrong_token_says_what_is_expected_and_never_what_stands_there() {
        let cases = [
            ("17", "a reference such as env:NAME"),
            (r#"{"secret":"env:T"}"#, "missing field `issued`"),
            (r#"{"secret":"env:T","issued":"hunter2","rotate_every_days":9}"#, "the day it was made"),
            (r#"{"secret":"env:T","issued":"2026-02-30","rotate_every_days":9}"#, "the day it was made"),
            (r#"{"secret":"env:T","isued":"2026-01-31"}"#, "unknown field `isued`"),
        ];
        for (text, expected) in cases {
            let message = serde_json::from_str::<Token>(text).expect_err(text).to_string();
            assert!(message.contains(expected) && !message.contains("hunter2"), "{text}: {message}");
        }
    }
}
