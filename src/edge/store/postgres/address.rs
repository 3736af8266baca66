//! Where a server is, and who asks it: all of it is in one secret.

use std::{fmt, net::IpAddr, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use url::Url;

use crate::{domain::text::Shown, edge::scrub};

/// The schema where none is named.
const SCHEMA: &str = "punchlist";
/// Bytes of the name of a schema (`PostgreSQL`, identifiers).
const SCHEMA_BYTES_MAX: usize = 63;

/// The address of a database with all that it takes to get in. What is shown of it is no secret.
#[derive(Clone)]
pub struct Address {
    // Boxed, since a place is mostly a directory.
    pub(super) config: Box<Config>,
    pub(super) schema: String,
    /// The certificates that its server is known by, where it is not known by those of the system.
    pub(super) roots: Option<PathBuf>,
    shown: Shown,
}

/// Why something is no address; nothing of it is repeated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    #[error("it is no address: postgres://ROLE:PASSWORD@HOST:PORT/DATABASE")]
    Malformed,
    #[error("it is no address of PostgreSQL, which begins with postgres://")]
    OtherScheme,
    #[error(
        "sslmode=disable is for a server on this machine alone: the password and all data would be readable on the way"
    )]
    Insecure,
    #[error("sslmode is `disable`, `require` or `verify-full`; a certificate is always verified")]
    UnknownMode,
    #[error("the name of a schema has 1 to 63 bytes")]
    Schema,
}

impl Address {
    /// Reads an address: `postgres://ROLE:PASSWORD@HOST:PORT/DATABASE?schema=NAME&sslrootcert=FILE&sslmode=MODE`. Its
    /// password is known as a secret from then on.
    ///
    /// # Errors
    /// [`NoAddress`]
    pub fn parse(text: &SecretString) -> Result<Self, NoAddress> {
        let mut url = Url::parse(text.expose_secret().trim()).map_err(|_| NoAddress::Malformed)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(NoAddress::OtherScheme);
        }
        if let Some(password) = url.password() {
            let plain = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
            scrub::learn(&SecretString::from(password));
            scrub::learn(&SecretString::from(&*plain));
        }
        let (mut schema, mut roots, mut mode, mut rest) = (SCHEMA.to_owned(), None, None, Vec::new());
        for (key, value) in url.query_pairs() {
            match &*key {
                "schema" => schema = value.into_owned(),
                "sslrootcert" => roots = Some(PathBuf::from(&*value)),
                "sslmode" => mode = Some(value.into_owned()),
                "password" => {
                    scrub::learn(&SecretString::from(&*value));
                    rest.push((key.into_owned(), value.into_owned()));
                }
                _ => rest.push((key.into_owned(), value.into_owned())),
            }
        }
        if schema.is_empty() || schema.len() > SCHEMA_BYTES_MAX || schema.contains('\0') {
            return Err(NoAddress::Schema);
        }
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        let mut config: Config = url.as_str().parse().map_err(|_| NoAddress::Malformed)?;
        if config.get_hosts().is_empty() {
            return Err(NoAddress::Malformed);
        }
        let is_here = config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        config.ssl_mode(match mode.as_deref() {
            Some("disable") if !is_here => return Err(NoAddress::Insecure),
            Some("disable") => SslMode::Disable,
            None if is_here => SslMode::Disable,
            Some("require" | "verify-full") | None => SslMode::Require,
            Some(_) => return Err(NoAddress::UnknownMode),
        });
        if config.get_application_name().is_none() {
            config.application_name("punchlist");
        }
        let shown = shown(&config, &schema);
        Ok(Self { config: Box::new(config), schema, roots, shown })
    }
}

impl Address {
    /// The role that the server lets in.
    pub fn role(&self) -> Option<&str> {
        self.config.get_user()
    }
}

/// What people see of an address: where, and not how to get in.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(formatter)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({})", self.shown)
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config, schema: &str) -> Shown {
    let port = config.get_ports().first().map_or_else(String::new, |port| format!(":{port}"));
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    Shown::of(&match config.get_hosts().first() {
        #[cfg(unix)]
        Some(Host::Unix(directory)) => {
            format!("postgres:///{database}?host={}&schema={schema}", directory.display())
        }
        Some(Host::Tcp(name)) => format!("postgres://{name}{port}/{database}?schema={schema}"),
        None => format!("postgres:///{database}?schema={schema}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Address, NoAddress> {
        Address::parse(&SecretString::from(text))
    }

    #[test]
    fn what_is_shown_of_an_address_says_where_and_not_how_to_get_in() {
        let address = read("postgres://robot:canary%2Fwith%20more@db.example:5433/agency?schema=berlin").expect("one");
        assert_eq!(address.to_string(), "postgres://db.example:5433/agency?schema=berlin");
        assert!(!format!("{address:?}").contains("canary"));
        assert_eq!((address.config.get_ssl_mode(), address.config.get_user()), (SslMode::Require, Some("robot")));
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_shown_and_asked_in_the_clear() {
        for socket in ["postgres://robot@%2Frun%2Fpg/agency", "postgres:///agency?host=/run/pg"] {
            let address = read(socket).expect("one");
            assert_eq!(address.to_string(), "postgres:///agency?host=/run/pg&schema=punchlist");
            assert_eq!(address.config.get_ssl_mode(), SslMode::Disable);
            let with = if socket.contains('?') { '&' } else { '?' };
            let asked = read(&format!("{socket}{with}sslmode=verify-full")).expect("one");
            assert_eq!(asked.config.get_ssl_mode(), SslMode::Require);
        }
    }

    #[test]
    fn only_a_server_on_this_machine_is_asked_in_the_clear() {
        let mode = |text: &str| read(text).map(|address| address.config.get_ssl_mode());
        for here in ["postgres://r@localhost/d", "postgres://r@127.0.0.1/d"] {
            assert_eq!(mode(here), Ok(SslMode::Disable), "{here}");
            assert_eq!(mode(&format!("{here}?sslmode=verify-full")), Ok(SslMode::Require), "{here}");
        }
        for away in [
            "postgres://r@db.example/d",
            "postgres://r@127.0.0.1,db.example/d",
            "postgres://r@localhost/d?hostaddr=10.0.0.1",
        ] {
            assert_eq!(mode(away), Ok(SslMode::Require), "{away}");
            let with = if away.contains('?') { '&' } else { '?' };
            assert_eq!(mode(&format!("{away}{with}sslmode=disable")), Err(NoAddress::Insecure), "{away}");
            assert_eq!(mode(&format!("{away}{with}sslmode=prefer")), Err(NoAddress::UnknownMode), "{away}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_repeated() {
        for (text, expected) in [
            ("mysql://canary@h/d", NoAddress::OtherScheme),
            ("canary", NoAddress::Malformed),
            ("postgres://h/d?canary=1", NoAddress::Malformed),
            ("postgres://h/d?schema=", NoAddress::Schema),
        ] {
            let error = read(text).expect_err(text);
            assert!(!error.to_string().contains("canary"), "{error}");
            assert_eq!(error, expected);
        }
    }
}
