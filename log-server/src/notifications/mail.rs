//! E-mail by SMTP (RFC 5321): one connection a message, encrypted and with the server's certificate checked, or not at all.
//!
//! `StartTls` is STARTTLS required (RFC 3207), never "if there": whoever stands between could take the offer away. Plain is
//! for a relay on the same machine.
//!
//! A message counts as sent when the server has taken it over (250 after the data), whatever becomes of the connection
//! then. If the answer is lost on the way, nobody knows: it is sent again with the same Message-ID.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials as Login, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use verifier::time::Timestamp;
use zeroize::Zeroizing;

use super::{Courier, Delivery, EmailAddress, Message, Undelivered, Words, mime};

/// How long the goodbye may take. Nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(5);
/// Replies that are about us, not about the message: an operator can put them right, so the message waits (RFC 4954 §6).
const ABOUT_US: [u16; 5] = [530, 534, 535, 538, 454];

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// STARTTLS, required.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all: on this machine only.
    Plain,
}

/// What to sign in to the SMTP server with.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Zeroizing<String>,
}

/// How mail is sent.
#[derive(Clone)]
pub struct MailSettings {
    /// The SMTP server.
    pub host: String,
    /// Its port; that of the kind of security if none is given.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Security,
    /// What to sign in with, if the server wants that.
    pub credentials: Option<Credentials>,
    /// Who it is from: an address, or a name and an address in angle brackets.
    pub from: String,
    /// Certificate authorities in PEM: these and no others are trusted. Without it, those of this machine.
    pub authorities: Option<Vec<u8>>,
    /// How long one message may take.
    pub timeout: Duration,
}

/// Why no mail can be sent with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The sender.
    #[error("from: {0:?} is not an address such as approvals@example.com or Approvals <approvals@example.com>")]
    From(String),
    /// Passwords and titles would cross a network in the clear.
    #[error("security: plain is for a server on this machine (localhost, 127.0.0.1, ::1), and {0} is another one")]
    PlainElsewhere(String),
    /// The certificate authorities.
    #[error("ca_file: {0}")]
    Authorities(String),
    /// TLS.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Sends mail.
pub struct Mail {
    settings: MailSettings,
    from: Mailbox,
    hello: ClientId,
    tls: Option<TlsParameters>,
    public_url: String,
}

impl Mail {
    /// Checks the settings. `host` is what this server is called, `public_url` where it is.
    pub fn new(settings: MailSettings, host: &str, public_url: &str) -> Result<Self, MailError> {
        let from: Mailbox = settings.from.parse().map_err(|_| MailError::From(settings.from.clone()))?;
        let named = from.name.as_deref().unwrap_or_default();
        if EmailAddress::new(from.email.as_ref()).is_err() || named.chars().any(char::is_control) {
            return Err(MailError::From(settings.from));
        }
        let tls = match settings.security {
            Security::Plain if !is_loopback(&settings.host) => return Err(MailError::PlainElsewhere(settings.host)),
            Security::Plain => None,
            Security::StartTls | Security::Tls => Some(tls(&settings)?),
        };
        Ok(Self { from, tls, hello: ClientId::Domain(host.to_owned()), public_url: public_url.to_owned(), settings })
    }

    /// Sends a test message.
    pub async fn test(&self, to: &EmailAddress, id: String, at: Timestamp) -> Result<(), Undelivered> {
        let words = Words::test(&self.public_url);
        let message = Message { id, to: to.to_string(), at, words, replaces: None };
        self.send(&message).await
    }

    /// The server and its port.
    pub fn server(&self) -> (&str, u16) {
        let usual = match self.settings.security {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::Plain => 25,
        };
        (&self.settings.host, self.settings.port.unwrap_or(usual))
    }

    async fn send(&self, message: &Message) -> Result<(), Undelivered> {
        let email = mime::email(&self.from, message).map_err(Undelivered::Never)?;
        let within = |what: &str| {
            let (host, port) = self.server();
            Undelivered::Later(format!("{host}:{port} {what} within {} seconds", self.settings.timeout.as_secs()))
        };
        let exchange = async {
            // Whatever goes wrong before the message is named is about the server or about us.
            let mut connection = self.connect().await.map_err(|error| Undelivered::Later(described(&error)))?;
            match connection.send(email.envelope(), &email.formatted()).await {
                Ok(_) => Ok(connection),
                Err(error) if error.is_permanent() && !is_about_us(&error) => {
                    Err(Undelivered::Never(described(&error)))
                }
                Err(error) => Err(Undelivered::Later(described(&error))),
            }
        };
        let mut connection = tokio::time::timeout(self.settings.timeout, exchange)
            .await
            .map_err(|_| within("did not take the message"))??;
        tokio::spawn(async move { tokio::time::timeout(GOODBYE, connection.abort()).await });
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let at_once = self.tls.clone().filter(|_| self.settings.security == Security::Tls);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(self.server(), None, &self.hello, at_once, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.settings.security == Security::StartTls) {
            connection.starttls(tls, &self.hello).await?;
        }
        if let Some(Credentials { username, password }) = &self.settings.credentials {
            let login = Login::new(username.clone(), password.to_string());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &login).await?;
        }
        Ok(connection)
    }
}

impl Courier for Mail {
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a> {
        Box::pin(async { self.send(message).await.map(|()| None) })
    }
}

fn tls(settings: &MailSettings) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authorities {
        // Without any certificate nothing would be trusted, and the first message would be the first to say so.
        if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(MailError::Authorities("it holds no certificate in PEM".to_owned()));
        }
        let authorities = Certificate::from_pem(pem).map_err(|error| MailError::Authorities(described(&error)))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authorities);
    }
    builder.build_rustls().map_err(|error| MailError::Tls(described(&error)))
}

pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_about_us(error: &Error) -> bool {
    error.status().is_some_and(|code| code.to_string().parse().is_ok_and(|code: u16| ABOUT_US.contains(&code)))
}

/// An error with its causes, on one line and of a bounded length: a server's words go into records and logs.
fn described(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        let more = one.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = one.source();
    }
    let line: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    verifier::words::visible(&line).chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> MailSettings {
        MailSettings {
            host: "mail.example.com".to_owned(),
            port: None,
            security: Security::StartTls,
            credentials: None,
            from: "approvals@example.com".to_owned(),
            authorities: None,
            timeout: Duration::from_secs(1),
        }
    }

    fn refused(settings: MailSettings) -> Option<MailError> {
        Mail::new(settings, "a.example", "https://a.example").err()
    }

    #[test]
    fn plain_is_for_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert_eq!(refused(MailSettings { host: host.to_owned(), security: Security::Plain, ..settings() }), None);
        }
        for host in ["mail.example.com", "192.0.2.1", "localhost.example.com", "10.0.0.1"] {
            let refused = refused(MailSettings { host: host.to_owned(), security: Security::Plain, ..settings() });
            assert_eq!(refused, Some(MailError::PlainElsewhere(host.to_owned())));
        }
    }

    #[test]
    fn a_sender_and_authorities_are_checked_at_once() {
        for from in ["", "approvals", "a@b\r\nBcc: c@d", "A\nB <a@example.com>", "a@example.com, b@example.com"] {
            assert!(matches!(refused(MailSettings { from: from.to_owned(), ..settings() }), Some(MailError::From(_))));
        }
        for pem in [b"".as_slice(), b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let settings = MailSettings { authorities: Some(pem.to_vec()), ..settings() };
            assert!(matches!(refused(settings), Some(MailError::Authorities(_) | MailError::Tls(_))), "{pem:?}");
        }
    }
}
