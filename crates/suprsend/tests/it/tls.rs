//! Certificates that are not to be trusted: a call ends after one attempt. TLS that breaks off is tried again.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use suprsend::{Client, Error, RetryPolicy};

use crate::server::{bytes, profile};

/// A server on loopback that has a certificate, or hangs up in place of showing it.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(identity: Option<(CertificateDer<'static>, KeyPair)>) -> Self {
        let config = identity.map(|(certificate, key)| {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
            let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
            Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let Some(config) = config.clone() else { continue };
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream.unwrap());
                // A client that does not trust the certificate hangs up.
                if stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
                    let _ = stream.write_all(&bytes(201, &[("connection", "close")], profile().to_string()));
                }
            }
        });
        Self { url, connections }
    }

    /// The outcome of an upsert with an HTTP client that trusts this certificate and no other, and the number of connections, with each
    /// implementation of TLS.
    async fn upsert(&self, trusted: &CertificateDer<'static>) -> Vec<(Result<u32, Error>, usize)> {
        let mut outcomes = vec![self.upsert_with(trusted, reqwest::ClientBuilder::tls_backend_rustls).await];
        if cfg!(all(feature = "native-tls", target_os = "linux")) {
            outcomes.push(self.upsert_with(trusted, native).await);
        }
        outcomes
    }

    async fn upsert_with(
        &self,
        trusted: &CertificateDer<'static>,
        tls: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> (Result<u32, Error>, usize) {
        let trusted = reqwest::Certificate::from_der(trusted).unwrap();
        self.connections.store(0, Ordering::SeqCst);
        let http = tls(reqwest::Client::builder()).no_proxy().tls_certs_only([trusted]).build().unwrap();
        let builder = Client::builder().api_key("key").base_url(&self.url).http_client(http);
        let client =
            builder.retry(RetryPolicy::default().base_delay(std::time::Duration::ZERO)).build().unwrap();
        let outcome = client.users().upsert("user-123").await.map(|user| user.attempts());
        (outcome, self.connections.load(Ordering::SeqCst))
    }
}

#[cfg(feature = "native-tls")]
fn native(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.tls_backend_native()
}

/// Without it there is nothing to choose.
#[cfg(not(feature = "native-tls"))]
fn native(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
}

/// An authority, and a certificate of its for `localhost`, as changed.
fn certificate(
    change: impl FnOnce(&mut CertificateParams),
) -> (CertificateDer<'static>, CertificateDer<'static>, KeyPair) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.distinguished_name.push(rcgen::DnType::CommonName, "an authority");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let mut own = CertificateParams::new(["localhost".to_owned()]).unwrap();
    change(&mut own);
    let key = KeyPair::generate().unwrap();
    let signed = own.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    (root.der().clone(), signed.der().clone(), key)
}

#[tokio::test]
async fn a_certificate_that_is_trusted_is() {
    let (root, certificate, key) = certificate(|_| {});
    let server = Server::start(Some((certificate, key)));
    for (outcome, connections) in server.upsert(&root).await {
        assert_eq!((outcome.unwrap(), connections), (1, 1));
    }
}

#[tokio::test]
async fn bad_certificates_are_not_tried_again() {
    let stranger = certificate(|_| {}).0;
    let (root, unknown, unknown_key) = certificate(|_| {});
    let (expired_root, expired, expired_key) = certificate(|own| own.not_after = date_time_ymd(2020, 1, 1));
    let (early_root, early, early_key) = certificate(|own| own.not_before = date_time_ymd(4000, 1, 1));
    let (other_root, other, other_key) = certificate(|own| {
        *own = CertificateParams::new(["other.example.com".to_owned()]).unwrap();
    });
    let self_signed_key = KeyPair::generate().unwrap();
    let self_signed =
        CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&self_signed_key).unwrap();
    drop(root);
    for (what, trusted, certificate, key) in [
        ("an authority that is not known", &stranger, unknown, unknown_key),
        ("expired", &expired_root, expired, expired_key),
        ("not valid yet", &early_root, early, early_key),
        ("for another name", &other_root, other, other_key),
        ("self-signed", &stranger, self_signed.der().clone(), self_signed_key),
    ] {
        let server = Server::start(Some((certificate, key)));
        for (outcome, connections) in server.upsert(trusted).await {
            let error = outcome.unwrap_err();
            assert!(matches!(error, Error::Connection(_)), "{what}: {error:?}");
            assert!(!error.is_retryable(), "{what}");
            assert_eq!(error.to_string(), "the API's certificate is not trusted", "{what}");
            assert_eq!(connections, 1, "{what}");
        }
    }
}

#[tokio::test]
async fn tls_that_breaks_off_is_tried_again() {
    let server = Server::start(None);
    for (outcome, connections) in server.upsert(&certificate(|_| {}).0).await {
        let error = outcome.unwrap_err();
        let Error::TooManyAttempts(error) = &error else { panic!("{error:?}") };
        assert_eq!(error.last().to_string(), "cannot connect to the API");
        assert_eq!(connections, 3);
    }
}
