//! A connection that nobody listens in on, to a server that is known.

use std::{fs, path::Path, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::{mpsc, watch};
use tokio_postgres::{AsyncMessage, Connection, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ANSWERS_WITHIN, Lives, Postgres, Said, address::Address, quoted};
use crate::edge::{
    failpoint::shortened,
    store::{Fault, Place, StoreError, unusable},
};

/// How long to wait for a server where its address does not say so.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why there is no connection.
pub(super) enum Unconnected {
    Certificates(String),
    Fault(Fault),
}

impl From<tokio_postgres::Error> for Unconnected {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl Unconnected {
    pub(super) fn explained(self, place: &Place) -> StoreError {
        match self {
            Self::Certificates(because) => {
                let hint = "name a file of certificates in PEM with sslrootcert in what state.url refers to";
                unusable(place.clone(), because, hint)
            }
            Self::Fault(fault) => fault.explained(place),
        }
    }
}

/// What a server says of writes to a state, from now on; nothing where it tells of none.
pub(in crate::edge::store) async fn listen(address: &Address) -> Option<Said> {
    let database = connect(address).await.ok()?;
    database.batch(&format!("LISTEN {}", quoted(&address.schema))).await.ok()?;
    let Postgres { client, mut said, .. } = database;
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        // The connection lasts as long as somebody listens.
        while let Some(message) = said.recv().await {
            if matches!(message, AsyncMessage::Notification(_)) && tell.send(message).is_err() {
                break;
            }
        }
        drop(client);
    });
    Some(told)
}

/// A connection whose schema is the one of the address.
pub(super) async fn connect(address: &Address) -> Result<Postgres, Unconnected> {
    // Who listens there may say nothing, too.
    let connected = tokio::time::timeout(shortened(ANSWERS_WITHIN), begin(address)).await;
    connected.unwrap_or(Err(Unconnected::Fault(Fault::Silent)))
}

async fn begin(address: &Address) -> Result<Postgres, Unconnected> {
    let mut config = address.config.as_ref().clone();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WITHIN);
    }
    let (client, pumped) = if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await?;
        (client, pump(connection))
    } else {
        let tls = MakeRustlsConnect::new(tls(address.roots.as_deref()).map_err(Unconnected::Certificates)?);
        let (client, connection) = config.connect(tls).await?;
        (client, pump(connection))
    };
    client.batch_execute(&format!("SET search_path TO {}", quoted(&address.schema))).await?;
    Ok(Postgres::new(client, address.schema.clone(), pumped))
}

/// Moves what goes and comes over a connection, for as long as it lasts. Returns what the server says by itself, and what
/// changes when it ends.
fn pump<S, T>(mut connection: Connection<S, T>) -> (Said, Lives)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (tell, said) = mpsc::unbounded_channel();
    let (life, lives) = watch::channel(());
    tokio::spawn(async move {
        let _life = life;
        // An error ends it; whoever waits for an answer is told.
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            drop(tell.send(message));
        }
    });
    (said, lives)
}

/// How a server is known: by some certificates, or by those that the system trusts, or else by our own.
fn tls(roots: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = || {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        builder.map_err(|error| error.to_string())
    };
    let mut store = RootCertStore::empty();
    match roots {
        Some(file) => {
            let said = |because: String| format!("the certificates in {} cannot be read: {because}", file.display());
            let pem = fs::read(file).map_err(|error| said(error.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let added = certificate.map_err(|error| error.to_string());
                added
                    .and_then(|certificate| store.add(certificate).map_err(|error| error.to_string()))
                    .map_err(said)?;
            }
            if store.is_empty() {
                return Err(said("it holds none".to_owned()));
            }
        }
        None => match builder()?.with_platform_verifier() {
            Ok(config) => return Ok(config.with_no_client_auth()),
            Err(_) => {
                store.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
            }
        },
    }
    Ok(builder()?.with_root_certificates(store).with_no_client_auth())
}
