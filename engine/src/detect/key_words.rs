//! The words that names of keys are made of: what a secret is called, what is said about one, what is public.
//!
//! Knows words only; what they mean together is `keys.rs`'s.

use super::services;

/// Words that say nothing about what is named: stripped from the end.
#[rustfmt::skip]
pub(super) static NEUTRAL: Lexicon = Lexicon::of(&[
    "value", "values", "string", "data", "text", "plaintext", "pem", "der", "hex", "b64", "base64", "raw",
    "json", "openssh", "pkcs8", "pkcs1", "wo", "old", "new", "current", "previous", "encoded", "binary",
    "v1", "v2", "v3", "v4", "hash", "hashed", "encrypted", "ciphertext", "plain", "contents", "content",
    "override", "input", "env", "var", "blob",
]);

/// The last word that turns a secret's name into a fact about it.
#[rustfmt::skip]
pub(super) static FACT: Lexicon = Lexicon::of(&[
    "arn", "arns", "name", "names", "type", "types", "length", "policy", "policies", "ttl", "enabled",
    "disabled", "version", "versions", "file", "files", "filename", "path", "paths", "url", "uri",
    "endpoint", "required", "reset", "rotation", "expiry", "expires", "expire", "expiration", "at", "count",
    "status", "algorithm", "algorithms", "size", "format", "prefix", "suffix", "mode", "method", "provider",
    "ref", "refs", "reference", "selector", "manager", "store", "region", "location", "lifetime",
    "validity", "duration", "period", "days", "hours", "minutes", "seconds", "age", "history", "complexity",
    "attempts", "bits", "curve", "usage", "usages", "ops", "spec", "permissions", "id", "ids", "date",
    "time", "timestamp", "on", "in", "window", "rule", "rules", "config", "configuration", "settings",
    "options", "description", "label", "labels", "tags", "state", "bytes", "limit", "max", "min",
    "audience", "issuer", "scope", "scopes", "request", "access", "use", "kind", "source", "sources",
    "username", "user", "only", "authentication", "auth", "allowed", "support", "supported", "changed",
    "updated", "created", "last", "rotated", "vault", "service", "services", "backend", "engine", "mount",
    "keepers", "numeric", "special", "upper", "lower", "fingerprint", "thumbprint", "management",
    "protected", "protection", "recovery", "property", "properties", "field", "link", "links", "claim",
    "claims", "exchange", "endpoints", "address", "host", "port", "delivery", "retention", "generation",
    "number",
]);

/// What a member says of the secret that it is part of, and is none itself.
#[rustfmt::skip]
pub(super) static DETAIL: Lexicon = Lexicon::of(&[
    "type", "types", "algorithm", "algorithms", "size", "encoding", "format", "scope", "scopes", "mode", "kind", "scheme", "leeway",
    "lifetime", "ttl", "enabled", "date", "expiration", "expiry", "expires", "expire", "length", "method", "name", "names",
    "required", "optional", "rotation", "status", "state", "region", "location", "provider", "engine", "minlength", "maxlength", "httpmethod", "html",
    "in", "uri", "errorequals", "intervalseconds", "maxattempts", "backoffrate", "resultpath", "resource", "next", "ref",
]);

/// Names of passwords: whatever stands there goes.
#[rustfmt::skip]
pub(super) static STRONG: Lexicon = Lexicon::of(&[
    "password", "passwd", "passphrase", "passwords", "pwd", "passcode", "userpassword", "dbpassword",
    "adminpassword", "rootpassword", "masterpassword", "mysqlpwd", "pgpassword", "mypassword",
    "kubeconfig", "pw", "pword", "passwrd", "adminpw", "rootpw", "bindpw", "dbpw", "userpw", "ldappw", "dbpass", "rootpass",
    "userpass", "adminpass", "authpass", "storepass", "keypass", "requirepass", "masterauth", "masterpass", "pgpass", "mysqlpass",
    "bindpass", "smtppass", "sshpass", "bindcredential", "bindcredentials", "keytab", "rocommunity", "rwcommunity", "secretvalue", "usercred", "passkey", "authtok", "psksecret", "dnpass", "pswd", "radiussecrets", "snmpcommunity",
    "passwort", "kennwort", "passe", "mdp", "senha", "contrasena", "contrasenha", "clave", "wachtwoord", "salasana", "parola",
    "haslo", "heslo", "jelszo", "kodeord", "adgangskode", "passord", "losenord", "sifre", "lozinka", "geslo", "parool",
]);

/// Two last words that together name a secret beyond doubt.
#[rustfmt::skip]
pub(super) const STRONG_PAIRS: &[(&str, &str)] = &[
    ("api", "key"), ("secret", "key"), ("private", "key"), ("client", "secret"), ("auth", "token"),
    ("access", "token"), ("refresh", "token"), ("bearer", "token"), ("session", "token"), ("id", "token"),
    ("account", "key"), ("encryption", "key"), ("signing", "key"), ("master", "key"), ("shared", "key"),
    ("license", "key"), ("client", "key"), ("server", "key"), ("tls", "key"), ("ssl", "key"),
    ("app", "key"), ("application", "key"), ("ingestion", "key"), ("webhook", "secret"),
    ("shared", "secret"), ("app", "secret"), ("signing", "secret"), ("api", "secret"), ("api", "token"),
    ("consumer", "secret"), ("oauth", "token"), ("deploy", "token"), ("join", "token"), ("root", "token"),
    ("bot", "token"), ("pass", "word"), ("pass", "phrase"), ("db", "pass"), ("admin", "pass"),
    ("user", "pass"), ("smtp", "pass"), ("root", "pass"), ("authkey", ""), ("subscription", "key"),
    ("service", "key"), ("personal", "token"), ("hmac", "key"), ("hmac", "secret"), ("aes", "key"),
    ("des", "key"), ("rsa", "key"), ("primary", "password"), ("sas", "token"), ("functions", "key"),
    ("hec", "token"), ("psk", ""), ("preshared", "key"), ("integration", "key"), ("routing", "secret"),
    ("storage", "key"), ("token", "secret"), ("secret", "access"), ("cookie", "secret"), ("jwt", "secret"),
    ("session", "secret"), ("agent", "key"), ("unseal", "key"), ("recovery", "key"), ("rpc", "key"),
    ("gossip", "key"), ("seed", "phrase"), ("otp", "seed"), ("totp", "seed"),
    ("wallet", "seed"), ("master", "seed"), ("key", "base"), ("sas", "url"), ("pre", "key"), ("secret", "payload"),
    ("pat", ""), ("kube", "config"), ("redis", "auth"), ("rediscli", "auth"), ("apikey", "private"),
    ("erlang", "cookie"), ("private", "token"), ("pin", "code"), ("consumer", "key"), ("record", "key"), ("validation", "key"),
    ("api", "keys"), ("authentication", "key"), ("priv", "key"), ("unlock", "key"), ("activation", "code"), ("age", "key"), ("ca", "key"),
    ("certificate", "key"), ("pass", "code"), ("pgp", "private"), ("gpg", "private"), ("serial", "key"), ("nr", "license"), ("newrelic", "license"),
    ("luks", "key"), ("radius", "key"), ("tacacs", "key"), ("ospf", "key"), ("hsrp", "key"), ("ntp", "key"),
    ("bgp", "key"), ("wpa", "key"), ("wpa2", "key"), ("wlan", "key"), ("wifi", "key"), ("wep", "key"), ("vpn", "key"), ("genie", "key"),
    ("snmp", "community"), ("ro", "community"), ("rw", "community"), ("read", "community"), ("write", "community"), ("snmp", "ro"),
    ("snmp", "rw"), ("snmp", "priv"), ("security", "answer"), ("secret", "answer"), ("recovery", "answer"), ("github", "oauth"), ("gitlab", "oauth"), ("bitbucket", "oauth"), ("initial", "management"), ("password", "sha256"), ("double", "sha1"), ("recovery", "code"), ("recovery", "codes"),
    ("backup", "code"), ("backup", "codes"), ("unseal", "keys"), ("licence", "key"), ("product", "key"), ("bitlocker", "key"),
    ("fernet", "key"), ("cipher", "key"), ("signature", "key"), ("machine", "key"), ("md5", "key"), ("md5", "password"), ("pass", "key"), ("bind", "pass"),
    ("sensitive", "values"), ("secure", "data"), ("sensitive", "vars"), ("protected", "settings"), ("private", "settings"),
    ("salt", "key"), ("merchant", "key"), ("working", "key"), ("checksum", "key"), ("session", "key"), ("setup", "key"), ("unlock", "code"), ("clave", "acceso"), ("community", "string"), ("snmp", "community"), ("decryption", "key"), ("honeycomb", "team"), ("sonar", "login"), ("auth", "pass"), ("app", "pass"),
];

/// Last words that suggest a secret: the value decides.
#[rustfmt::skip]
pub(super) static SUGGESTIVE: Lexicon = Lexicon::of(&[
    "secret", "secrets", "credential", "credentials", "token", "tokens", "apikey", "apikeys", "apitokens", "pass", "sas", "auth", "authorization",
    "privatekey", "accesskey", "secretkey", "clientsecret", "authtoken", "accesstoken", "cookie", "otp",
    "totp", "mnemonic", "pin", "pincode", "cvv", "cvc", "signature", "salt", "jwt", "dsa",
    "webhook", "webhooks", "authkey", "psk", "pat", "unseal", "pfx", "p12", "pkcs12", "cred", "creds", "puk", "pepper", "bearer",
]);

/// Words written together: the end of the whole key is compared.
#[rustfmt::skip]
pub(super) const JOINED: &[&str] = &[
    "password", "passwd", "passphrase", "apikey", "secretkey", "clientsecret", "authtoken", "accesstoken",
    "privatekey", "secretaccesskey", "apitoken", "accountkey", "sharedaccesskey", "encryptionkey",
    "signingkey", "apisecret", "appsecret", "passwort", "motdepasse", "contrasena", "licensekey",
    "connectionpassword", "refreshtoken", "secrettoken", "webhooksecret", "sshkey", "aeskey", "hmackey", "validationkey",
    "decryptionkey", "masterkey", "sessionsecret", "jwtsecret", "appkey", "keypassphrase", "securejsondata", "servicekey", "secretbytes", "sharedkey", "sessionkey", "setupkey", "pass4symmkey", "passwordsalt",
];

/// What stands behind a secret's name and tells which one it is: `PASSWORD_PROD`, `password_eu_west_1`.
#[rustfmt::skip]
pub(super) static WHICH: Lexicon = Lexicon::of(&[
    "prod", "production", "prd", "stage", "staging", "stg", "dev", "development", "test", "testing", "qa", "uat", "int", "sandbox",
    "primary", "secondary", "master", "replica", "main", "default", "admin", "root", "app", "api", "db", "ro", "rw", "eu", "us", "ap",
    "sa", "ca", "me", "af", "west", "east", "north", "south", "central", "northeast", "northwest", "southeast", "southwest", "blue",
    "green", "a", "b", "internal", "external", "local", "global", "plaintext", "clear", "cleartext",
]);

/// Words for a password in languages that put what it is for behind it: `senha_banco`.
#[rustfmt::skip]
pub(super) static NOUN_FIRST: Lexicon = Lexicon::of(&["senha", "contrasena", "contrasenha", "mdp", "passe", "heslo", "haslo", "kennwort", "passwort", "salasana"]);

/// What a pass is that nobody has to know: `proxy_pass`, `low_pass`.
#[rustfmt::skip]
pub(super) static PASSING: Lexicon = Lexicon::of(&[
    "proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached", "low", "high", "band", "first", "second", "one", "two", "single", "multi",
    "by", "test", "tests", "will", "must", "to", "can", "no", "all", "render", "boarding", "did", "should", "pre", "post", "next", "last",
]);

/// Passwords in languages that ASCII does not write, and the same without their marks: lower case.
pub(super) const FOREIGN: &[&str] = &[
    "contraseña",
    "lösenord",
    "şifre",
    "hasło",
    "mật khẩu",
    "пароль",
    "κωδικός",
    "סיסמה",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "暗証番号",
    "비밀번호",
    "암호",
    "รหัสผ่าน",
    "كلمة المرور",
    "palavra-passe",
    "schlüssel-passwort",
];

/// Facts about cryptography and identity that are public by nature.
#[rustfmt::skip]
pub(super) static PUBLIC_LAST: Lexicon = Lexicon::of(&[
    "arn", "arns", "etag", "etags", "digest", "digests", "sha", "sha1", "sha256", "sha512", "md5",
    "checksum", "hash", "fingerprint", "thumbprint", "uid", "uuid", "guid", "id", "ids", "version",
    "revision", "commit", "policy", "certificate", "cert", "crt", "ca", "chain", "selflink", "link",
    "image", "nonce", "serial", "lineage", "base64sha256", "base64sha512", "arnsuffix", "certificates",
    "zone", "ami", "modulus", "crl", "csr", "bundle", "md5hash", "sha1hash", "sha256hash", "kid", "audience", "audiences", "aud", "issuer", "alias",
    "userpool", "userpoolclient", "accessor", "s256", "x5t", "permalink", "verification", "ciphertext", "sitekey", "integrity",
]);

/// Services whose keys have no format of their own.
pub(super) static SERVICES: Lexicon = Lexicon::of(services::NAMES);
pub(super) static SERVICE_WORDS: Lexicon = Lexicon::of(services::WORDS);

/// Words, and which lengths they have by their first byte: most words that are asked for are none of them, and are told so
/// without a comparison.
pub(super) struct Lexicon {
    words: &'static [&'static str],
    lengths: [u32; 128],
}

impl Lexicon {
    const fn of(words: &'static [&'static str]) -> Self {
        let mut lengths = [0u32; 128];
        let mut at = 0;
        while at < words.len() {
            note(&mut lengths, words[at]);
            at += 1;
        }
        Self { words, lengths }
    }

    #[inline]
    pub(super) fn has(&self, word: &[u8]) -> bool {
        may_be(&self.lengths, word) && self.words.iter().any(|known| known.as_bytes() == word)
    }
}

/// Lengths of the second words of [`STRONG_PAIRS`], or of the first ones where these stand alone.
pub(super) static PAIRED: [u32; 128] = {
    let mut lengths = [0u32; 128];
    let mut at = 0;
    while at < STRONG_PAIRS.len() {
        let (first, second) = STRONG_PAIRS[at];
        note(&mut lengths, if second.is_empty() { first } else { second });
        at += 1;
    }
    lengths
};

const fn note(lengths: &mut [u32; 128], word: &str) {
    let bytes = word.as_bytes();
    assert!(!bytes.is_empty() && bytes.len() < 32 && bytes[0] < 128, "a word of the lists is short");
    lengths[first_of(bytes)] |= 1 << bytes.len();
}

#[expect(clippy::as_conversions, reason = "no conversion by `From` is const")]
const fn first_of(bytes: &[u8]) -> usize {
    bytes[0] as usize & 127
}

#[inline]
pub(super) fn may_be(lengths: &[u32; 128], bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.len() < 32 && lengths[first_of(bytes)] >> bytes.len() & 1 == 1
}

/// Words before "key" that make it an index, a place or a name.
#[rustfmt::skip]
pub(super) static INDEXING: Lexicon = Lexicon::of(&[
    "hash", "range", "partition", "sort", "object", "bucket", "s3", "kms", "foreign", "tag", "lock", "state",
]);

/// Words that make a token or a secret a matter of course.
#[rustfmt::skip]
pub(super) static COURSE: Lexicon = Lexicon::of(&["next", "page", "continuation", "pagination", "pull", "count", "max", "idempotency", "lock", "creation", "update", "dkim", "request"]);

/// Whether a word of the kind that stands before `=` or `:` in scripts deserves a look: cheap pre-check.
#[rustfmt::skip]
pub(super) const SCREEN_WORDS: &[&str] = &[
    "passw", "pass", "pwd", "passphrase", "secret", "token", "apikey", "_key", "-key", "accountkey",
    "accesskey", "key=", "key:", "key>", "key\"", "key ", "credential", "auth", "signature", "sig=",
    "connectionstring", "privatekey", "psk", "ssn", "dsn", "otp", "pin=", "pin:", "pin =", "pin>", "pin\"", "postal", "familyname", "lastname", "firstname", "fullname", "givenname", "surname",
    "contactname", "holdername", "pat=", "_name", "birth", "nachname", "vorname", "prenom", "apellido", "cognome", "nazwisko", "achternaam", "voornaam", "forename", "geburts", "nacimiento",
    "naissance", "nascita", "kontonummer", "-pin", "_pin", "pincode", "pin_code", "pin-code", "phone",
    "street", "dob", "iban", "salt", "cookie", "license", "cvv", "pat =", "pat:", "sonar.login", "sonar_login", "sonarlogin", "honeycomb", "kubeconfig", "seed", "mnemonic", "iekey",
    "_pw", "-pw", "pw=", "pw:", "pw\"", "pw =", "p/w", "adminpw", "rootpw", "bindpw", "kennwort", "passwor", "passe", "mdp=", "mdp:", "mdp\"", "mdp =",
    "senha", "contrase", "clave", "wachtwoord", "salasana", "parola", "haslo", "heslo", "jelszo", "kodeord", "adgangskode", "passord",
    "losenord", "lozinka", "keytab", "masterauth", "community", "snmp_r", "snmp-r", "snmpr", "radius", "recovery", "backup_code", "pepper", "creds", "_cred", "cred=", "cred =", "cred:", "pw_",
    "puk=", "puk:", "sshkey", "aeskey", "appkey", "genie", "answer", "_settings", "_values", "secure_json", "securejson", "pword", "authtok",
    "contraseña", "lösenord", "şifre", "hasło", "HASŁO", "LÖSENORD", "CONTRASEÑA", "пароль", "Пароль", "ПАРОЛЬ", "密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "κωδικός",
    "tf_token_",
    "secretvalue", "servicekey", "sharedkey", "signingkey", "masterkey", "encryptionkey", "licensekey", "sessionkey", "hmackey", "decryptionkey",
    "setupkey", "validationkey", "symmkey", "initial_management", "activation", "bgp_md5", "bgp-md5", "bgpmd5", "cvc", "usercred", "unlock",
];
