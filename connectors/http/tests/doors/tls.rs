//! TLS over real sockets: versions, certificates of the server and of clients, and handshakes that do not end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};
use rustls::ClientConfig;
use rustls::version::{TLS12, TLS13};
use terrasift_http::{HttpConfig, Routes, Tls, TlsMaterial, mint_api_key, serve};
use terrasift_postgres::TrailFilter;
use terrasift_secrets::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::authority::{
    Bearer, HANDSHAKE, authority, client, days, dns, for_clients, impostor, material, pinned, stranger, uri,
};
use crate::house::{House, add_key, cluster, house_unwritten, house_unwritten_with, house_with, run};

const PATIENCE: Duration = Duration::from_secs(30);

struct Served {
    house: House,
    tls: Tls,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn served(name: &str, config: HttpConfig, material: &TlsMaterial) -> Served {
    serve_house(house_with(name, config.clone(), None).await, config, material).await
}

async fn serve_house(house: House, config: HttpConfig, material: &TlsMaterial) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let address = listener.local_addr().expect("address");
    let tls = Tls::new(material, &config, house.trail.clone(), &house.registry).expect("tls");
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { drop(stopped.await) };
    let ended = tokio::spawn(serve(listener, house.router.clone(), config, Some(tls.clone()), shutdown));
    Served { house, tls, address, stop, ended }
}

impl Served {
    async fn shake(&self, client: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let connecting =
            TlsConnector::from(Arc::clone(client)).connect("localhost".try_into().expect("a name"), stream);
        timeout(PATIENCE, connecting).await.expect("shakes hands in time")
    }

    /// One request on a connection of its own: status and code, or `refused` where nobody answers.
    async fn ask(&self, client: &Arc<ClientConfig>, path: &str, header: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n");
        let exchange = async {
            let mut stream = self.shake(client).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
        };
        let Ok(text) = timeout(PATIENCE, exchange).await.expect("in time") else {
            return "refused".to_owned();
        };
        let status = text.get(9..12).unwrap_or_default();
        let code = text.split_once("\"code\":\"").and_then(|(_, rest)| rest.split('"').next());
        format!("{status} {}", code.unwrap_or_default()).trim().to_owned()
    }

    fn counted(&self, metric: &str, outcome: &str) -> f64 {
        let families = self.house.registry.gather();
        let rows = families.iter().filter(|family| family.name() == metric).flat_map(|f| f.get_metric());
        rows.filter(|row| row.get_label()[0].value() == outcome)
            .map(|row| row.get_counter().get_value())
            .sum()
    }

    /// Waits until so many handshakes have ended so: a client knows that before the server has counted it.
    async fn until_counted(&self, outcome: &str, expected: f64) {
        let counted = || self.counted("terrasift_tls_handshakes_total", outcome);
        let reached = timeout(PATIENCE, async {
            while counted() < expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        reached.await.unwrap_or_else(|_| panic!("in vain waited for {outcome}"));
        assert_eq!(counted(), expected, "{outcome}");
    }

    async fn stop(self) {
        drop(self.stop);
        timeout(PATIENCE, self.ended).await.expect("stops in time").expect("stops without a panic");
    }
}

fn for_handshakes() -> HttpConfig {
    HttpConfig { handshake_timeout: HANDSHAKE, ..HttpConfig::default() }
}

#[test]
fn tls_is_spoken_in_version_1_3_only() {
    run(async {
        let served = served("tls-version", for_handshakes(), &material(&authority().server(), None)).await;
        let key = format!("authorization: Bearer {}\r\n", served.house.a.key);
        assert_eq!(served.ask(&client(None, &TLS13), "/v1/entities", &key).await, "200");
        assert_eq!(served.ask(&client(None, &TLS13), "/v1/entities", "").await, "401 unauthorized");
        assert_eq!(served.ask(&client(None, &TLS12), "/healthz", "").await, "refused");
        served.until_counted("incompatible", 1.0).await;
        let mut plain = TcpStream::connect(served.address).await.expect("connection");
        plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
        let mut bytes = Vec::new();
        drop(timeout(PATIENCE, plain.read_to_end(&mut bytes)).await.expect("closed"));
        assert!(!bytes.starts_with(b"HTTP"), "no answer in clear");
        let mut h2 = (*client(None, &TLS13)).clone();
        h2.alpn_protocols = vec![b"h2".to_vec()];
        assert_eq!(served.ask(&Arc::new(h2), "/healthz", "").await, "refused", "HTTP/2 is not spoken");
        served.stop().await;
    });
}

#[test]
fn whose_certificate_it_is_is_who_asks() {
    run(async {
        let server = authority().server();
        let served = served("tls-who", for_handshakes(), &material(&server, Some(false))).await;
        let (a, b) = (served.house.a.id.to_string(), served.house.b.id.to_string());
        let issued = |names| authority().issue(&for_clients(names));
        let (service_a, service_b) = (
            issued(vec![uri(&format!("spiffe://example/{a}"))]),
            issued(vec![uri(&format!("spiffe://example/{b}"))]),
        );
        let host = issued(vec![dns("other.example"), dns(&format!("{a}.example").to_uppercase())]);
        let wild = issued(vec![dns("*.example")]);
        let both = issued(vec![uri(&format!("spiffe://example/{a}")), uri(&format!("spiffe://example/{b}"))]);
        let unknown = issued(vec![dns("nobody.example")]);
        let mut common = for_clients(Vec::new());
        common.distinguished_name.push(rcgen::DnType::CommonName, format!("{a}.example"));
        let common = authority().issue(&common);
        let cases: [(&str, Option<&Bearer>, &str, &str); 11] = [
            ("a service", Some(&service_a), "/v1/entities", "200"),
            ("a service without the permission", Some(&service_a), "/v1/audit", "403 scope_missing"),
            ("a host", Some(&host), "/v1/audit", "200"),
            ("a host without the permission", Some(&host), "/v1/entities", "403 scope_missing"),
            ("a fingerprint", Some(pinned()), "/v1/entities", "200"),
            ("a wildcard", Some(&wild), "/v1/entities", "401 unauthorized"),
            ("names of two", Some(&both), "/v1/entities", "401 unauthorized"),
            ("a name that nobody has", Some(&unknown), "/v1/entities", "401 unauthorized"),
            ("a common name", Some(&common), "/v1/audit", "401 unauthorized"),
            ("none", None, "/v1/entities", "401 unauthorized"),
            ("none, to a probe", None, "/healthz", "200"),
        ];
        for (name, bearer, path, expected) in cases {
            assert_eq!(served.ask(&client(bearer, &TLS13), path, "").await, expected, "{name}");
        }
        // Each certificate has its own tenant's entities.
        served.house.commit(&served.house.a, 1, &[("Resource", "ours")], &[]).await;
        for (bearer, expected) in [(&service_a, "200"), (&service_b, "404 entity_not_found")] {
            let path = format!("/v1/entities/by-ref/resource/{}/ours", served.house.a.slug);
            assert_eq!(served.ask(&client(Some(bearer), &TLS13), &path, "").await, expected);
        }
        served.stop().await;
    });
}

#[test]
fn an_authorization_header_wins_over_a_certificate() {
    run(async {
        let server = authority().server();
        let served = served("tls-both", for_handshakes(), &material(&server, Some(false))).await;
        let service = format!("spiffe://example/{}", served.house.a.id);
        let service = authority().issue(&for_clients(vec![uri(&service)]));
        let audits = mint_api_key([171; 24]).expose().to_owned();
        add_key(&served.house.store, &served.house.b.id, &audits, &["audit:read"], None).await;
        let (key, unknown) = (&served.house.a.key, mint_api_key([172; 24]).expose().to_owned());
        let cases = [
            ("the certificate alone", Some(&service), String::new(), "/v1/entities", "200"),
            ("a key and no certificate", None, format!("Bearer {key}"), "/v1/entities", "200"),
            ("both", Some(&service), format!("Bearer {key}"), "/v1/entities", "200"),
            (
                "the key may less",
                Some(&service),
                format!("Bearer {audits}"),
                "/v1/entities",
                "403 scope_missing",
            ),
            (
                "the key may what the certificate may not",
                Some(&service),
                format!("Bearer {audits}"),
                "/v1/audit",
                "200",
            ),
            ("a wrong key", Some(&service), format!("Bearer {unknown}"), "/v1/entities", "401 unauthorized"),
            ("no key", Some(&service), "Bearer ".into(), "/v1/entities", "401 unauthorized"),
            ("another scheme", Some(&service), "Basic YTpi".into(), "/v1/entities", "401 unauthorized"),
        ];
        for (name, bearer, header, path, expected) in cases {
            let header = if header.is_empty() { header } else { format!("authorization: {header}\r\n") };
            assert_eq!(served.ask(&client(bearer, &TLS13), path, &header).await, expected, "{name}");
        }
        served.stop().await;
    });
}

/// Certificates that are wrong in one way each, and the word for it.
fn bad_ones(a: &str) -> Vec<(Bearer, &'static str)> {
    let good = || for_clients(vec![uri(&format!("spiffe://example/{a}"))]);
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = good();
        change(&mut params);
        authority().issue(&params)
    };
    vec![
        (with(&|params| (params.not_before, params.not_after) = (days(-9), days(-1))), "certificate_expired"),
        (with(&|params| (params.not_before, params.not_after) = (days(1), days(9))), "certificate_too_early"),
        (
            with(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            "certificate_wrong_purpose",
        ),
        (stranger().issue(&good()), "certificate_unknown_authority"),
        (impostor().issue(&good()), "certificate_invalid"),
    ]
}

#[test]
fn certificates_that_are_no_good_end_the_handshake_and_are_recorded() {
    run(async {
        for (required, name) in [(false, "tls-bad-o"), (true, "tls-bad-r")] {
            let database = name.replace('-', "_");
            let (house, writer) = house_unwritten(name, &database).await;
            let writer = tokio::spawn(writer.run());
            let server = authority().server();
            let served = serve_house(house, for_handshakes(), &material(&server, Some(required))).await;
            let mut codes = Vec::new();
            let key = format!("authorization: Bearer {}\r\n", served.house.a.key);
            for (bearer, code) in bad_ones(served.house.a.id.as_str()) {
                // A key does not make it good: what was said in the handshake was wrong.
                let answer = served.ask(&client(Some(&bearer), &TLS13), "/v1/entities", &key).await;
                assert_eq!(answer, "refused", "{code}");
                served.until_counted(code, 1.0).await;
                codes.push(code);
            }
            let without = served.ask(&client(None, &TLS13), "/v1/entities", &key).await;
            assert_eq!(without, if required { "refused" } else { "200" }, "no certificate");
            if required {
                codes.push("certificate_missing");
            }
            served.stop().await;
            writer.await.expect("the writer ends");
            let auditor = terrasift_postgres::Auditor::new(&cluster().await.auditor_url(&database));
            let filter = TrailFilter { action: Some("TLS".into()), ..TrailFilter::default() };
            let mut recorded = auditor.expect("an address").trail(&filter, 100).await.expect("records");
            recorded.sort_by_key(|record| record.number);
            assert!(recorded.iter().all(|record| record.client == "127.0.0.1"), "from where they came");
            let recorded: Vec<_> = recorded
                .iter()
                .map(|record| (record.tenant.as_str(), record.outcome.as_str(), record.code.as_str()))
                .collect();
            assert_eq!(recorded, codes.iter().map(|code| ("", "denied", *code)).collect::<Vec<_>>());
        }
    });
}

#[test]
fn certificates_are_replaced_while_connections_stay_open() {
    run(async {
        let (old, new) = (authority().server(), authority().server());
        let served = served("tls-fresh", for_handshakes(), &material(&old, Some(true))).await;
        let service = format!("spiffe://example/{}", served.house.a.id);
        let service = authority().issue(&for_clients(vec![uri(&service)]));
        let shows = async |served: &Served| {
            let stream = served.shake(&client(Some(&service), &TLS13)).await.expect("hands");
            stream.get_ref().1.peer_certificates().expect("a certificate")[0].clone()
        };
        let mut open = served.shake(&client(Some(&service), &TLS13)).await.expect("hands");
        let before = shows(&served).await;
        let mut broken = material(&new, Some(true));
        broken.key = Secret::new(material(&old, None).key.expose().to_owned());
        assert!(served.tls.replace(&broken).is_err(), "a key of another certificate");
        broken.key = Secret::new("no key".to_owned());
        assert!(served.tls.replace(&broken).is_err(), "no key");
        broken.certificate = b"no certificate".to_vec();
        assert!(served.tls.replace(&broken).is_err(), "no certificate");
        assert_eq!(shows(&served).await, before, "what was there before stays");
        served.tls.replace(&material(&new, Some(true))).expect("taken");
        assert_ne!(shows(&served).await, before, "the new one is shown");
        let request = "GET /v1/entities HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        open.write_all(request.as_bytes()).await.expect("written");
        let mut bytes = Vec::new();
        timeout(PATIENCE, open.read_to_end(&mut bytes)).await.expect("in time").expect("readable");
        assert!(bytes.starts_with(b"HTTP/1.1 200"), "what was open goes on");
        assert_eq!(served.counted("terrasift_tls_reloads_total", "refused"), 3.0);
        assert_eq!(served.counted("terrasift_tls_reloads_total", "taken"), 1.0);
        served.stop().await;
    });
}

#[test]
fn handshakes_are_bounded_in_time_and_number() {
    run(async {
        let config = HttpConfig { max_handshakes: 1, ..for_handshakes() };
        let served = served("tls-slow", config, &material(&authority().server(), None)).await;
        // Who says nothing, or half of something, holds nobody up.
        let mut silent = Vec::new();
        for start in [&b""[..], b"\x16\x03\x01\x02\x00\x01"].into_iter().cycle().take(20) {
            let mut stream = TcpStream::connect(served.address).await.expect("connection");
            stream.write_all(start).await.expect("written");
            silent.push(stream);
        }
        let started = Instant::now();
        assert_eq!(served.ask(&client(None, &TLS13), "/healthz", "").await, "200");
        let took = started.elapsed();
        for stream in &mut silent {
            let mut bytes = Vec::new();
            drop(timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("cut"));
        }
        assert!(started.elapsed() >= HANDSHAKE / 2 && took < Duration::from_secs(10), "{took:?}");
        served.until_counted("timeout", 20.0).await;
        served.stop().await;
    });
}

#[test]
fn probes_stand_apart_where_they_are_told_to() {
    run(async {
        let house = house_with("tls-apart", HttpConfig::default(), None).await;
        let registry = prometheus::Registry::new();
        let routes = Routes { api: true, webhook: true };
        let doors = house.doors(registry);
        let (outside, inner) =
            terrasift_http::routers_apart(doors, routes, &HttpConfig::default()).expect("routers");
        for (path, there, here) in [
            ("/healthz", "404 route_not_found", "200"),
            ("/metrics", "404 route_not_found", "200"),
            ("/v1/entities", "200", "404 route_not_found"),
            ("/v1/audit", "403 scope_missing", "404 route_not_found"),
        ] {
            assert_eq!(house.ask_of(&outside, path).await, there, "outside: {path}");
            assert_eq!(house.ask_of(&inner, path).await, here, "inner: {path}");
        }
    });
}

#[test]
fn the_development_header_opens_where_it_is_switched_on_and_to_this_machine_only() {
    run(async {
        for (name, switched_on) in [("tls-dev-off", false), ("tls-dev-on", true)] {
            let database = name.replace('-', "_");
            let (house, writer) = house_unwritten_with(
                name,
                &database,
                HttpConfig { development_header: switched_on, ..for_handshakes() },
            )
            .await;
            let writer = tokio::spawn(writer.run());
            let config = HttpConfig { development_header: switched_on, ..for_handshakes() };
            let served = serve_house(house, config, &material(&authority().server(), None)).await;
            let (a, key) = (served.house.a.id.to_string(), served.house.a.key.clone());
            let header = format!("x-terrasift-dev-tenant: {a}\r\n");
            let on = |yes: &'static str| if switched_on { yes } else { "401 unauthorized" };
            let cases = [
                ("the header", header.clone(), on("200")),
                ("a tenant that is none", "x-terrasift-dev-tenant: nobody\r\n".into(), "401 unauthorized"),
                ("no tenant", "x-terrasift-dev-tenant: \r\n".into(), "401 unauthorized"),
                ("twice", header.repeat(2), "401 unauthorized"),
                ("through a proxy", format!("{header}x-forwarded-for: 203.0.113.1\r\n"), "401 unauthorized"),
                ("a wrong key beside it", format!("{header}authorization: Bearer x\r\n"), "401 unauthorized"),
                ("a key beside it", format!("{header}authorization: Bearer {key}\r\n"), "200"),
            ];
            for (name, header, expected) in cases {
                let answer = served.ask(&client(None, &TLS13), "/v1/entities", &header).await;
                assert_eq!(answer, expected, "switched on: {switched_on}: {name}");
            }
            // Without a connection nobody is on this machine.
            let request = Request::get("/v1/entities").header("x-terrasift-dev-tenant", &a);
            let answer = served.house.send(request.body(Body::empty()).expect("request")).await;
            assert_eq!(answer.summary(), "401 unauthorized");
            served.stop().await;
            writer.await.expect("the writer ends");
            let auditor = terrasift_postgres::Auditor::new(&cluster().await.auditor_url(&database));
            let filter = TrailFilter { actor: Some("development header".into()), ..TrailFilter::default() };
            let recorded = auditor.expect("an address").trail(&filter, 100).await.expect("records");
            assert_eq!(recorded.len(), usize::from(switched_on), "it is marked in the audit");
        }
    });
}
