//! The story, step by step. Each step says what happens and fails unless exactly that happens.

use std::io;

use api::{Confirmation, CreateInvite, CreateKey, InviteCreated, KeyCreated, Status};
use tokio::task::JoinHandle;
use verifier::checkpoint::Checkpoint;
use verifier::document::{Decision, parse_payload};
use verifier::trust::Trust;
use verifier::verify::{Expectation, Step};

use super::agent::{Agent, Asked, DEPLOY_BOT};
use super::alex::{ALEX, Alex};
use super::evidence::{self, Evidence};
use super::stage::Stage;
use super::voice::Voice;
use super::{Wrong, audit, require};
use crate::client::{Client, ClientError};
use crate::serve::shell_quoted;

const ACTION: &str = "Deploy api-gateway to production";
const PAYLOAD: &str = r#"{"service":"api-gateway","env":"production","commit":"a1b2c3d"}"#;
/// The commit that alex saw, and the one that somebody would rather have had approved.
const COMMITS: [&str; 2] = ["a1b2c3d", "e4f5a6b"];
const DELETION: &str = r#"{"database":"orders","env":"production"}"#;
const NOBODY_ASKED: &str = r#"{"service":"billing","env":"production"}"#;

/// A request whose outcome is awaited in the background.
struct Waiting {
    asked: Asked,
    outcome: JoinHandle<Result<Confirmation, ClientError>>,
}

/// Tells it all.
pub(super) async fn tell(stage: &Stage, voice: &mut Voice) -> Result<(), Wrong> {
    let web = Client::new(stage.url())?;
    let admin = web.with_key(std::fs::read_to_string(stage.place().admin_key())?.trim_end());

    let trust_file = server(stage, voice, &web).await?;
    let trust = Trust::parse(&trust_file)?;
    let alex = enrol(stage, voice, &web, &admin).await?;
    let agent = Agent::new(api_key(voice, &web, &admin).await?);
    let first_head = first_head(&web, &trust).await?;
    // Nobody will answer this one. It is asked now, so that its time is over when the story comes to it.
    let unanswered = wait_for(&agent, agent.ask("Restart billing", NOBODY_ASKED, 5).await?);

    let deploy = ask(voice, &agent).await?;
    approve(voice, &alex, &deploy.asked).await?;
    let confirmation = act(voice, &agent, deploy, &trust).await?;
    let receipt = confirmation.receipt.as_deref().unwrap_or_default();
    let evidence = verify_offline(voice, receipt, &trust_file)?;
    let changed = change(voice, &evidence, receipt, &trust)?;
    reject(voice, &agent, &alex, &trust).await?;
    expire(voice, &agent, unanswered, &trust).await?;
    check_log(voice, &web, &trust, &first_head).await?;
    end(voice, evidence, &changed)?;
    Ok(())
}

async fn server(stage: &Stage, voice: &mut Voice, web: &Client) -> Result<Vec<u8>, Wrong> {
    voice.line("Countersign demo: one approval, end to end")?;
    voice.say(
        "The server, the log, every signature and every check are real. Only alex is not: the passkey\n\
         is software in this process, a demo that stands for a phone with Face ID or a security key.",
    )?;
    voice.step("A server starts, for this demo only")?;
    voice.field("address", stage.url())?;
    voice.field("data", &format!("{}, deleted at the end", stage.place().data_dir().display()))?;
    let trust_file = web.bytes("/trust.json").await?;
    let trust = Trust::parse(&trust_file)?;
    let [key] = &trust.logs[..] else { return Err(Wrong("the trust file has not one log".to_owned())) };
    voice.field("log key", &key.to_string())?;
    voice.say("The log key is what a verifier pins. It is in the trust file, which is all that a check needs.")?;
    Ok(trust_file)
}

async fn enrol(stage: &Stage, voice: &mut Voice, web: &Client, admin: &Client) -> Result<Alex, Wrong> {
    voice.step("alex enrols a passkey")?;
    let invite = CreateInvite {
        note: "The demo invites alex".to_owned(),
        max_uses: None,
        username: Some(ALEX.to_owned()),
        email: None,
        expires_in: None,
    };
    let invite: InviteCreated = admin.post("/api/invites", &invite).await?;
    let (alex, enrolled) = Alex::enrol(web, stage.url(), &invite.register_url).await?;
    voice.say(&format!(
        "An admin makes an invite, alex follows its link and makes a passkey, over the same routes as a\n\
         browser. The enrolment is entry {} of the public log: no key can be slipped in unseen.",
        enrolled.log_index
    ))?;
    Ok(alex)
}

async fn api_key(voice: &mut Voice, web: &Client, admin: &Client) -> Result<Client, Wrong> {
    voice.step("deploy-bot gets an API key")?;
    let asked = CreateKey {
        name: DEPLOY_BOT.to_owned(),
        scopes: vec!["request".to_owned()],
        owner: None,
        separate: false,
        approvers: Some(vec![ALEX.to_owned()]),
    };
    let made: KeyCreated = admin.post("/api/keys", &asked).await?;
    voice.say("It may ask alex, and nothing else: not invite, not enrol, not decide.")?;
    Ok(web.with_key(&made.key))
}

async fn first_head(web: &Client, trust: &Trust) -> Result<Checkpoint, Wrong> {
    audit::checkpoint(web, &trust.logs[0]).await
}

fn wait_for(agent: &Agent, asked: Asked) -> Waiting {
    let (agent, id) = (agent.clone(), asked.created.id.clone());
    Waiting { asked, outcome: tokio::spawn(async move { agent.outcome(&id).await }) }
}

async fn ask(voice: &mut Voice, agent: &Agent) -> Result<Waiting, Wrong> {
    voice.step("deploy-bot asks for one exact action, and waits")?;
    let asked = agent.ask(ACTION, PAYLOAD, 300).await?;
    voice.field("action", ACTION)?;
    voice.field("payload", PAYLOAD)?;
    voice.field("link for alex", &asked.created.url)?;
    voice.field("compare code", &asked.created.compare_code)?;
    Ok(wait_for(agent, asked))
}

async fn approve(voice: &mut Voice, alex: &Alex, asked: &Asked) -> Result<(), Wrong> {
    voice.step("alex reads it and approves")?;
    let options = alex.read(&asked.created.url).await?;
    require(options.compare_code == asked.created.compare_code, "alex sees another compare code")?;
    voice.field("compare code", &format!("{}, the same on both sides", options.compare_code))?;
    let made = alex.decide(&options, Decision::Approve, None).await?;
    require(made.status == Status::Approved, "the approval did not approve")?;
    voice.good(&format!("approved at {}, entry {} of the log", made.decided_at, made.log_index))?;
    voice.say(
        "The passkey signed the request's nonce and SHA-256 of the whole document: title, payload,\n\
         decision, names and times. A signature for one action fits no other.",
    )?;
    Ok(())
}

async fn act(voice: &mut Voice, agent: &Agent, deploy: Waiting, trust: &Trust) -> Result<Confirmation, Wrong> {
    voice.step("deploy-bot checks the answer, uses it once, and acts")?;
    let confirmation = voice.waiting("deploy-bot waits", deploy.outcome).await??;
    deploy.asked.may_act(&confirmation, trust)?.map_err(Wrong)?;
    voice.good("the receipt verifies, and it is for exactly what was asked")?;
    let id = &confirmation.id;
    let consumed = agent.consume(id, "deploy-1").await?;
    require(agent.consume(id, "deploy-1").await? == consumed, "the same use again got another answer")?;
    voice.good(&format!("used at {}, entry {} of the log", consumed.consumed_at, consumed.log_index))?;
    agent.consume_in_vain(id).await?;
    voice.refused("a second use is refused (409)")?;
    voice.say("Now deploy-bot would deploy. Countersign itself runs nothing.")?;
    Ok(confirmation)
}

fn verify_offline(voice: &mut Voice, receipt: &str, trust_file: &[u8]) -> Result<Evidence, Wrong> {
    voice.step("Anyone can verify the receipt, offline")?;
    let evidence = Evidence::write(receipt, trust_file, PAYLOAD)?;
    voice.aside(&evidence.verify()?)?;
    Ok(evidence)
}

/// Changes what was approved, in the receipt and then in the caller's expectation.
fn change(voice: &mut Voice, evidence: &Evidence, receipt: &str, trust: &Trust) -> Result<std::path::PathBuf, Wrong> {
    voice.step("Anything else is refused")?;
    let [seen, wanted] = COMMITS;
    let changed = receipt.replacen(seen, wanted, 1);
    require(changed != receipt, "the receipt does not show the commit")?;
    let path = evidence.write_changed(&changed)?;
    voice.say(&format!("The commit in the receipt is changed from {seen} to {wanted}:"))?;
    let reason = evidence::refusal(&changed, trust, &Expectation::default(), Step::Challenge)?;
    voice.refused(&format!("NOT VERIFIED: {reason}"))?;

    voice.say(&format!("The receipt is genuine, but the caller is about to deploy {wanted}:"))?;
    let payload = Some(parse_payload(PAYLOAD.replace(seen, wanted).as_bytes())?);
    let expectation = Expectation { payload, ..Expectation::default() };
    let reason = evidence::refusal(receipt, trust, &expectation, Step::Expectation)?;
    voice.refused(&format!("NOT VERIFIED: {reason}"))?;
    Ok(path)
}

async fn reject(voice: &mut Voice, agent: &Agent, alex: &Alex, trust: &Trust) -> Result<(), Wrong> {
    voice.step("A rejection: alex says no")?;
    let waiting = wait_for(agent, agent.ask("Delete the database orders", DELETION, 300).await?);
    let options = alex.read(&waiting.asked.created.url).await?;
    let made = alex.decide(&options, Decision::Reject, Some("not today")).await?;
    require(made.status == Status::Rejected, "the rejection did not reject")?;
    let confirmation = voice.waiting("deploy-bot waits", waiting.outcome).await??;
    let receipt = confirmation.receipt.as_deref().unwrap_or_default();
    require(evidence::is_rejection(receipt, trust), "the receipt does not show the rejection")?;
    voice.good(&format!("REJECTED: the \"no\" is signed and logged too, entry {}", made.log_index))?;
    fail_closed(voice, agent, &waiting.asked, &confirmation, trust).await
}

async fn expire(voice: &mut Voice, agent: &Agent, unanswered: Waiting, trust: &Trust) -> Result<(), Wrong> {
    voice.step("Silence: nobody answers in time")?;
    voice.say("A third request was made at the beginning, with five seconds for an answer.")?;
    let confirmation = voice.waiting("waiting for the five seconds to pass", unanswered.outcome).await??;
    require(confirmation.status == Status::Expired, "a request that nobody answered did not expire")?;
    voice.good(&format!("EXPIRED at {}", confirmation.expires_at))?;
    fail_closed(voice, agent, &unanswered.asked, &confirmation, trust).await
}

/// Without an approval the agent refuses to act, and the server refuses to let it be used.
async fn fail_closed(
    voice: &Voice,
    agent: &Agent,
    asked: &Asked,
    confirmation: &Confirmation,
    trust: &Trust,
) -> Result<(), Wrong> {
    let Err(reason) = asked.may_act(confirmation, trust)? else {
        return Err(Wrong("deploy-bot would have acted without an approval".to_owned()));
    };
    agent.consume_in_vain(&confirmation.id).await?;
    voice.refused(&format!("deploy-bot does not act: {reason}"))?;
    voice.refused("using it is refused (409)")?;
    Ok(())
}

async fn check_log(voice: &mut Voice, web: &Client, trust: &Trust, first: &Checkpoint) -> Result<(), Wrong> {
    voice.step("The public log is checked, as an auditor would")?;
    let last = audit::checkpoint(web, &trust.logs[0]).await?;
    audit::rebuild(web, &last).await?;
    voice.good(&format!("{} entries, fetched as tiles, give the root that is signed: {}", last.size, last.root))?;
    require(first.size < last.size, "the log did not grow")?;
    audit::extends(web, first, &last).await?;
    voice.good(&format!(
        "a consistency proof: the log of {} entry is a prefix of it, nothing was taken back",
        first.size
    ))?;
    Ok(())
}

fn end(voice: &mut Voice, evidence: Evidence, changed: &std::path::Path) -> io::Result<()> {
    voice.line("The demo did all that it said. What stays:")?;
    voice.field("receipt", &shell_quoted(&evidence.receipt()))?;
    voice.field("trust file", &shell_quoted(&evidence.trust()))?;
    voice.line("Verify it yourself, then the changed one, then start your own server:")?;
    voice.command(&evidence.command())?;
    let trust = shell_quoted(&evidence.trust());
    let program = evidence::program();
    voice.command(&format!("{program} verify {} --trust {trust}", shell_quoted(changed)))?;
    voice.command(&format!("{program} serve"))?;
    evidence.keep();
    Ok(())
}
