//! Names, passwords and certificates, on a broker that asks for them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use terrasift_kafka::{
    ClientCertificate, ClusterPlan, Consumer, IntakeEvent, KafkaConfig, KafkaErrorKind, Login, Producer,
    Security, ensure_topics,
};
use terrasift_schemas::config::{KafkaProtocol, SaslMechanism};
use terrasift_secrets::Secret;

use crate::world::{Broker, World, encoded, read, within};

const USER: &str = "terrasift";
const PASSWORD: &str = "toxic-password";
/// SCRAM has one of its own, so that no mechanism passes by another's.
const SCRAM_PASSWORD: &str = "toxic-scram-password";

/// A broker with a listener for each protocol: TLS asks for a certificate, SASL for a name.
pub fn plan(libs: &Path, files: &Path) -> ClusterPlan {
    certificates(files);
    let mut plan = ClusterPlan::new(libs, 1);
    plan.listeners = vec![KafkaProtocol::Ssl, KafkaProtocol::SaslPlaintext, KafkaProtocol::SaslSsl];
    let file = |name: &str| files.join(name).display().to_string();
    let mut set = |name: &str, value: String| drop(plan.properties.insert(name.to_owned(), value));
    set("ssl.keystore.type", "PEM".into());
    set("ssl.keystore.location", file("broker.both.pem"));
    set("ssl.truststore.type", "PEM".into());
    set("ssl.truststore.location", file("ca.pem"));
    set("listener.name.ssl.ssl.client.auth", "required".into());
    set("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".into());
    let package = "org.apache.kafka.common.security";
    for listener in ["sasl_plaintext", "sasl_ssl"] {
        set(
            &format!("listener.name.{listener}.plain.sasl.jaas.config"),
            format!("{package}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"),
        );
        for scram in ["scram-sha-256", "scram-sha-512"] {
            set(
                &format!("listener.name.{listener}.{scram}.sasl.jaas.config"),
                format!("{package}.scram.ScramLoginModule required;"),
            );
        }
    }
    plan.scram_users = [SaslMechanism::ScramSha256, SaslMechanism::ScramSha512]
        .map(|mechanism| (mechanism, USER.to_owned(), Secret::new(SCRAM_PASSWORD.to_owned())))
        .into();
    plan
}

/// An authority, and certificates of it for the broker and for a client.
fn certificates(files: &Path) {
    let openssl = |words: &str| {
        let ran = Command::new("openssl")
            .args(words.split(' '))
            .current_dir(files)
            .stdin(Stdio::null())
            .output()
            .expect("openssl is installed");
        assert!(ran.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=test-authority -days 2"));
    std::fs::write(files.join("names"), "subjectAltName=IP:127.0.0.1").unwrap();
    for name in ["broker", "client"] {
        openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile names"
        ));
    }
    let both = ["broker.key", "broker.pem"].map(|name| std::fs::read_to_string(files.join(name)).unwrap());
    std::fs::write(files.join("broker.both.pem"), both.concat()).unwrap();
}

/// A configuration for one of the broker's listeners.
fn config(world: &World, protocol: KafkaProtocol, login: Option<(SaslMechanism, &str)>) -> KafkaConfig {
    let Broker::Shared(kafka, files) = &world.broker else { panic!("runs on the shared broker") };
    let mut config = world.config(&[("message.timeout.ms", "20000")]);
    config.bootstrap = kafka.bootstrap_of(protocol);
    config.security = Security {
        protocol,
        ca_file: protocol.is_encrypted().then(|| files.join("ca.pem").display().to_string()),
        certificate: None,
        login: login.map(|(mechanism, password)| Login {
            mechanism,
            username: USER.to_owned(),
            password: Secret::new(password.to_owned()).into(),
        }),
    };
    config
}

pub async fn a_login_by_each_mechanism_and_a_wrong_password(mut world: World) {
    use KafkaProtocol::{SaslPlaintext, SaslSsl};
    let topic = world.topic(1).await;
    let mechanisms = [
        (SaslPlaintext, SaslMechanism::Plain, PASSWORD),
        (SaslPlaintext, SaslMechanism::ScramSha256, SCRAM_PASSWORD),
        (SaslSsl, SaslMechanism::ScramSha512, SCRAM_PASSWORD),
    ];
    for (number, (protocol, mechanism, password)) in mechanisms.into_iter().enumerate() {
        let config = config(&world, protocol, Some((mechanism, password)));
        let producer = Producer::new(&config).expect("producer");
        let sent = producer.send(&encoded(topic, "acme/ws-1", &number.to_string())).await;
        assert_eq!(sent.expect("a right login").offset, i64::try_from(number).unwrap());
    }
    let plain = config(&world, SaslPlaintext, Some((SaslMechanism::Plain, PASSWORD)));
    let (consumer, mut events) = Consumer::start(&plain, &[topic], 4).expect("consumer");
    assert_eq!(read(&mut events, |records| records.len() == 3).await.len(), 3);
    within("the end", consumer.stop()).await;

    let mut wrong = config(&world, SaslPlaintext, Some((SaslMechanism::Plain, "toxic-guess")));
    wrong.properties.insert("message.timeout.ms".into(), "1500".into());
    let producer = Producer::new(&wrong).expect("producer");
    let refused = [
        producer.send(&encoded(topic, "acme/ws-1", "toxic")).await.map(drop).expect_err("refused"),
        producer.ready(Duration::from_millis(500)).await.expect_err("refused"),
        ensure_topics(&wrong, 1, 1).await.map(drop).expect_err("refused"),
    ];
    for error in refused {
        assert_eq!(error.kind(), KafkaErrorKind::Unauthorized, "{error}");
        assert!(!format!("{error} {error:?}").contains("toxic"), "no secret is told");
    }

    // The password rotates to the right one: clients that run take it.
    let (consumer, mut events) = Consumer::start(&wrong, &[topic], 4).expect("consumer");
    let login = wrong.security.login.as_ref().expect("a login");
    login.password.take(Secret::new(PASSWORD.to_owned()), Duration::ZERO, Instant::now());
    let sending = async { while producer.send(&encoded(topic, "acme/ws-1", "rotated")).await.is_err() {} };
    within("a record under the new password", sending).await;
    let batch =
        async { while !matches!(events.recv().await.expect("the consumer runs"), IntakeEvent::Batch(_)) {} };
    within("a batch under the new password", batch).await;
    within("the end", consumer.stop()).await;
}

pub async fn tls_with_certificates_on_both_sides_and_without_trust(mut world: World) {
    let topic = world.topic(1).await;
    let Broker::Shared(_, files) = &world.broker else { panic!("runs on the shared broker") };
    let key = std::fs::read_to_string(files.join("client.key")).unwrap();
    let certificate =
        ClientCertificate { file: files.join("client.pem").display().to_string(), key: Secret::new(key) };
    let mut trusted = config(&world, KafkaProtocol::Ssl, None);
    trusted.security.certificate = Some(certificate);
    let producer = Producer::new(&trusted).expect("producer");
    producer.send(&encoded(topic, "acme/ws-1", "1")).await.expect("sent");
    let (consumer, mut events) = Consumer::start(&trusted, &[topic], 4).expect("consumer");
    assert_eq!(read(&mut events, |records| records.len() == 1).await.len(), 1);
    within("the end", consumer.stop()).await;

    let mut trusting_nobody = trusted.clone();
    trusting_nobody.security.ca_file = None;
    // A broker that wants a certificate hangs up in TLS 1.3 after it has agreed: to us that is an unreachable broker.
    let anonymous = config(&world, KafkaProtocol::Ssl, None);
    for (name, mut untrusted, expected) in [
        ("an unknown authority", trusting_nobody, KafkaErrorKind::Unauthorized),
        ("without a certificate", anonymous, KafkaErrorKind::Unavailable),
    ] {
        untrusted.properties.insert("message.timeout.ms".into(), "1500".into());
        let producer = Producer::new(&untrusted).expect("producer");
        let error = producer.send(&encoded(topic, "acme/ws-1", "toxic")).await.expect_err(name);
        assert_eq!(error.kind(), expected, "{name}: {error}");
    }
}
