//! Owns texts with a password in a known place: connection strings and URLs. Only the password is the secret span.
//! It must never name a host that exists: all hosts end in `.internal` or are the vendors' fixed suffixes.

use super::super::dice::{BASE62, DIGITS, Dice, HEX, LOWER};
use super::Made;
use super::tokens;

fn secret(dice: &mut Dice) -> String {
    let length = usize::try_from(dice.between(18, 28)).unwrap_or(20);
    dice.text(BASE62, length)
}

fn user(dice: &mut Dice) -> String {
    format!("svc_{}", dice.text(LOWER, 5))
}

fn host(dice: &mut Dice, role: &str) -> String {
    format!("{role}-{}.prod.internal", dice.text(HEX, 6))
}

fn url(dice: &mut Dice, scheme: &str, role: &str, rest: &str) -> Made {
    let (user, secret, host) = (user(dice), secret(dice), host(dice, role));
    Made::inside(&format!("{scheme}://{user}:"), &secret, &format!("@{host}{rest}"))
}

pub(super) fn postgres(dice: &mut Dice) -> Made {
    url(dice, "postgres", "pg", ":5432/orders?sslmode=verify-full&application_name=billing")
}

pub(super) fn mysql(dice: &mut Dice) -> Made {
    url(dice, "mysql", "mysql", ":3306/shop")
}

pub(super) fn mongodb(dice: &mut Dice) -> Made {
    url(dice, "mongodb+srv", "mongo", "/events?retryWrites=true&w=majority")
}

pub(super) fn redis(dice: &mut Dice) -> Made {
    let (secret, host) = (secret(dice), host(dice, "redis"));
    Made::inside("redis://default:", &secret, &format!("@{host}:6379/0"))
}

pub(super) fn amqp(dice: &mut Dice) -> Made {
    url(dice, "amqps", "rabbit", ":5671/%2Fprod")
}

pub(super) fn jdbc(dice: &mut Dice) -> Made {
    let (host, user, secret) = (host(dice, "pg"), user(dice), secret(dice));
    let before = format!("jdbc:postgresql://{host}:5432/ledger?user={user}&password=");
    Made::inside(&before, &secret, "&ssl=true")
}

pub(super) fn sql_server(dice: &mut Dice) -> Made {
    let (name, user, secret) = (dice.text(LOWER, 6), user(dice), secret(dice));
    let before =
        format!("Server=tcp:{name}.database.windows.net,1433;Initial Catalog=crm;User ID={user};Password=");
    Made::inside(&before, &secret, ";Encrypt=True;Connection Timeout=30;")
}

pub(super) fn azure_storage(dice: &mut Dice) -> Made {
    let account = format!("st{}{}", dice.text(LOWER, 8), dice.text(DIGITS, 3));
    let key = tokens::azure_storage_key(dice).text;
    let before = format!("DefaultEndpointsProtocol=https;AccountName={account};AccountKey=");
    Made::inside(&before, &key, ";EndpointSuffix=core.windows.net")
}

pub(super) fn basic_auth(dice: &mut Dice) -> Made {
    url(dice, "https", "artifacts", "/repository/maven-public/")
}

/// A token as a query parameter whose name tells.
pub(super) fn query_token(dice: &mut Dice) -> Made {
    let (host, secret) = (host(dice, "hooks"), secret(dice));
    Made::inside(&format!("https://{host}/ingest?source=terraform&access_token="), &secret, "&v=2")
}
