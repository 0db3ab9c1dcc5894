//! Linking a chat: the code that somebody made on their own page, with a passkey, comes back to the bot, and the chat that it
//! comes from is their contact. Nothing else that is written to the bot means anything.

use super::Approvals;
use super::contacts::{self, AddressRecord, TokenRecord, hash};
use super::outbox::{self, About};
use crate::keyspace;
use crate::notifications::{Changed, Channel, Chat};
use crate::problem::Problem;
use crate::writer::{Command, Failed, Transaction};

/// How long it is tried to say in the chat that it is linked, in seconds.
const SAY: u64 = 3600;

struct LinkChat {
    hash: [u8; 32],
    chat: Chat,
    welcome: String,
    notice: String,
}

impl Approvals {
    /// Makes a chat the contact of whoever made the code. Codes that are unknown, used or too old look the same.
    pub(crate) async fn link_chat(&self, code: &str, chat: Chat) -> Result<(), Problem> {
        let (welcome, notice) = (self.message_id(), self.message_id());
        Ok(self.writer.submit(LinkChat { hash: hash(code)?, chat, welcome, notice }).await?)
    }
}

impl Command for LinkChat {
    type Answer = ();
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let refused = || Failed::Refused(Problem::NotFound);
        let found = tx.get::<TokenRecord>(&keyspace::contact_token(&self.hash))?;
        let found = found.filter(|token| token.channel == Channel::Telegram);
        let TokenRecord { username, channel } = found.ok_or_else(refused)?;
        let mut contact = contacts::contact(tx, &username, channel)?;
        contact.take_proposal(tx, &self.hash).ok_or_else(refused)?;
        let address = self.chat.id.to_string();
        let now = tx.now();
        let current = AddressRecord { address: address.clone(), since: now.unix(), name: self.chat.name };
        match contact.current.replace(current) {
            Some(before) if before.address == address => {}
            Some(before) => contacts::tell(tx, &contact, before.address, Changed::Replaced, self.notice),
            // Messages may go to the chat from now on instead of there.
            None => {
                let mail = contacts::contact(tx, &username, Channel::Email)?;
                if let Some(beside) = mail.current.clone() {
                    contacts::tell(tx, &mail, beside.address, Changed::Added, self.notice);
                }
            }
        }
        tx.put(keyspace::contact(&username, channel.as_str()), &contact);
        outbox::write(tx, self.welcome, channel, &username, About::Linked { address }, now.plus(SAY).unix());
        tracing::info!(event = "chat linked", username);
        Ok(())
    }
}
