//! A channel in this process: every try comes to the test, which says what became of it.

use std::sync::Arc;

use log_server::notifications::{Channel, Courier, Couriers, Delivery, Message, Undelivered};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::people::Person;
use crate::server::{Server, Setup, soon};

/// What comes to the test.
pub(crate) struct Post(UnboundedReceiver<Tried>);

/// A message that the worker tries to send.
pub(crate) struct Tried {
    pub(crate) message: Message,
    answer: oneshot::Sender<Result<(), Undelivered>>,
}

struct ToTheTest(UnboundedSender<Tried>);

impl Courier for ToTheTest {
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            _ = self.0.send(Tried { message: message.clone(), answer });
            // A test that drops the message loses the connection, so to speak.
            let lost = Err(Undelivered::Later("the connection was lost".to_owned()));
            answered.await.unwrap_or(lost).map(|()| None)
        })
    }
}

/// A server that can send e-mail, so many messages at a time.
pub(crate) fn with_mail(setup: Setup, at_a_time: usize) -> (Setup, Post) {
    let (sender, receiver) = unbounded_channel();
    let couriers = Couriers::default().with(Channel::Email, Arc::new(ToTheTest(sender)), at_a_time);
    (Setup { couriers, ..setup }, Post(receiver))
}

impl Post {
    /// The next try.
    pub(crate) async fn next(&mut self) -> Tried {
        soon(self.0.recv()).await.expect("the courier lives as long as the server")
    }

    pub(crate) fn is_empty(&mut self) -> bool {
        self.0.is_empty()
    }

    /// The next message, which goes through.
    pub(crate) async fn takes(&mut self) -> Message {
        let tried = self.next().await;
        let message = tried.message.clone();
        tried.end(Ok(()));
        message
    }
}

impl Tried {
    pub(crate) fn end(self, outcome: Result<(), Undelivered>) {
        self.answer.send(outcome).expect("the worker waits");
    }
}

/// The path of a message's link.
pub(crate) fn path(message: &Message) -> String {
    let (_, url) = message.words.link.as_ref().expect("it has a link");
    url.strip_prefix(crate::server::WEB_ORIGIN).expect("on this server").to_owned()
}

impl Server {
    /// Enrols somebody with an address, which they confirm.
    pub(crate) async fn enrol_reachable(&self, name: &str, post: &mut Post) -> Person {
        let person = self.enrol_with(name, &json!({"email": format!("{name}@example.com")})).await;
        let message = post.takes().await;
        self.post(&path(&message)).send().await.expect(200);
        person
    }

    /// The states of what was sent about a confirmation, once none of it is queued.
    pub(crate) async fn settled(&self, key: &str, id: &str) -> Vec<(String, String)> {
        soon(async {
            loop {
                let notified = self.confirmation(key, id).await.notified;
                if notified.iter().all(|one| one.state != "queued") {
                    return notified.into_iter().map(|one| (one.approver.unwrap(), one.state)).collect();
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// The messages in a state, as the admin sees them, once there are so many.
    pub(crate) async fn notifications(&self, state: &str, many: usize) -> Vec<api::Notification> {
        soon(async {
            loop {
                let path = format!("/api/notifications?state={state}");
                let reply = self.get(&path).key(self.admin()).send().await.expect(200);
                let list: api::NotificationList = reply.json();
                if list.notifications.len() == many {
                    return list.notifications;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}
