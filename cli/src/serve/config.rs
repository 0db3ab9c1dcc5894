//! The settings of the server: flags and environment over the file over the defaults.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use log_server::limits::{Limits, share_of};
use serde::Deserialize;

use super::mail::FileMail;
use super::place::beside;
use super::telegram::FileTelegram;
use super::webhooks::FileWebhooks;
use super::{ServeArgs, ServeError};

const DATA_DIR: &str = "./countersign-data";
const PUBLIC_URL: &str = "http://localhost:8080";
const PORT: u16 = 8080;

/// What the server runs with.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) data_dir: PathBuf,
    pub(super) anchor: PathBuf,
    pub(super) backups: PathBuf,
    pub(super) listen: SocketAddr,
    pub(super) public_url: String,
    pub(super) limits: Limits,
    pub(super) mail: Option<FileMail>,
    pub(super) telegram: Option<FileTelegram>,
    pub(super) webhooks: Option<FileWebhooks>,
    /// Whether messages show the payload.
    pub(super) show_payload: bool,
}

/// What the file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    anchor: Option<PathBuf>,
    backups: Option<PathBuf>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    #[serde(default)]
    limits: FileLimits,
    mail: Option<FileMail>,
    telegram: Option<FileTelegram>,
    webhooks: Option<FileWebhooks>,
    #[serde(default)]
    notify: FileNotify,
}

/// What messages to approvers show.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNotify {
    #[serde(default)]
    show_payload: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLimits {
    requests_per_minute_per_key: Option<NonZeroU32>,
    requests_per_minute_per_approver: Option<NonZeroU32>,
    notified_per_hour_per_approver: Option<NonZeroU32>,
    pending_per_key: Option<NonZeroU32>,
    pending_per_approver: Option<NonZeroU32>,
    pending_per_key_and_approver: Option<NonZeroU32>,
    /// Zero switches it off.
    cool_down_seconds: Option<u32>,
    long_polls: Option<NonZeroUsize>,
    long_polls_per_key: Option<NonZeroUsize>,
    connections: Option<NonZeroUsize>,
}

impl Config {
    /// Reads the file, if one is named, and puts what was typed over it.
    pub(super) fn from(args: ServeArgs) -> Result<Self, ServeError> {
        let file = args.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let data_dir = args.data_dir.or(file.data_dir).unwrap_or_else(|| DATA_DIR.into());
        let anchor = args.anchor.or(file.anchor).unwrap_or_else(|| beside(&data_dir, ".anchor"));
        let backups = args.backups.or(file.backups).unwrap_or_else(|| beside(&data_dir, ".backups"));
        Ok(Self {
            data_dir,
            anchor,
            backups,
            listen: args.listen.or(file.listen).unwrap_or_else(|| (Ipv4Addr::LOCALHOST, PORT).into()),
            public_url: args.public_url.or(file.public_url).unwrap_or_else(|| PUBLIC_URL.to_owned()),
            limits: file.limits.over(Limits::default()),
            mail: file.mail,
            telegram: file.telegram,
            webhooks: file.webhooks,
            show_payload: file.notify.show_payload,
        })
    }
}

/// What a file says about mail, and the public URL that goes with it.
pub(crate) fn mail_settings(path: &Path) -> Result<(Option<FileMail>, String), ServeError> {
    let file = File::read(path)?;
    Ok((file.mail, file.public_url.unwrap_or_else(|| PUBLIC_URL.to_owned())))
}

/// What a file says about Telegram.
pub(crate) fn telegram_settings(path: &Path) -> Result<Option<FileTelegram>, ServeError> {
    Ok(File::read(path)?.telegram)
}

/// What a file says about webhooks.
pub(crate) fn webhook_settings(path: &Path) -> Result<Option<FileWebhooks>, ServeError> {
    Ok(File::read(path)?.webhooks)
}

impl File {
    fn read(path: &Path) -> Result<Self, ServeError> {
        let failed = |reason: String| ServeError::Config { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            failed(line.map_or(String::new(), |line| format!("line {line}: ")) + error.message())
        })
    }
}

impl FileLimits {
    fn over(self, mut limits: Limits) -> Limits {
        let set = |limit: &mut usize, given: Option<NonZeroUsize>| *limit = given.map_or(*limit, NonZeroUsize::get);
        let set_rate = |limit: &mut u32, given: Option<NonZeroU32>| *limit = given.map_or(*limit, NonZeroU32::get);
        set_rate(&mut limits.requests_per_minute_per_key, self.requests_per_minute_per_key);
        set_rate(&mut limits.requests_per_minute_per_approver, self.requests_per_minute_per_approver);
        set_rate(&mut limits.notified_per_hour_per_approver, self.notified_per_hour_per_approver);
        set_rate(&mut limits.pending_per_key, self.pending_per_key);
        set_rate(&mut limits.pending_per_approver, self.pending_per_approver);
        limits.pending_per_key_and_approver = share_of(limits.pending_per_approver);
        set_rate(&mut limits.pending_per_key_and_approver, self.pending_per_key_and_approver);
        limits.cool_down_seconds = self.cool_down_seconds.unwrap_or(limits.cool_down_seconds);
        set(&mut limits.long_polls, self.long_polls);
        set(&mut limits.long_polls_per_key, self.long_polls_per_key);
        set(&mut limits.connections, self.connections);
        limits
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn args(file: Option<&str>, folder: &Path) -> ServeArgs {
        let config = file.map(|text| {
            let path = folder.join("countersign.toml");
            std::fs::write(&path, text).unwrap();
            path
        });
        ServeArgs { data_dir: None, anchor: None, backups: None, listen: None, public_url: None, config }
    }

    #[test]
    fn what_is_typed_wins_over_the_file_and_the_file_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let defaults = Config::from(args(None, folder.path())).unwrap();
        assert_eq!(defaults.anchor, Path::new("./countersign-data.anchor"));
        assert_eq!(
            (defaults.listen.to_string().as_str(), defaults.public_url.as_str()),
            ("127.0.0.1:8080", PUBLIC_URL)
        );

        let text = "data_dir = '/a/'\nlisten = '[::1]:9'\n[limits]\nlong_polls = 7\n";
        let typed = ServeArgs { listen: Some("127.0.0.1:1".parse().unwrap()), ..args(Some(text), folder.path()) };
        let config = Config::from(typed).unwrap();
        assert_eq!((config.data_dir.to_str(), config.anchor.to_str()), (Some("/a/"), Some("/a.anchor")));
        assert_eq!((config.listen.port(), config.limits.long_polls), (1, 7));
        assert!(!config.show_payload, "it is off unless the file says so");
        let text = "[notify]\nshow_payload = true";
        assert!(Config::from(args(Some(text), folder.path())).unwrap().show_payload);
        assert_eq!(config.limits.connections, Limits::default().connections);
        assert_eq!(config.limits.pending_per_key_and_approver, Limits::default().pending_per_key_and_approver);
    }

    #[test]
    fn a_keys_share_of_an_approvers_places_grows_with_them_unless_it_is_set() {
        let folder = tempfile::tempdir().unwrap();
        for (more, share) in [("", 200), ("pending_per_key_and_approver = 7\n", 7)] {
            let text = format!("[limits]\npending_per_approver = 1000\n{more}");
            let config = Config::from(args(Some(&text), folder.path())).unwrap();
            assert_eq!(config.limits.pending_per_key_and_approver, share);
        }
    }

    #[test]
    fn a_file_with_anything_unknown_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "data = 'x'",
            "[limits]\nlong_poll = 1",
            "listen = 8080",
            "[mail]\nhost = 'a'\nfrom = 'a@b'\nserver = 1",
            "[telegram]\ntoken = '1:a'",
            "[notify]\nshow_payloads = true",
            "[notify]\nshow_payload = 'yes'",
            "[limits]\nlong_polls = 0",
            "a = =",
        ] {
            let error = Config::from(args(Some(text), folder.path())).unwrap_err();
            assert!(error.to_string().contains("line "), "{error}");
            assert!(error.is_permanent());
        }
    }
}
