//! How a command fails: one sentence on standard error and an exit code. The one place where errors become exit codes.

use std::process::ExitCode;

use verifier::cli::CallError;

use crate::audit::AuditError;
use crate::gate::GateError;
use crate::hook::HookError;
use crate::keygen::KeygenError;
use crate::last_words;
use crate::mcp::McpError;
use crate::mcp_proxy::McpProxyError;
use crate::monitor::MonitorError;
use crate::trust::TrustCommandError;

/// What a restart or another try may cure.
const FAILED: u8 = 1;
/// The call itself was wrong.
const WRONG_CALL: u8 = 2;
/// What no restart cures (EX_CONFIG of sysexits.h), so that a supervisor stops trying.
#[cfg(feature = "server")]
const PERMANENT: u8 = 78;

/// A command's end that is no success.
#[derive(Debug)]
pub(crate) struct Failure {
    message: Option<String>,
    code: u8,
}

impl Failure {
    /// A failure that was reported already.
    pub(crate) fn silent(code: u8) -> Self {
        Self { message: None, code }
    }

    /// Says what went wrong and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(message) = self.message {
            last_words::say(format!("error: {message}"));
        }
        ExitCode::from(self.code)
    }

    fn new(code: u8, error: &impl std::fmt::Display) -> Self {
        // One sentence is one line, whatever a library put into its words.
        Self { message: Some(error.to_string().replace('\n', " ")), code }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::new(WRONG_CALL, &error)
    }
}

impl From<TrustCommandError> for Failure {
    fn from(error: TrustCommandError) -> Self {
        Self::new(FAILED, &error)
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Self::new(if error.is_wrong_call() { WRONG_CALL } else { FAILED }, &error)
    }
}

impl From<MonitorError> for Failure {
    fn from(error: MonitorError) -> Self {
        match error {
            MonitorError::Alarms => Self::silent(FAILED),
            MonitorError::Call(_) | MonitorError::Setup(_) => Self::new(WRONG_CALL, &error),
            _ => Self::new(FAILED, &error),
        }
    }
}

impl From<GateError> for Failure {
    fn from(error: GateError) -> Self {
        Self::new(error.exit_code(), &error)
    }
}

/// The code of a wrong call is what makes an agent host block.
impl From<HookError> for Failure {
    fn from(error: HookError) -> Self {
        Self::new(WRONG_CALL, &error)
    }
}

impl From<McpError> for Failure {
    fn from(error: McpError) -> Self {
        let code = if matches!(error, McpError::Settings(_)) { WRONG_CALL } else { FAILED };
        Self::new(code, &error)
    }
}

impl From<McpProxyError> for Failure {
    fn from(error: McpProxyError) -> Self {
        Self::new(error.code(), &error)
    }
}

impl From<KeygenError> for Failure {
    fn from(error: KeygenError) -> Self {
        let code = if matches!(error, KeygenError::Name(_)) { WRONG_CALL } else { FAILED };
        Self::new(code, &error)
    }
}

#[cfg(feature = "server")]
impl From<crate::serve::ServeError> for Failure {
    fn from(error: crate::serve::ServeError) -> Self {
        Self::new(if error.is_permanent() { PERMANENT } else { FAILED }, &error)
    }
}

#[cfg(feature = "server")]
impl From<crate::backup::BackupError> for Failure {
    fn from(error: crate::backup::BackupError) -> Self {
        Self::new(if error.is_permanent() { PERMANENT } else { FAILED }, &error)
    }
}

#[cfg(feature = "server")]
impl From<crate::demo::DemoError> for Failure {
    fn from(error: crate::demo::DemoError) -> Self {
        use crate::demo::DemoError;
        match error {
            // 128 and the number of SIGINT, as shells count.
            DemoError::Interrupted => Self::silent(130),
            other => Self::new(FAILED, &other),
        }
    }
}
