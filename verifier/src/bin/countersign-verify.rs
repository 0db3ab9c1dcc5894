//! `countersign-verify`: checks receipts offline. See `verifier::cli` for the options and exit codes.

use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use verifier::cli::VerifyArgs;
use verifier::time::Timestamp;
use verifier::webauthn::PureRust;

#[derive(Parser)]
#[command(version, about, name = "countersign-verify")]
struct Cli {
    #[command(flatten)]
    verify: VerifyArgs,
}

fn main() -> ExitCode {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match Cli::parse().verify.run(Timestamp::from_unix(now), &PureRust, &mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("countersign-verify: {error}");
            ExitCode::from(2)
        }
    }
}
