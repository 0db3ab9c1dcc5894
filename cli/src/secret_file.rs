//! Files with a secret: made whole or not at all, for their owner alone, and never over another file.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why a secret file cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFileError {
    /// There is a file already.
    #[error("{} exists and is not overwritten; move it away or choose another name", .0.display())]
    Exists(PathBuf),
    /// Others may read it, so the secret may be known.
    #[cfg(feature = "server")]
    #[error("{0} can be read by others (mode {mode:04o}); run `chmod 600 {0}`, and if others use this machine make a new one", path.display())]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file system failed.
    #[error("{}: {error}; check the path, its permissions and the disk", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Writes a new file with mode 0600 that survives a crash.
///
/// The bytes are synced under a temporary name first, so that a crash leaves the whole file or none; the link to the real
/// name fails if that is taken.
pub(crate) fn create(path: &Path, text: &str) -> Result<(), SecretFileError> {
    let failed = |error| SecretFileError::Io { path: path.to_owned(), error };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".secret-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path).map_err(|failure| match failure.error.kind() {
        io::ErrorKind::AlreadyExists => SecretFileError::Exists(path.to_owned()),
        _ => failed(failure.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Reads a secret file of at most 4 KiB, its final newline left out. None if there is no such file.
#[cfg(feature = "server")]
pub(crate) fn read(path: &Path) -> Result<Option<String>, SecretFileError> {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    let failed = |error| SecretFileError::Io { path: path.to_owned(), error };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretFileError::ReadableByOthers { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(4096).read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_for_its_owner_and_is_not_overwritten() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, "secret\n").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(matches!(create(&path, "other\n"), Err(SecretFileError::Exists(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret\n");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(read(&path).unwrap().is_none());
        create(&path, "secret\n").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("secret"));
        for mode in [0o640, 0o604, 0o644, 0o660] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read(&path), Err(SecretFileError::ReadableByOthers { .. })), "{mode:o}");
        }
    }
}
