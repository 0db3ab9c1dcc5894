//! Asking for a backup: who may, one at a time, and nobody waits for it.

use std::sync::{Arc, Mutex, mpsc};

use api::BackupMade;
use log_server::writer::Published;

use crate::server::{Server, Setup};

#[tokio::test]
async fn a_backup_is_for_admins_and_a_server_without_the_hook_has_none() {
    let server = Server::new().await;
    server.post("/api/backups").send().await.refused(401);
    server.post("/api/backups").key(server.admin()).send().await.refused(404);
    server.get("/api/backups").key(server.admin()).send().await.refused(405);
}

#[tokio::test]
async fn one_backup_at_a_time_and_reads_and_appends_go_on_meanwhile() {
    let (began, beginning) = mpsc::channel();
    let (finish, finishing) = mpsc::channel::<()>();
    let finishing = Mutex::new(finishing);
    let hook = move |published: &Published| {
        began.send(()).unwrap();
        finishing.lock().unwrap().recv().unwrap();
        Ok(made(published))
    };
    let server = Arc::new(Setup { backup: Some(Arc::new(hook)), ..Setup::new() }.start().await);
    let first = tokio::spawn({
        let server = server.clone();
        async move { server.post("/api/backups").key(server.admin()).send().await }
    });
    tokio::task::spawn_blocking(move || beginning.recv().unwrap()).await.unwrap();
    let busy = server.post("/api/backups").key(server.admin()).send().await.refused(503);
    assert!(busy.detail.contains("another backup"), "{}", busy.detail);
    let size = server.log_size().await;
    server.enrol("alex").await;
    assert_eq!(server.log_size().await, size + 1);
    finish.send(()).unwrap();
    let answer: BackupMade = first.await.unwrap().expect(201).json();
    assert_eq!((answer.size, answer.path.as_str()), (size, "/backups/one"));
}

#[tokio::test]
async fn a_failed_backup_says_why_and_a_full_disk_is_not_made_fuller() {
    let hook = |_: &Published| Err("the disk is on fire".to_owned());
    let server = Setup { backup: Some(Arc::new(hook)), ..Setup::new() }.start().await;
    let failed = server.post("/api/backups").key(server.admin()).send().await.refused(500);
    assert_eq!(failed.kind, "urn:countersign:problem:backup-failed");
    assert!(failed.detail.contains("on fire"), "{}", failed.detail);
    server.setup.free_disk.store(1, std::sync::atomic::Ordering::SeqCst);
    server.post("/api/backups").key(server.admin()).send().await.refused(507);
}

fn made(published: &Published) -> BackupMade {
    BackupMade {
        path: "/backups/one".into(),
        log_origin: "localhost/log".into(),
        size: published.head.size.get(),
        root: published.head.root.to_string(),
        made_at: "2026-01-02T03:04:05Z".into(),
    }
}
