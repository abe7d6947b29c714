//! Secret managers, identity providers, keys and password hashes.

use super::{Family, token};

#[rustfmt::skip]
pub(super) const ROWS: &[Family] = &[
    token("kong-konnect-token", "Kong Konnect token", &[r"kpat_\a{32,}", r"spat_\a{32,}"], "https://developer.konghq.com/konnect-api/"),
    token("jumpcloud-api-key", "JumpCloud API key", &[r"jca_\a{36}"], "https://jumpcloud.com/support/jumpcloud-apis1"),
    token("ory-token", "Ory token or key", &[r"ory_pat_\s{20,}", r"ory_apikey_\s{20,}", r"ory_st_\s{20,}", r"ory_at_\s{20,}", r"ory_rt_\s{20,}", r"ory_ac_\s{20,}"], "https://www.ory.sh/docs/concepts/personal-access-token"),
    token("vault-token", "Vault service, batch or recovery token", &[r"hvs\.\s{20,}", r"hvb\.\s{20,}", r"hvr\.\s{20,}"], "https://developer.hashicorp.com/vault/docs/concepts/tokens"),
    token("doppler-token", "Doppler token", &[r"dp\.pt\.\s{38,}", r"dp\.st\.[A-Za-z0-9_.-]{38,}", r"dp\.sa\.\s{38,}", r"dp\.ct\.\s{38,}", r"dp\.scim\.\s{38,}", r"dp\.audit\.\s{38,}", r"dp\.said\.\s{38,}"], "https://docs.doppler.com/reference/auth-token-formats"),
    token("onepassword-token", "1Password service account token", &[r"ops_eyJ[A-Za-z0-9_=+/-]{80,}"], "https://developer.1password.com/docs/service-accounts/"),
    token("onepassword-secret-key", "1Password secret key", &[r"A3-\u{6}-\u{6}-\u{5}-\u{5}-\u{5}", r"A3-\u{6}-\u{11}-\u{5}-\u{5}-\u{5}"], "https://support.1password.com/secret-key-security/"),
    token("infisical-token", "Infisical token", &[r"st\.\h{24}\.\h{32}\.\h{32}", r"st\.\h{24}\.\h{64}"], "https://infisical.com/docs/documentation/platform/token"),
    token("age-secret-key", "age secret key", &[r"AGE-SECRET-KEY-1[A-Z0-9]{58}", r"AGE-SECRET-KEY-PQ-1[A-Z0-9]{58,}", r"AGE-PLUGIN-\u{2,20}-1[A-Z0-9]{20,}"], "https://github.com/C2SP/C2SP/blob/main/age.md"),
    token("okta-token", "Okta SSWS token", &[r"SSWS (00\s{40})"], "https://developer.okta.com/docs/reference/core-okta-api/"),
    token("authress-key", "Authress key", &[r"sc_\a{5,30}\.\a{4,6}\.acc_[a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}", r"authress_\a{5,30}\.\a{4,6}\.acc_[a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}"], "https://authress.io/knowledge-base"),
    token("pkcs12-store", "PKCS#12 store with its private keys", &[r"MI[A-Za-z0-9+/]{4}IBAzCC[A-Za-z0-9+/=\-_]{80,}"], "https://www.rfc-editor.org/rfc/rfc7292#section-4"),
    token("java-key-store", "Java key store", &[r"/u3+7QAAAA[A-Za-z0-9+/=]{60,}", r"zs7OzgAAAA[A-Za-z0-9+/=]{60,}"], "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/security/KeyStore.html"),
    token("bcrypt-hash", "bcrypt hash", &[r"$2a$\d{2}$[./A-Za-z0-9]{53}", r"$2b$\d{2}$[./A-Za-z0-9]{53}", r"$2y$\d{2}$[./A-Za-z0-9]{53}", r"$2x$\d{2}$[./A-Za-z0-9]{53}"], "https://www.usenix.org/legacy/events/usenix99/provos/provos_html/node1.html"),
    token("crypt-sha-hash", "crypt(3) SHA hash", &[r"$6$[./A-Za-z0-9$=]{20,150}", r"$5$[./A-Za-z0-9$=]{20,120}"], "https://www.akkadia.org/drepper/SHA-crypt.txt"),
    token("crypt-md5-hash", "crypt(3) MD5 or Apache hash", &[r"$1$[./A-Za-z0-9]{1,8}$[./A-Za-z0-9]{22}", r"$apr1$[./A-Za-z0-9]{1,8}$[./A-Za-z0-9]{22}"], "https://httpd.apache.org/docs/2.4/misc/password_encryptions.html"),
    token("yescrypt-hash", "yescrypt or gost hash", &[r"$y$[./A-Za-z0-9]{1,10}$[./A-Za-z0-9]{0,90}$[./A-Za-z0-9]{43}", r"$gy$[./A-Za-z0-9]{1,10}$[./A-Za-z0-9]{0,90}$[./A-Za-z0-9]{43}", r"$7$[./A-Za-z0-9$]{30,}"], "https://www.openwall.com/yescrypt/"),
    token("argon2-hash", "Argon2 hash", &[r"$argon2id$v=\d{1,3}$[mtp=,0-9]{8,40}$[A-Za-z0-9+/]{8,90}$[A-Za-z0-9+/]{16,}", r"$argon2i$v=\d{1,3}$[mtp=,0-9]{8,40}$[A-Za-z0-9+/]{8,90}$[A-Za-z0-9+/]{16,}", r"$argon2d$v=\d{1,3}$[mtp=,0-9]{8,40}$[A-Za-z0-9+/]{8,90}$[A-Za-z0-9+/]{16,}"], "https://github.com/P-H-C/phc-winner-argon2"),
    token("scrypt-phc-hash", "scrypt hash", &[r"$scrypt$ln=\d{1,2},r=\d{1,3},p=\d{1,3}$[A-Za-z0-9+/]{8,90}$[A-Za-z0-9+/]{16,}"], "https://github.com/P-H-C/phc-string-format"),
    token("pbkdf2-hash", "PBKDF2 hash", &[r"pbkdf2_sha256$\d{3,8}$[A-Za-z0-9+/]{6,64}$[A-Za-z0-9+/=]{20,}", r"pbkdf2_sha512$\d{3,8}$[A-Za-z0-9+/]{6,64}$[A-Za-z0-9+/=]{20,}", r"$pbkdf2-sha256$\d{3,8}$[A-Za-z0-9./]{6,64}$[A-Za-z0-9./]{20,}", r"$pbkdf2-sha512$\d{3,8}$[A-Za-z0-9./]{6,64}$[A-Za-z0-9./]{20,}"], "https://docs.djangoproject.com/en/stable/topics/auth/passwords/"),
    token("ldap-password-hash", "LDAP password hash", &[r"{SSHA}[A-Za-z0-9+/=]{24,}", r"{SHA}[A-Za-z0-9+/=]{26,}", r"{SSHA256}[A-Za-z0-9+/=]{40,}", r"{SSHA512}[A-Za-z0-9+/=]{80,}", r"{PBKDF2-SHA256}[A-Za-z0-9+/=.$]{40,}"], "https://www.openldap.org/faq/data/cache/347.html"),
    token("postgres-scram", "PostgreSQL SCRAM verifier", &[r"SCRAM-SHA-256$\d{3,7}:[A-Za-z0-9+/=]{16,}$[A-Za-z0-9+/=]{40,}:[A-Za-z0-9+/=]{40,}"], "https://www.postgresql.org/docs/current/catalog-pg-authid.html"),
    token("boundary-token", "Boundary token", &[r"at_\a{10}_s1\a{40,}"], "https://developer.hashicorp.com/boundary/docs"),
    token("bitcoin-extended-key", "BIP-32 extended private key", &[r"xprv[1-9A-HJ-NP-Za-km-z]{107}"], "https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki"),
    token("nostr-secret-key", "Nostr secret key", &[r"nsec1[02-9ac-hj-np-z]{58}"], "https://github.com/nostr-protocol/nips/blob/master/19.md"),
    token("k3s-token", "k3s server token", &[r"K10\h{64}::[A-Za-z0-9:_.-]{8,}"], "https://docs.k3s.io/cli/token"),
    token("docker-swarm-token", "Docker Swarm join or unlock token", &[r"SWMTKN-1-[a-z0-9]{50}-[a-z0-9]{25}", r"SWMKEY-1-[A-Za-z0-9+/=]{40,}"], "https://docs.docker.com/engine/swarm/join-nodes/"),
    token("rancher-token", "Rancher token", &[r"token-[a-z0-9]{5}:[a-z0-9]{54}"], "https://ranchermanager.docs.rancher.com/api/api-tokens"),
    token("openshift-token", "OpenShift token", &[r"sha256~\s{43}"], "https://docs.redhat.com/en/documentation/openshift_container_platform"),
    token("paseto-token", "PASETO local token", &[r"v4\.local\.\s{40,}", r"v3\.local\.\s{40,}", r"v2\.local\.\s{40,}", r"k4\.secret\.\s{40,}", r"k4\.local\.\s{40,}"], "https://github.com/paseto-standard/paseto-spec"),
    token("persona-key", "Persona key", &[r"persona_production_\a{30,}", r"persona_sandbox_\a{30,}"], "https://docs.withpersona.com/api-keys"),
    token("one-time-password-uri", "Seed of an otpauth address", &[r"otpauth://totp/[A-Za-z0-9%@:._-]{1,200}\?secret=([A-Z2-7=]{16,})", r"otpauth://hotp/[A-Za-z0-9%@:._-]{1,200}\?secret=([A-Z2-7=]{16,})"], "https://github.com/google/google-authenticator/wiki/Key-Uri-Format"),
];
