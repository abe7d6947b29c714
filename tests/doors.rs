//! `terrasift serve` with TLS: the program itself, its certificates changed while it runs, and what it does not start with.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use terrasift_kafka::EmbeddedKafka;
use terrasift_postgres::PrivatePostgres;

/// Longest wait for any condition.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Issues certificates, and writes them into files.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn make() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn write(&self, folder: &Path, name: &str, usage: ExtendedKeyUsagePurpose, alternative: SanType) {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![usage];
        params.subject_alt_names = vec![alternative];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
    }

    /// A client that believes this authority, with the certificate of that name.
    fn client(&self, bearer: Option<&Path>) -> reqwest::Client {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let tls = match bearer {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let certificate = CertificateDer::from_pem_file(path.with_extension("crt")).unwrap();
                let key = PrivateKeyDer::from_pem_file(path.with_extension("key")).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        // No connection is kept: each request shakes hands anew.
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()
            .unwrap()
    }
}

fn command(config: &Path, database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terrasift"));
    command.args(["serve", "--config", config.to_str().unwrap()]);
    let keys = ["IDENTITY_KEY", "HASH_KEY", "CURSOR_KEY", "API_KEY_PEPPER"];
    for (name, digit) in keys.into_iter().zip(["1", "2", "3", "4"]) {
        command.env(format!("TERRASIFT_{name}"), digit.repeat(64));
    }
    command.env("TERRASIFT_DATABASE_URL", database).env("TOKEN", "token").stdin(Stdio::null());
    command
}

/// Free a moment ago: nobody else on this machine asks for it by number.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn until(what: &str, serve: &mut Child, log: &Path, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let held = tokio::time::timeout(WAIT_MAX, wait).await.is_ok();
    let (ended, log) = (serve.try_wait().unwrap(), std::fs::read_to_string(log).unwrap());
    assert!(held, "waited in vain for {what}; ended: {ended:?}; log:\n{log}");
}

#[tokio::test]
async fn the_program_serves_tls_and_takes_changed_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let (at, log) = (folder.path(), folder.path().join("log"));
    let (old, new, clients) = (Authority::make(), Authority::make(), Authority::make());
    let localhost = || SanType::IpAddress("127.0.0.1".parse().unwrap());
    old.write(at, "server", ExtendedKeyUsagePurpose::ServerAuth, localhost());
    let service = SanType::URI("spiffe://example/acme".try_into().unwrap());
    clients.write(at, "service", ExtendedKeyUsagePurpose::ClientAuth, service);
    std::fs::write(at.join("clients.crt"), &clients.pem).unwrap();
    let kafka = EmbeddedKafka::start(4).unwrap();
    let postgres = PrivatePostgres::start(None).await.unwrap();
    terrasift_postgres::migrate(&postgres.owner_url()).await.unwrap();
    let (listen, operations) = (free(), free());
    let config = at.join("terrasift.yaml");
    let text = format!(
        "roles: [api]
http:
  listen: '{listen}'
  operations_listen: '{operations}'
  tls: {{certificate_file: {at}/server.crt, key: 'file:{at}/server.key', client_ca_file: {at}/clients.crt,
    client_certificates: required, reload_s: 1}}
kafka: {{bootstrap: '{}', group: doors, partitions: 4}}
identity:
  certificates: [{{name: backstage, tenant: acme, permissions: ['catalog:read'], uri: 'spiffe://example/acme'}}]
tenants: [{{id: acme, organizations: [acme], tokens: [env:TOKEN]}}]
",
        kafka.bootstrap(),
        at = at.display(),
    );
    std::fs::write(&config, text).unwrap();
    let mut serve = command(&config, &postgres.app_url())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();

    let bearer = at.join("service");
    let status = async |client: &reqwest::Client, url: String| {
        client.get(url).send().await.ok().map(|answer| answer.status().as_u16())
    };
    let (probe, entities) = (format!("http://{operations}/readyz"), format!("https://{listen}/v1/entities"));
    let (plain, known) = (old.client(None), old.client(Some(&bearer)));
    until("readiness, which shows no certificate", &mut serve, &log, async || {
        status(&plain, probe.clone()).await == Some(200)
    })
    .await;
    assert_eq!(status(&known, entities.clone()).await, Some(200));
    assert_eq!(status(&plain, entities.clone()).await, None, "without a certificate");
    assert_eq!(status(&known, format!("https://{listen}/metrics")).await, Some(404), "metrics are inside");

    // What is of no use is told once and not taken; what is good is taken.
    std::fs::write(at.join("server.crt"), "hunter2").unwrap();
    let refused = "changed certificates are of no use";
    until("a refusal", &mut serve, &log, async || std::fs::read_to_string(&log).unwrap().contains(refused))
        .await;
    assert_eq!(status(&known, entities.clone()).await, Some(200), "the one from before stays");
    new.write(at, "server", ExtendedKeyUsagePurpose::ServerAuth, localhost());
    let renewed = new.client(Some(&bearer));
    until("the new certificate", &mut serve, &log, async || {
        status(&renewed, entities.clone()).await == Some(200)
    })
    .await;
    assert_eq!(status(&known, entities.clone()).await, None, "the old authority's is shown no more");
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(!log.contains("hunter2") && !log.contains("PRIVATE KEY"), "{log}");
    serve.kill().unwrap();
    serve.wait().unwrap();
    postgres.stop().await;
}

fn started(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("terrasift.yaml");
    let authority = Authority::make();
    let localhost = SanType::IpAddress("127.0.0.1".parse().unwrap());
    authority.write(folder.path(), "server", ExtendedKeyUsagePurpose::ServerAuth, localhost);
    std::fs::write(&config, text.replace("AT", &folder.path().display().to_string())).unwrap();
    // Nobody listens there: what starts at all ends with that.
    command(&config, "postgres://nobody@127.0.0.1:9/none").output().unwrap()
}

#[test]
fn the_program_does_not_start_with_doors_that_are_open_or_shut_by_mistake() {
    let tls = "certificate_file: AT/server.crt, key: 'file:AT/server.key'";
    let cases = [
        ("{listen: '0.0.0.0:0', development_header: true}", "anybody who reaches http.listen"),
        ("{listen: '[::]:0', development_header: true}", "anybody who reaches http.listen"),
        ("{listen: '[::ffff:0.0.0.0]:0', development_header: true}", "anybody who reaches http.listen"),
        ("{listen: '127.0.0.1:0', development_header: true}", "cannot connect to Postgres"),
        ("{listen: '[::ffff:127.0.0.1]:0', development_header: true}", "cannot connect to Postgres"),
        (&format!("{{listen: '127.0.0.1:0', tls: {{{tls}}}}}"), "cannot connect to Postgres"),
        (
            &format!("{{tls: {{{tls}, client_ca_file: AT/server.crt, client_certificates: required}}}}"),
            "would close the webhooks",
        ),
        (&format!("{{tls: {{{tls}, client_ca_file: AT/none}}}}"), "http.tls.client_ca_file: cannot read"),
        (
            &format!("{{tls: {{{tls}, client_ca_file: AT/server.key}}}}"),
            "no certificate of an authority of clients",
        ),
        ("{trusted_proxies: [10.0.0.0/8, 10.0.0.300]}", "http.trusted_proxies[1]: not a network"),
        ("{trusted_proxies: ['::ffff:10.0.0.0/104']}", "http.trusted_proxies[0]: not a network"),
        ("{trusted_proxies: [0.0.0.0/0]}", "http.trusted_proxies[0]: all addresses"),
        (
            "{listen: '127.0.0.1:0', trusted_proxies: [10.0.0.1, 'fd00::/8', 10.1.2.3/16]}",
            "cannot connect to Postgres",
        ),
        ("{tls: {certificate_file: AT/server.key, key: 'file:AT/server.key'}}", "no certificate of ours"),
        ("{tls: {certificate_file: AT/server.crt, key: 'file:AT/server.crt'}}", "no private key"),
        ("{tls: {certificate_file: AT/server.crt, key: 'env:NO_SUCH_KEY'}}", "http.tls.key"),
    ];
    for (http, expected) in cases {
        let output = started(&format!("http: {http}\n"));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(expected), "{http}: {told}");
        assert!(!told.contains("PRIVATE KEY"), "{http}");
    }
}
