//! The tools as an MCP server: a call comes in, the desk is asked, an answer goes out, with progress in between.

use std::sync::Arc;
use std::time::Duration;

use api::Status;
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::Serialize;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::arguments::{Arguments, wrong};
use crate::asking::find_or_create;
use crate::desk::{Ask, Desk, Seen, Trouble};
use crate::{receipt, tools};

/// How often a host that wants to hear of progress does.
const PROGRESS: Duration = Duration::from_secs(15);
/// The shortest and the longest time for a decision, in seconds.
const WINDOW: std::ops::RangeInclusive<u64> = 5..=72 * 3600;

/// The tools over a desk. Clones share it.
pub struct Tools<D>(Arc<D>);

impl<D> Clone for Tools<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Desk> Tools<D> {
    /// The tools over a desk.
    pub fn new(desk: Arc<D>) -> Self {
        Self(desk)
    }

    async fn call(
        &self,
        name: &str,
        arguments: Option<JsonObject>,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Trouble> {
        let desk = &*self.0;
        let caller = desk.caller(context.extensions.get::<http::request::Parts>())?;
        let arguments = Arguments::new(arguments, known(name))?;
        let seen = match name {
            tools::REQUEST => {
                let (ask, wait) = (ask(&arguments)?, arguments.wait("wait_seconds", tools::DEFAULT_WAIT)?);
                let seen = find_or_create(desk, &caller, &ask).await?;
                self.wait(&caller, seen, wait, context).await?
            }
            tools::WAIT => {
                let wait = arguments.wait("wait_seconds", tools::DEFAULT_WAIT)?;
                let seen = desk.look(&caller, arguments.text("id")?, Duration::ZERO).await?;
                self.wait(&caller, seen, wait, context).await?
            }
            tools::GET => desk.look(&caller, arguments.text("id")?, Duration::ZERO).await?,
            tools::CANCEL => desk.cancel(&caller, arguments.text("id")?).await?,
            _ => {
                let trust = desk.trust().await?;
                return structured(&receipt::check(&arguments, &trust, desk.primitive(), desk.now())?);
            }
        };
        structured(&Answer::of(seen, desk.now()).map_err(|error| bug(&error))?)
    }

    /// Waits in pieces, and tells a host that wants to know after each. A host that went away ends the waiting and not the
    /// request.
    async fn wait(
        &self,
        caller: &D::Caller,
        mut seen: Seen,
        seconds: u64,
        context: &RequestContext<RoleServer>,
    ) -> Result<Seen, Trouble> {
        let (began, all) = (Instant::now(), Duration::from_secs(seconds));
        while seen.confirmation.status == Status::Pending {
            tell(&seen, began.elapsed(), all, context).await;
            let piece = all.saturating_sub(began.elapsed()).min(PROGRESS);
            if piece.is_zero() {
                break;
            }
            let asked = Instant::now();
            seen = tokio::select! {
                () = context.ct.cancelled() => break,
                seen = self.0.look(caller, &seen.confirmation.id, piece) => seen?,
            };
            // A server that stops answers early; the host may call again when another one runs.
            if asked.elapsed() + Duration::from_secs(1) < piece {
                break;
            }
        }
        Ok(seen)
    }
}

impl<D: Desk> ServerHandler for Tools<D> {
    fn get_info(&self) -> ServerConfig {
        let name = Implementation::new("countersign", env!("CARGO_PKG_VERSION")).with_title("Countersign");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(name)
            .with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if known(&request.name).is_empty() {
            return Err(ErrorData::invalid_params(format!("there is no tool {:?}", request.name), None));
        }
        let result = self.call(&request.name, request.arguments, &context).await;
        Ok(result.unwrap_or_else(|trouble| failed(&trouble)).into())
    }
}

/// The arguments that a tool takes; none for what is no tool.
fn known(name: &str) -> &'static [&'static str] {
    match name {
        tools::REQUEST => &["action", "approver_username", "payload", "wait_seconds", "expires_in_seconds"],
        tools::WAIT => &["id", "wait_seconds"],
        tools::GET | tools::CANCEL => &["id"],
        tools::VERIFY => &["receipt", "action", "payload", "approver_username", "id"],
        _ => &[],
    }
}

fn ask(arguments: &Arguments) -> Result<Ask, Trouble> {
    let action = arguments.text("action")?;
    verifier::names::check_action(action).map_err(|error| wrong("action", error))?;
    let expires_in = arguments.seconds("expires_in_seconds", tools::DEFAULT_EXPIRY)?;
    if !WINDOW.contains(&expires_in) {
        return Err(wrong("expires_in_seconds", format!("must be {} to {}", WINDOW.start(), WINDOW.end())));
    }
    Ok(Ask {
        action: action.to_owned(),
        approver: arguments.username("approver_username")?,
        payload: arguments.payload("payload")?,
        expires_in,
    })
}

/// Tells the host where the person decides, and that the call still waits. One that does not listen is no failure.
async fn tell(seen: &Seen, waited: Duration, all: Duration, context: &RequestContext<RoleServer>) {
    let Some(token) = context.meta.get_progress_token() else { return };
    let core = &seen.core;
    let approvers = core.approvers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let url = verifier::words::visible(&seen.confirmation.url);
    let words = format!("waiting for {approvers} at {url} (compare code {})", core.compare_code());
    let progress =
        ProgressNotificationParam::new(token, waited.as_secs_f64()).with_total(all.as_secs_f64()).with_message(words);
    _ = context.peer.notify_progress(progress).await;
}

/// Structured content, and the same as text for hosts that show text. The text keeps the order of the fields.
fn structured(answer: &impl Serialize) -> Result<CallToolResult, Trouble> {
    let text = serde_json::to_string(answer).map_err(|error| bug(&error))?;
    let value = serde_json::from_str(&text).map_err(|error| bug(&error))?;
    let mut result = CallToolResult::structured(value);
    result.content = vec![ContentBlock::text(text)];
    Ok(result)
}

/// A call that could not be answered is an error of the call, in words that the model can correct.
fn failed(trouble: &Trouble) -> CallToolResult {
    let words = format!("{} ({}). Nothing is approved: do not act.", trouble.words, trouble.code);
    CallToolResult::error(vec![ContentBlock::text(verifier::words::visible(&words))])
}

fn bug(error: &serde_json::Error) -> Trouble {
    Trouble::new("bug", format!("an answer cannot be written: {error}"))
}
