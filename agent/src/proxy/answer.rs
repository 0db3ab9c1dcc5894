//! What the proxy itself says to the host: refusals, denied calls, and that a call waits.

use serde_json::{Value, json};
use verifier::words::visible;

use super::message::{Id, Refused};
use crate::outcome::{Code, Denied};

/// The answer to a message that is not passed on.
pub(crate) fn refusal(refused: &Refused) -> String {
    let id = refused.id.as_ref().map_or(Value::Null, json_id);
    let words = format!("countersign mcp-proxy does not pass this on: {}", visible(&refused.words));
    line(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": refused.code, "message": words}}))
}

/// The answer to a call that was not made. It is a result that the model reads, marked as an error; the code stands beside
/// it for programs.
pub(crate) fn denial(id: &Id, tool: &str, denied: &Denied) -> String {
    let text = format!("{} was not called ({}): {}. {}", visible(tool), denied.code, denied.detail, next(denied.code));
    // The type of a result must be there since the protocol of 2026-07-28; who does not know it leaves it alone.
    line(&json!({"jsonrpc": "2.0", "id": json_id(id), "result": {
        "resultType": "complete",
        "content": [{"type": "text", "text": text}],
        "isError": true,
        "_meta": {"countersign/code": denied.code.as_str()},
    }}))
}

/// That a call waits, for a host that gave a token. The server may report progress under the same token when it runs, and
/// progress must grow, so what is said here stays small.
pub(crate) fn progress(token: &verifier::json::Value, count: u32, words: &str) -> String {
    let token: Value = serde_json::from_str(&token.to_canonical()).unwrap_or(Value::Null);
    let progress = f64::from(count) / 1_000_000.0;
    let params = json!({"progressToken": token, "progress": progress, "message": words});
    line(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))
}

/// What a model should do about it.
fn next(code: Code) -> &'static str {
    match code {
        Code::Rejected => "A person said no: do not call it again for the same, tell the user.",
        Code::TimedOut | Code::Expired => {
            "Nobody decided in time, and a later decision has no effect. Calling again asks the person again."
        }
        Code::Cancelled | Code::Aborted => "Nothing was done.",
        _ => "Nothing was done. Do not look for another way; tell the user.",
    }
}

fn json_id(id: &Id) -> Value {
    serde_json::from_str(id.as_json()).unwrap_or(Value::Null)
}

fn line(message: &Value) -> String {
    format!("{message}\n")
}
