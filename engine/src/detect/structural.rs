//! Rules that are code rather than a format: keys, addresses, people, blocks. One row each.
//!
//! The row's place is its index: the first rows of every rule set.

use terrasift_schemas::detection::Category::{self, Credential, Infrastructure, Pii};

use super::RuleIx;

/// A rule whose matching is code.
pub(super) struct Structural {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) category: Category,
    pub(super) priority: i32,
    pub(super) secret: bool,
    pub(super) protected: bool,
}

const fn row(
    id: &'static str,
    name: &'static str,
    category: Category,
    priority: i32,
    secret: bool,
    protected: bool,
) -> Structural {
    Structural { id, name, category, priority, secret, protected }
}

pub(super) const MARK: RuleIx = RuleIx(0);
pub(super) const TAINT: RuleIx = RuleIx(1);
pub(super) const OVERSIZE: RuleIx = RuleIx(2);
pub(super) const PRIVATE: RuleIx = RuleIx(3);
pub(super) const PRIVATE_KEY: RuleIx = RuleIx(4);
pub(super) const SENSITIVE_KEY: RuleIx = RuleIx(5);
pub(super) const SUGGESTIVE_KEY: RuleIx = RuleIx(6);
pub(super) const URL_PASSWORD: RuleIx = RuleIx(7);
pub(super) const URL_PARAMETER: RuleIx = RuleIx(8);
pub(super) const CONNECTION: RuleIx = RuleIx(9);
pub(super) const ASSIGNMENT: RuleIx = RuleIx(10);
pub(super) const AUTH_HEADER: RuleIx = RuleIx(11);
pub(super) const JWT: RuleIx = RuleIx(12);
pub(super) const ENTROPY: RuleIx = RuleIx(13);
pub(super) const EMAIL: RuleIx = RuleIx(14);
pub(super) const PHONE: RuleIx = RuleIx(15);
pub(super) const NATIONAL_ID: RuleIx = RuleIx(16);
pub(super) const IBAN: RuleIx = RuleIx(17);
pub(super) const CARD: RuleIx = RuleIx(18);
pub(super) const BANK: RuleIx = RuleIx(19);
pub(super) const PERSON: RuleIx = RuleIx(20);
pub(super) const POSTAL: RuleIx = RuleIx(21);
pub(super) const BIRTH: RuleIx = RuleIx(22);
pub(super) const PRIVATE_IP: RuleIx = RuleIx(23);
pub(super) const UNSETTLED: RuleIx = RuleIx(24);

/// Priorities: what cannot be anything else goes first; what only looks drawn goes last.
pub(super) const TOKEN_PRIORITY: i32 = 500;

pub(super) const ROWS: &[Structural] = &[
    row("terraform-sensitive", "Marked sensitive by Terraform", Credential, 1000, true, true),
    row("tainted", "Copy of a known secret", Credential, 950, true, true),
    row("oversize", "Value above the cap", Credential, 940, false, true),
    row("provider-private", "Private data of a provider", Credential, 930, false, true),
    row("private-key", "Private key block", Credential, 990, true, true),
    row("sensitive-key", "Key that names a secret", Credential, 900, true, false),
    row("suggestive-key", "Key that suggests a secret, and a value that fits", Credential, 350, true, false),
    row("url-password", "Password in an address", Credential, 450, true, false),
    row("url-parameter", "Secret parameter of an address", Credential, 440, true, false),
    row("connection-string", "Connection string", Credential, 400, true, false),
    row("assignment", "Secret assigned in a text", Credential, 420, true, false),
    row("auth-header", "Authorization header", Credential, 430, true, false),
    row("jwt", "JSON Web Token", Credential, 480, true, false),
    row("high-entropy", "String that looks drawn", Credential, 50, true, false),
    row("email", "E-mail address", Pii, 200, false, false),
    row("phone", "Telephone number", Pii, 150, false, false),
    row("national-id", "National identity, tax or social security number", Pii, 210, true, false),
    row("iban", "International bank account number", Pii, 220, true, false),
    row("payment-card", "Payment card number", Pii, 230, true, false),
    row("bank-account", "Bank account or routing number", Pii, 205, true, false),
    row("person-name", "Name of a person", Pii, 180, false, false),
    row("postal-address", "Postal address", Pii, 170, false, false),
    row("birth-date", "Date of birth", Pii, 160, false, false),
    row("private-ip", "Private network address", Infrastructure, 190, false, false),
    row("undecidable", "Value that the detector could not settle", Credential, 920, false, true),
];
